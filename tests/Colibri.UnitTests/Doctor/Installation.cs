using Colibri.Core.Agents.Launch;
using Colibri.Core.Doctor;
using Colibri.Core.Providers;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.UnitTests.Doctor;

/// <summary>An installation in a directory of its own: fake programs, a home, a state directory. It is in order until a test breaks it.</summary>
internal sealed class Installation : IDisposable
{
    public const string Key = "sk-a-key-of-the-daemon";

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-doctor-").FullName;
    private readonly List<AgentCandidate> _candidates = [];
    private readonly List<WorkspaceSettings> _workspaces = [];

    public Installation()
    {
        foreach (var name in (string[])["bin", "home", "state", "state/sessions"])
            Directory.CreateDirectory(InFolder(name));
        File.CreateSymbolicLink(InFolder("bin/git"), "/usr/bin/git");
        Environment["HOME"] = InFolder("home");
        Environment["PATH"] = "/usr/bin:/bin";
        Environment["ANTHROPIC_API_KEY"] = Key;
        File.WriteAllText(InFolder("home/.gitconfig"), "[user]\n\tname = Colibri\n\temail = colibri@example.org\n");
    }

    /// <summary>The daemon's own variables.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public DoctorHost Host { get; set; } = new() { Uid = 4201, UserName = "colibri", Kind = OperatingSystemKind.Linux, OpenFiles = static () => (65_536, 65_536), ServiceSockets = [], OwnCgroupFile = "/nowhere", Room = static _ => (100L << 30, 200L << 30) };

    public Func<DaemonConfiguration, DaemonConfiguration> Configure { get; set; } = static configuration => configuration;

    public Func<ExaminationParts, ExaminationParts> Change { get; set; } = static parts => parts;

    public IReadOnlyList<Tenant> Tenants { get; set; } = [];

    public RetentionSettings Retention { get; set; } = new();

    public string InFolder(string path) => Path.Combine(_directory, path);

    public Installation WithProgram(string name, string script, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserExecute, string interpreter = "/bin/sh")
    {
        var path = InFolder($"bin/{name}");
        File.WriteAllText(path, $"#!{interpreter}\n{script}\n");
        File.SetUnixFileMode(path, mode);
        return this;
    }

    public Installation WithProfile(ProfileSettings profile)
    {
        _candidates.Add(new AgentCandidate(profile.Name, _ => true, new SpawnRequest
        {
            Binary = profile.Binary ?? profile.Kind,
            Runtime = profile.Kind,
            Transport = profile.Transport,
            Arguments = profile.Arguments ?? [],
            Provider = profile.Provider,
            Access = profile.Access,
            IsAccessDefault = !profile.IsAccessStated,
            Environment = profile.Environment,
            PassedEnvironment = profile.PassedEnvironment,
            Jail = profile.Confine is { } confine ? new JailRequest { Path = confine.Path, User = confine.User } : null,
            Profile = profile,
        }));
        return this;
    }

    /// <summary>Claude, in order.</summary>
    public Installation WithClaude(string script = "echo '2.1.332 (Claude Code)'") =>
        WithProgram("claude", script).WithProfile(new ProfileSettings { Name = "claude", Kind = "claude" });

    public Installation WithWorkspace(WorkspaceSettings workspace)
    {
        _workspaces.Add(workspace);
        return this;
    }

    /// <summary>A repository with a commit on <c>main</c>.</summary>
    public string Repository(string name = "site", params (string Path, string Text)[] files)
    {
        var path = InFolder(name);
        Directory.CreateDirectory(path);
        foreach (var (file, text) in files)
            File.WriteAllText(Path.Combine(path, file), text);
        Git(path, "init -q -b main && git add -A && git commit -q --allow-empty -m start");
        return path;
    }

    /// <summary>Runs git, with this installation's home.</summary>
    public void Git(string directory, string arguments)
    {
        var (exit, output) = Shell.Run(Shell.Options($"cd {DoctorHost.ShellWord(directory)} && git {arguments}", $"HOME={InFolder("home")}")).GetAwaiter().GetResult();
        exit.Code.ShouldBe(0, output);
    }

    public Examination Examination()
    {
        var configuration = Configure(DaemonConfiguration.Read(
            new Dictionary<string, string>(Environment) { ["COLIBRI_DAEMON_SOCKET"] = InFolder("d.sock"), ["COLIBRI_DB_PATH"] = InFolder("state/board.sqlite"), ["COLIBRI_SESSIONS_DIR"] = InFolder("state/sessions") },
            _ => true, "here"));
        var settings = new ColibriSettings { Daemon = configuration, Workspaces = _workspaces, Retention = Retention };
        return new Examination(Change(new ExaminationParts
        {
            Settings = () => settings,
            Environment = Environment,
            Candidates = () => _candidates,
            Tenants = () => Tenants,
            Programs = Programs,
            Processes = SharedChildren.Instance,
            Plan = static _ => Task.FromResult<Colibri.Core.Agents.Confinement.ConfinementPlan?>(null),
            Secrets = new Secrets(Environment, null, NullLogger.Instance),
            Host = Host,
            Time = TimeProvider.System,
            Logger = NullLogger.Instance,
            AgentEnvironment = new AgentEnvironment(EnvironmentBlock.Of(Environment)),
        }));
    }

    // The host's own directories are searched as well, so a test asks for a name that no host has.
    public ProgramPath Programs => new(InFolder("bin"), null, InFolder("bin"));

    public async Task<IReadOnlyList<DoctorCheck>> ExamineAsync() => (await Examination().RunAsync().WaitAsync(Shell.Deadline)).Checks;

    /// <summary>The lines of one name.</summary>
    public async Task<DoctorCheck> CheckAsync(string group, string name)
    {
        var checks = await ExamineAsync();
        return checks.Where(check => check.Group == group && check.Name == name).ShouldHaveSingleItem(string.Join('\n', checks));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
