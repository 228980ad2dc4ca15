using System.Text.Json;
using Colibri.Cli;
using Colibri.Cli.Doctor;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;

namespace Colibri.UnitTests.Cli.Doctor;

public sealed class DoctorCommandTests
{
    private static readonly DoctorReport Report = new(
    [
        new DoctorCheck("agents", "claude", DoctorState.Ok, "2.1.332 (Claude Code) at /usr/local/bin/claude"),
        new DoctorCheck("agents", "claude rights", DoctorState.Error, "Claude Code refuses full access as root: use another user, or access = \"edit\"\x1b[2J", "run it as a user of its own, as the package's unit does, and let that user own what agents work on"),
        new DoctorCheck("host", "a name that is longer than any column", DoctorState.Warning, "it is long"),
    ]);

    [Test]
    public async Task What_the_daemon_found_is_shown_in_groups_at_80_columns_with_a_sum()
    {
        await using var daemon = Granting(Report);

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "doctor"]);

        run.ExitCode.ShouldBe(ExitCodes.Refused);
        run.Error.ShouldBeEmpty();
        run.Out.ShouldStartWith("client\n");
        run.Out.ShouldContain("""
            agents
              ok       claude         2.1.332 (Claude Code) at /usr/local/bin/claude
              error    claude rights  Claude Code refuses full access as root: use another
                                      user, or access = "edit"\x1b[2J
                       fix: run it as a user of its own, as the package's unit does, and let
                       that user own what agents work on
            host
              warning  a name that is longer than any column
                                      it is long


            """.ReplaceLineEndings("\n")[..^1]);
        run.Out.ShouldMatch(@"\n1 error, 1 warning, (?:\d+ notes?, )?\d+ ok\n$");
        run.Out.Split('\n').ShouldAllBe(line => line.Length <= 80);
    }

    [Test]
    public async Task Nothing_that_is_an_error_exits_0()
    {
        await using var daemon = Granting(new DoctorReport([.. Report.Checks.Where(check => check.State != DoctorState.Error)]));
        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "doctor"])).ExitCode.ShouldBe(ExitCodes.Done);
    }

    [Test]
    public async Task Json_is_the_daemons_data_as_it_came()
    {
        const string Data = """{"checks":[{"group":"host","name":"clock","state":"error","message":"m","fix":"f"}],"future":1}""";
        await using var daemon = FakeDaemon.Granting(Data);
        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "--json", "doctor"])).ShouldBe(new CliRun(ExitCodes.Refused, Data + "\n", ""));
    }

    [Test]
    public async Task Without_a_daemon_it_looks_by_itself_and_exits_3()
    {
        var run = await CliRun.OfAsync(["--socket", "/nowhere/d.sock", "doctor"]);
        run.ExitCode.ShouldBe(ExitCodes.NoDaemon);
        run.Out.ShouldContain("error    socket");
        run.Out.ShouldContain("no daemon at /nowhere/d.sock");

        var json = await CliRun.OfAsync(["--socket", "/nowhere/d.sock", "doctor", "--json"]);
        JsonSerializer.Deserialize(json.Out, ProtocolJson.Wire.DoctorReport)!.Checks[0].Group.ShouldBe("client");
    }

    // Files that are there, variables, then words of the message and of what to type.
    public static List<(string[], string[], string, string)> Absences =>
    [
        ([], [], "since it is the one that --socket names", "colibri-daemon"),
        (["/usr/lib/systemd/system/colibri-daemon.service"], [], "no daemon at", "sudo systemctl start colibri-daemon"),
        (["/lib/systemd/system/colibri-daemon.service", "/usr/lib/systemd/user/colibri-daemon.service"], [], "no daemon at", "sudo systemctl start colibri-daemon; for one of your own: systemctl --user start colibri-daemon"),
        (["/usr/local/etc/rc.d/colibri_daemon"], [], "no daemon at", "sudo service colibri_daemon start"),
        ([], ["COLIBRI_DAEMON_SOCKET=/nowhere/d.sock"], "since it is the one that COLIBRI_DAEMON_SOCKET names", "colibri-daemon"),
    ];

    [Test]
    [MethodDataSource(nameof(Absences))]
    public async Task Without_a_daemon_the_way_to_start_one_here_is_said(string[] files, string[] variables, string message, string fix)
    {
        var check = (await AbsentAsync("/nowhere/d.sock", files, variables)).Single(check => check.Name == "socket");
        (check.State, check.Fix).ShouldBe((DoctorState.Error, fix));
        check.Message.ShouldContain(message);
    }

    [Test]
    public async Task Without_a_daemon_the_configuration_and_the_agents_that_are_there_are_named()
    {
        var checks = await AbsentAsync("/nowhere/d.sock", ["/home/op/.config/colibri/colibri.toml", "/opt/bin/claude"], ["HOME=/home/op", "PATH=/bin:/opt/bin"]);
        checks.Single(check => check.Name == "configuration").Message.ShouldBe("a daemon of this environment would read /home/op/.config/colibri/colibri.toml");
        checks.Single(check => check.Name == "agents").Message.ShouldStartWith("on this PATH: /opt/bin/claude;");

        var none = await AbsentAsync("/nowhere/d.sock", [], ["COLIBRI_CONFIG=/gone.toml"]);
        none.Single(check => check.Name == "configuration").State.ShouldBe(DoctorState.Error);
        var agents = none.Single(check => check.Name == "agents");
        agents.State.ShouldBe(DoctorState.Note);
        // By the names of their programs, without the kinds that stand for any program.
        agents.Message.ShouldEndWith(": pi, zot, claude, codex, opencode, gemini, qwen, copilot, cline, goose, droid, cursor-agent, amp");

        var others = await AbsentAsync("/nowhere/d.sock", ["/opt/bin/cursor", "/opt/bin/cursor-agent", "/opt/bin/acp", "/opt/bin/local"], ["PATH=/opt/bin"]);
        others.Single(check => check.Name == "agents").Message.ShouldStartWith("on this PATH: /opt/bin/cursor-agent;");
    }

    [Test]
    public async Task A_daemon_on_another_socket_is_found_and_named()
    {
        var home = Directory.CreateTempSubdirectory("cd");
        await using var daemon = FakeDaemon.Granting("{}");
        var own = Path.Combine(home.CreateSubdirectory("colibri").FullName, "colibri.sock");
        File.CreateSymbolicLink(own, daemon.SocketPath);

        var check = (await AbsentAsync("/nowhere/d.sock", [own], [$"XDG_RUNTIME_DIR={home.FullName}"])).Single(check => check.Name == "socket");

        check.Message.ShouldEndWith($"and a daemon answers at {own}");
        check.Fix.ShouldBe($"colibri --socket {own} COMMAND, or export COLIBRI_DAEMON_SOCKET={own}");
        home.Delete(recursive: true);
    }

    [Test]
    [Arguments("colibri:x:990:", "990", DoctorState.Ok, "is in the group")]
    [Arguments("colibri:x:990:op", "", DoctorState.Warning, "after this login")]
    [Arguments("colibri:x:990:other,op2", "", DoctorState.Note, "is not in the group")]
    public async Task Who_may_connect_to_the_service_is_said(string line, string groups, DoctorState state, string words)
    {
        var check = (await AbsentAsync("/nowhere/d.sock", [], [], line, groups)).Single(check => check.Name == "group");
        check.State.ShouldBe(state);
        check.Message.ShouldContain(words);
    }

    private static async Task<IReadOnlyList<DoctorCheck>> AbsentAsync(string socket, string[] files, string[] variables, string group = "", string groups = "")
    {
        var cancellation = TestContext.Current!.Execution.CancellationToken;
        var failure = await Should.ThrowAsync<DaemonUnreachableException>(() => ColibriClient.ConnectAsync(socket, cancellation));
        var host = new ClientHost
        {
            Environment = name => Array.Find(variables, variable => variable.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..],
            UserName = "op",
            IsRoot = false,
            ProgramDirectory = "/opt/colibri",
            Exists = path => Array.IndexOf(files, path) >= 0,
            Read = path => path switch
            {
                "/etc/group" => $"root:x:0:\n{group}\n",
                "/proc/self/status" => $"Name:\tcolibri\nUid:\t1000\t1000\t1000\t1000\nGroups:\t1000 {groups}\n",
                _ => null,
            },
        };
        return await new ClientChecks(host, socket, failure).FindAsync(cancellation);
    }

    private static FakeDaemon Granting(DoctorReport report) => FakeDaemon.Granting(JsonSerializer.Serialize(report, ProtocolJson.Wire.DoctorReport));
}
