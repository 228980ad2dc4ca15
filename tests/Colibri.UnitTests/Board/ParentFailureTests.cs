using Colibri.Core.Board;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>What becomes of a task when one that it comes after is over without being done, on every road there and back.</summary>
public sealed class ParentFailureTests
{
    private static readonly TaskError Broken = new("exit-code", "it exited with 1");

    /// <summary>Every road on which a task fails for good or is cancelled.</summary>
    public static List<(string Road, string Words)> Roads() =>
    [
        ("outside", "has failed: exit-code: it exited with 1"),
        ("run", "has failed: exit-code: it exited with 1"),
        ("resident", "has failed: exit-code: it exited with 1"),
        ("cancel", "was cancelled"),
        ("cancel while it runs", "was cancelled"),
        ("its own parent", "has failed: parent-failed: task 3 (root) has failed: exit-code: it exited with 1"),
    ];

    [Test]
    [MethodDataSource(nameof(Roads))]
    public async Task A_child_that_holds_is_held_and_says_what_to_type(string road, string words)
    {
        await using var fixture = new BoardFixture();
        var (parent, child) = await PairAsync(fixture, OnFailed.Hold, road);
        fixture.Changes.Clear();

        await LoseAsync(fixture, parent, road);

        var held = await fixture.Get(child);
        (held.Status, held.Held, held.Error).ShouldBe((TaskState.Queued, true, new TaskError("parent-failed", $"task 1 (parent) {words}")));
        held.BlockedBy!.ShouldHaveSingleItem().ShouldBe(new BlockedBy(
            "parent-failed", $"task 1 (parent) {words}; try that again: colibri retry-task 1, or run this without it: colibri release-task 2"));
        fixture.Changes.ShouldContain(task => task.Id == child.Id && task.Held);
        (await fixture.Board.ListAsync(new TaskQuery { Held = true, Limit = 9 })).Tasks.ShouldHaveSingleItem().Id.ShouldBe(child.Id);
        (await fixture.Board.TotalsAsync()).TasksHeld.ShouldBe(1);
        fixture.Number("SELECT count(*) FROM notices WHERE kind = 'held' AND task = 2 AND ended_at IS NULL").ShouldBe(1);
        (await Ready(fixture)).ShouldNotContain(2);
        (await fixture.Board.ClaimAsync("2", "b")).Reason!.ShouldStartWith($"task {child.Id} is held: task 1 (parent) {words}; try");
        (await fixture.Reopen()).Counts.Queued.ShouldBe(fixture.Number("SELECT count(*) FROM tasks WHERE status = 'queued'"));
        (await fixture.Get(child)).Held.ShouldBeTrue();
    }

    [Test]
    [MethodDataSource(nameof(Roads))]
    public async Task A_child_that_fails_with_it_fails_in_the_same_transaction(string road, string words)
    {
        await using var fixture = new BoardFixture();
        var (parent, child) = await PairAsync(fixture, OnFailed.Fail, road);

        await LoseAsync(fixture, parent, road);

        var failed = await fixture.Get(child);
        (failed.Status, failed.Held, failed.Error, failed.BlockedBy).ShouldBe((TaskState.Failed, false, new TaskError("parent-failed", $"task 1 (parent) {words}"), null));
        failed.FinishedAt.ShouldNotBeNull();
        fixture.Board.Counts.Failed.ShouldBe(fixture.Number("SELECT count(*) FROM tasks WHERE status = 'failed'"));
        fixture.Number("SELECT count(*) FROM notices WHERE kind = 'failed' AND task = 2 AND ended_at IS NULL").ShouldBe(1);
        fixture.Number("SELECT count(*) FROM notices WHERE kind = 'held'").ShouldBe(0);

        // It is over: that its parent is tried again does not bring it back.
        await fixture.Board.RetryAsync("1", null);
        (await fixture.Get(child)).Status.ShouldBe(TaskState.Failed);
        (await fixture.Board.RetryAsync("2", null)).Task!.BlockedBy!.ShouldHaveSingleItem().Message.ShouldBe("it starts after task 1 (queued)");
        await LoseAsync(fixture, await fixture.Get(parent), "cancel");
        (await fixture.Get(child)).Status.ShouldBe(TaskState.Failed);
    }

    [Test]
    [MethodDataSource(nameof(Roads))]
    public async Task A_child_that_runs_all_the_same_is_ready_and_its_claimant_is_told(string road, string words)
    {
        await using var fixture = new BoardFixture();
        var (parent, child) = await PairAsync(fixture, OnFailed.Run, road);
        (await Ready(fixture)).ShouldNotContain(2);

        await LoseAsync(fixture, parent, road);

        (await Ready(fixture)).ShouldContain(2);
        (await fixture.Get(child)).BlockedBy.ShouldBeNull();
        var told = (await fixture.Board.ClaimAsync("2", "b")).Task!.Parents!.ShouldHaveSingleItem();
        var isCancelled = words.StartsWith("was", StringComparison.Ordinal);
        (told.TaskId, told.Number, told.Title, told.Status).ShouldBe((parent.Id, 1, "parent", isCancelled ? TaskState.Cancelled : TaskState.Failed));
        if (!isCancelled)
            $"has failed: {told.Error!.Code}: {told.Error.Message}".ShouldBe(words);
        (await fixture.Board.GetWithParentsAsync("2"))!.Parents!.ShouldHaveSingleItem().ShouldBe(told);
    }

    /// <summary>None of these is over: the task is queued again, or runs.</summary>
    [Test]
    [Arguments("retried")]
    [Arguments("interrupted")]
    [Arguments("poison")]
    [Arguments("reworked")]
    [Arguments("requeued from outside")]
    public async Task An_attempt_that_fails_and_is_queued_again_concerns_no_child(string road)
    {
        await using var fixture = new BoardFixture { MaxInterruptions = 1 };
        await fixture.Create("parent");
        foreach (var policy in Enum.GetValues<OnFailed>())
            await After(fixture, policy, "1");
        if (road == "requeued from outside")
        {
            await fixture.Board.ClaimAsync("1", "b");
            await fixture.Board.TransitionAsync("1", TaskState.Queued, Broken);
        }
        else
        {
            await RunAsync(fixture, "1", road switch
            {
                "retried" => new RunEnd { AgentId = "", Ending = RunEnding.Failed, Error = Broken, RetryAt = fixture.Time.Now },
                "interrupted" => new RunEnd { AgentId = "", Ending = RunEnding.Interrupted, Error = Broken },
                "poison" => new RunEnd { AgentId = "", Ending = RunEnding.Killed, Error = Broken },
                _ => new RunEnd { AgentId = "", Ending = RunEnding.Reworked, Feedback = "mend it" },
            });
        }

        var all = (await fixture.Board.ListAsync(null, 9, null)).Tasks;
        all[0].Held.ShouldBe(road == "poison");
        foreach (var child in all.Skip(1))
            (child.Status, child.Held, child.Error, child.BlockedBy!.Single().Message).ShouldBe((TaskState.Queued, false, null, "it starts after task 1 (queued)"));
    }

    [Test]
    public async Task What_is_held_for_its_parent_alone_waits_as_before_once_that_is_tried_again()
    {
        await using var fixture = new BoardFixture();
        var parent = await fixture.Create("parent");
        var child = await After(fixture, OnFailed.Hold, "1");
        var byHand = await After(fixture, OnFailed.Hold, "1");
        await fixture.Board.HoldAsync(byHand.Id);
        // Its own error comes back to light.
        fixture.Execute("UPDATE tasks SET error_code = 'exit-code', error_message = 'before' WHERE seq = 2");
        await LoseAsync(fixture, parent, "outside");
        (await fixture.Get(byHand)).BlockedBy!.Select(reason => reason.Code).ShouldBe(["parent-failed"]);
        fixture.Changes.Clear();

        (await fixture.Board.RetryAsync("1", null)).Outcome.ShouldBe(EdgeOutcome.Applied);

        var waiting = await fixture.Get(child);
        (waiting.Held, waiting.Error, waiting.BlockedBy!.Single().Message).ShouldBe((false, new TaskError("exit-code", "before"), "it starts after task 1 (queued)"));
        fixture.Changes.ShouldContain(task => task.Id == child.Id && !task.Held);
        fixture.Number("SELECT count(*) FROM notices WHERE kind = 'held' AND ended_at IS NULL").ShouldBe(0);
        (await fixture.Get(byHand)).Held.ShouldBeTrue();
        await DoneAsync(fixture, "1");
        (await Ready(fixture)).ShouldBe([2L]);
        await fixture.Board.ReleaseAsync(byHand.Id);
        (await Ready(fixture)).ShouldBe([2L, 3L]);
    }

    [Test]
    public async Task A_release_drops_what_is_over_and_keeps_what_is_to_come()
    {
        await using var fixture = new BoardFixture();
        var (lost, open) = (await fixture.Create("lost"), await fixture.Create("open"));
        var child = await After(fixture, OnFailed.Hold, "1", "2");
        await LoseAsync(fixture, lost, "outside");
        (await fixture.Get(child)).BlockedBy!.Select(reason => reason.Code).ShouldBe(["parent-failed", "after"]);

        var released = await fixture.Board.ReleaseAsync("3");

        released.Outcome.ShouldBe(EdgeOutcome.Applied);
        (released.Task!.Held, released.Task.Error, released.Task.BlockedBy!.Single().Message).ShouldBe((false, null, "it starts after task 2 (queued)"));
        released.Task.After.ShouldBe([open.Id]);
        (await fixture.Board.ReleaseAsync("3")).Outcome.ShouldBe(EdgeOutcome.Conflict);
        // It comes after the other one alone: what becomes of the first is nothing to it any more.
        await fixture.Board.RetryAsync("1", null);
        await DoneAsync(fixture, "2");
        (await Ready(fixture)).ShouldBe([1L, 3L]);
        (await fixture.Board.EditAsync("3", new TaskEdit { Priority = 4 })).Task!.After.ShouldBe([open.Id]);
    }

    [Test]
    [Arguments(OnFailed.Hold)]
    [Arguments(OnFailed.Fail)]
    [Arguments(OnFailed.Run)]
    public async Task A_parent_that_failed_before_the_child_was_there_counts_the_same(OnFailed policy)
    {
        await using var fixture = new BoardFixture();
        var parent = await fixture.Create("parent");
        var early = await fixture.Board.IntakeAsync(new NewTask { Title = "taken in before", After = ["1"], OnFailed = policy });
        await LoseAsync(fixture, parent, "outside");

        var created = await After(fixture, policy, "1");
        (await fixture.Board.DrainIntakeAsync(9)).ShouldHaveSingleItem();
        var edited = await fixture.Create("edited");
        edited = (await fixture.Board.EditAsync(edited.Id, new TaskEdit { After = ["1"], OnFailed = policy })).Task!;

        foreach (var child in new[] { created, (await fixture.Board.GetAsync(early))!, edited })
        {
            child.OnFailed.ShouldBe(TaskRow.Text(policy));
            (child.Status, child.Held).ShouldBe(policy switch
            {
                OnFailed.Hold => (TaskState.Queued, true),
                OnFailed.Fail => (TaskState.Failed, false),
                _ => (TaskState.Queued, false),
            });
            (child.Error?.Code).ShouldBe(policy == OnFailed.Run ? null : "parent-failed");
        }
        (await Ready(fixture)).Count.ShouldBe(policy == OnFailed.Run ? 3 : 0);
    }

    [Test]
    public async Task An_edit_of_the_policy_is_decided_by_at_once_and_one_of_something_else_is_not()
    {
        await using var fixture = new BoardFixture();
        await LoseAsync(fixture, await fixture.Create("parent"), "outside");
        await After(fixture, OnFailed.Hold, "1");

        (await fixture.Board.EditAsync("2", new TaskEdit { OnFailed = OnFailed.Run })).Task!.Held.ShouldBeFalse();
        (await Ready(fixture)).ShouldBe([2L]);
        (await fixture.Board.EditAsync("2", new TaskEdit { OnFailed = OnFailed.Hold })).Task!.Held.ShouldBeTrue();
        (await fixture.Board.EditAsync("2", new TaskEdit { OnFailed = OnFailed.Fail })).Task!.Status.ShouldBe(TaskState.Failed);

        // Queued by hand all the same: it is held, until a person says more.
        var again = (await fixture.Board.RetryAsync("2", null)).Task!;
        (again.Status, again.Held, again.BlockedBy!.Single().Code).ShouldBe((TaskState.Queued, true, "parent-failed"));
        (await fixture.Board.EditAsync("2", new TaskEdit { Title = "other" })).Task!.Status.ShouldBe(TaskState.Queued);
        (await fixture.Board.ReleaseAsync("2")).Task!.After.ShouldBeEmpty();
        (await Ready(fixture)).ShouldBe([2L]);
    }

    [Test]
    public async Task A_child_under_way_while_its_parent_fails_is_decided_on_once_it_is_queued_again()
    {
        await using var fixture = new BoardFixture();
        var parent = await fixture.CreateIn(TaskState.Done);
        foreach (var policy in Enum.GetValues<OnFailed>())
        {
            var child = await After(fixture, policy, "1");
            (await fixture.Board.ClaimAsync(child.Id, "b")).Outcome.ShouldBe(EdgeOutcome.Applied);
        }
        await fixture.Board.RetryAsync("1", null);
        await LoseAsync(fixture, parent, "outside");
        (await fixture.Board.ListAsync(null, 9, null)).Tasks.Skip(1).ShouldAllBe(child => child.Status == TaskState.Claimed && !child.Held && child.Error == null);

        foreach (var number in new[] { "2", "3", "4" })
            await fixture.Board.TransitionAsync(number, TaskState.Queued, null);

        var all = (await fixture.Board.ListAsync(null, 9, null)).Tasks;
        all.Skip(1).Select(child => (child.OnFailed, child.Status, child.Held)).ShouldBe(
            [("hold", TaskState.Queued, true), ("fail", TaskState.Failed, false), ("run", TaskState.Queued, false)]);
    }

    [Test]
    public async Task A_chain_of_a_thousand_fails_in_one_transaction_and_a_wide_one_too()
    {
        const int Length = 1_000;
        await using var fixture = new BoardFixture();
        var root = await fixture.Create("root");
        for (var i = 1; i <= Length; i++)
            await After(fixture, OnFailed.Fail, $"{i}");
        var end = await After(fixture, OnFailed.Hold, $"{Length + 1}");
        await Task.WhenAll(Enumerable.Range(0, Length).Select(_ => After(fixture, OnFailed.Fail, "1")));

        await LoseAsync(fixture, root, "outside");

        fixture.Board.Counts.Failed.ShouldBe((2 * Length) + 1);
        fixture.Number("SELECT count(*) FROM tasks WHERE status = 'failed'").ShouldBe((2 * Length) + 1);
        fixture.Number("SELECT max(length(error_message)) FROM tasks").ShouldBeLessThan(500);
        var last = await fixture.Get(end);
        (last.Held, last.Status).ShouldBe((true, TaskState.Queued));
        last.Error!.Message.ShouldStartWith("task 1001 (child) has failed: parent-failed: task 1000 (child) has failed: ");
    }

    [Test]
    public async Task Of_many_parents_a_few_are_named_and_the_rest_counted()
    {
        await using var fixture = new BoardFixture();
        for (var i = 0; i < 24; i++)
            await fixture.Create($"p{i}");
        var child = await After(fixture, OnFailed.Hold, [.. Enumerable.Range(1, 24).Select(number => $"{number}")]);
        foreach (var number in new[] { "3", "5", "7" })
            await fixture.Board.CancelAsync(number);
        await fixture.Board.ClaimAsync("1", "b");

        var reasons = (await fixture.Get(child)).BlockedBy!;

        reasons[0].Message.ShouldBe("task 3 (p2) was cancelled; and 2 more; try that again: colibri retry-task 3, or run this without it: colibri release-task 25");
        reasons[1].Message.ShouldBe("it starts after tasks 1 (claimed), 2 (queued), 4 (queued), 6 (queued), 8 (queued), 9 (queued), 10 (queued), 11 (queued) and 13 more");
    }

    [Test]
    public async Task A_deleted_parent_is_counted_no_longer()
    {
        await using var fixture = new BoardFixture();
        var parent = await fixture.Create("parent");
        var child = await After(fixture, OnFailed.Fail, "1");
        await LoseAsync(fixture, parent, "outside");
        (await fixture.Board.DeleteAsync("1")).Outcome.ShouldBe(EdgeOutcome.Applied);

        (await fixture.Board.RetryAsync(child.Id, null)).Task!.BlockedBy.ShouldBeNull();
        (await Ready(fixture)).ShouldBe([2L]);
    }

    [Test]
    public async Task A_board_of_the_version_before_tells_of_what_waits_in_vain()
    {
        await using var fixture = new BoardFixture();
        var steps = Migrations.All.ToList().IndexOf(DependencySchema.Text);
        fixture.Execute("VACUUM");
        using (var connection = BoardConnection.OpenWriter(fixture.Path, busySeconds: 1))
            Migrations.Apply(connection, fixture.Path, [.. Migrations.All.Take(steps)]);
        fixture.Execute("""
            INSERT INTO tasks (id, title, description, status, capabilities, priority, max_attempts, created_at, updated_at, waits, after_tasks)
            VALUES ('x', 'first', '', 'failed', '[]', 0, 3, 1000, 2000, 0, '[]'), ('y', 'second', '', 'queued', '[]', 0, 3, 1000, 2000, 1, '["x"]'),
                ('z', 'third', '', 'queued', '[]', 0, 3, 1000, 2000, 1, '["y"]');
            INSERT INTO task_after (task, parent) VALUES (2, 1), (3, 2);
            """);

        var all = (await fixture.Board.ListAsync(null, 9, null)).Tasks;

        all.Select(task => (task.Held, task.Error?.Code)).ShouldBe([(false, null), (true, "parent-failed"), (false, null)]);
        fixture.Number("SELECT count(*) FROM notices WHERE kind = 'held' AND task = 2 AND ended_at IS NULL").ShouldBe(1);
        await DoneAsync(fixture, (await fixture.Board.RetryAsync("x", null)).Task!.Id);
        (await Ready(fixture)).ShouldBe([2L]);
    }

    private static async Task<(BoardTask Parent, BoardTask Child)> PairAsync(BoardFixture fixture, OnFailed policy, string road)
    {
        var parent = await fixture.Create("parent", maxAttempts: 1);
        var child = await After(fixture, policy, "1");
        if (road != "its own parent")
            return (parent, child);
        await fixture.Create("root");
        return ((await fixture.Board.EditAsync("1", new TaskEdit { After = ["3"], OnFailed = OnFailed.Fail })).Task!, child);
    }

    private static async Task LoseAsync(BoardFixture fixture, BoardTask task, string road)
    {
        switch (road)
        {
            case "run":
                await RunAsync(fixture, task.Id, new RunEnd { AgentId = "", Ending = RunEnding.Failed, Error = Broken });
                break;
            case "resident":
                await fixture.Board.BeginSpawnAsync(BoardFixture.Record("resident"), null);
                var begun = await fixture.Board.BeginRunAsync(new RunStart { AgentId = "resident", TaskId = task.Id, SessionId = "s" });
                await fixture.Board.EndRunAsync(new RunEnd { AgentId = "resident", Claim = begun.Claim, Ending = RunEnding.Failed, Error = Broken, RetryAt = fixture.Time.Now });
                break;
            case "cancel":
                (await fixture.Board.CancelAsync(task.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);
                break;
            case "cancel while it runs":
                var spawned = await fixture.Board.BeginRunAsync(BoardFixture.Record("agent") with { TaskId = task.Id });
                await fixture.Board.CancelAsync(task.Id);
                await fixture.Board.EndRunAsync(new RunEnd { AgentId = "agent", Claim = spawned.Claim, AgentEnded = true, Ending = RunEnding.Failed, Error = Broken });
                break;
            default:
                var failing = road == "its own parent" ? "3" : task.Id;
                await fixture.Board.ClaimAsync(failing, "b");
                await fixture.Board.TransitionAsync(failing, TaskState.Started, null);
                (await fixture.Board.TransitionAsync(failing, TaskState.Failed, Broken)).Outcome.ShouldBe(EdgeOutcome.Applied);
                break;
        }
    }

    private static async Task RunAsync(BoardFixture fixture, string task, RunEnd end)
    {
        var agent = $"agent-{Guid.NewGuid():N}";
        var begun = await fixture.Board.BeginRunAsync(BoardFixture.Record(agent) with { TaskId = task });
        begun.Outcome.ShouldBe(EdgeOutcome.Applied);
        await fixture.Board.EndRunAsync(end with { AgentId = agent, Claim = begun.Claim, AgentEnded = true });
    }

    private static async Task DoneAsync(BoardFixture fixture, string task)
    {
        await fixture.Board.ClaimAsync(task, "b");
        await fixture.Board.TransitionAsync(task, TaskState.Started, null);
        (await fixture.Board.TransitionAsync(task, TaskState.Done, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
    }

    private static Task<BoardTask> After(BoardFixture fixture, OnFailed policy, params string[] parents) =>
        fixture.Board.CreateAsync(new NewTask { Title = "child", After = parents, OnFailed = policy, MaxAttempts = 9 });

    private static async Task<List<long>> Ready(BoardFixture fixture) =>
        [.. (await fixture.Board.ReadyAsync(9_000, fixture.Time.Now)).Select(task => task.Number)];
}
