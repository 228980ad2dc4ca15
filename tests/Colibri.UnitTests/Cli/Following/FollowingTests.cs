using Colibri.Cli;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Cli.Output;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Cli.Following;

public sealed class FollowingTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;

    private static string Event(BoardTask task) =>
        Json(new Event { Kind = "task", Topic = "tasks", At = Now, Task = task }, Wire.Event);

    private static readonly string Missed = Json(new Event { Kind = "missed", At = Now, Missed = 3 }, Wire.Event);

    private static Task Granted(FakeConnection connection, BoardTask task) =>
        connection.SendAsync($$"""{"ok":true,"data":{{Json(task, Wire.BoardTask)}}}""");

    /// <summary>Answers get-task with these tasks in turn (the last one again and again), and sends the lines once the first was read.</summary>
    private static FakeDaemon Following(BoardTask[] reads, string[] lines, bool thenClose = false, bool thenGone = false)
    {
        var read = 0;
        FakeConnection? subscriber = null;
        FakeDaemon? daemon = null;
        return daemon = new FakeDaemon(async (line, connection) =>
        {
            if (line.Contains("subscribe", StringComparison.Ordinal))
            {
                subscriber = connection;
                await connection.SendAsync("""{"ok":true,"data":{"topics":["tasks"]}}""");
                return;
            }
            await Granted(connection, reads[Math.Min(read, reads.Length - 1)]);
            if (read++ > 0)
                return;
            foreach (var said in lines)
                await subscriber!.SendAsync(said);
            if (thenGone)
                File.Delete(daemon!.SocketPath);
            if (thenClose)
                subscriber!.Close();
        });
    }

    private static Task<CliRun> WaitAsync(FakeDaemon daemon, params string[] more) =>
        CliRun.OfAsync(["wait", TaskId, "--socket", daemon.SocketPath, .. more]);

    [Test]
    public async Task A_task_already_over_is_reported_at_once_and_was_subscribed_to_before_it_was_read()
    {
        await using var daemon = Following([Queued with { Status = TaskState.Done, Usage = Spent }], []);

        var run = await WaitAsync(daemon);

        run.ExitCode.ShouldBe(ExitCodes.Done);
        run.Out.ShouldMatch($"^task {TaskId} is done after [^\n]*, \\$0.0024\n$");
        daemon.Requests.ShouldBe(["""{"cmd":"subscribe","topics":["tasks"]}""", $$"""{"cmd":"get-task","task_id":"{{TaskId}}"}"""]);
    }

    [Test]
    public async Task The_event_that_ends_the_task_ends_the_wait_and_others_do_not()
    {
        await using var daemon = Following([Queued],
            [Event(Failed with { Id = AgentId }), Event(Queued with { Status = TaskState.Started }), Event(Queued with { Status = TaskState.Done })]);

        (await WaitAsync(daemon)).ExitCode.ShouldBe(ExitCodes.Done);
    }

    [Test]
    public async Task A_wait_says_once_that_its_task_is_held_and_goes_on()
    {
        var held = Queued with { Held = true };
        await using var daemon = Following([held], [Event(held), Event(Queued), Event(held), Event(Queued with { Status = TaskState.Done })]);

        var run = await WaitAsync(daemon);

        run.ExitCode.ShouldBe(ExitCodes.Done);
        run.Error.ShouldBe(string.Concat(Enumerable.Repeat(
            $"colibri: task {TaskId} is held and does not start before: colibri release-task {TaskId}; waiting\n", 2)), "once for each time that it is held");
    }

    [Test]
    public async Task A_wait_for_a_task_that_another_keeps_says_which_and_both_ways_out()
    {
        const string Why = "task 1 (beams) has failed; try that again: colibri retry-task 1, or run this without it: colibri release-task 2";
        await using var daemon = Following([Queued with { Held = true, BlockedBy = [new BlockedBy("parent-failed", Why)] }], [Event(Queued with { Status = TaskState.Done })]);

        (await WaitAsync(daemon)).Error.ShouldBe($"colibri: task {TaskId} is held: {Why}; waiting\n");
    }

    [Test]
    public async Task A_failed_task_is_exit_status_1_with_its_error_on_one_line()
    {
        await using var daemon = Following([Queued], [Event(Failed)]);

        (await WaitAsync(daemon)).ShouldBe(new CliRun(ExitCodes.Refused, "",
            $"colibri: task {TaskId} is failed: agent-error: 529 overloaded_error after four tries; the provider says to come back in an hour "
            + $"(see: colibri get-task {TaskId})\n"));
    }

    [Test]
    public async Task A_cancelled_task_is_exit_status_4_and_json_still_prints_it()
    {
        var cancelled = Queued with { Status = TaskState.Cancelled };
        await using var daemon = Following([cancelled], []);

        (await WaitAsync(daemon, "--json")).ShouldBe(new CliRun(ExitCodes.Cancelled, Json(cancelled, Wire.BoardTask) + "\n",
            $"colibri: task {TaskId} is cancelled (see: colibri get-task {TaskId})\n"));
    }

    [Test]
    public async Task Told_that_it_missed_events_it_reads_the_task_again()
    {
        await using var daemon = Following([Queued, Queued with { Status = TaskState.Done }], [Missed]);

        (await WaitAsync(daemon)).ExitCode.ShouldBe(ExitCodes.Done);
    }

    [Test]
    public async Task Out_of_time_it_says_where_the_task_stands()
    {
        await using var daemon = Following([Queued, Queued with { Status = TaskState.Started, AgentId = AgentId }], []);

        (await WaitAsync(daemon, "--timeout", "0.05")).ShouldBe(new CliRun(ExitCodes.TimedOut, "",
            $"colibri: task {TaskId} is started by agent {AgentId} after 50 ms (go on waiting: colibri wait {TaskId})\n"));
    }

    [Test]
    [Arguments("0")]
    [Arguments("0.5")]
    public async Task A_daemon_that_goes_away_and_stays_away_is_exit_status_3(string reconnect)
    {
        await using var daemon = Following([Queued], [], thenClose: true, thenGone: true);

        var run = await WaitAsync(daemon, "--reconnect", reconnect);

        run.ExitCode.ShouldBe(ExitCodes.NoDaemon);
        run.Error.ShouldStartWith($"colibri: the daemon at {daemon.SocketPath} closed the connection");
        run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(reconnect == "0" ? 1 : 2);
    }

    [Test]
    public async Task A_daemon_that_is_not_there_at_first_is_exit_status_3_at_once()
    {
        var run = await CliRun.OfAsync(["wait", TaskId, "--socket", "/nowhere/s"]);

        run.ExitCode.ShouldBe(ExitCodes.NoDaemon);
        run.Error.ShouldStartWith("colibri: no daemon at /nowhere/s");
    }

    [Test]
    [Arguments(TaskState.Done, 0)]
    [Arguments(TaskState.Failed, 1)]
    public async Task After_a_restart_it_subscribes_again_and_reads_the_task_that_ended_meanwhile(TaskState end, int exitCode)
    {
        await using var daemon = Following([Queued, Queued with { Status = end }], [], thenClose: true);

        var run = await WaitAsync(daemon);

        run.ExitCode.ShouldBe(exitCode);
        run.Error.ShouldStartWith($"colibri: the daemon at {daemon.SocketPath} closed the connection (did it stop? try: colibri ping); trying again for 1 minute\n");
        daemon.Requests.Count.ShouldBe(4);
    }

    [Test]
    public async Task A_timeout_counts_while_the_daemon_is_away()
    {
        await using var daemon = Following([Queued], [], thenClose: true, thenGone: true);

        (await WaitAsync(daemon, "--timeout", "0.5")).ExitCode.ShouldBe(ExitCodes.NoDaemon);
    }

    [Test]
    public async Task An_unknown_task_is_exit_status_1()
    {
        await using var daemon = new FakeDaemon((line, connection) => connection.SendAsync(
            line.Contains("subscribe", StringComparison.Ordinal)
                ? """{"ok":true,"data":{"topics":["tasks"]}}"""
                : """{"ok":false,"error":{"code":"not-found","message":"no task x"}}"""));

        (await WaitAsync(daemon)).ShouldBe(new CliRun(ExitCodes.Refused, "", "colibri: no task x (not-found)\n"));
    }

    private static readonly string[] Happenings =
    [
        Event(Queued),
        Event(Queued with { Status = TaskState.Claimed, Title = "Fix the\nlogin test on Sundays" }),
        Event(Failed),
        Json(new Event { Kind = "pane", Topic = "panes", At = Now, Pane = Working }, Wire.Event),
        Json(new Event { Kind = "pane", Topic = "panes", At = Now, Pane = Dead }, Wire.Event),
        Json(new Event { Kind = "cost", Topic = "cost", At = Now, Cost = Samples.Status.Cost }, Wire.Event),
        Missed,
        """{"kind":"weather","topic":"sky","at":"2026-11-22T06:07:10.893Z"}""",
    ];

    private static FakeDaemon Happening() => new(async (_, connection) =>
    {
        await connection.SendAsync("""{"ok":true,"data":{"topics":["tasks","panes","cost"]}}""");
        foreach (var line in Happenings)
            await connection.SendAsync(line);
        connection.Close();
    });

    [Test]
    public async Task Watch_is_a_line_an_event()
    {
        await using var daemon = Happening();

        var run = await CliRun.OfAsync(["watch", "--reconnect", "0", "--socket", daemon.SocketPath]);

        run.Out.ShouldBe("""
            06:07:10Z task  019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 queued Fix the login test
            06:07:10Z task  019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 queued → claimed Fix the\n…
            06:07:10Z task  019a8b1c-5a7e-7cc3-9a51-0b6f6a3a1f10 claimed → failed (agent-error)
            06:07:10Z pane  019a8b20-77aa-7d10-8e3c-2f9b7a4c6d01 working bash (pi)
            06:07:10Z pane  019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77 stopped, exit 3 (colibri-t…
            06:07:10Z cost  smart, escalated from fast by session review-42
            06:07:10Z missed 3 events: this watch read too slowly
            06:07:10Z weather

            """);
        run.ExitCode.ShouldBe(ExitCodes.NoDaemon);
    }

    [Test]
    public async Task Watch_json_passes_the_lines_on_as_they_are()
    {
        await using var daemon = Happening();

        (await CliRun.OfAsync(["watch", "--json", "--reconnect", "0", "--socket", daemon.SocketPath])).Out.ShouldBe(string.Join('\n', Happenings) + "\n");
    }

    [Test]
    public async Task Watch_ends_well_when_the_operator_has_seen_enough()
    {
        using var enough = new CancellationTokenSource();
        await using var daemon = new FakeDaemon(async (_, connection) =>
        {
            await connection.SendAsync("""{"ok":true,"data":{"topics":["tasks"]}}""");
            await connection.SendAsync(Missed);
            await enough.CancelAsync();
        });

        var run = await CliRun.OfAsync(["watch", "--socket", daemon.SocketPath], cancellation: enough.Token);

        run.ExitCode.ShouldBe(ExitCodes.Done);
        run.Error.ShouldBeEmpty();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task Watch_goes_on_after_a_restart_with_what_became_of_the_tasks_it_had_shown(bool json)
    {
        using var enough = new CancellationTokenSource();
        var subscriptions = 0;
        var ended = Queued with { Status = TaskState.Done, UpdatedAt = Queued.UpdatedAt.AddSeconds(9) };
        await using var daemon = new FakeDaemon(async (line, connection) =>
        {
            if (!line.Contains("subscribe", StringComparison.Ordinal))
            {
                await Granted(connection, ended);
                return;
            }
            await connection.SendAsync("""{"ok":true,"data":{"topics":["tasks"]}}""");
            // It subscribes for the third time only after it has printed what became of the task: the operator has seen it by then.
            if (++subscriptions == 3)
            {
                await enough.CancelAsync();
                return;
            }
            await connection.SendAsync(subscriptions == 1 ? Event(Queued) : Missed);
            connection.Close();
        });

        var run = await CliRun.OfAsync(["watch", "--socket", daemon.SocketPath, .. json ? ["--json"] : Array.Empty<string>()], cancellation: enough.Token);

        run.ExitCode.ShouldBe(ExitCodes.Done);
        run.Out.ShouldContain(json ? "\"status\":\"done\"" : "queued → done");
        run.Error.ShouldStartWith($"colibri: the daemon at {daemon.SocketPath} closed the connection (did it stop? try: colibri ping); trying again for 1 minute\n");
        run.Error.Count(c => c == '\n').ShouldBe(2);
    }
}
