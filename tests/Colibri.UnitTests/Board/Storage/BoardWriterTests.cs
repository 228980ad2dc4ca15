using System.Globalization;
using Colibri.Core.Board;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.UnitTests.Board.Storage;

public sealed class BoardWriterTests
{
    [Test]
    public async Task A_verb_that_throws_takes_none_of_its_batch_with_it()
    {
        await using var fixture = new BoardFixture();
        await using var busy = await fixture.KeepWriterBusy();
        // All of these wait behind the one that keeps it busy, so they share one transaction.
        var good = Enumerable.Range(0, 20).Select(n => fixture.Create($"good {n}")).ToList();
        var bad = fixture.Board.WriteAsync<int>(scope =>
        {
            scope.Execute("INSERT INTO settings (name, value) VALUES ('half', 'done')");
            throw new InvalidOperationException("on purpose");
        });
        var wrong = fixture.Board.WriteAsync(scope => scope.Execute("INSERT INTO nowhere VALUES (1)"));
        var rest = Enumerable.Range(0, 20).Select(n => fixture.Create($"rest {n}")).ToList();
        await busy.DisposeAsync();

        (await Should.ThrowAsync<InvalidOperationException>(() => bad)).Message.ShouldBe("on purpose");
        await Should.ThrowAsync<SqliteException>(() => wrong);
        await Task.WhenAll(good.Concat(rest));
        fixture.Number("SELECT count(*) FROM tasks").ShouldBe(40);
        fixture.Board.Counts.Queued.ShouldBe(40);
        (await fixture.Board.GetSettingAsync("half")).ShouldBeNull();
    }

    [Test]
    public async Task A_subscriber_that_throws_harms_nobody()
    {
        await using var fixture = new BoardFixture();
        await using var board = TaskBoard.Open(new BoardOptions
        {
            Path = fixture.Path + "2",
            TaskChanged = _ => throw new InvalidOperationException("on purpose"),
        });
        await board.CreateAsync(new NewTask { Title = "x" });
        await board.CreateAsync(new NewTask { Title = "y" });
        board.Counts.Queued.ShouldBe(2);
    }

    [Test]
    public async Task A_full_queue_makes_callers_wait_and_is_counted()
    {
        await using var fixture = new BoardFixture();
        await using var busy = await fixture.KeepWriterBusy();

        var writes = Enumerable.Range(0, 4096).Select(_ => fixture.Board.WriteAsync(_ => 1)).ToList();
        fixture.Board.QueueFullCount.ShouldBe(0);
        writes.AddRange(Enumerable.Range(0, 3).Select(_ => fixture.Board.WriteAsync(_ => 1)));
        fixture.Board.QueueFullCount.ShouldBe(3);
        writes.ShouldAllBe(write => !write.IsCompleted);
        await busy.DisposeAsync();

        (await Task.WhenAll(writes)).Sum().ShouldBe(4099);
    }

    [Test]
    public async Task A_full_disk_is_said_and_survived()
    {
        SqliteConnection? writer = null;
        await using var fixture = new BoardFixture { WriterOpened = connection => writer = connection };
        var kept = await fixture.Create("kept");
        await SetMaxPages(fixture, writer!, 1);

        var large = new string('x', 100_000);
        var refusals = Enumerable.Range(0, 10).Select(_ => fixture.Create(large)).ToList();
        var claim = fixture.Board.ClaimAsync(kept.Id, "a");
        foreach (var refused in refusals)
        {
            (await Should.ThrowAsync<BoardUnavailableException>(() => refused)).Message.ShouldBe(
                $"the board {fixture.Path} cannot be used now: its disk is full; free some space and try again");
        }
        // It needs no more room, so its neighbours' trouble is not its own.
        (await claim).Outcome.ShouldBe(EdgeOutcome.Applied);
        fixture.Board.Counts.ShouldBe(new StatusTasks(0, 1, 0, 0, 0, 0));
        (await fixture.Board.GetAsync(kept.Id)).ShouldNotBeNull();

        await SetMaxPages(fixture, writer!, 1_000_000);
        var later = await fixture.Create(large);
        (await fixture.Board.GetAsync(later.Id))!.Title.ShouldBe(large);
        fixture.Number("SELECT count(*) FROM tasks").ShouldBe(2);
    }

    [Test]
    public async Task A_batch_that_finds_the_database_locked_waits_once_for_all_and_is_refused_whole()
    {
        await using var fixture = new BoardFixture();
        using var leave = new ManualResetEventSlim();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var board = TaskBoard.Open(new BoardOptions
        {
            Path = fixture.Path,
            BusySeconds = 1,
            TaskChanged = _ =>
            {
                entered.TrySetResult();
                leave.Wait();
            },
        });
        var first = board.CreateAsync(new NewTask { Title = "first" });
        await entered.Task;
        // The writer is between two transactions: all of these wait for the next one.
        var refused = Enumerable.Range(0, 20).Select(n => board.CreateAsync(new NewTask { Title = $"refused {n}" })).ToList();
        using (var other = new SqliteConnection($"Data Source={fixture.Path};Pooling=False"))
        {
            other.Open();
            Execute(other, "BEGIN IMMEDIATE");
            leave.Set();
            await first;
            var refusals = new List<Exception>();
            foreach (var create in refused)
                refusals.Add(await Should.ThrowAsync<BoardUnavailableException>(() => create));
            refusals[0].Message.ShouldContain("another program holds it locked");
            // One refusal for all of them: it was tried once.
            refusals.ShouldAllBe(refusal => ReferenceEquals(refusal, refusals[0]));
            Execute(other, "ROLLBACK");
        }
        await board.CreateAsync(new NewTask { Title = "later" });
        fixture.Number("SELECT count(*) FROM tasks").ShouldBe(2);

        static void Execute(SqliteConnection connection, string sql)
        {
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are the test's own.
            command.CommandText = sql;
#pragma warning restore CA2100
            command.ExecuteNonQuery();
        }
    }

    [Test]
    public async Task A_database_gone_read_only_is_said_and_written_again_by_a_new_connection()
    {
        var opened = 0;
        await using var fixture = new BoardFixture
        {
            WriterOpened = connection =>
            {
                using var command = connection.CreateCommand();
                command.CommandText = opened++ is 1 or 2 ? "PRAGMA query_only = ON" : "PRAGMA query_only = OFF";
                command.ExecuteNonQuery();
            },
        };
        await fixture.Create("kept");
        // A statement that fails as a failing disk would makes the writer give up its connection.
        await Should.ThrowAsync<BoardUnavailableException>(() => fixture.Board.WriteAsync<int>(_ => throw new SqliteException("disk I/O error", 10)));

        (await Should.ThrowAsync<BoardUnavailableException>(() => fixture.Create())).Message.ShouldContain("read-only");
        (await Should.ThrowAsync<BoardUnavailableException>(() => fixture.Create())).Message.ShouldContain("read-only");
        await fixture.Create("again");

        opened.ShouldBe(4);
        fixture.Board.Counts.Queued.ShouldBe(2);
    }

    [Test]
    public async Task Changes_are_told_in_their_order_before_the_caller_is_answered()
    {
        await using var fixture = new BoardFixture();
        var task = await fixture.CreateIn(TaskState.Done);
        fixture.Changes.Select(change => (change.Id, change.Status)).ShouldBe(
        [
            (task.Id, TaskState.Queued), (task.Id, TaskState.Claimed), (task.Id, TaskState.Started), (task.Id, TaskState.Done),
        ]);
    }

    [Test]
    [Arguments(1)]
    [Arguments(20261122)]
    public async Task The_counts_are_those_of_the_table_after_a_random_walk(int seed)
    {
        await using var fixture = new BoardFixture();
        var random = new Random(seed);
        var ids = new List<string>();
        var agents = new List<string>();
        var pending = new List<Task>();
        for (var step = 0; step < 1500; step++)
        {
            if (ids.Count < 5 || random.Next(5) == 0)
                ids.Add((await fixture.Create(key: random.Next(3) == 0 ? $"k{random.Next(20)}" : null)).Id);
            var id = ids[random.Next(ids.Count)];
            pending.Add(random.Next(7) switch
            {
                0 => fixture.Board.ClaimAsync(id, "a"),
                1 or 2 => fixture.Board.TransitionAsync(id, (TaskState)random.Next(6), null),
                3 => Begin(id),
                4 when agents.Count > 0 => fixture.Board.ProcessStartedAsync(agents[random.Next(agents.Count)], 1, 1, "boot"),
                5 when agents.Count > 0 => fixture.Board.EndSpawnAsync(agents[random.Next(agents.Count)], new RunEnd
                {
                    AgentId = "",
                    Ending = (RunEnding)random.Next(3),
                    RetryAt = random.Next(2) == 0 ? fixture.Time.Now : null,
                }),
                _ => step % 50 == 0
                    ? fixture.Board.ReleaseLostAsync(TimeSpan.Zero, UnknownClaims.All)
                    : fixture.Board.IntakeAsync(new NewTask { Title = "i" }),
            });
            if (step % 100 == 0)
                pending.Add(fixture.Board.DrainIntakeAsync(10));
        }
        await Task.WhenAll(pending);

        fixture.Board.Counts.ShouldBe(new StatusTasks(
            Count(TaskState.Queued), Count(TaskState.Claimed), Count(TaskState.Started),
            Count(TaskState.Done), Count(TaskState.Failed), Count(TaskState.Cancelled)));
        fixture.Board.Counts.Done.ShouldBeGreaterThan(0);
        // Whatever the order of things, no run is open on a task that its agent does not hold, but for a cancelled one.
        fixture.Number("""
            SELECT count(*) FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.finished_at IS NULL
            AND NOT (t.status = 'cancelled' OR t.status IN ('claimed', 'started') AND t.agent_id = r.agent_id)
            """).ShouldBe(0);

        Task Begin(string id)
        {
            agents.Add($"agent-{agents.Count}");
            return fixture.Board.BeginSpawnAsync(BoardFixture.Record(agents[^1]), id);
        }

        long Count(TaskState state) => fixture.Number($"SELECT count(*) FROM tasks WHERE status = '{state.ToString().ToLowerInvariant()}'");
    }

    [Test]
    public async Task A_writer_that_is_asked_on_a_full_disk_answers_and_does_not_call_the_disk_well()
    {
        SqliteConnection? writer = null;
        await using var fixture = new BoardFixture { WriterOpened = connection => writer = connection };
        await fixture.Create("kept");
        await SetMaxPages(fixture, writer!, 1);
        var large = new string('x', 100_000);
        await Should.ThrowAsync<BoardUnavailableException>(() => fixture.Create(large));

        await fixture.Board.AnswerAsync();

        fixture.Board.Trouble.ShouldNotBeNull().ShouldContain("its disk is full");
        await SetMaxPages(fixture, writer!, 1_000_000);
        await fixture.Create(large);
        fixture.Board.Trouble.ShouldBeNull();
    }

    // The pragma lowers no further than what is in use, which is what a full disk is.
    private static Task<object?> SetMaxPages(BoardFixture fixture, SqliteConnection writer, int pages) => fixture.Board.WriteAsync(_ =>
    {
        using var command = writer.CreateCommand();
#pragma warning disable CA2100 // The text is the test's own.
        command.CommandText = string.Create(CultureInfo.InvariantCulture, $"PRAGMA max_page_count = {pages}");
#pragma warning restore CA2100
        return command.ExecuteScalar();
    });
}
