using Colibri.Cli;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Following;

public sealed class TaskLogTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;

    private static readonly BoardTask Running = Queued with { Number = 12, Status = TaskState.Started, SessionId = "s" };

    private static SessionEntry Entry(long seq, string text) => new() { Seq = seq, Ts = Now, Kind = SessionEntryKind.Assistant, Text = text };

    private static string Event(SessionEntry entry) => Json(new Event { Kind = "entry", At = Now, SessionId = "s", Entry = entry }, Wire.Event);

    private static string Event(BoardTask task) => Json(new Event { Kind = "task", Topic = "tasks", At = Now, Task = task }, Wire.Event);

    /// <summary>A task that runs when it is first read, is followed, and then ends; its last entry comes after its end, or before it.</summary>
    private static FakeDaemon Ending(BoardTask first, bool lastComesLate)
    {
        FakeConnection? subscriber = null;
        FakeConnection? follower = null;
        return new FakeDaemon(async (line, connection) =>
        {
            switch (line)
            {
                case """{"cmd":"get-task","task_id":"12"}""":
                    await connection.SendAsync($$"""{"ok":true,"data":{{Json(first, Wire.BoardTask)}}}""");
                    if (subscriber is not null && first.SessionId is null)
                        await subscriber.SendAsync(Event(Running));
                    break;
                case """{"cmd":"subscribe","topics":["tasks"]}""":
                    subscriber = connection;
                    await connection.SendAsync("""{"ok":true,"data":{"topics":["tasks"]}}""");
                    break;
                case var follow when follow.Contains("follow-session", StringComparison.Ordinal):
                    follower = connection;
                    await connection.SendAsync("""{"ok":true,"data":{"session_id":"s"}}""");
                    await connection.SendAsync(Event(Entry(1, "first words")));
                    if (!lastComesLate)
                        await connection.SendAsync(Event(Entry(2, "last words")));
                    await subscriber!.SendAsync(Event(Running with { Id = "another", Status = TaskState.Failed }));
                    await subscriber!.SendAsync(Event(Running with { Status = TaskState.Done }));
                    break;
                case """{"cmd":"get-session","session_id":"s"}""":
                    await connection.SendAsync($$"""{"ok":true,"data":{{Json(new SessionEntries("s", 1, [Entry(1, "first words"), Entry(2, "last words")]), Wire.SessionEntries)}}}""");
                    if (lastComesLate)
                        await follower!.SendAsync(Event(Entry(2, "last words")));
                    break;
                default:
                    await connection.SendAsync("""{"ok":false,"error":{"code":"bad-request","message":"not asked for"}}""");
                    break;
            }
        });
    }

    [Test]
    [Arguments(true, true)]
    [Arguments(true, false)]
    [Arguments(false, true)]
    [Arguments(false, false)]
    public async Task Followed_it_ends_with_the_last_entry_of_a_task_that_is_over(bool hasSession, bool lastComesLate)
    {
        await using var daemon = Ending(hasSession ? Running : Queued with { Number = 12 }, lastComesLate);

        var run = await CliRun.OfAsync(["logs", "12", "-f", "--socket", daemon.SocketPath]);

        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(ExitCodes.Done);
        run.Out.ShouldBe($"#1 assistant  2026-11-22T06:07:10.893Z\n    first words\n#2 assistant  2026-11-22T06:07:10.893Z\n    last words\n");
    }

    [Test]
    public async Task Without_following_it_is_the_session_as_it_is()
    {
        await using var daemon = Ending(Running, lastComesLate: false);

        var run = await CliRun.OfAsync(["logs", "12", "--socket", daemon.SocketPath]);

        run.Out.ShouldStartWith("session s, generation 1, 2 entries\n");
        run.Out.ShouldEndWith("    last words\n");
    }

    [Test]
    public async Task A_task_that_has_not_run_has_no_log_yet()
    {
        await using var daemon = FakeDaemon.Granting(Json(Queued with { Number = 12 }, Wire.BoardTask));

        (await CliRun.OfAsync(["logs", "12", "--socket", daemon.SocketPath])).ShouldBe(
            new CliRun(ExitCodes.Refused, "", "colibri: nothing was said yet: task 12 is queued\n"));
    }

    [Test]
    public async Task A_task_that_ended_without_a_run_is_not_followed()
    {
        await using var daemon = new FakeDaemon((line, connection) => connection.SendAsync(line.Contains("subscribe", StringComparison.Ordinal)
            ? """{"ok":true,"data":{"topics":["tasks"]}}"""
            : $$"""{"ok":true,"data":{{Json(Queued with { Number = 12, Status = TaskState.Cancelled }, Wire.BoardTask)}}}"""));

        (await CliRun.OfAsync(["logs", "12", "-f", "--socket", daemon.SocketPath])).Error.ShouldBe("colibri: nothing was said yet: task 12 is cancelled\n");
    }
}
