using Colibri.Core.Board;
using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

public sealed class TaskBoardTests
{
    [Test]
    public async Task A_created_task_reads_back_as_it_was_answered()
    {
        await using var fixture = new BoardFixture();
        var created = await fixture.Board.CreateAsync(new NewTask
        {
            Title = "mend the roof \U0001F3E0\u2028",
            Description = "before\nwinter",
            Capabilities = ["ladder", "hämmer"],
            Priority = -4,
            MaxAttempts = 5,
            SessionId = "s1",
        });

        var read = (await fixture.Board.GetAsync(created.Id))!;

        read.ShouldBeEquivalentTo(created);
        read.Title.ShouldBe("mend the roof \U0001F3E0\u2028");
        read.Description.ShouldBe("before\nwinter");
        read.Capabilities.ShouldBe(["ladder", "hämmer"]);
        (read.Status, read.Priority, read.Attempts, read.MaxAttempts, read.SessionId).ShouldBe((TaskState.Queued, -4, 0, 5, "s1"));
        (read.CreatedAt, read.UpdatedAt).ShouldBe((fixture.Time.Now, fixture.Time.Now));
        Guid.Parse(read.Id).Version.ShouldBe(7);
        fixture.Changes.ShouldHaveSingleItem().Id.ShouldBe(created.Id);
    }

    [Test]
    public async Task A_title_with_a_NUL_is_kept_whole()
    {
        await using var fixture = new BoardFixture();
        var created = await fixture.Create("before\0after");
        (await fixture.Board.GetAsync(created.Id))!.Title.ShouldBe("before\0after");
    }

    [Test]
    public async Task A_task_needs_a_title_and_an_attempt()
    {
        await using var fixture = new BoardFixture();
        await Should.ThrowAsync<ArgumentException>(() => fixture.Create(" "));
        await Should.ThrowAsync<ArgumentException>(() => fixture.Create(maxAttempts: 0));
    }

    [Test]
    public async Task An_unknown_task_is_not_found()
    {
        await using var fixture = new BoardFixture();
        (await fixture.Board.GetAsync("nothing")).ShouldBeNull();
        (await fixture.Board.ClaimAsync("nothing", "a")).Outcome.ShouldBe(EdgeOutcome.NotFound);
        (await fixture.Board.TransitionAsync("nothing", TaskState.Claimed, null)).Outcome.ShouldBe(EdgeOutcome.NotFound);
        (await fixture.Board.CancelAsync("nothing")).ShouldBe(new EdgeResult(EdgeOutcome.NotFound, null, "no task nothing on the board"));
        (await fixture.Board.RunsAsync("nothing")).ShouldBeEmpty();
    }

    [Test]
    public async Task Of_two_hundred_concurrent_claimants_one_wins()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Create();

        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => Task.Run(() => fixture.Board.ClaimAsync(task.Id, $"agent-{n}"))));

        var won = results.Where(result => result.Outcome == EdgeOutcome.Applied).ShouldHaveSingleItem();
        results.Count(result => result.Outcome == EdgeOutcome.Conflict).ShouldBe(199);
        var after = (await fixture.Board.GetAsync(task.Id))!;
        after.AgentId.ShouldBe(won.Task!.AgentId);
        after.Attempts.ShouldBe(1);
        fixture.Board.Counts.ShouldBe(new StatusTasks(0, 1, 0, 0, 0, 0));
    }

    [Test]
    public async Task A_key_used_by_many_at_once_makes_one_task()
    {
        await using var fixture = new BoardFixture();

        var tasks = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => Task.Run(() => fixture.Create($"title {n}", key: $"key-{n % 5}"))));

        tasks.Select(task => task.Id).Distinct().Count().ShouldBe(5);
        fixture.Number("SELECT count(*) FROM tasks").ShouldBe(5);
        fixture.Board.Counts.Queued.ShouldBe(5);
        foreach (var group in tasks.GroupBy(task => task.Id))
            group.Select(task => task.Title).Distinct().Count().ShouldBe(1);
    }

    [Test]
    public async Task A_known_key_answers_the_task_as_it_stands_now()
    {
        await using var fixture = new BoardFixture();
        var first = await fixture.Create("first", key: "k");
        await fixture.Board.ClaimAsync(first.Id, "a");

        var second = await fixture.Create("second", key: "k");

        (second.Id, second.Title, second.Status).ShouldBe((first.Id, "first", TaskState.Claimed));
    }

    [Test]
    public async Task Pages_through_a_thousand_see_each_once_in_order_of_creation()
    {
        await using var fixture = new BoardFixture();
        var created = await Task.WhenAll(Enumerable.Range(0, 1000).Select(n => fixture.Create($"{n}", priority: n % 7)));
        foreach (var task in created.Where((_, n) => n % 3 == 0))
            await fixture.Board.CancelAsync(task.Id);
        var order = fixture.Changes.Take(1000).Select(task => task.Id).ToList();

        (await Pages(fixture.Board, null)).ShouldBe(order);
        (await Pages(fixture.Board, TaskState.Queued)).ShouldBe(order.Where(id => IsCancelled(id) is false));
        (await Pages(fixture.Board, TaskState.Cancelled)).ShouldBe(order.Where(IsCancelled));
        (await Pages(fixture.Board, TaskState.Done)).ShouldBeEmpty();

        bool IsCancelled(string id) => Array.FindIndex(created, task => task.Id == id) % 3 == 0;

        static async Task<List<string>> Pages(TaskBoard board, TaskState? status)
        {
            var seen = new List<string>();
            string? after = null;
            do
            {
                var page = await board.ListAsync(status, 64, after);
                page.Tasks.Count.ShouldBeLessThanOrEqualTo(64);
                seen.AddRange(page.Tasks.Select(task => task.Id));
                after = page.Next;
            }
            while (after is not null);
            return seen;
        }
    }

    [Test]
    public async Task A_page_that_ends_with_the_list_has_no_next()
    {
        await using var fixture = new BoardFixture();
        for (var n = 0; n < 4; n++)
            await fixture.Create();
        (await fixture.Board.ListAsync(null, 4, null)).Next.ShouldBeNull();
        var page = await fixture.Board.ListAsync(null, 3, null);
        page.Next.ShouldBe(page.Tasks[2].Id);
        (await fixture.Board.ListAsync(null, 3, page.Next)).Tasks.Count.ShouldBe(1);
        await Should.ThrowAsync<ArgumentException>(() => fixture.Board.ListAsync(null, 3, "nothing"));
        await Should.ThrowAsync<ArgumentException>(() => fixture.Board.ListAsync(null, 0, null));
    }

    [Test]
    public async Task A_page_ends_where_its_texts_would_exceed_what_was_asked_for()
    {
        await using var fixture = new BoardFixture();
        foreach (var length in (int[])[50, 50, 1, 500, 98])
            await fixture.Board.CreateAsync(new NewTask { Title = "t", Description = new string('x', length - 1) });

        (await Pages(100)).ShouldBe("50 50|1|500|98");
        (await Pages(101)).ShouldBe("50 50 1|500|98");
        (await Pages(1)).ShouldBe("50|50|1|500|98");
        (await Pages(600)).ShouldBe("50 50 1|500 98");
        (await Pages(int.MaxValue)).ShouldBe("50 50 1 500 98");
        (await Pages(int.MaxValue, limit: 2)).ShouldBe("50 50|1 500|98");

        async Task<string> Pages(int maxCharacters, int limit = 5)
        {
            var pages = new List<string>();
            string? after = null;
            do
            {
                var page = await fixture.Board.ListAsync(TaskState.Queued, limit, after, maxCharacters);
                pages.Add(string.Join(' ', page.Tasks.Select(task => task.Title.Length + task.Description.Length)));
                after = page.Next;
            }
            while (after is not null);
            return string.Join('|', pages);
        }
    }

    [Test]
    public async Task Rows_behind_the_first_unwanted_one_are_not_read()
    {
        await using var fixture = new BoardFixture();
        for (var n = 0; n < 10; n++)
            await fixture.Create($"{n}");
        var read = 0;
        var titles = await fixture.Board.ReadAsync(connection => connection["SELECT title FROM tasks ORDER BY seq"].TakeWhile(
            row =>
            {
                read++;
                return row.GetString(0);
            },
            title => title != "3"));
        titles.ShouldBe(["0", "1", "2"]);
        read.ShouldBe(4);
    }

    [Test]
    public async Task What_is_chosen_among_ready_tasks_is_whole_once_it_is_claimed()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.Board.CreateAsync(new NewTask { Title = "t", Description = "long", Capabilities = ["code"] });
        var ready = (await fixture.Board.ReadyAsync(1, fixture.Time.Now)).ShouldHaveSingleItem();
        ready.Id.ShouldBe(task.Id);
        ready.Capabilities.ShouldBe(["code"]);
        var claimed = await fixture.Spawn("agent", task);
        (claimed.Title, claimed.Description, claimed.Attempts).ShouldBe(("t", "long", 1));

        await fixture.Board.EndRunOfAsync("agent", new RunEnd { AgentId = "", Ending = RunEnding.Failed, RetryAt = fixture.Time.Now });
        var again = (await fixture.Board.BeginSpawnAsync(new RunStart { RunId = "run", AgentId = "agent", SessionId = "session" }, ready.Id)).Task.ShouldNotBeNull();
        (again.Title, again.Description, again.Attempts).ShouldBe(("t", "long", 2));
    }

    [Test]
    public async Task Ready_is_by_priority_then_age_and_leaves_back_off_alone()
    {
        await using var fixture = new BoardFixture();
        var titles = new Dictionary<string, string>();
        foreach (var (title, priority) in new[] { ("a", 0), ("b", 5), ("c", 5), ("d", 9), ("e", -1) })
            titles.Add((await fixture.Create(title, priority)).Id, title);
        var delayed = (await fixture.Board.GetAsync(titles.Single(entry => entry.Value == "d").Key))!;
        await fixture.Spawn("agent", delayed);
        var retryAt = fixture.Time.Now.AddSeconds(30);
        await fixture.Board.EndSpawnAsync("agent", new RunEnd { AgentId = "", Ending = RunEnding.Failed, RetryAt = retryAt });

        (await Titles(fixture.Time.Now)).ShouldBe("b c a e");
        (await Titles(retryAt.AddMilliseconds(-1))).ShouldBe("b c a e");
        (await Titles(retryAt)).ShouldBe("d b c a e");
        (await fixture.Board.ReadyAsync(2, fixture.Time.Now)).Count.ShouldBe(2);
        (await fixture.Board.NextReadyAtAsync(fixture.Time.Now)).ShouldBe(retryAt);
        (await fixture.Board.NextReadyAtAsync(retryAt)).ShouldBeNull();

        async Task<string> Titles(DateTimeOffset now) => string.Join(' ', (await fixture.Board.ReadyAsync(100, now)).Select(task => titles[task.Id]));
    }

    [Test]
    public async Task What_was_taken_in_becomes_tasks_under_its_own_ids_in_order()
    {
        await using var fixture = new BoardFixture();
        var ids = new List<string>();
        for (var n = 0; n < 5; n++)
            ids.Add(await fixture.Board.IntakeAsync(new NewTask { Title = $"{n}", Capabilities = ["x"], Priority = n, MaxAttempts = 2, Description = "d" }));
        (await fixture.Board.GetAsync(ids[0])).ShouldBeNull();
        fixture.Changes.ShouldBeEmpty();

        var board = await fixture.Reopen();
        (await board.DrainIntakeAsync(3)).Select(task => task.Id).ShouldBe(ids.Take(3));
        (await board.DrainIntakeAsync(3)).Select(task => task.Id).ShouldBe(ids.Skip(3));
        (await board.DrainIntakeAsync(3)).ShouldBeEmpty();

        var task = (await board.GetAsync(ids[4]))!;
        (task.Title, task.Description, task.Priority, task.MaxAttempts, task.Status).ShouldBe(("4", "d", 4, 2, TaskState.Queued));
        task.Capabilities.ShouldBe(["x"]);
        board.Counts.Queued.ShouldBe(5);
    }

    [Test]
    public async Task A_key_is_one_over_intake_and_tasks()
    {
        await using var fixture = new BoardFixture();
        var intake = new NewTask { Title = "first", Key = "k" };
        var id = await fixture.Board.IntakeAsync(intake);
        (await fixture.Board.IntakeAsync(intake with { Title = "second" })).ShouldBe(id);
        (await fixture.Board.DrainIntakeAsync(10)).ShouldHaveSingleItem().Title.ShouldBe("first");
        (await fixture.Board.IntakeAsync(intake)).ShouldBe(id);
        (await fixture.Board.DrainIntakeAsync(10)).ShouldBeEmpty();
        (await fixture.Board.CreateAsync(intake)).Id.ShouldBe(id);

        var waiting = await fixture.Board.IntakeAsync(new NewTask { Title = "waiting", Key = "w" });
        (await fixture.Board.CreateAsync(new NewTask { Title = "impatient", Key = "w" })).ShouldSatisfyAllConditions(
            task => task.Id.ShouldBe(waiting),
            task => task.Title.ShouldBe("waiting"));
        (await fixture.Board.DrainIntakeAsync(10)).ShouldBeEmpty();
    }

    [Test]
    public async Task Requeueing_frees_the_task_and_keeps_its_error()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.CreateIn(TaskState.Started);
        await fixture.Board.TransitionAsync(task.Id, TaskState.Queued, new TaskError("tired", "needs a rest"));

        var queued = (await fixture.Board.GetAsync(task.Id))!;
        (queued.AgentId, queued.StartedAt, queued.Attempts).ShouldBe((null, null, 1));
        queued.Error.ShouldBe(new TaskError("tired", "needs a rest"));

        await fixture.Board.ClaimAsync(task.Id, "b");
        await fixture.Board.TransitionAsync(task.Id, TaskState.Started, null);
        (await fixture.Board.GetAsync(task.Id))!.Error.ShouldBe(new TaskError("tired", "needs a rest"));
        var done = (await fixture.Board.TransitionAsync(task.Id, TaskState.Done, null)).Task!;
        (done.Error, done.FinishedAt, done.AgentId, done.Attempts).ShouldBe((null, fixture.Time.Now, "b", 2));
    }

    [Test]
    public async Task The_queries_that_must_not_grow_with_the_board_use_an_index_and_do_not_sort()
    {
        await using var fixture = new BoardFixture();
        await fixture.Create();
        foreach (var sql in TaskVerbs.Indexed.Concat(ListVerbs.Indexed))
        {
            var plan = await fixture.Board.ReadAsync(connection => connection["EXPLAIN QUERY PLAN " + sql]
                .Bind(("$id", ""), ("$key", ""), ("$after", 0), ("$limit", 1), ("$now", 0), ("$priority", 0), ("$seq", 0), ("$last_chance", 2),
                    ("$agent", ""), ("$workspace", ""), ("$group", "")).All(row => (Step: row.GetInt32(0), Of: row.GetInt32(1), Words: row.GetString(3))));
            // What a task waits for is looked up for its own row alone, below a step of the statement's own.
            var own = plan.Where(row => row.Of == 0 && !row.Words.StartsWith("CORRELATED SCALAR SUBQUERY", StringComparison.Ordinal)).ToList();
            own.ShouldHaveSingleItem(sql).Words.ShouldContain("USING ", customMessage: sql);
            plan.ShouldAllBe(row => row.Words.Contains("USING ", StringComparison.Ordinal) || row.Words.StartsWith("CORRELATED SCALAR SUBQUERY", StringComparison.Ordinal), sql);
        }
    }

    /// <summary>The few that wait for a person are sorted; nobody walks a hundred thousand others for them.</summary>
    [Test]
    public async Task The_queries_of_an_inbox_find_what_waits_by_an_index()
    {
        await using var fixture = new BoardFixture();
        await fixture.Create();
        foreach (var sql in ReviewVerbs.Indexed)
        {
            var plan = await fixture.Board.ReadAsync(connection => connection["EXPLAIN QUERY PLAN " + sql]
                .Bind(("$limit", 1), ("$workspace", ""), ("$workspaces", "[]"), ("$numbers", "[]")).All(row => row.GetString(3)));
            plan.Where(step => step.Contains(" tasks", StringComparison.Ordinal)).ShouldHaveSingleItem(sql).ShouldContain("SEARCH tasks USING ", customMessage: sql);
        }
    }
}
