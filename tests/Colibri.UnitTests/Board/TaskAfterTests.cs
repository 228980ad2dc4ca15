using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>Tasks that come after others.</summary>
public sealed class TaskAfterTests
{
    [Test]
    public async Task A_task_is_ready_once_all_it_comes_after_are_done()
    {
        await using var fixture = new BoardFixture();
        var (first, second) = (await fixture.Create("first"), await fixture.Create("second"));
        var child = await After(fixture, first.Id, "2", first.Id);

        child.After.ShouldBe([first.Id, second.Id]);
        child.BlockedBy.ShouldHaveSingleItem().ShouldBe(new BlockedBy("after", "it starts after tasks 1 (queued), 2 (queued)"));
        (await Ready(fixture)).ShouldBe([1L, 2L]);
        (await fixture.Board.ClaimAsync(child.Id, "b")).Reason.ShouldBe($"task {child.Id} cannot be claimed yet: it starts after tasks 1 (queued), 2 (queued)");
        (await fixture.Board.BeginSpawnAsync(BoardFixture.Record("agent"), child.Id)).Outcome.ShouldBe(EdgeOutcome.Conflict);

        await Finish(fixture, first, TaskState.Done);
        (await fixture.Get(child)).BlockedBy!.ShouldHaveSingleItem().Message.ShouldBe("it starts after task 2 (queued)");
        await Finish(fixture, second, TaskState.Done);

        (await fixture.Get(child)).BlockedBy.ShouldBeNull();
        (await Ready(fixture)).ShouldBe([3L]);
        (await (await fixture.Reopen()).ClaimAsync("3", "b")).Outcome.ShouldBe(EdgeOutcome.Applied);
    }

    [Test]
    [Arguments(TaskState.Failed, "has failed")]
    [Arguments(TaskState.Cancelled, "was cancelled")]
    public async Task A_task_that_did_not_end_well_says_what_to_type(TaskState state, string words)
    {
        await using var fixture = new BoardFixture();
        var parent = await fixture.Create("parent");
        var child = await After(fixture, "1");
        await Finish(fixture, parent, state);

        (await fixture.Get(child)).BlockedBy!.ShouldHaveSingleItem().ShouldBe(new BlockedBy(
            "parent-failed", $"task 1 (parent) {words}; try that again: colibri retry-task 1, or run this without it: colibri release-task 2"));
        (await Ready(fixture)).ShouldBeEmpty();

        (await fixture.Board.RetryAsync("1", null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        await Finish(fixture, parent, TaskState.Done);
        (await Ready(fixture)).ShouldBe([2L]);
    }

    [Test]
    public async Task A_done_task_that_is_tried_again_is_waited_for_again()
    {
        await using var fixture = new BoardFixture();
        var parent = await fixture.CreateIn(TaskState.Done);
        var child = await After(fixture, parent.Id);
        child.BlockedBy.ShouldBeNull();

        await fixture.Board.RetryAsync(parent.Id, null);
        (await fixture.Get(child)).BlockedBy.ShouldNotBeNull();
        (await fixture.Board.EditAsync(child.Id, new TaskEdit { After = [""] })).Task!.BlockedBy.ShouldBeNull();
        (await Ready(fixture)).ShouldBe([1L, 2L]);
    }

    [Test]
    public async Task Circles_and_unknown_tasks_are_refused_and_nothing_is_written()
    {
        await using var fixture = new BoardFixture();
        await fixture.Create("1");
        await After(fixture, "1");
        await After(fixture, "2");

        (await Should.ThrowAsync<TaskRefusedException>(() => fixture.Board.EditAsync("1", new TaskEdit { After = ["3"] }))).Message.ShouldBe("after makes the task wait for itself");
        await Should.ThrowAsync<TaskRefusedException>(() => fixture.Board.EditAsync("1", new TaskEdit { After = ["1"] }));
        (await Should.ThrowAsync<TaskRefusedException>(() => After(fixture, "4"))).Message.ShouldBe("after names 4, which is no task on the board");
        await Should.ThrowAsync<TaskRefusedException>(() => fixture.Board.IntakeAsync(new NewTask { Title = "t", After = ["nobody"] }));

        fixture.Number("SELECT count(*) FROM tasks").ShouldBe(3);
        fixture.Number("SELECT count(*) FROM task_after").ShouldBe(2);
        (await Ready(fixture)).ShouldBe([1L]);
    }

    [Test]
    public async Task A_task_may_come_after_one_in_the_intake()
    {
        await using var fixture = new BoardFixture();
        var first = await fixture.Board.IntakeAsync(new NewTask { Title = "first" });
        var second = await fixture.Board.IntakeAsync(new NewTask { Title = "second", After = [first] });
        var third = await After(fixture, second);

        third.BlockedBy.ShouldNotBeNull();
        third.Number.ShouldBe(3);
        (await fixture.Board.GetAsync("2"))!.After.ShouldBe([first]);
        (await Ready(fixture)).ShouldBe([1L]);
        (await fixture.Board.DrainIntakeAsync(10)).ShouldBeEmpty();
    }

    /// <summary>Random steps of random tasks, each followed by a look whether exactly those are ready that a plain model says.</summary>
    [Test]
    [Arguments(1)]
    [Arguments(2)]
    [Arguments(3)]
    public async Task What_is_ready_is_what_a_model_says(int seed)
    {
        await using var fixture = new BoardFixture();
        var random = new Random(seed);
        var tasks = new List<string>();
        for (var step = 0; step < 300; step++)
        {
            var choice = random.Next(8);
            if (tasks.Count < 4 || choice == 0)
                tasks.Add((await After(fixture, [.. Pick(random, tasks)])).Id);
            else if (choice == 1)
                await Refusable(fixture.Board.EditAsync(tasks[random.Next(tasks.Count)], new TaskEdit { After = Pick(random, tasks) is { Count: > 0 } parents ? parents : [""] }));
            else if (choice == 2)
                await fixture.Board.RetryAsync(tasks[random.Next(tasks.Count)], null);
            else if (choice == 3 && (await fixture.Board.DeleteAsync(tasks[random.Next(tasks.Count)])) is { Outcome: EdgeOutcome.Applied, Task: { } gone })
                tasks.Remove(gone.Id);
            else if (await fixture.Board.GetAsync(tasks[random.Next(tasks.Count)]) is { } task)
                await Finish(fixture, task, random.Next(4) == 0 ? TaskState.Failed : TaskState.Done);

            var all = (await fixture.Board.ListAsync(null, 1_000, null)).Tasks.ToDictionary(task => task.Id);
            var expected = all.Values
                .Where(task => task.Status == TaskState.Queued && task.After.All(parent => !all.TryGetValue(parent, out var found) || found.Status == TaskState.Done))
                .Select(task => task.Number);
            (await Ready(fixture)).ShouldBe(expected, $"step {step} of seed {seed}");
            all.Values.Where(task => task.Status == TaskState.Queued && task.BlockedBy is null).Select(task => task.Number).ShouldBe(expected);
        }
    }

    private static async Task Refusable(Task<EdgeResult> edit)
    {
        try
        {
            await edit;
        }
        catch (TaskRefusedException)
        {
            // A circle.
        }
    }

    private static List<string> Pick(Random random, List<string> tasks) => [.. tasks.Where(_ => random.Next(tasks.Count) < 2)];

    private static Task<BoardTask> After(BoardFixture fixture, params string[] parents) =>
        fixture.Board.CreateAsync(new NewTask { Title = "child", After = parents });

    private static async Task<List<long>> Ready(BoardFixture fixture) =>
        [.. (await fixture.Board.ReadyAsync(1_000, fixture.Time.Now)).Select(task => task.Number)];

    private static async Task Finish(BoardFixture fixture, BoardTask task, TaskState state)
    {
        await fixture.Board.ClaimAsync(task.Id, "somebody");
        await fixture.Board.TransitionAsync(task.Id, TaskState.Started, null);
        if (state == TaskState.Cancelled)
            await fixture.Board.CancelAsync(task.Id);
        else
            await fixture.Board.TransitionAsync(task.Id, state, null);
    }
}
