using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>At most so many tasks of a group are claimed or started at once, whoever claims them.</summary>
public sealed class GroupLimitTests
{
    [Test]
    public async Task A_full_group_lets_nobody_claim_and_says_which_tasks_it_has()
    {
        await using var fixture = Limited(2);
        for (var i = 0; i < 4; i++)
            await Create(fixture, "db");
        var other = await Create(fixture, "web");
        await fixture.Board.ClaimAsync("1", "b");
        (await fixture.Board.BeginRunAsync(BoardFixture.Record("agent") with { TaskId = "2" })).Outcome.ShouldBe(EdgeOutcome.Applied);

        var refused = await fixture.Board.ClaimAsync("3", "b");
        (refused.Outcome, refused.Reason).ShouldBe((EdgeOutcome.Conflict, $"task {(await fixture.Board.GetAsync("3"))!.Id} cannot be claimed yet: group db has its limit of 2 running: 1, 2"));
        (await fixture.Board.BeginRunAsync(BoardFixture.Record("one") with { TaskId = "3" })).Reason!.ShouldEndWith("group db has its limit of 2 running: 1, 2");
        await fixture.Board.BeginSpawnAsync(BoardFixture.Record("resident"), null);
        (await fixture.Board.BeginRunAsync(new RunStart { AgentId = "resident", TaskId = "3", SessionId = "s" })).Outcome.ShouldBe(EdgeOutcome.Conflict);
        (await fixture.Board.GetAsync("3"))!.Attempts.ShouldBe(0);
        (await fixture.Board.ClaimAsync(other.Id, "b")).Outcome.ShouldBe(EdgeOutcome.Applied);

        await fixture.Board.TransitionAsync("1", TaskState.Queued, null);
        (await fixture.Board.ClaimAsync("3", "b")).Outcome.ShouldBe(EdgeOutcome.Applied);
        fixture.Board.Groups["db"].Running.ShouldBe([2L, 3L]);
        fixture.Board.Groups["db"].Queued.ShouldBe(2);
    }

    [Test]
    public async Task Claims_at_the_same_time_never_go_over_the_limit()
    {
        await using var fixture = Limited(3);
        for (var i = 0; i < 40; i++)
            await Create(fixture, "db");

        var claims = await Task.WhenAll(Enumerable.Range(1, 40).Select(number => Task.Run(() => fixture.Board.ClaimAsync($"{number}", "b"))));

        claims.Count(claim => claim.Outcome == EdgeOutcome.Applied).ShouldBe(3);
        fixture.Number("SELECT count(*) FROM tasks WHERE status = 'claimed'").ShouldBe(3);
    }

    [Test]
    public async Task A_limit_that_is_lowered_stops_nothing_and_starts_nothing()
    {
        await using var fixture = Limited(3);
        for (var i = 0; i < 5; i++)
            await Create(fixture, "db");
        foreach (var number in new[] { "1", "2", "3" })
            await fixture.Board.ClaimAsync(number, "b");

        fixture.GroupLimits["db"] = 2;
        await fixture.Board.CancelAsync("1");
        (await fixture.Board.ClaimAsync("4", "b")).Outcome.ShouldBe(EdgeOutcome.Conflict);
        fixture.Board.Groups["db"].Running.ShouldBe([2L, 3L]);
        await fixture.Board.CancelAsync("2");
        (await fixture.Board.ClaimAsync("4", "b")).Outcome.ShouldBe(EdgeOutcome.Applied);
        fixture.GroupLimits.Remove("db");
        (await fixture.Board.ClaimAsync("5", "b")).Outcome.ShouldBe(EdgeOutcome.Applied);
    }

    [Test]
    public async Task A_board_that_is_opened_again_counts_right_before_its_first_claim()
    {
        await using var fixture = Limited(1);
        await Create(fixture, "db");
        await Create(fixture, "db");
        await fixture.Board.BeginRunAsync(BoardFixture.Record("agent") with { TaskId = "1" });

        var board = await fixture.Reopen();

        board.Groups["db"].Running.ShouldBe([1L]);
        board.Groups["db"].Queued.ShouldBe(1);
        (await board.ClaimAsync("2", "b")).Outcome.ShouldBe(EdgeOutcome.Conflict);
    }

    [Test]
    public async Task A_task_that_changes_its_group_takes_its_place_along()
    {
        await using var fixture = Limited(1);
        await Create(fixture, "db");
        await Create(fixture, "db");
        await fixture.Board.ClaimAsync("1", "b");

        await fixture.Board.EditAsync("2", new TaskEdit { Group = "web" });
        fixture.Board.Groups["web"].Queued.ShouldBe(1);
        fixture.Board.Groups["db"].Queued.ShouldBe(0);
        (await fixture.Board.ClaimAsync("2", "b")).Outcome.ShouldBe(EdgeOutcome.Applied);
        await fixture.Board.CancelAsync("1");
        await fixture.Board.CancelAsync("2");
        await fixture.Board.DeleteAsync("2");
        fixture.Board.Groups.ShouldBeEmpty();
    }

    private static BoardFixture Limited(int limit)
    {
        var fixture = new BoardFixture();
        fixture.GroupLimits["db"] = limit;
        return fixture;
    }

    private static Task<BoardTask> Create(BoardFixture fixture, string group) => fixture.Board.CreateAsync(new NewTask { Title = "t", Group = group });
}
