using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

public sealed class SpawnTests
{
    private static readonly Usage Spent = new()
    {
        InputTokens = 1,
        OutputTokens = 2,
        CacheReadTokens = 3,
        CacheWriteTokens = 4,
        CostMicrocents = 5,
    };

    private static IReadOnlyList<UsageRow> Booked(string agent, Usage usage) => [new("run-of-" + agent, new DateOnly(2026, 11, 24), "mock", "mock-1", 1, usage)];

    [Test]
    public async Task A_run_that_goes_well_takes_its_task_from_queued_to_done()
    {
        await using var fixture = new BoardFixture();
        var claimed = await fixture.Spawn("a");
        (claimed.Status, claimed.AgentId, claimed.SessionId, claimed.Attempts).ShouldBe((TaskState.Claimed, "a", "session-of-a", 1));
        (await fixture.Board.LiveSpawnsAsync()).ShouldBe([new SpawnRow("a", new RunClaim("run-of-a", claimed.Id, 1, 1), null, null, null, "/usr/local/bin/pi")]);

        var started = (await fixture.Board.ProcessStartedAsync("a", 4711, 99, "boot"))!;
        (started.Status, started.StartedAt).ShouldBe((TaskState.Started, fixture.Time.Now));
        (await fixture.Board.LiveSpawnsAsync()).ShouldBe([new SpawnRow("a", new RunClaim("run-of-a", claimed.Id, 1, 1), 4711, 99, "boot", "/usr/local/bin/pi")]);
        var open = (await fixture.Board.RunsAsync(claimed.Id)).ShouldHaveSingleItem();
        (open.FinishedAt, open.Exit, open.Verdict, open.Error).ShouldBe((null, null, null, null));

        var done = (await fixture.Board.EndSpawnAsync("a", new RunEnd
        {
            AgentId = "",
            Ending = RunEnding.Done,
            Verdict = "done",
            Exit = new ProcessExit(Code: 0),
            StderrTail = "warned",
            Usage = Booked("a", Spent),
        }))!;
        (done.Status, done.Verdict, done.Error, done.FinishedAt).ShouldBe((TaskState.Done, "done", null, fixture.Time.Now));
        done.Usage.ShouldBe(Spent);
        (await fixture.Board.LiveSpawnsAsync()).ShouldBeEmpty();

        var run = (await fixture.Board.RunsAsync(claimed.Id)).ShouldHaveSingleItem();
        (run.TaskId, run.Attempt, run.AgentId, run.SessionId, run.Binary).ShouldBe((claimed.Id, 1, "a", "session-of-a", "/usr/local/bin/pi"));
        run.Arguments.ShouldBe(["--mode", "json", "say \"hé\""]);
        run.Version.ShouldBe("1.6.0");
        (run.Pid, run.StartTime, run.BootId).ShouldBe((4711, 99, "boot"));
        (run.Verdict, run.StderrTail, run.FinishedAt).ShouldBe(("done", "warned", fixture.Time.Now));
        run.Exit.ShouldBe(new ProcessExit(Code: 0));
        run.Usage.ShouldBe(Spent);
        fixture.Changes.Select(task => task.Status).ShouldBe([TaskState.Queued, TaskState.Claimed, TaskState.Started, TaskState.Done]);
    }

    [Test]
    public async Task A_failed_attempt_is_retried_until_none_is_left_and_its_usage_adds_up()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create(maxAttempts: 2);
        var retryAt = fixture.Time.Now.AddSeconds(10);
        var end = new RunEnd
        {
            AgentId = "",
            Ending = RunEnding.Failed,
            Verdict = "error",
            Error = new TaskError("agent-error", "529 overloaded"),
            Exit = new ProcessExit(Signal: 9),
            Usage = Booked("a", Spent),
            RetryAt = retryAt,
        };

        await fixture.Spawn("a", task);
        await fixture.Board.ProcessStartedAsync("a", 1, 1, "boot");
        var queued = (await fixture.Board.EndSpawnAsync("a", end))!;
        (queued.Status, queued.NotBefore, queued.AgentId, queued.StartedAt, queued.Attempts).ShouldBe((TaskState.Queued, retryAt, null, null, 1));
        (queued.Verdict, queued.Error).ShouldBe(("error", new TaskError("agent-error", "529 overloaded")));

        var again = await fixture.Spawn("b", task);
        (again.NotBefore, again.Attempts).ShouldBe((null, 2));
        await fixture.Board.ProcessStartedAsync("b", 2, 2, "boot");
        var failed = (await fixture.Board.EndSpawnAsync("b", end with { Usage = Booked("b", Spent) }))!;
        (failed.Status, failed.FinishedAt, failed.NotBefore).ShouldBe((TaskState.Failed, fixture.Time.Now, null));
        failed.Usage.ShouldBe(Spent + Spent);
        (await fixture.Board.RunsAsync(task.Id)).Select(run => (run.AgentId, run.Attempt, run.Exit!.Signal)).ShouldBe([("a", 1, 9), ("b", 2, 9)]);
    }

    [Test]
    public async Task Usage_beyond_all_measure_stays_at_its_bound_and_ends_the_run_all_the_same()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create(maxAttempts: 3);
        var absurd = new Usage
        {
            InputTokens = long.MaxValue,
            OutputTokens = long.MaxValue,
            CacheReadTokens = long.MaxValue,
            CacheWriteTokens = long.MaxValue,
            CostMicrocents = long.MaxValue,
        };
        foreach (var agent in (string[])["a", "b", "c"])
        {
            await fixture.Spawn(agent, task);
            await fixture.Board.EndSpawnAsync(agent, new RunEnd { AgentId = "", Ending = RunEnding.Failed, RetryAt = fixture.Time.Now, Usage = Booked(agent, absurd) });
        }

        const long Bound = 9_000_000_000_000_000;
        var ended = (await fixture.Board.GetAsync(task.Id))!;
        ended.Status.ShouldBe(TaskState.Failed);
        ended.Usage.ShouldBe(new Usage
        {
            InputTokens = Bound,
            OutputTokens = Bound,
            CacheReadTokens = Bound,
            CacheWriteTokens = Bound,
            CostMicrocents = Bound,
        });
        (await fixture.Board.LiveSpawnsAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task A_failure_without_a_time_to_retry_is_final()
    {
        await using var fixture = new BoardFixture();
        await fixture.Spawn("a");
        await fixture.Board.ProcessStartedAsync("a", 1, 1, "boot");
        (await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Failed }))!.Status.ShouldBe(TaskState.Failed);
    }

    [Test]
    [Arguments(RunEnding.Done, TaskState.Done)]
    [Arguments(RunEnding.Failed, TaskState.Failed)]
    public async Task A_process_gone_before_it_was_seen_passes_through_started(RunEnding ending, TaskState expected)
    {
        await using var fixture = new BoardFixture();
        await fixture.Spawn("a");
        (await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = ending }))!.Status.ShouldBe(expected);
        fixture.Changes.Select(task => task.Status).ShouldBe([TaskState.Queued, TaskState.Claimed, TaskState.Started, expected]);
        fixture.Board.Counts.Started.ShouldBe(0);
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task An_interrupted_attempt_is_given_back(bool started)
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create(maxAttempts: 1);
        for (var n = 0; n < 3; n++)
        {
            await fixture.Spawn($"a{n}", task);
            if (started)
                await fixture.Board.ProcessStartedAsync($"a{n}", 1, 1, "boot");
            var queued = (await fixture.Board.EndSpawnAsync($"a{n}", new RunEnd { AgentId = "", Ending = RunEnding.Interrupted, Verdict = "interrupted", Usage = Booked($"a{n}", Spent) }))!;
            (queued.Status, queued.Attempts, queued.AgentId).ShouldBe((TaskState.Queued, 0, null));
            (queued.NotBefore - fixture.Time.Now).ShouldNotBeNull().TotalSeconds.ShouldBeInRange(0.5 * (1 << n), 1 << n, "its rest after the start");
        }
        (await fixture.Board.RunsAsync(task.Id)).Select(run => run.Attempt).ShouldBe([1, 1, 1]);
        (await fixture.Board.GetAsync(task.Id))!.Usage.InputTokens.ShouldBe(3);
    }

    [Test]
    [Arguments(RunEnding.Done)]
    [Arguments(RunEnding.Failed)]
    [Arguments(RunEnding.Interrupted)]
    public async Task A_task_cancelled_under_its_run_stays_cancelled(RunEnding ending)
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Spawn("a");
        (await fixture.Board.CancelAsync(task.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);

        (await fixture.Board.ProcessStartedAsync("a", 1, 1, "boot"))!.Status.ShouldBe(TaskState.Cancelled);
        (await fixture.Board.LiveSpawnsAsync()).ShouldHaveSingleItem().Pid.ShouldBe(1);
        var ended = (await fixture.Board.EndSpawnAsync(
            "a", new RunEnd { AgentId = "", Ending = ending, Verdict = "cancelled", Usage = Booked("a", Spent), RetryAt = fixture.Time.Now }))!;

        (ended.Status, ended.Verdict, ended.Usage).ShouldBe((TaskState.Cancelled, "cancelled", Spent));
        (await fixture.Board.RunsAsync(task.Id)).ShouldHaveSingleItem().FinishedAt.ShouldNotBeNull();
        fixture.Board.Counts.ShouldBe(new StatusTasks(0, 0, 0, 0, 0, 1));
    }

    [Test]
    public async Task A_task_the_daemon_runs_can_only_be_cancelled_from_outside()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Spawn("a");
        foreach (var to in (TaskState[])[TaskState.Started, TaskState.Queued])
            await Refused(to);
        await fixture.Board.ProcessStartedAsync("a", 1, 1, "boot");
        foreach (var to in (TaskState[])[TaskState.Done, TaskState.Failed, TaskState.Queued])
            await Refused(to);
        (await fixture.Board.ReleaseLostAsync(TimeSpan.Zero, UnknownClaims.All)).ShouldBeEmpty();
        (await fixture.Board.CancelAsync(task.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);

        async Task Refused(TaskState to)
        {
            var result = await fixture.Board.TransitionAsync(task.Id, to, null);
            result.Outcome.ShouldBe(EdgeOutcome.Conflict);
            result.Reason.ShouldNotBeNull().ShouldContain("run by agent a ");
        }
    }

    [Test]
    public async Task An_end_told_twice_counts_once()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Spawn("a");
        await fixture.Board.ProcessStartedAsync("a", 1, 1, "boot");
        var end = new RunEnd { AgentId = "", Ending = RunEnding.Failed, RetryAt = fixture.Time.Now, Usage = Booked("a", Spent) };
        await fixture.Board.EndSpawnAsync("a", end);
        await fixture.Spawn("b", task);

        var told = (await fixture.Board.EndSpawnAsync("a", end))!;

        (told.Status, told.AgentId, told.Usage).ShouldBe((TaskState.Claimed, "b", Spent));
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task What_an_agent_claimed_besides_its_task_is_queued_again_at_its_end(bool hasTask)
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create("its own");
        (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), hasTask ? task.Id : null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        var claimed = await fixture.Create("claimed");
        await fixture.Board.ClaimAsync(claimed.Id, "a");
        var started = await fixture.Create("started");
        await fixture.Board.ClaimAsync(started.Id, "a");
        await fixture.Board.TransitionAsync(started.Id, TaskState.Started, null, "a");
        var finished = await fixture.Create("finished");
        await fixture.Board.ClaimAsync(finished.Id, "a");
        await fixture.Board.TransitionAsync(finished.Id, TaskState.Started, null, "a");
        await fixture.Board.TransitionAsync(finished.Id, TaskState.Done, null, "a");
        var others = await fixture.Create("another's");
        await fixture.Board.ClaimAsync(others.Id, "b");
        fixture.Changes.Clear();

        var ended = await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done });

        (ended?.Id, ended?.Status).ShouldBe(hasTask ? (task.Id, TaskState.Done) : (null, null));
        var told = fixture.Changes.Skip(hasTask ? 2 : 0).ToList();
        told.Select(change => (change.Id, change.Status)).ShouldBe([(claimed.Id, TaskState.Queued), (started.Id, TaskState.Queued)]);
        told.ShouldAllBe(change => change.AgentId == null && change.StartedAt == null && change.Attempts == 1);
        told.ShouldAllBe(change => change.Error == new TaskError("agent-lost", "agent a has ended; the task is queued again"));
        (await fixture.Board.GetAsync(finished.Id))!.Status.ShouldBe(TaskState.Done);
        (await fixture.Board.GetAsync(others.Id))!.AgentId.ShouldBe("b");
        fixture.Board.Counts.ShouldBe(hasTask ? new StatusTasks(2, 1, 0, 2, 0, 0) : new StatusTasks(3, 1, 0, 1, 0, 0));
    }

    [Test]
    public async Task A_conflict_leaves_no_trace_of_the_agent()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.CreateIn(TaskState.Started);

        (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), task.Id)).Outcome.ShouldBe(EdgeOutcome.Conflict);
        (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), "nothing")).Outcome.ShouldBe(EdgeOutcome.NotFound);

        (await fixture.Board.LiveSpawnsAsync()).ShouldBeEmpty();
        (await fixture.Board.RunsAsync(task.Id)).ShouldBeEmpty();
    }

    [Test]
    public async Task A_spawn_that_fails_half_way_does_not_keep_the_claim()
    {
        await using var fixture = new BoardFixture();
        await fixture.Spawn("twice");
        var task = await fixture.Create();

        await Should.ThrowAsync<Exception>(() => fixture.Board.BeginSpawnAsync(BoardFixture.Record("twice"), task.Id));

        (await fixture.Board.GetAsync(task.Id))!.Status.ShouldBe(TaskState.Queued);
        fixture.Board.Counts.ShouldBe(new StatusTasks(1, 1, 0, 0, 0, 0));
    }

    [Test]
    public async Task An_agent_without_a_task_is_on_record_until_its_end()
    {
        await using var fixture = new BoardFixture();
        (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), null)).ShouldBe(new RunBegun(EdgeOutcome.Applied));
        (await fixture.Board.ProcessStartedAsync("a", 7, 8, "boot")).ShouldBeNull();
        var board = await fixture.Reopen();
        (await board.LiveSpawnsAsync()).ShouldBe([new SpawnRow("a", null, 7, 8, "boot", "/usr/local/bin/pi")]);
        (await board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done })).ShouldBeNull();
        (await board.LiveSpawnsAsync()).ShouldBeEmpty();
        (await board.EndSpawnAsync("unknown", new RunEnd { AgentId = "", Ending = RunEnding.Done })).ShouldBeNull();
    }

    [Test]
    [Arguments("x")]
    [Arguments("é")]
    [Arguments("\U0001F3E0")]
    public async Task Of_stderr_the_last_8_KiB_are_kept(string unit)
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Spawn("a");
        await fixture.Board.EndSpawnAsync(
            "a", new RunEnd { AgentId = "", Ending = RunEnding.Done, StderrTail = string.Concat(Enumerable.Repeat(unit, 10_000)) + "." });
        var tail = (await fixture.Board.RunsAsync(task.Id))[0].StderrTail!;
        System.Text.Encoding.UTF8.GetByteCount(tail).ShouldBeInRange(8 * 1024 - 3, 8 * 1024);
        tail.ShouldStartWith(unit);
        tail.ShouldEndWith(unit + ".");
    }
}
