using Colibri.Core.Board;
using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

public sealed class ListedRunsTests
{
    private static readonly Usage Spent = new() { InputTokens = 7, CostMicrocents = 42 };

    [Test]
    public async Task A_run_has_what_its_start_and_its_end_tell()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create("paint the door");
        await fixture.Board.BeginSpawnAsync(
            BoardFixture.Record("a") with { Profile = "careful", Provider = "mock", Model = "mock-1" }, task.Id);
        await fixture.Board.BookUsageAsync("a", [Used("a")]);

        var open = (await fixture.Board.ListRunsAsync(new RunQuery { Limit = 10 }))!.Runs.ShouldHaveSingleItem();
        (open.Id, open.TaskId, open.TaskNumber, open.Title, open.Attempt, open.AgentId, open.Label).ShouldBe(("run-of-a", task.Id, task.Number, "paint the door", 1, "a", "a1"));
        (open.Profile, open.Runtime, open.Version, open.SessionId, open.Model, open.Provider).ShouldBe(("careful", "pi", "1.6.0", "session-of-a", "mock-1", "mock"));
        (open.StartedAt, open.EndedAt, open.DurationMs, open.Exit, open.Verdict, open.Error, open.Resumed, open.Denied).ShouldBe((fixture.Time.Now, null, null, null, null, null, null, null));
        open.Usage.ShouldBe(Spent, "of a run that is under way, what is booked by now");

        var start = fixture.Time.Now;
        fixture.Time.Now += TimeSpan.FromSeconds(61);
        await fixture.Board.EndSpawnAsync("a", new RunEnd
        {
            AgentId = "",
            Ending = RunEnding.Failed,
            Verdict = "exit-code",
            Error = new TaskError("exit-code", "exited with 3"),
            Exit = new ProcessExit(3),
            Denied = [new DeniedTool("bash", "no", 2)],
            Usage = [Used("a")],
        });

        var run = (await fixture.Board.ListRunsAsync(new RunQuery { Limit = 10, TaskId = "1" }))!.Runs.ShouldHaveSingleItem();
        (run.StartedAt, run.EndedAt, run.DurationMs, run.Exit, run.Verdict, run.Error).ShouldBe(
            (start, fixture.Time.Now, 61_000, new ProcessExit(3), "exit-code", new TaskError("exit-code", "exited with 3")));
        (run.Denied!.ShouldHaveSingleItem(), run.Usage).ShouldBe((new DeniedTool("bash", "no", 2), Spent));
    }

    [Test]
    public async Task The_newest_come_first_in_pages_that_lose_and_repeat_nothing()
    {
        await using var fixture = new BoardFixture();
        for (var n = 0; n < 7; n++)
            await fixture.Spawn($"s{n}");

        List<string> seen = [];
        string? before = null;
        do
        {
            var page = (await fixture.Board.ListRunsAsync(new RunQuery { Limit = 3, Before = before }))!;
            page.Runs.Count.ShouldBeLessThanOrEqualTo(3);
            seen.AddRange(page.Runs.Select(run => run.AgentId));
            before = page.Next;
            if (before is not null)
                before.ShouldBe(page.Runs[^1].Id);
        }
        while (before is not null);

        seen.ShouldBe(["s6", "s5", "s4", "s3", "s2", "s1", "s0"]);
    }

    [Test]
    public async Task A_page_ends_before_what_would_make_it_too_long()
    {
        await using var fixture = new BoardFixture();
        await fixture.Spawn("s0", await fixture.Create(new string('x', 50)));
        await fixture.Spawn("s1", await fixture.Create(new string('y', 60)));

        var page = (await fixture.Board.ListRunsAsync(new RunQuery { Limit = 10, MaxCharacters = 100 }))!;
        (page.Runs.ShouldHaveSingleItem().AgentId, page.Next).ShouldBe(("s1", "run-of-s1"));
        var rest = (await fixture.Board.ListRunsAsync(new RunQuery { Limit = 10, MaxCharacters = 10, Before = page.Next }))!;
        (rest.Runs.ShouldHaveSingleItem().AgentId, rest.Next).ShouldBe(("s0", null));
    }

    [Test]
    public async Task Only_the_runs_of_the_task_that_is_asked_for_are_there()
    {
        await using var fixture = new BoardFixture();
        var mine = await fixture.Spawn("s0");
        await fixture.Spawn("s1");

        (await fixture.Board.ListRunsAsync(new RunQuery { Limit = 10, TaskId = mine.Id }))!.Runs.ShouldHaveSingleItem().AgentId.ShouldBe("s0");
        (await fixture.Board.ListRunsAsync(new RunQuery { Limit = 10, TaskId = (await fixture.Create()).Id }))!.Runs.ShouldBeEmpty();
        (await fixture.Board.ListRunsAsync(new RunQuery { Limit = 10, TaskId = "77" })).ShouldBeNull();
        await Should.ThrowAsync<ArgumentException>(() => fixture.Board.ListRunsAsync(new RunQuery { Limit = 10, Before = "nothing" }));
    }

    [Test]
    public async Task A_page_is_read_off_an_index_and_not_sorted()
    {
        await using var fixture = new BoardFixture();
        await fixture.Spawn("s0");
        foreach (var sql in RunListVerbs.Indexed)
        {
            var plan = await fixture.Board.ReadAsync(connection => connection["EXPLAIN QUERY PLAN " + sql]
                .Bind(("$before", 0L), ("$limit", 1L), ("$task", "")).All(row => row.GetString(3)));
            plan.Count.ShouldBe(3, sql);
            plan.ShouldAllBe(step => step.StartsWith("SEARCH ", StringComparison.Ordinal), sql);
        }
    }

    private static UsageRow Used(string agent) => new($"run-of-{agent}", new DateOnly(2026, 11, 22), "mock", "mock-1", 1, Spent);
}
