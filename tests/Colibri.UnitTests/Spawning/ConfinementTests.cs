using Colibri.Core.Configuration;
using Colibri.Core.Spawning;
using Colibri.Core.Spawning.Confinement;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Spawning;

/// <summary>What a request for confinement becomes, word for word, and what is refused before anything is made.</summary>
public sealed class ConfinementTests : IDisposable
{
    private readonly string _directory = JailRoot.RealPath(Directory.CreateTempSubdirectory("colibri-jails-").FullName)!;

    public ConfinementTests()
    {
        Directory.CreateDirectory(Root + "/usr/bin");
        Directory.CreateDirectory(_directory + "/bin");
        File.WriteAllText(Root + "/usr/bin/agent", "");
        File.WriteAllText(_directory + "/bin/bwrap", "#!/bin/sh\n");
        File.SetUnixFileMode(_directory + "/bin/bwrap", UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private string Base => _directory + "/base";

    private string Root => Base + "/acme";

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_arguments_are_these_and_no_others()
    {
        var plan = Plan(new JailRequest { Path = Root })!;
        plan.Program.ShouldEndWith("/bwrap");
        plan.Arguments("/usr/bin/agent", ["--mode", "json", "do it"], "/work").ShouldBe(
        [
            "--bind", Root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
            "--unshare-cgroup-try", "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--chdir", "/work", "--", "/usr/bin/agent",
            "--mode", "json", "do it",
        ]);
        plan.Description.ShouldBe($"bwrap {Root}");

        var offline = Plan(new JailRequest { Path = Root, Ip4 = "disable" })!;
        offline.Arguments("/usr/bin/agent", [], null).ShouldContain("--unshare-net");
        offline.Arguments("/usr/bin/agent", [], null).TakeLast(4).ShouldBe(["--chdir", "/", "--", "/usr/bin/agent"]);
        Plan(null).ShouldBeNull();
    }

    [Fact]
    public void What_leads_outside_is_not_in_its_environment()
    {
        var inside = Bubblewrap.Environment(
            new Dictionary<string, string> { ["HOME"] = "/root", ["PATH"] = "/opt", ["COLIBRI_DAEMON_SOCKET"] = "/s", ["COLIBRI_AGENT_ID"] = "a" }, "/work");
        (inside["HOME"], inside["PWD"], inside["COLIBRI_AGENT_ID"], inside["PATH"].Split(':')[0]).ShouldBe(("/work", "/work", "a", "/usr/local/bin"));
        inside.ShouldNotContainKey("COLIBRI_DAEMON_SOCKET");
    }

    [Fact]
    public void A_path_out_of_the_base_is_refused_wherever_it_leads()
    {
        Directory.CreateSymbolicLink(Base + "/out", "/usr");
        Directory.CreateSymbolicLink(Base + "/up", "..");
        Directory.CreateSymbolicLink(Base + "/round", "round");
        Directory.CreateSymbolicLink(Base + "/in", "acme");
        Directory.CreateDirectory(_directory + "/base-of-another");
        File.WriteAllText(Base + "/file", "");
        foreach (var path in new[]
        {
            Base, Base + "/", Base + "/acme/..", Base + "/acme/../..", Base + "/out", Base + "/up", Base + "/round", Base + "/missing", Base + "/file",
            "/", "/usr", "acme", _directory + "/base-of-another", Base + "/out/bin",
        })
        {
            Should.Throw<SpawnRefusedException>(() => Plan(new JailRequest { Path = path }), path).Refusal.ShouldBe(SpawnRefusal.JailPathWrong, path);
        }
        Plan(new JailRequest { Path = Base + "/in" })!.Root.Path.ShouldBe(Root);
        Plan(new JailRequest { Path = Base + "/./acme/" })!.Root.Path.ShouldBe(Root);
        Directory.GetFileSystemEntries(_directory, "*", SearchOption.TopDirectoryOnly).Length.ShouldBe(3, "nothing was made");
    }

    [Fact]
    public void What_cannot_be_given_is_refused()
    {
        foreach (var jail in new[]
        {
            new JailRequest { Name = "acme" }, new JailRequest { Path = Root, User = "agent" }, new JailRequest { Path = Root, Ip4 = "10.0.0.1" },
        })
            Should.Throw<SpawnRefusedException>(() => Plan(jail)).Refusal.ShouldBe(SpawnRefusal.NotConfinable);
        Should.Throw<SpawnRefusedException>(() => Plan(new JailRequest())).Refusal.ShouldBe(SpawnRefusal.JailPathWrong);
        Should.Throw<SpawnRefusedException>(() => Plan(new JailRequest { Path = Root }, rootBase: null)).Message.ShouldContain("COLIBRI_JAIL_ROOT_BASE is not set");
        Should.Throw<SpawnRefusedException>(() => Plan(new JailRequest { Path = Root }, isLinux: false)).Refusal.ShouldBe(SpawnRefusal.NotConfinable);
    }

    [Fact]
    public void The_program_is_looked_for_inside()
    {
        Directory.CreateDirectory(Root + "/bin");
        File.CreateSymbolicLink(Root + "/bin/linked", "/usr/bin/agent");
        var root = Plan(new JailRequest { Path = Root })!.Root;
        root.Find("agent").ShouldBe("/usr/bin/agent");
        root.Find("linked").ShouldBe("/bin/linked");
        root.Find("/usr/bin/agent").ShouldBe("/usr/bin/agent");
        root.Find("sh").ShouldBeNull();
        root.Find("/usr/../../../bin/sh").ShouldBeNull();
    }

    private Bubblewrap? Plan(JailRequest? jail, string? rootBase = "", bool isLinux = true)
    {
        var configuration = new DaemonConfiguration
        {
            SocketPath = "/s",
            DatabasePath = "/d",
            SessionsDirectory = "/x",
            Host = "h",
            JailRootBase = rootBase?.Length == 0 ? Base : rootBase,
        };
        return new Confiner(configuration, new ProgramPath(_directory + "/bin", null, _directory), isLinux).Plan(jail);
    }
}
