using Colibri.Cli;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Cli.Output;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Commands;

public sealed class ShortCommandsTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;

    /// <summary>A daemon that has these workspaces and grants each task as this one.</summary>
    private static FakeDaemon Having(BoardTask task, params StatusWorkspace[] workspaces) => new((line, connection) => connection.SendAsync(
        $$"""{"ok":true,"data":{{(line.Contains("\"status\"", StringComparison.Ordinal) ? Json(Samples.Status with { Workspaces = workspaces }, Wire.StatusReport) : Json(task, Wire.BoardTask))}}}"""));

    [Test]
    public async Task Within_a_workspace_a_task_is_the_workspaces()
    {
        await using var daemon = Having(Queued with { Number = 12, Workspace = "site", Agent = "claude" }, new StatusWorkspace("site", "/here"));

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "add", "Fix", "it"]);

        run.ShouldBe(new CliRun(ExitCodes.Done, "created task 12 (queued)\n  in workspace site, by claude\nfollow it: colibri wait 12\n", ""));
        daemon.Requests.ShouldBe(["""{"cmd":"status"}""", """{"cmd":"create-task","title":"Fix it","workspace":"site"}"""]);
    }

    [Test]
    public async Task Outside_of_them_it_is_done_in_the_current_directory()
    {
        await using var daemon = Having(Queued with { Number = 12, Cwd = "/here" }, new StatusWorkspace("site", "/srv/site"));

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "add", "Fix it"]);

        run.Out.ShouldBe("created task 12 (queued)\n  in /here, by any agent\nfollow it: colibri wait 12\n");
        daemon.Requests[^1].ShouldBe("""{"cmd":"create-task","title":"Fix it","cwd":"/here"}""");
    }

    [Test]
    public async Task A_key_that_is_known_makes_no_second_task_and_it_says_so()
    {
        await using var daemon = Having(Queued with { Number = 12, Status = TaskState.Done, Workspace = "site", Existing = true });

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "add", "Fix it", "-w", "site", "--key", "k"]);

        run.Out.ShouldBe("the key is known: it is task 12 (done), and no second task was made\n  in workspace site, by any agent\n");
    }

    [Test]
    public async Task What_a_task_waits_for_is_said_at_once()
    {
        await using var daemon = Having(Queued with { Number = 12, BlockedBy = [new BlockedBy("no-agent", "no agent is configured (COLIBRI_AGENT_BINARY)")] });

        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "add", "Fix it", "--cwd", "/x"])).Out.ShouldBe(
            "created task 12 (queued)\n  in a directory of its own, by any agent\n  no-agent: no agent is configured (COLIBRI_AGENT_BINARY)\nfollow it: colibri wait 12\n");
    }

    [Test]
    [Arguments(true, "  no-agent: no configured agent offers any of piano\n")]
    [Arguments(false, "")]
    public async Task Whether_any_agent_offers_what_a_task_requires_is_known_after_the_first_look_at_it(bool isBlocked, string said)
    {
        var (created, reads) = (Queued with { Number = 12, Capabilities = ["piano"] }, 0);
        await using var daemon = new FakeDaemon((line, connection) => connection.SendAsync(
            $$"""{"ok":true,"data":{{Json(
                line.Contains("get-task", StringComparison.Ordinal) && ++reads > 1 && isBlocked
                    ? created with { BlockedBy = [new BlockedBy("no-agent", "no configured agent offers any of piano")] } : created, Wire.BoardTask)}}}"""));

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "add", "Play it", "--cwd", "/x", "--capability", "piano"]);

        run.Out.ShouldBe($"created task 12 (queued)\n  in a directory of its own, by any agent\n{said}follow it: colibri wait 12\n");
        reads.ShouldBe(isBlocked ? 2 : 5);
    }

    [Test]
    public async Task All_that_failed_are_queued_again_over_every_page_and_one_that_cannot_does_not_keep_the_others()
    {
        await using var daemon = new FakeDaemon((line, connection) => connection.SendAsync(line switch
        {
            """{"cmd":"list-tasks","status":"failed","limit":1000}""" => $$"""{"ok":true,"data":{{Json(new TaskList([Failed with { Id = "t1" }, Failed with { Id = "t2" }], "t2"), Wire.TaskList)}}}""",
            """{"cmd":"list-tasks","status":"failed","limit":1000,"after":"t2"}""" => $$"""{"ok":true,"data":{{Json(new TaskList([Failed with { Id = "t3" }]), Wire.TaskList)}}}""",
            _ when line.Contains("\"t2\"", StringComparison.Ordinal) => """{"ok":false,"error":{"code":"conflict","message":"task t2 is being ended"}}""",
            _ => $$"""{"ok":true,"data":{{Json(Queued with { Id = line.Contains("\"t1\"", StringComparison.Ordinal) ? "t1" : "t3" }, Wire.BoardTask)}}}""",
        }));

        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "retry", "--failed", "--feedback", "again"])).ShouldBe(
            new CliRun(ExitCodes.Refused, "task t1 is queued\ntask t3 is queued\n", "colibri: task t2 is being ended (conflict)\n"));
        daemon.Requests[^1].ShouldBe("""{"cmd":"retry-task","task_id":"t3","feedback":"again"}""");
    }
}
