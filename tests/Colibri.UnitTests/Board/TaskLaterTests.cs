using Colibri.Core.Board;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.UnitTests.Board;

/// <summary>What becomes of a task later: another try, its deletion, its change and check; and how it and its agents are named.</summary>
public sealed class TaskLaterTests
{
    private static readonly WorkChange Open = new()
    {
        Workspace = "site",
        Branch = "colibri/1-mend",
        Base = "aaa",
        Head = "bbb",
        Commits = 2,
        Files = 3,
        Insertions = 40,
        Deletions = 5,
        State = ChangeState.Open,
    };

    [Test]
    [Arguments(TaskState.Done, true)]
    [Arguments(TaskState.Failed, true)]
    [Arguments(TaskState.Cancelled, true)]
    [Arguments(TaskState.Queued, false)]
    [Arguments(TaskState.Claimed, false)]
    [Arguments(TaskState.Started, false)]
    public async Task A_task_that_is_over_can_be_tried_again(TaskState state, bool can)
    {
        await using var fixture = new BoardFixture();
        var before = await fixture.CreateIn(state);

        var result = await fixture.Board.RetryAsync($"{before.Number}", "mind the gutter");

        result.Outcome.ShouldBe(can ? EdgeOutcome.Applied : EdgeOutcome.Conflict);
        var after = await fixture.Get(before);
        if (can)
            (after.Status, after.Attempts, after.Feedback, after.FinishedAt, after.AgentId).ShouldBe((TaskState.Queued, 0, "mind the gutter", null, null));
        else
            (after.Status, after.Attempts, after.Feedback).ShouldBe((before.Status, before.Attempts, null));
        fixture.Board.Counts.Queued.ShouldBe(fixture.Number("SELECT count(*) FROM tasks WHERE status = 'queued'"));
    }

    [Test]
    public async Task A_retry_keeps_an_open_change_and_forgets_a_settled_one()
    {
        await using var fixture = new BoardFixture();
        var task = await End(fixture, RunEnding.Done, Open, new TaskCheck("npm test", new ProcessExit(0), 1_200, "ok"));
        (task.Change, task.Check).ShouldBe((Open, new TaskCheck("npm test", new ProcessExit(0), 1_200, "ok")));

        var again = (await fixture.Board.RetryAsync(task.Id, null)).Task!;
        (again.Change, again.Check).ShouldBe((Open, null));
        await fixture.Board.CancelAsync(task.Id);
        (await fixture.Board.SetChangeAsync(task.Id, ChangeState.Open, Open with { State = ChangeState.Landed })).Outcome.ShouldBe(EdgeOutcome.Applied);
        (await fixture.Board.RetryAsync(task.Id, null)).Task!.Change.ShouldBeNull();
    }

    [Test]
    public async Task The_state_of_a_change_moves_from_the_expected_one_alone()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        (await fixture.Board.SetChangeAsync(task.Id, ChangeState.Open, Open)).Reason.ShouldBe("the change of task 1 is not there, not open");
        (await fixture.Board.SetChangeAsync(task.Id, null, Open)).Task!.Change.ShouldBe(Open);
        (await fixture.Board.SetChangeAsync(task.Id, null, Open)).Reason.ShouldBe("the change of task 1 is open, not missing");
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => fixture.Board.SetChangeAsync("1", ChangeState.Open, Open with { State = ChangeState.Landed })));
        results.Count(result => result.Outcome == EdgeOutcome.Applied).ShouldBe(1);
        (await (await fixture.Reopen()).GetAsync("1"))!.Change.ShouldBe(Open with { State = ChangeState.Landed });
    }

    [Test]
    [Arguments(RunEnding.Done)]
    [Arguments(RunEnding.Failed)]
    [Arguments(RunEnding.Interrupted)]
    [Arguments(RunEnding.Killed)]
    public async Task A_run_of_every_ending_leaves_its_change_and_check(RunEnding ending)
    {
        await using var fixture = new BoardFixture();
        var check = new TaskCheck("npm test", new ProcessExit(Signal: 9), 5, "killed");
        var task = await End(fixture, ending, Open, check);
        (task.Change, task.Check).ShouldBe((Open, check));
        var run = (await fixture.Board.RunsAsync("1")).ShouldHaveSingleItem();
        (run.Profile, run.Access, run.Cwd, run.AgentNumber).ShouldBe(("claude", "edit", "/srv/tree", 1L));
    }

    [Test]
    public async Task Only_the_run_that_has_the_task_is_placed()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();
        var begun = await fixture.Board.BeginRunAsync(BoardFixture.Record("agent") with { TaskId = task.Id });
        (await fixture.Board.PlaceRunAsync(begun.Claim! with { Number = 9 }, "/x")).ShouldBeFalse();
        (await fixture.Board.PlaceRunAsync(begun.Claim!, "/srv/a")).ShouldBeTrue();
        await fixture.Board.EndRunAsync(new RunEnd { AgentId = "agent", Claim = begun.Claim, AgentEnded = true, Ending = RunEnding.Done });
        (await fixture.Board.PlaceRunAsync(begun.Claim!, "/x")).ShouldBeFalse();
        (await fixture.Board.RunsAsync(task.Id))[0].Cwd.ShouldBe("/srv/a");
    }

    [Test]
    public async Task Deleting_a_task_takes_its_runs_and_leaves_the_ledger()
    {
        await using var fixture = new BoardFixture();
        var task = await End(fixture, RunEnding.Done, null, null);
        var before = await fixture.Board.SummariseCostAsync(CostGrouping.Day, 10);

        (await fixture.Board.DeleteAsync("1")).Outcome.ShouldBe(EdgeOutcome.Applied);

        (await fixture.Board.GetAsync(task.Id)).ShouldBeNull();
        fixture.Number("SELECT count(*) FROM runs").ShouldBe(0);
        fixture.Board.Counts.Done.ShouldBe(0);
        (await fixture.Board.SummariseCostAsync(CostGrouping.Day, 10)).Total.ShouldBe(before.Total);
        before.Total.Usage.InputTokens.ShouldBe(11);
        // A number is never given again.
        (await fixture.Create()).Number.ShouldBe(2);
    }

    [Test]
    public async Task What_is_under_way_or_waited_for_or_to_be_reviewed_is_not_deleted()
    {
        await using var fixture = new BoardFixture();
        foreach (var state in new[] { TaskState.Queued, TaskState.Claimed, TaskState.Started })
            (await fixture.Board.DeleteAsync((await fixture.CreateIn(state)).Id)).Outcome.ShouldBe(EdgeOutcome.Conflict);
        var failed = await fixture.CreateIn(TaskState.Failed);
        var child = await fixture.Board.CreateAsync(new NewTask { Title = "child", After = [failed.Id] });
        (await fixture.Board.DeleteAsync(failed.Id)).Reason.ShouldBe("task 5 waits for task 4; do without it: colibri edit-task 5 --after ''");
        await fixture.Board.CancelAsync(child.Id);
        (await fixture.Board.DeleteAsync(failed.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);
        await fixture.Board.SetChangeAsync(child.Id, null, Open);
        (await fixture.Board.DeleteAsync(child.Id)).Outcome.ShouldBe(EdgeOutcome.Conflict);
        (await fixture.Board.DeleteAsync("99")).Outcome.ShouldBe(EdgeOutcome.NotFound);
    }

    [Test]
    public async Task Numbers_and_labels_name_what_ids_name()
    {
        await using var fixture = new BoardFixture();
        var board = fixture.Board;
        var task = await fixture.Create();
        var agent = await board.RegisterAgentAsync("builder", [], null);
        (task.Number, agent.Label).ShouldBe((1, "a1"));
        (await board.RegisterAgentAsync("builder", ["x"], null)).Label.ShouldBe("a1");
        (await board.RegisterAgentAsync("painter", [], null)).Label.ShouldBe("a2");

        (await board.GetAsync("1"))!.Id.ShouldBe(task.Id);
        (await board.HoldAsync("1")).Task!.Held.ShouldBeTrue();
        (await board.ReleaseAsync("1")).Task!.Held.ShouldBeFalse();
        (await board.HeartbeatAsync("a1"))!.Id.ShouldBe(agent.Id);
        (await board.ClaimAsync("1", "a1")).Task!.AgentId.ShouldBe(agent.Id);
        (await board.RegisteredAgentsAsync())[0].TaskNumber.ShouldBe(1);
        (await board.TransitionAsync("1", TaskState.Started, null, "a2")).Outcome.ShouldBe(EdgeOutcome.Conflict);
        (await board.TransitionAsync("1", TaskState.Started, null, "a1")).Outcome.ShouldBe(EdgeOutcome.Applied);
        (await board.CancelAsync("1")).Outcome.ShouldBe(EdgeOutcome.Applied);
        (await board.GetAsync("2")).ShouldBeNull();
        (await board.GetAsync("00000000000000000000000000000000001")).ShouldBeNull();

        var reopened = await fixture.Reopen();
        (await reopened.AgentIdAsync("a1")).ShouldBe(agent.Id);
        (await reopened.AgentIdAsync("a99")).ShouldBe("a99");
        reopened.NextAgentNumber().ShouldBe(3);
    }

    [Test]
    public async Task A_claimant_that_is_called_as_a_later_label_keeps_its_task()
    {
        await using var fixture = new BoardFixture();
        await fixture.Create();
        (await fixture.Board.ClaimAsync("1", "a1")).Task!.AgentId.ShouldBe("a1");
        await fixture.Board.RegisterAgentAsync("builder", [], null);
        (await fixture.Board.TransitionAsync("1", TaskState.Started, null, "a1")).Outcome.ShouldBe(EdgeOutcome.Applied);
    }

    [Test]
    public async Task A_time_that_was_asked_for_is_not_moved_with_the_clock_and_outlives_a_claim()
    {
        await using var fixture = new BoardFixture();
        var at = fixture.Time.Now.AddHours(2);
        var task = await fixture.Board.CreateAsync(new NewTask { Title = "later", NotBefore = at });
        (await fixture.Board.ReadyAsync(9, fixture.Time.Now)).ShouldBeEmpty();
        (await fixture.Board.NextReadyAtAsync(fixture.Time.Now)).ShouldBe(at);

        await fixture.Board.ShiftBackoffsAsync(TimeSpan.FromHours(5), fixture.Time.Now.AddDays(1));
        await fixture.Board.BoundBackoffsAsync();
        (await fixture.Get(task)).NotBefore.ShouldBe(at);
        await fixture.Board.ClaimAsync("1", "b");
        (await fixture.Board.TransitionAsync("1", TaskState.Queued, null)).Task!.NotBefore.ShouldBe(at);
        (await fixture.Board.EditAsync("1", new TaskEdit { NotBefore = fixture.Time.Now })).Task!.NotBefore.ShouldBeNull();
        (await fixture.Board.ReadyAsync(9, fixture.Time.Now)).Count.ShouldBe(1);
    }

    [Test]
    public async Task Pages_go_both_ways_and_keep_to_the_filters()
    {
        await using var fixture = new BoardFixture();
        for (var n = 1; n <= 20; n++)
        {
            await fixture.Board.CreateAsync(new NewTask
            {
                Title = $"{n}",
                Workspace = n % 2 == 0 ? "even" : null,
                Tags = n % 3 == 0 ? ["third"] : [],
                Hold = n > 18,
            });
        }
        (await Numbers(new TaskQuery { Limit = 7, NewestFirst = true })).ShouldBe(Enumerable.Range(1, 20).Reverse().Select(n => (long)n));
        (await Numbers(new TaskQuery { Limit = 2, Workspace = "even", Tag = "third" })).ShouldBe([6L, 12L, 18L]);
        (await Numbers(new TaskQuery { Limit = 1, Held = true, NewestFirst = true })).ShouldBe([20L, 19L]);
        (await Numbers(new TaskQuery { Limit = 50, Held = false, Status = TaskState.Queued, Workspace = "even" })).Count.ShouldBe(9);
        (await fixture.Board.ListAsync(new TaskQuery { Limit = 1, After = "12" })).Tasks[0].Number.ShouldBe(13);

        async Task<List<long>> Numbers(TaskQuery query)
        {
            var numbers = new List<long>();
            while (true)
            {
                var page = await fixture.Board.ListAsync(query);
                numbers.AddRange(page.Tasks.Select(task => task.Number));
                if (page.Next is null)
                    return numbers;
                query = query with { After = page.Next };
            }
        }
    }

    [Test]
    public async Task A_board_of_the_version_before_gets_numbers_and_labels_in_order_of_creation()
    {
        await using var fixture = new BoardFixture();
        var before = Migrations.All.ToList().IndexOf(Schema.Places);
        Execute(fixture.Path, "VACUUM");
        using (var connection = BoardConnection.OpenWriter(fixture.Path, busySeconds: 1))
            Migrations.Apply(connection, fixture.Path, [.. Migrations.All.Take(before)]);
        Execute(fixture.Path, """
            INSERT INTO tasks (id, title, description, status, capabilities, priority, max_attempts, created_at, updated_at)
            VALUES ('x', 'first', '', 'done', '[]', 0, 3, 1000, 2000), ('y', 'second', '', 'queued', '["a"]', 0, 3, 1000, 2000);
            INSERT INTO intake (id, title, description, capabilities, priority, max_attempts, created_at) VALUES ('z', 'third', '', '[]', 0, 3, 1000);
            INSERT INTO agents (id, kind, name, capabilities, created_at) VALUES ('late', 'registered', 'l', '[]', 9), ('early', 'registered', 'e', '[]', 1);
            """);

        var board = fixture.Board;
        (await board.DrainIntakeAsync(9)).ShouldHaveSingleItem().Number.ShouldBe(3);
        (await board.ListAsync(null, 9, null)).Tasks.Select(task => (task.Id, task.Number, task.Tags.Count, task.Check)).ShouldBe([("x", 1, 0, null), ("y", 2, 0, null), ("z", 3, 0, null)]);
        (await board.AgentIdAsync("a1"), await board.AgentIdAsync("a2")).ShouldBe(("early", "late"));
        (await board.RegisterAgentAsync("new", [], null)).Label.ShouldBe("a3");
        (await board.ReadyAsync(9, fixture.Time.Now)).Select(task => task.Number).ShouldBe([2L, 3L]);
    }

    private static void Execute(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // A constant of the test.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static async Task<BoardTask> End(BoardFixture fixture, RunEnding ending, WorkChange? change, TaskCheck? check)
    {
        var task = await fixture.Create();
        var begun = await fixture.Board.BeginRunAsync(BoardFixture.Record("agent") with { TaskId = task.Id, Profile = "claude", Access = "edit" });
        (await fixture.Board.PlaceRunAsync(begun.Claim!, "/srv/tree")).ShouldBeTrue();
        var closed = await fixture.Board.EndRunAsync(new RunEnd
        {
            AgentId = "agent",
            Claim = begun.Claim,
            AgentEnded = true,
            Ending = ending,
            Change = change,
            Check = check,
            Usage = [new UsageRow(begun.Claim!.RunId, new DateOnly(2026, 11, 27), "p", "m", 1, new Usage { InputTokens = 11 })],
        });
        return closed.Task!;
    }
}
