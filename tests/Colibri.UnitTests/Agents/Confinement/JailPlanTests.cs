using System.Text;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Posix.Jails;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Confinement;

/// <summary>What a request for a jail becomes on FreeBSD in every mode, word for word and byte for byte.</summary>
[NotInParallel]
public sealed class JailPlanTests : IDisposable
{
    internal const OperatingSystemKind Native = OperatingSystemKind.FreeBsd;
    internal const OperatingSystemKind Linux64 = OperatingSystemKind.LinuxOnFreeBsd;

    private const string Enter =
        "exec 3<\"$1/environment\" 4<\"$1/directory\" && shift && eval \"$(/bin/cat <&4)\" && unset OLDPWD && eval \"$(/bin/cat <&3)\" && exec \"$@\" 3<&- 4<&-";

    private const string EnterAs =
        "exec 3<\"$1/environment\" 4<\"$1/directory\" && user=$2 group=$3 groups=$4 go=$5 && shift 5 && exec /usr/sbin/chroot -u \"$user\" -g \"$group\" -G \"$groups\" / /bin/sh -c \"$go\" sh \"$@\"";

    private const string Continue = "eval \"$(/bin/cat <&4)\" && unset OLDPWD && eval \"$(/bin/cat <&3)\" && exec \"$@\" 3<&- 4<&-";

    private static readonly Dictionary<string, string> Variables = new()
    {
        ["HOME"] = "/var/db/colibri",
        ["SHELL"] = "/usr/local/bin/bash",
        ["USER"] = "colibri",
        ["PATH"] = "/opt",
        ["COLIBRI_DAEMON_SOCKET"] = "/s",
        ["COLIBRI_AGENT_ID"] = "a1",
        ["API_KEY"] = "s3cr'et\n$x",
        ["npm-odd"] = "1",
    };

    private readonly JailFolder _jails = new();

    private string Root => _jails.Root;

    public void Dispose() => _jails.Dispose();

    [Test]
    [Arguments(Native, false, JailPrivilegeMode.Mdo)]
    [Arguments(Native, false, JailPrivilegeMode.Sudo)]
    [Arguments(Linux64, false, JailPrivilegeMode.Mdo)]
    [Arguments(Linux64, false, JailPrivilegeMode.Sudo)]
    [Arguments(Linux64, true, JailPrivilegeMode.Mdo)]
    [Arguments(Linux64, true, JailPrivilegeMode.Sudo)]
    [Arguments(Linux64, true, JailPrivilegeMode.None)]
    public async Task The_systems_tools_are_called_so(OperatingSystemKind kind, bool isRoot, JailPrivilegeMode mode)
    {
        var tools = _jails.Tools;
        string[] privilege = isRoot ? [] : mode == JailPrivilegeMode.Mdo ? [$"{tools}/mdo", "-u", "root"] : [$"{tools}/sudo", "-n"];
        string[] shell = ["/usr/bin/env", "-i", "COLIBRI_AGENT_ID=a1", "/bin/sh", "-c"];
        string[] plain = [.. shell, Enter, "sh", "/var/colibri-stage/a1", "/usr/bin/agent", "do it"];
        string[] asUser = [.. shell, EnterAs, "sh", "/var/colibri-stage/a1", "1001", "1002", "1002,0,44", Continue, "/usr/bin/agent", "do it"];

        await ShouldStart(new JailRequest { Name = "acme" }, [.. privilege, $"{tools}/jexec", "acme", .. plain]);
        await ShouldStart(new JailRequest { Name = "acme", User = "agent", RootPath = Root }, [.. privilege, $"{tools}/jexec", "acme", .. asUser]);
        foreach (var (ip4, addresses) in new (string?, string[])[]
        {
            (null, ["ip4=inherit", "ip6=inherit"]), ("inherit", ["ip4=inherit", "ip6=inherit"]), ("disable", ["ip4=disable", "ip6=disable"]),
            ("192.0.2.7", ["ip4.addr=192.0.2.7", "ip6=disable"]),
        })
        {
            string[] create = [.. privilege, $"{tools}/jail", "-q", "-c", "name=colibri-a1", $"path={Root}", .. addresses, "allow.mlock"];
            await ShouldStart(new JailRequest { Path = Root, Ip4 = ip4 }, [.. create, "command=/usr/bin/env", .. plain.Skip(1)]);
            await ShouldStart(new JailRequest { Path = Root, Ip4 = ip4, User = "agent" }, [.. create, "command=/usr/bin/env", .. asUser.Skip(1)]);
        }

        async Task ShouldStart(JailRequest jail, string[] expected)
        {
            var plan = (await _jails.Plan(jail, kind, isRoot, mode))!;
            var start = plan.Start("a1", "/usr/bin/agent", ["do it"], "/w'ork", EnvironmentBlock.Of(Variables));
            new[] { start.Program }.Concat(start.Arguments).ShouldBe(expected);
            start.Environment.Text().ShouldBe(new Dictionary<string, string>
            {
                ["PATH"] = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin",
                ["COLIBRI_AGENT_ID"] = "a1",
            });
            var (user, home) = jail.User is null ? ("root", "/w'\\''ork") : ("agent", "/home/agent");
            start.Staged.Select(file => (file.Key, Encoding.UTF8.GetString(file.Value))).ShouldBe(
            [
                ("environment", $"""
                    export API_KEY='s3cr'\''et
                    $x'
                    export COLIBRI_AGENT_ID='a1'
                    export HOME='{home}'
                    export LOGNAME='{user}'
                    export PATH='/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin'
                    export PWD='/w'\''ork'
                    export TMPDIR='/tmp'
                    export USER='{user}'

                    """),
                ("directory", "cd '/w'\\''ork'\n"),
            ]);
        }
    }

    [Test]
    [Arguments(JailPrivilegeMode.None)]
    [Arguments(JailPrivilegeMode.Mdo)]
    [Arguments(JailPrivilegeMode.Sudo)]
    public async Task A_native_root_daemon_goes_through_its_own_trampoline(JailPrivilegeMode mode)
    {
        string[] stage = ["--root", Root, "--stage", "/var/colibri-stage", "--name", "a1"];
        await ShouldStart(new JailRequest { Name = "acme" }, ["--jail-exec", "--enter", "acme", .. stage, "--", "/usr/bin/agent", "do it"]);
        await ShouldStart(
            new JailRequest { Name = "acme", User = "agent" },
            ["--jail-exec", "--enter", "acme", .. stage, "--ids", "1001:1002:1002,0,44", "--", "/usr/bin/agent", "do it"]);
        foreach (var (ip4, said) in new[] { (null, "inherit"), ("inherit", "inherit"), ("disable", "disable"), ("192.0.2.7", "192.0.2.7") })
        {
            await ShouldStart(
                new JailRequest { Path = Root, Ip4 = ip4, User = "agent" },
                ["--jail-exec", "--create", "colibri-a1", "--ip4", said, .. stage, "--ids", "1001:1002:1002,0,44", "--", "/usr/bin/agent", "do it"]);
        }

        async Task ShouldStart(JailRequest jail, string[] expected)
        {
            var start = (await _jails.Plan(jail, Native, isRoot: true, mode))!.Start("a1", "/usr/bin/agent", ["do it"], null, EnvironmentBlock.Of(Variables));
            start.Program.ShouldBe("/usr/local/bin/colibri-daemon");
            start.Arguments.ShouldBe(expected);
            JailExecArguments.Parse([.. start.Arguments.Skip(1)]).Program.ShouldBe("/usr/bin/agent");
            var (user, home) = jail.User is null ? ("root", "/") : ("agent", "/home/agent");
            start.Staged.Select(file => (file.Key, Encoding.UTF8.GetString(file.Value))).ShouldBe(
            [
                ("environment",
                    $"API_KEY=s3cr'et\n$x\0COLIBRI_AGENT_ID=a1\0HOME={home}\0LOGNAME={user}\0PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\0"
                    + $"PWD=/\0TMPDIR=/tmp\0USER={user}\0npm-odd=1\0"),
                ("directory", "/\0"),
            ]);
        }
    }

    [Test]
    public async Task What_the_pane_says_and_the_record_holds()
    {
        var entered = (await _jails.Plan(new JailRequest { Name = "acme", User = "agent" }, Linux64))!;
        (entered.Description, entered.JailOf("a1"), entered.Root.Path).ShouldBe(($"jail acme, {Root}, user agent", "acme", Root));
        var made = (await _jails.Plan(new JailRequest { Path = Root, Ip4 = "disable" }, Linux64))!;
        (made.Description, made.JailOf("a1")).ShouldBe(($"jail {Root}, ip4 disable", "colibri-a1"));
    }

    [Test]
    public async Task A_request_that_is_wrong_is_refused_by_what_is_wrong_with_it()
    {
        foreach (var (jail, said) in new (JailRequest, string)[]
        {
            (new() { Name = "acme", Path = Root }, "give one of them"), (new() { Name = "acme", Ip4 = "inherit" }, "leave jail.ip4 out"),
            (new() { Path = Root, Ip4 = "em0|10.0.0.1" }, "jail.ip4 'em0|10.0.0.1'"), (new() { Name = "acme", RootPath = _jails.Base }, "COLIBRI_JAIL_ROOT_BASE"),
            (new() { Name = "-r" }, "no name of a jail"), (new() { Name = "a=b" }, "no name of a jail"), (new() { Name = "a b" }, "no name of a jail"),
            (new() { Name = "12" }, "no name of a jail"), (new() { Name = ".a" }, "no name of a jail"), (new() { Name = "colibri-a1" }, "end with their agent"),
            (new() { Path = Root, User = "nobody-here" }, $"no user 'nobody-here' in {Root}/etc/passwd"), (new() { Path = Root, User = "broken" }, "no user 'broken'"),
            (new() { Path = Root, User = "-u" }, "no user name"), (new() { Path = Root, User = "0" }, "no user name"), (new() { Path = Root, User = "a;b" }, "no user name"),
            (new() { }, "jail.path is missing"),
        })
        {
            var refusal = await Refusal(jail);
            (refusal.Refusal, refusal.Message).ShouldSatisfyAllConditions(it => it.Refusal.ShouldBe(SpawnRefusal.JailWrong), it => it.Message.ShouldContain(said));
        }
        Directory.CreateDirectory(_jails.Base + "/other");
        (await Refusal(new JailRequest { Name = "acme", RootPath = _jails.Base + "/other" })).Message.ShouldContain("is not the root of that jail");
        (await Refusal(new JailRequest { Path = Root }, variables: "npm-odd")).Message.ShouldContain("'npm-odd'");
        (await _jails.Plan(new JailRequest { Path = Root }, Native, isRoot: true, variables: "npm-odd")).ShouldNotBeNull("our own trampoline takes any name");
        Directory.Exists(Root + "/var/colibri-stage").ShouldBeFalse("nothing was made");
    }

    [Test]
    public async Task What_the_host_cannot_give_is_unavailable()
    {
        (await Unavailable(new JailRequest { Path = Root }, mode: JailPrivilegeMode.None)).ShouldContain("COLIBRI_JAIL_PRIV_MODE=none needs a daemon that runs as root");
        (await Unavailable(new JailRequest { Name = "nobody" })).ShouldContain("there is no jail 'nobody'");

        _jails.Tool("true", "exit 0");
        _jails.Tool("mdo", "echo 'mdo: setcred: Operation not permitted' >&2; exit 1");
        (await Unavailable(new JailRequest { Path = Root })).ShouldContain("mdo: setcred: Operation not permitted");
        // sudo is asked about the very tool, so that an operator need allow nothing else.
        _jails.Tool("sudo", $"[ \"$*\" = '-n -l {_jails.Tools}/jexec' ] || {{ echo 'sudo: a password is required'; exit 1; }}");
        (await _jails.Plan(new JailRequest { Name = "acme" }, Linux64, mode: JailPrivilegeMode.Sudo)).ShouldNotBeNull();
        (await Unavailable(new JailRequest { Path = Root }, mode: JailPrivilegeMode.Sudo)).ShouldContain("sudo: a password is required");

        File.Delete(_jails.Tools + "/mdo");
        (await Unavailable(new JailRequest { Path = Root })).ShouldContain("/mdo is not there (COLIBRI_JAIL_PRIV_MODE=mdo)");
        _jails.Tool("mdo", "exit 0");
        Directory.CreateSymbolicLink(Root + "/var/colibri-stage", "/tmp");
        (await Unavailable(new JailRequest { Path = Root })).ShouldContain("'colibri-stage' is no directory that can be entered");
        File.Delete(Root + "/var/colibri-stage");
        File.Delete(Root + "/etc/passwd");
        File.CreateSymbolicLink(Root + "/etc/passwd", "/etc/passwd");
        (await Unavailable(new JailRequest { Path = Root, User = "root" })).ShouldContain("ELOOP");
    }

    private Task<SpawnRefusedException> Refusal(JailRequest jail, JailPrivilegeMode mode = JailPrivilegeMode.Mdo, params string[] variables) =>
        Should.ThrowAsync<SpawnRefusedException>(() => _jails.Plan(jail, Linux64, mode: mode, variables: variables));

    private async Task<string> Unavailable(JailRequest jail, JailPrivilegeMode mode = JailPrivilegeMode.Mdo)
    {
        var refusal = await Refusal(jail, mode);
        refusal.Refusal.ShouldBe(SpawnRefusal.NotConfinable, refusal.Message);
        refusal.Message.ShouldEndWith("; nothing was started");
        return refusal.Message;
    }
}
