using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Doctor;

/// <summary>What a client can see without a daemon: which socket it takes and why, whether others are there, who may connect, and how a daemon is started.</summary>
/// <param name="host">The host.</param>
/// <param name="socket">The socket that this program takes.</param>
/// <param name="failure">Why no daemon answered there; null where one did.</param>
internal sealed class ClientChecks(ClientHost host, string socket, DaemonUnreachableException? failure)
{
    public const string Group = "client";

    private const string ServiceGroup = "colibri";
    private const string Program = "colibri-daemon";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly string[] ServiceUnits =
        ["/etc/systemd/system/colibri-daemon.service", "/usr/lib/systemd/system/colibri-daemon.service", "/lib/systemd/system/colibri-daemon.service"];

    private static readonly string[] UserUnits =
        ["/etc/systemd/user/colibri-daemon.service", "/usr/lib/systemd/user/colibri-daemon.service", "/lib/systemd/user/colibri-daemon.service"];

    private static readonly string[] RcScripts = ["/usr/local/etc/rc.d/colibri_daemon"];

    private static readonly string[] ProgramDirectories = ["/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin"];

    private readonly List<DoctorCheck> _checks = [];

    public async Task<IReadOnlyList<DoctorCheck>> FindAsync(CancellationToken cancellation)
    {
        var others = new List<string>();
        foreach (var other in Others())
        {
            if (await AnswersAsync(other, cancellation).ConfigureAwait(false))
                others.Add(other);
        }
        FindSocket(others);
        FindProgram();
        FindGroup();
        // A daemon looks at these itself, with its own user's eyes.
        if (failure is not null)
        {
            FindConfiguration();
            FindAgents();
        }
        return _checks;
    }

    private void FindSocket(List<string> others)
    {
        if (failure is null)
        {
            Add("socket", DoctorState.Ok, $"{socket}, {Why()}: a daemon answers");
            foreach (var other in others)
                Add("other socket", DoctorState.Note, $"a second daemon answers at {other}", $"to talk to that one: colibri --socket {other} COMMAND");
        }
        else if (others.Count > 0)
        {
            Add("socket", DoctorState.Error, $"{Plainly(failure)}; it was taken since it is {Why()}, and a daemon answers at {others[0]}", $"colibri --socket {others[0]} COMMAND, or export {SocketPaths.EnvironmentVariable}={others[0]}");
        }
        else if (failure.Reason == UnreachableReason.PermissionDenied)
        {
            Add("socket", DoctorState.Error, $"{socket}, {Why()}: {host.UserName} may not connect", $"sudo usermod -aG {ServiceGroup} {host.UserName}, then log in again");
        }
        else
        {
            Add("socket", DoctorState.Error, $"{Plainly(failure)}; it was taken since it is {Why()}", Start());
        }
    }

    /// <summary>The message without the advice in brackets at its end: that comes by itself.</summary>
    private static string Plainly(DaemonUnreachableException failure) =>
        failure.Message.LastIndexOf(" (", StringComparison.Ordinal) is > 0 and var bracket ? failure.Message[..bracket] : failure.Message;

    private string Why()
    {
        if (socket == host.Environment(SocketPaths.EnvironmentVariable))
            return $"the one that {SocketPaths.EnvironmentVariable} names";
        if (socket == SocketPaths.Service)
            return "the service's";
        return Own().Contains(socket) ? "the place of a daemon of your own" : "the one that --socket names";
    }

    private IEnumerable<string> Own()
    {
        if (host.Environment("XDG_RUNTIME_DIR") is { Length: > 0 } runtime)
            yield return Path.Combine(runtime, "colibri", "colibri.sock");
        if (host.Environment("HOME") is { Length: > 0 } home)
            yield return Path.Combine(home, ".colibri", "run", "colibri.sock");
        // Of a login without XDG_RUNTIME_DIR, as su(1) makes one.
        if (NumberIn("Uid:") is { } uid)
            yield return $"/run/user/{uid}/colibri/colibri.sock";
    }

    private IEnumerable<string> Others() =>
        Own().Prepend(SocketPaths.Service).DistinctBy(Canonical).Where(other => Canonical(other) != Canonical(socket) && host.Exists(other));

    // Linux has /var/run as a link to /run.
    private static string Canonical(string path) => path.StartsWith("/var/run/", StringComparison.Ordinal) && !OperatingSystem.IsFreeBSD() ? path["/var".Length..] : path;

    private static async Task<bool> AnswersAsync(string path, CancellationToken cancellation)
    {
        try
        {
            using var client = await ColibriClient.ConnectAsync(path, cancellation).ConfigureAwait(false);
            return (await client.SendAsync(new CommandRequest { Cmd = WireCommand.Ping.Name }, Patience, cancellation).ConfigureAwait(false)).Ok;
        }
        catch (DaemonUnreachableException)
        {
            return false;
        }
    }

    private void FindProgram()
    {
        var path = (host.Environment("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        if (path.Append(host.ProgramDirectory).Concat(ProgramDirectories).Select(directory => Path.Combine(directory, Program)).FirstOrDefault(file => host.Exists(file)) is { } found)
            Add("daemon", DoctorState.Ok, found);
        else if (failure is null)
            Add("daemon", DoctorState.Note, $"{Program} is not on this PATH; the daemon that answers was started from elsewhere");
        else
            Add("daemon", DoctorState.Error, $"{Program} is neither on this PATH nor beside this program", "install it, or add its directory to PATH");
    }

    private void FindConfiguration()
    {
        var stated = host.Environment("COLIBRI_CONFIG");
        if (stated is not null && !host.Exists(stated))
            Add("configuration", DoctorState.Error, $"COLIBRI_CONFIG names {stated}, which {host.UserName} cannot find", "correct COLIBRI_CONFIG, or make that file");
        else if ((stated ?? ConfigurationPlaces().FirstOrDefault(file => host.Exists(file))) is { } file)
            Add("configuration", DoctorState.Ok, $"a daemon of this environment would read {file}", $"to see what it makes of it: {Program} --check-config");
        else
            Add("configuration", DoctorState.Note, $"there is no configuration file; it would be one of {string.Join(", ", ConfigurationPlaces())}");
    }

    private IEnumerable<string> ConfigurationPlaces()
    {
        if (host.Environment("XDG_CONFIG_HOME") is ['/', ..] stated)
            yield return Path.Combine(stated, ServiceGroup, "colibri.toml");
        else if (host.Environment("HOME") is ['/', ..] home)
            yield return Path.Combine(home, ".config", ServiceGroup, "colibri.toml");
        yield return "/usr/local/etc/colibri/colibri.toml";
        yield return "/etc/colibri/colibri.toml";
    }

    private void FindAgents()
    {
        string[] directories = [.. (host.Environment("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)];
        // A kind that stands for any program has none to look for.
        List<AgentKind> kinds = [.. Runtimes.Kinds.Where(kind => !kind.NeedsBinary)];
        List<string> found = [.. kinds.Select(kind => directories.Select(directory => Path.Combine(directory, kind.Program)).FirstOrDefault(file => host.Exists(file))).OfType<string>()];
        if (found.Count > 0)
            Add("agents", DoctorState.Ok, $"on this PATH: {string.Join(", ", found)}; a daemon says more of them");
        else
            Add("agents", DoctorState.Note, $"none that Colibri knows is on this PATH: {string.Join(", ", kinds.Select(kind => kind.Program))}");
    }

    private string Start()
    {
        var sudo = host.IsRoot ? "" : "sudo ";
        if (Array.Exists(RcScripts, file => host.Exists(file)))
            return $"{sudo}service colibri_daemon start";
        List<string> ways = [];
        if (Array.Exists(ServiceUnits, file => host.Exists(file)))
            ways.Add($"{sudo}systemctl start colibri-daemon");
        if (!host.IsRoot && Array.Exists(UserUnits, file => host.Exists(file)))
            ways.Add("for one of your own: systemctl --user start colibri-daemon");
        return ways.Count > 0 ? string.Join("; ", ways) : Program;
    }

    /// <summary>Whether this user may connect to the service's daemon: a login has the groups that it began with.</summary>
    private void FindGroup()
    {
        var line = (host.Read("/etc/group") ?? "").Split('\n').Select(line => line.Split(':')).FirstOrDefault(line => line is [ServiceGroup, _, _, _]);
        if (line is null || host.IsRoot)
            return;
        var isMember = line[3].Split(',').Contains(host.UserName) || host.UserName == ServiceGroup;
        var login = WordsIn("Groups:");
        var isDenied = failure?.Reason == UnreachableReason.PermissionDenied;
        if (login.Contains(line[2]) || (isMember && login.Length == 0))
            Add("group", DoctorState.Ok, $"{host.UserName} is in the group {ServiceGroup}, which may connect to the service's daemon");
        else if (isMember)
            Add("group", isDenied ? DoctorState.Error : DoctorState.Warning, $"{host.UserName} was put into the group {ServiceGroup} after this login", $"log in again, or: newgrp {ServiceGroup}");
        else
            Add("group", isDenied ? DoctorState.Error : DoctorState.Note, $"{host.UserName} is not in the group {ServiceGroup}, which may connect to the service's daemon", $"sudo usermod -aG {ServiceGroup} {host.UserName}, then log in again");
    }

    private string? NumberIn(string label) => WordsIn(label) is [var first, ..] ? first : null;

    // The line of proc(5): a label, and numbers between blanks. Nothing where there is no /proc.
    private string[] WordsIn(string label) =>
        (host.Read("/proc/self/status") ?? "").Split('\n').FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal)) is { } line
            ? line[label.Length..].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries) : [];

    private void Add(string name, DoctorState state, string message, string? fix = null) => _checks.Add(new DoctorCheck(Group, name, state, message, fix));
}
