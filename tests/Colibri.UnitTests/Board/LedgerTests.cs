using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

public sealed class LedgerTests
{
    private static readonly DateOnly Today = new(2026, 11, 22);

    private static Usage Costing(long microcents, long input = 10) =>
        new() { InputTokens = input, OutputTokens = 5, CacheReadTokens = 30, CacheWriteTokens = 0, CostMicrocents = microcents };

    private static UsageRow Row(string agent, Usage usage, string provider = "mock", DateOnly? day = null, long requests = 1) =>
        new(agent == "c" ? "" : "run-of-" + agent, day ?? Today, provider, "mock-1", requests, usage);

    [Test]
    public async Task What_is_booked_again_replaces_what_was_booked()
    {
        await using var fixture = new BoardFixture();
        await fixture.Spawn("a");
        await fixture.Board.BookUsageAsync("a", [Row("a", Costing(1))]);
        await fixture.Board.BookUsageAsync("a", [Row("a", Costing(7), requests: 2)]);

        (await fixture.Board.UsageOfDayAsync(Today)).ShouldBe(Costing(7));
        (await fixture.Board.SummariseCostAsync(CostGrouping.Task, 10)).Total.Requests.ShouldBe(2);
    }

    [Test]
    public async Task The_runs_of_one_agent_have_each_its_own()
    {
        await using var fixture = new BoardFixture();
        var first = await fixture.Spawn("a");
        await fixture.Board.BookUsageAsync("a", [Row("a", Costing(1))]);
        await fixture.Board.ProcessStartedAsync("a", 4711, 99, "boot");
        (await fixture.Board.EndRunOfAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done, Usage = [Row("a", Costing(2))] }))!.Usage.ShouldBe(Costing(2));

        var second = await fixture.Create();
        var begun = await fixture.Board.BeginSpawnAsync(new RunStart { RunId = "second", AgentId = "a", SessionId = "session-of-a", Provider = "mock", Model = "mock-1" }, second.Id);
        (begun.Outcome, begun.Task!.Status, begun.Task.SessionId, begun.Task.Attempts).ShouldBe((EdgeOutcome.Applied, TaskState.Started, "session-of-a", 1));
        (await fixture.Board.EndSpawnAsync("a", new RunEnd
        {
            AgentId = "",
            Ending = RunEnding.Done,
            Usage = [Row("a", Costing(99)), Row("a", Costing(5)) with { RunId = "second" }],
        }))!.Usage.ShouldBe(Costing(5));

        (await fixture.Get(first)).Usage.ShouldBe(Costing(2), "a run that is closed takes nothing more");
        var run = (await fixture.Board.RunsAsync(second.Id)).ShouldHaveSingleItem();
        (run.Pid, run.StartTime, run.BootId, run.Binary, run.Provider, run.Model).ShouldBe((4711, 99, "boot", "/usr/local/bin/pi", "mock", "mock-1"));
        (await fixture.Board.LiveSpawnsAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task An_agent_that_has_ended_takes_no_task()
    {
        await using var fixture = new BoardFixture();
        await fixture.Spawn("a");
        await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done });
        var task = await fixture.Create();
        await Should.ThrowAsync<InvalidOperationException>(() => fixture.Board.BeginRunAsync(new RunStart { RunId = "r", AgentId = "a", TaskId = task.Id, SessionId = "s" }));
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Queued);
    }

    [Test]
    public async Task A_run_that_nobody_saw_end_has_what_was_booked_while_it_ran()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Spawn("a");
        await fixture.Board.BookUsageAsync("a", [Row("a", Costing(7))]);

        await fixture.Reopen();
        var queued = (await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Interrupted, Verdict = "interrupted" }))!;

        queued.Usage.ShouldBe(Costing(7));
        (await fixture.Board.RunsAsync(task.Id)).ShouldHaveSingleItem().Usage.ShouldBe(Costing(7));
    }

    [Test]
    public async Task A_booking_that_comes_after_the_end_changes_nothing()
    {
        await using var fixture = new BoardFixture();
        await fixture.Spawn("a");
        await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done, Usage = [Row("a", Costing(9))] });
        await fixture.Board.BookUsageAsync("a", [Row("a", Costing(1))]);
        await fixture.Board.BookUsageAsync("nobody", [Row("nobody", Costing(1))]);

        (await fixture.Board.UsageOfDayAsync(Today)).ShouldBe(Costing(9));
    }

    [Test]
    public async Task The_sums_are_by_task_session_provider_and_day_the_dearest_first()
    {
        await using var fixture = new BoardFixture();
        var cheap = await fixture.Spawn("a", await fixture.Create("cheap"));
        var dear = await fixture.Spawn("b", await fixture.Create("dear"));
        await fixture.Board.BeginSpawnAsync(BoardFixture.Record("c"), taskId: null);
        await fixture.Board.BookUsageAsync("a", [Row("a", Costing(1)), Row("a", Costing(2), "other", Today.AddDays(1))]);
        await fixture.Board.BookUsageAsync("b", [Row("b", Costing(50))]);
        await fixture.Board.BookUsageAsync("c", [Row("c", Costing(10) with { UnpricedTokens = 4 })]);

        var byTask = await fixture.Board.SummariseCostAsync(CostGrouping.Task, 10);
        byTask.Lines.Select(line => (line.TaskId, line.Title, line.Status, line.Usage.CostMicrocents)).ShouldBe(
            [(dear.Id, "dear", TaskState.Claimed, 50), (null, null, null, 10), (cheap.Id, "cheap", TaskState.Claimed, 3)]);
        (byTask.Schema, byTask.By, byTask.More).ShouldBe(("clawdie.task-cost-summary.v1", CostGrouping.Task, null));
        byTask.Total.Usage.ShouldBe(new Usage { InputTokens = 40, OutputTokens = 20, CacheReadTokens = 120, CostMicrocents = 63, UnpricedTokens = 4 });
        (byTask.Total.Requests, byTask.Total.HitRate).ShouldBe((4, 0.75));

        (await fixture.Board.SummariseCostAsync(CostGrouping.Session, 10)).Lines.Select(line => (line.SessionId, line.Usage.CostMicrocents))
            .ShouldBe([("session-of-b", 50), ("session-of-c", 10), ("session-of-a", 3)]);
        (await fixture.Board.SummariseCostAsync(CostGrouping.Provider, 10)).Lines
            .Select(line => (line.Provider, line.Model, line.Agents, line.Usage.CostMicrocents))
            .ShouldBe([("mock", "mock-1", 3, 61), ("other", "mock-1", 1, 2)]);
        (await fixture.Board.SummariseCostAsync(CostGrouping.Day, 10)).Lines.Select(line => (line.Day, line.Usage.CostMicrocents))
            .ShouldBe([("2026-11-23", 2), ("2026-11-22", 61)]);

        var cut = await fixture.Board.SummariseCostAsync(CostGrouping.Task, 1);
        (cut.Lines.Count, cut.More, cut.Total.Usage.CostMicrocents).ShouldBe((1, true, 63));
    }

    [Test]
    public async Task Sums_by_profile_outlive_the_runs()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        await fixture.Board.BeginSpawnAsync(BoardFixture.Record("a") with { Profile = "careful" }, task.Id);
        await fixture.Spawn("b");
        await fixture.Board.BeginSpawnAsync(BoardFixture.Record("c"), taskId: null);
        await fixture.Board.BookUsageAsync("a", [Row("a", Costing(1)), Row("a", Costing(20), day: Today.AddDays(1))]);
        await fixture.Board.BookUsageAsync("b", [Row("b", Costing(50))]);
        await fixture.Board.BookUsageAsync("c", [Row("c", Costing(10))]);
        await fixture.Board.EndSpawnAsync("a", new RunEnd { AgentId = "", Ending = RunEnding.Done, Usage = [] });
        await fixture.Board.DeleteAsync(task.Id);

        (await fixture.Board.SummariseCostAsync(CostGrouping.Profile, 10)).Lines.Select(line => (line.Profile, line.Agents, line.Usage.CostMicrocents))
            .ShouldBe([("other", 2, 60), ("careful", 1, 21)]);
        (await fixture.Board.SummariseCostAsync(CostGrouping.DayProfile, 10)).Lines.Select(line => (line.Day, line.Profile, line.Usage.CostMicrocents))
            .ShouldBe([("2026-11-23", "careful", 20), ("2026-11-22", "other", 60), ("2026-11-22", "careful", 1)]);
    }

    [Test]
    public async Task Absurd_numbers_still_have_a_sum()
    {
        await using var fixture = new BoardFixture();
        for (var n = 0; n < 3; n++)
        {
            await fixture.Spawn($"a{n}");
            await fixture.Board.BookUsageAsync($"a{n}", [Row($"a{n}", Costing(long.MaxValue, long.MaxValue))]);
        }
        (await fixture.Board.SummariseCostAsync(CostGrouping.Day, 10)).Total.Usage.CostMicrocents.ShouldBe(27_000_000_000_000);
        (await fixture.Board.UsageOfDayAsync(Today)).InputTokens.ShouldBe(27_000_000_000_000);
    }
}
