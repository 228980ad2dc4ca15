using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Confinement;

/// <summary>What a request for confinement becomes on Linux, word for word, and what is refused before anything is made.</summary>
[NotInParallel]
public sealed class ConfinementTests : IDisposable
{
    private readonly JailFolder _jails = new();

    private string Base => _jails.Base;

    private string Root => _jails.Root;

    public void Dispose() => _jails.Dispose();

    [Test]
    public async Task The_arguments_are_these_and_no_others()
    {
        var plan = (await Plan(new JailRequest { Path = Root }))!;
        var start = plan.Start("a1", "/usr/bin/agent", ["--mode", "json", "do it"], "/work", EnvironmentBlock.Empty);
        start.Program.ShouldEndWith("/bwrap");
        start.Arguments.ShouldBe(
        [
            "--bind", Root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
            "--unshare-cgroup-try", "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--chdir", "/work", "--", "/usr/bin/agent",
            "--mode", "json", "do it",
        ]);
        start.Staged.ShouldBeEmpty();
        (plan.Stage, plan.JailOf("a1"), plan.Description).ShouldBe((null, null, $"bwrap {Root}"));

        var offline = (await Plan(new JailRequest { Path = Root, Ip4 = "disable", RootPath = Base + "/./acme" }))!;
        var arguments = offline.Start("a1", "/usr/bin/agent", [], null, EnvironmentBlock.Empty).Arguments;
        arguments.ShouldContain("--unshare-net");
        arguments.TakeLast(4).ShouldBe(["--chdir", "/", "--", "/usr/bin/agent"]);
        (await Plan(null)).ShouldBeNull();
    }

    [Test]
    public async Task A_root_daemon_starts_bwrap_as_the_user_of_the_root_s_own_passwd()
    {
        var plan = (await Plan(new JailRequest { Path = Root, User = "agent" }, isRoot: true))!;
        plan.Description.ShouldBe($"bwrap {Root}, user agent");
        var start = plan.Start("a1", "/usr/bin/agent", ["x"], null, EnvironmentBlock.Of([new("HOME", "/root"), new("USER", "root")]));
        start.Program.ShouldBe("/usr/local/bin/colibri-daemon");
        start.Arguments.Take(7).ShouldBe(["--jail-exec", "--ids", "1001:1002:1002,0,44", "--", _jails.Tools + "/bwrap", "--bind", Root]);
        (start.Environment.Text()["HOME"], start.Environment.Text()["USER"], start.Environment.Text()["LOGNAME"]).ShouldBe(("/home/agent", "agent", "agent"));
        (await Refusal(new JailRequest { Path = Root, User = "agent" })).Refusal.ShouldBe(SpawnRefusal.NotConfinable);
    }

    [Test]
    public async Task What_leads_outside_is_not_in_its_environment()
    {
        var inside = (await Plan(new JailRequest { Path = Root }))!.Start("a", "/usr/bin/agent", [], "/work", EnvironmentBlock.Of(new Dictionary<string, string>
        {
            ["HOME"] = "/root",
            ["PATH"] = "/opt",
            ["COLIBRI_DAEMON_SOCKET"] = "/s",
            ["COLIBRI_AGENT_ID"] = "a",
        })).Environment.Text();
        (inside["HOME"], inside["PWD"], inside["COLIBRI_AGENT_ID"], inside["PATH"].Split(':')[0]).ShouldBe(("/work", "/work", "a", "/usr/local/bin"));
        inside.ContainsKey("COLIBRI_DAEMON_SOCKET").ShouldBeFalse();
    }

    [Test]
    [Arguments(OperatingSystemKind.Linux, false)]
    [Arguments(OperatingSystemKind.Linux, true)]
    [Arguments(OperatingSystemKind.FreeBsd, false)]
    [Arguments(OperatingSystemKind.FreeBsd, true)]
    [Arguments(OperatingSystemKind.LinuxOnFreeBsd, false)]
    [Arguments(OperatingSystemKind.LinuxOnFreeBsd, true)]
    public async Task A_path_out_of_the_base_is_refused_wherever_it_leads(OperatingSystemKind kind, bool isRoot)
    {
        Directory.CreateSymbolicLink(Base + "/out", "/usr");
        Directory.CreateSymbolicLink(Base + "/up", "..");
        Directory.CreateSymbolicLink(Base + "/round", "round");
        Directory.CreateSymbolicLink(Base + "/in", "acme");
        Directory.CreateDirectory(_jails.PathOf("base-of-another"));
        File.WriteAllText(Base + "/file", "");
        var before = Everything();
        foreach (var path in new[]
        {
            Base, Base + "/", Base + "/acme/..", Base + "/acme/../..", Base + "/out", Base + "/up", Base + "/round", Base + "/missing", Base + "/file",
            "/", "/usr", "acme", _jails.PathOf("base-of-another"), Base + "/out/bin",
        })
        {
            (await Refusal(new JailRequest { Path = path }, kind, isRoot)).Refusal.ShouldBe(SpawnRefusal.JailWrong, path);
            if (kind == OperatingSystemKind.Linux || !path.StartsWith('/'))
                continue;
            // The jail that is entered has its root where it should not have it.
            _jails.Tool("jls", $"echo '{path}'");
            (await Refusal(new JailRequest { Name = "acme" }, kind, isRoot)).Refusal.ShouldBe(SpawnRefusal.JailWrong, path);
        }
        (await _jails.Plan(new JailRequest { Path = Base + "/in" }, kind, isRoot))!.Root.Path.ShouldBe(Root);
        (await _jails.Plan(new JailRequest { Path = Base + "/./acme/" }, kind, isRoot))!.Root.Path.ShouldBe(Root);
        Everything().ShouldBe(before, "nothing was made");
    }

    // Every directory on the way, for every system and way of confining; the jail that is entered has its root there as well.
    [Test]
    [Arguments("", UnixFileMode.OtherWrite)]
    [Arguments("/base", UnixFileMode.OtherWrite)]
    [Arguments("/base", UnixFileMode.GroupWrite)]
    [Arguments("/base/tenants", UnixFileMode.OtherWrite)]
    [Arguments("/base/tenants", UnixFileMode.GroupWrite)]
    [Arguments("/base/tenants/acme", UnixFileMode.OtherWrite)]
    public async Task A_root_that_another_user_could_swap_before_the_start_is_refused(string writable, UnixFileMode bit)
    {
        var root = Tenant();
        var directory = Path.GetDirectoryName(Base) + writable;
        File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | bit);
        foreach (var kind in Enum.GetValues<OperatingSystemKind>())
        {
            var refused = await Refusal(new JailRequest { Path = root }, kind, isRoot: true);
            refused.Refusal.ShouldBe(SpawnRefusal.JailWrong);
            refused.Message.ShouldContain($"(chmod go-w {directory})");
            if (kind == OperatingSystemKind.Linux)
                continue;
            _jails.Tool("jls", $"echo '{root}'");
            (await Refusal(new JailRequest { Name = "acme" }, kind, isRoot: true)).Message.ShouldContain($"(chmod go-w {directory})");
        }

        // Where it is sticky, another user can make names there, and take none away.
        File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | UnixFileMode.StickyBit);
        (await Plan(new JailRequest { Path = root })).ShouldNotBeNull().Root.Path.ShouldBe(root);
    }

    [Test]
    [Arguments("/base")]
    [Arguments("/base/tenants")]
    [Arguments("/base/tenants/acme")]
    public async Task A_root_below_a_directory_of_another_user_is_refused_and_that_user_could_have_swapped_it(string owned)
    {
        Skip.Unless(Environment.IsPrivilegedProcess, "only root can give a directory away");
        var root = Tenant();
        var directory = Path.GetDirectoryName(Base) + owned;
        var accepted = (await Plan(new JailRequest { Path = root })).ShouldNotBeNull();
        (await Shell.Run(Shell.Options($"chmod go+x '{Path.GetDirectoryName(Base)}'; chown 12345 '{directory}'"))).Exit.Code.ShouldBe(0);

        var refused = await Refusal(new JailRequest { Path = root });

        refused.Refusal.ShouldBe(SpawnRefusal.JailWrong);
        refused.Message.ShouldContain($"{directory} belongs to uid 12345");
        if (directory == root)
            return;
        // What is refused is no theory: between a look and the start its owner puts another directory in the root's place.
        var step = root[..(root.IndexOf('/', directory.Length + 1) is > 0 and var next ? next : root.Length)];
        var (exit, output) = await Shell.Run(Shell.Options($"setpriv --reuid 12345 --clear-groups -- sh -c \"mv '{step}' '{step}.old' && ln -s / '{step}'\""));
        exit.Code.ShouldBe(0, output);
        JailRoot.RealPath(accepted.Root.Path).ShouldNotBe(root);
    }

    private string Tenant()
    {
        var root = Base + "/tenants/acme/usr/bin";
        Directory.CreateDirectory(root);
        File.WriteAllText(root + "/agent", "");
        return Base + "/tenants/acme";
    }

    [Test]
    public async Task What_cannot_be_given_is_refused()
    {
        foreach (var jail in new[] { new JailRequest { Name = "acme" }, new JailRequest { Path = Root, User = "agent" }, new JailRequest { Path = Root, Ip4 = "10.0.0.1" } })
            (await Refusal(jail)).Refusal.ShouldBe(SpawnRefusal.NotConfinable);
        (await Refusal(new JailRequest())).Refusal.ShouldBe(SpawnRefusal.JailWrong);
        (await Refusal(new JailRequest { Path = Root, RootPath = Base })).Refusal.ShouldBe(SpawnRefusal.JailWrong);
        (await Should.ThrowAsync<SpawnRefusedException>(() => _jails.Plan(new JailRequest { Path = Root }, OperatingSystemKind.Linux, rootBase: null)))
            .Message.ShouldContain("COLIBRI_JAIL_ROOT_BASE is not set");
        File.Delete(_jails.Tools + "/bwrap");
        if (!File.Exists("/usr/bin/bwrap"))
            (await Refusal(new JailRequest { Path = Root })).Message.ShouldContain("bwrap is not installed");
    }

    [Test]
    public async Task The_program_is_looked_for_inside()
    {
        Directory.CreateDirectory(Root + "/bin");
        File.CreateSymbolicLink(Root + "/bin/linked", "/usr/bin/agent");
        var root = (await Plan(new JailRequest { Path = Root }))!.Root;
        root.Find("agent").ShouldBe("/usr/bin/agent");
        root.Find("linked").ShouldBe("/bin/linked");
        root.Find("/usr/bin/agent").ShouldBe("/usr/bin/agent");
        root.Find("sh").ShouldBeNull();
        root.Find("/usr/../../../bin/sh").ShouldBeNull();
    }

    // Not through the links, one of which leads up.
    private string[] Everything() =>
        [.. Directory.GetFileSystemEntries(Base).Concat(Directory.GetFileSystemEntries(Root, "*", SearchOption.AllDirectories)).Order()];

    private Task<ConfinementPlan?> Plan(JailRequest? jail, bool isRoot = false) => _jails.Plan(jail, OperatingSystemKind.Linux, isRoot);

    private Task<SpawnRefusedException> Refusal(JailRequest jail, OperatingSystemKind kind = OperatingSystemKind.Linux, bool isRoot = false) =>
        Should.ThrowAsync<SpawnRefusedException>(() => _jails.Plan(jail, kind, isRoot));
}
