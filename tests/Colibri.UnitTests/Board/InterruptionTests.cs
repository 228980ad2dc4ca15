using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>A task whose runs are cut short again and again: what is counted, when it rests, and when it is held.</summary>
public sealed class InterruptionTests
{
    [Test]
    [Arguments(1)]
    [Arguments(3)]
    [Arguments(5)]
    public async Task A_task_under_which_the_daemon_was_killed_too_often_in_a_row_is_held_and_says_what_to_type(int limit)
    {
        await using var fixture = new BoardFixture { MaxInterruptions = limit };
        var task = await fixture.Create(maxAttempts: 1);
        for (var kill = 1; kill < limit; kill++)
        {
            var cut = await Killed(fixture, task, $"a{kill}");
            (cut.Status, cut.Held, cut.Interruptions, cut.Attempts, cut.Verdict).ShouldBe((TaskState.Queued, false, kill, 0, "interrupted"));
            (cut.NotBefore!.Value - fixture.Time.Now).TotalSeconds.ShouldBeInRange(0.5 * (1 << (kill - 1)), 1 << (kill - 1));
        }

        var held = await Killed(fixture, task, "last");

        (held.Status, held.Held, held.Interruptions, held.Attempts, held.Verdict).ShouldBe((TaskState.Queued, true, limit, 0, "poison"));
        var error = held.Error.ShouldNotBeNull();
        error.Code.ShouldBe("poison");
        error.Message.ShouldEndWith($"colibri release-task {task.Number}");
        fixture.Time.Now += TimeSpan.FromDays(1);
        (await fixture.Board.ReadyAsync(10, fixture.Time.Now)).ShouldBeEmpty();
        (await fixture.Board.RunsAsync(task.Id))[^1].Verdict.ShouldBe("interrupted", "the run was cut short; it is the task that is held");
        fixture.Changes[^1].Held.ShouldBeTrue("subscribers hear of it");
    }

    [Test]
    [Arguments(RunEnding.Failed, "exit-code", 0)]
    [Arguments(RunEnding.Interrupted, "interrupted", 2)]
    [Arguments(RunEnding.Interrupted, "provider", 0)]
    public async Task An_end_that_the_daemon_saw_ends_the_row_and_an_orderly_stop_leaves_it(RunEnding ending, string code, int interruptions)
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create(maxAttempts: 9);
        await Killed(fixture, task, "a");
        await Killed(fixture, task, "b");
        await fixture.Spawn("c", task);
        var ended = (await fixture.Board.EndSpawnAsync("c", new RunEnd { AgentId = "", Ending = ending, Error = new TaskError(code, "as it says"), RetryAt = fixture.Time.Now }))!;
        (ended.Interruptions, ended.Held).ShouldBe((interruptions, false));
        (await Killed(fixture, task, "d")).Held.ShouldBe(interruptions == 2);
    }

    [Test]
    public async Task A_daemon_that_was_stopping_in_order_when_it_was_killed_counts_for_nothing()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        for (var stop = 1; stop <= 5; stop++)
        {
            await fixture.Spawn($"a{stop}", task);
            await fixture.Board.MarkStoppingAsync();
            await fixture.Reopen();
            var cut = (await fixture.Board.EndSpawnAsync($"a{stop}", new RunEnd { AgentId = "", Ending = RunEnding.Killed, Verdict = "interrupted" }))!;
            (cut.Interruptions, cut.Held, cut.Attempts, cut.Verdict).ShouldBe((0, false, 0, "interrupted"));
            cut.NotBefore.ShouldNotBeNull("a supervisor that restarts in a loop must not start it at once each time");
        }
    }

    [Test]
    public async Task A_kill_under_a_task_that_was_cancelled_leaves_it_cancelled()
    {
        await using var fixture = new BoardFixture { MaxInterruptions = 1 };
        var task = await fixture.Spawn("a");
        await fixture.Board.CancelAsync(task.Id);
        var ended = (await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Killed, Verdict = "interrupted" }))!;
        (ended.Status, ended.Held).ShouldBe((TaskState.Cancelled, false));
    }

    [Test]
    public async Task A_released_task_starts_anew_and_nothing_of_the_interruptions_is_left()
    {
        await using var fixture = new BoardFixture { MaxInterruptions = 2 };
        var task = await fixture.Create();
        await Killed(fixture, task, "a");
        (await Killed(fixture, task, "b")).Held.ShouldBeTrue();

        var released = await fixture.Board.ReleaseAsync(task.Id);

        released.Outcome.ShouldBe(EdgeOutcome.Applied);
        released.Task.ShouldNotBeNull().ShouldSatisfyAllConditions(
            t => (t.Held, t.Interruptions, t.Error, t.Verdict).ShouldBe((false, 0, null, "interrupted")));
        fixture.Time.Now += TimeSpan.FromMinutes(5);
        (await fixture.Board.ReadyAsync(10, fixture.Time.Now)).ShouldHaveSingleItem().RunsApart.ShouldBeFalse();
        (await Killed(fixture, task, "c")).Held.ShouldBeFalse();
    }

    [Test]
    public async Task A_task_with_one_chance_left_runs_apart_from_others_like_it()
    {
        await using var fixture = new BoardFixture();
        var (one, other) = (await fixture.Create(), await fixture.Create());
        foreach (var kill in (string[])["a", "b"])
        {
            (await fixture.Board.IsOneApartAsync()).ShouldBeFalse();
            await Killed(fixture, one, $"{kill}1");
            await Killed(fixture, other, $"{kill}2");
        }
        fixture.Time.Now += TimeSpan.FromMinutes(5);
        (await fixture.Board.ReadyAsync(10, fixture.Time.Now)).Select(task => task.RunsApart).ShouldBe([true, true]);
        await fixture.Spawn("c", one);
        (await fixture.Board.IsOneApartAsync()).ShouldBeTrue();
        await fixture.Board.EndSpawnAsync("c", new RunEnd { AgentId = "", Ending = RunEnding.Done, Verdict = "done" });
        (await fixture.Board.IsOneApartAsync()).ShouldBeFalse();
    }

    /// <summary>Every road that leads back to the queue keeps the rest that the start began, whatever the road asks for.</summary>
    [Test]
    [Arguments("failed")]
    [Arguments("interrupted")]
    [Arguments("killed")]
    [Arguments("given back from outside")]
    [Arguments("lost claimant")]
    [Arguments("ended claimant")]
    public async Task A_task_rests_after_each_start_whatever_brings_it_back(string road)
    {
        await using var fixture = new BoardFixture { MaxInterruptions = 100 };
        var task = await fixture.Create(maxAttempts: 100);
        for (var start = 1; start <= 12; start++)
        {
            await fixture.Spawn($"a{start}", task);
            var startedAt = fixture.Time.Now;
            var back = await BackAsync($"a{start}");
            back.Status.ShouldBe(TaskState.Queued);
            var longest = Math.Min(1 << (start - 1), 300);
            (back.NotBefore!.Value - startedAt).TotalSeconds.ShouldBeInRange(0.5 * longest, longest, $"after start {start}");
            fixture.Time.Now = back.NotBefore.Value;
        }

        async Task<BoardTask> BackAsync(string agent)
        {
            if (road is "failed" or "interrupted" or "killed")
            {
                var ending = road == "failed" ? RunEnding.Failed : road == "killed" ? RunEnding.Killed : RunEnding.Interrupted;
                return (await fixture.Board.EndSpawnAsync(agent, new RunEnd { AgentId = "", Ending = ending, Verdict = road, RetryAt = fixture.Time.Now }))!;
            }
            await fixture.Board.EndSpawnAsync(agent, new RunEnd { AgentId = "", Ending = RunEnding.Interrupted });
            // An outside claimant may take it before its rest is over.
            if (road == "given back from outside")
            {
                await fixture.Board.ClaimAsync(task.Id, "somebody");
                return (await fixture.Board.TransitionAsync(task.Id, TaskState.Queued, null)).Task!;
            }
            if (road == "lost claimant")
            {
                await fixture.Board.ClaimAsync(task.Id, "somebody");
                return (await fixture.Board.ReleaseLostAsync(TimeSpan.Zero, UnknownClaims.All)).ShouldHaveSingleItem();
            }
            await fixture.Spawn(agent + "-other");
            await fixture.Board.ClaimAsync(task.Id, agent + "-other");
            await fixture.Board.EndSpawnAsync(agent + "-other", new RunEnd { AgentId = "", Ending = RunEnding.Done });
            return await fixture.Get(task);
        }
    }

    [Test]
    public async Task A_run_that_was_long_costs_its_task_no_rest_and_an_hour_later_the_rests_begin_anew()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        for (var start = 1; start <= 3; start++)
        {
            await fixture.Spawn($"a{start}", task);
            fixture.Time.Now += TimeSpan.FromHours(1);
            (await Interrupted(fixture, $"a{start}")).NotBefore.ShouldBeNull("an upgrade must not delay a task");
        }
        await fixture.Spawn("b", task);
        (await Interrupted(fixture, "b")).NotBefore.ShouldNotBeNull().ShouldBeLessThanOrEqualTo(fixture.Time.Now.AddSeconds(1));
    }

    [Test]
    [Arguments(-2)]
    [Arguments(2)]
    public async Task A_clock_that_is_set_neither_ends_a_rest_nor_lengthens_it(int hours)
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        for (var start = 1; start <= 5; start++)
        {
            await fixture.Spawn($"a{start}", task);
            await Interrupted(fixture, $"a{start}");
        }
        await fixture.Spawn("b", task);
        fixture.Time.SetClock(TimeSpan.FromHours(hours));
        var since = fixture.Time.Now;
        // The run ends before the scheduler has noticed.
        await Interrupted(fixture, "b");
        await fixture.Board.ShiftBackoffsAsync(TimeSpan.FromHours(hours), since);

        var rest = (await fixture.Get(task)).NotBefore.ShouldNotBeNull() - fixture.Time.Now;
        rest.TotalSeconds.ShouldBeInRange(16, hours < 0 ? 300 : 32);
    }

    /// <summary>A host booted with its clock a year ahead, and corrected before the next daemon: no later step of the clock brings the year back.</summary>
    [Test]
    [Arguments(3)]
    [Arguments(-3)]
    public async Task A_rest_that_was_dated_by_a_wrong_clock_is_never_longer_than_a_rest(int seconds)
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        fixture.Time.SetClock(TimeSpan.FromDays(365));
        for (var start = 1; start <= 3; start++)
        {
            await fixture.Spawn($"a{start}", task);
            await Interrupted(fixture, $"a{start}");
        }
        fixture.Time.SetClock(-TimeSpan.FromDays(365));

        await fixture.Board.BoundBackoffsAsync();
        fixture.Time.SetClock(TimeSpan.FromSeconds(seconds));
        await fixture.Board.ShiftBackoffsAsync(TimeSpan.FromSeconds(seconds), fixture.Time.Now);

        ((await fixture.Get(task)).NotBefore ?? fixture.Time.Now).ShouldBeLessThanOrEqualTo(fixture.Time.Now.AddMinutes(5).AddSeconds(3));
    }

    [Test]
    public async Task Only_a_queued_task_is_held_and_only_a_held_one_released()
    {
        await using var fixture = new BoardFixture();
        foreach (var state in Enum.GetValues<TaskState>().Except([TaskState.Queued]))
        {
            var other = await fixture.CreateIn(state);
            (await fixture.Board.HoldAsync(other.Id)).ShouldSatisfyAllConditions(
                r => r.Outcome.ShouldBe(EdgeOutcome.Conflict), r => r.Reason.ShouldNotBeNull().ShouldContain("only a queued task can be held"));
            (await fixture.Board.ReleaseAsync(other.Id)).Outcome.ShouldBe(EdgeOutcome.Conflict);
        }
        (await fixture.Board.HoldAsync("nothing")).Outcome.ShouldBe(EdgeOutcome.NotFound);
        (await fixture.Board.ReleaseAsync("nothing")).Outcome.ShouldBe(EdgeOutcome.NotFound);
        var task = await fixture.Create();
        (await fixture.Board.ReleaseAsync(task.Id)).Reason.ShouldBe($"task {task.Id} is queued and not held");
        for (var twice = 0; twice < 2; twice++)
            (await fixture.Board.HoldAsync(task.Id)).Task.ShouldNotBeNull().Held.ShouldBeTrue();
        fixture.Changes.Count(change => change.Id == task.Id && change.Held).ShouldBe(1);

        (await fixture.Board.ClaimAsync(task.Id, "somebody")).ShouldSatisfyAllConditions(
            r => r.Outcome.ShouldBe(EdgeOutcome.Conflict), r => r.Reason.ShouldBe($"task {task.Id} is held; to let it start, type: colibri release-task {task.Id}"));
        (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a"), task.Id)).Reason.ShouldNotBeNull().ShouldContain("is held");
        (await fixture.Board.TransitionAsync(task.Id, TaskState.Started, null)).Outcome.ShouldBe(EdgeOutcome.Conflict);
        (await fixture.Reopen()).Counts.Queued.ShouldBe(1);
        (await fixture.Get(task)).Held.ShouldBeTrue();
        (await fixture.Board.CancelAsync(task.Id)).Task.ShouldNotBeNull().Held.ShouldBeFalse();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_task_can_be_made_held_and_waits_for_its_release(bool byIntake)
    {
        await using var fixture = new BoardFixture();
        var held = new NewTask { Title = "later", Hold = true };
        var id = byIntake ? await fixture.Board.IntakeAsync(held) : (await fixture.Board.CreateAsync(held)).Id;
        await fixture.Board.DrainIntakeAsync(10);
        (await fixture.Board.GetAsync(id))!.Held.ShouldBeTrue();
        (await fixture.Board.ReadyAsync(10, fixture.Time.Now)).ShouldBeEmpty();
        (await fixture.Board.NextReadyAtAsync(fixture.Time.Now)).ShouldBeNull();
        await fixture.Board.ReleaseAsync(id);
        (await fixture.Board.ReadyAsync(10, fixture.Time.Now)).ShouldHaveSingleItem().Id.ShouldBe(id);
    }

    [Test]
    public async Task The_queue_can_be_read_on_from_any_place()
    {
        await using var fixture = new BoardFixture();
        var random = new Random(11);
        for (var i = 0; i < 60; i++)
            await fixture.Create($"{i}", random.Next(-2, 3));
        var whole = (await fixture.Board.ReadyAsync(100, fixture.Time.Now)).Select(task => task.Id).ToList();
        whole.Count.ShouldBe(60);
        foreach (var stretch in (int[])[1, 7, 59, 60])
        {
            var read = new List<string>();
            for (QueuePlace? after = null; ;)
            {
                var ready = await fixture.Board.ReadyAsync(stretch, fixture.Time.Now, after);
                read.AddRange(ready.Select(task => task.Id));
                if (ready.Count < stretch)
                    break;
                after = ready[^1].Place;
            }
            read.ShouldBe(whole);
        }
    }

    private static async Task<BoardTask> Killed(BoardFixture fixture, BoardTask task, string agent)
    {
        await fixture.Spawn(agent, task);
        return (await fixture.Board.EndSpawnAsync(agent, new RunEnd { AgentId = "", Ending = RunEnding.Killed, Verdict = "interrupted" }))!;
    }

    private static async Task<BoardTask> Interrupted(BoardFixture fixture, string agent) =>
        (await fixture.Board.EndSpawnAsync(agent, new RunEnd { AgentId = "", Ending = RunEnding.Interrupted, Verdict = "interrupted" }))!;
}
