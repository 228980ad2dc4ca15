using System.Diagnostics;
using Colibri.Core.Board;
using Colibri.Core.Retention;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Retention;

public sealed class PrunerTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Test]
    public async Task Without_anything_on_the_disk_there_is_nothing_to_delete()
    {
        await using var fixture = new RetentionFixture();

        (await fixture.Prune(TimeSpan.Zero)).ShouldBeEquivalentTo(Report(isDry: false));
        fixture.Logger.All.ShouldBeEmpty();
    }

    [Test]
    public async Task A_task_goes_at_its_age_from_its_end_and_so_does_its_directory()
    {
        await using var fixture = new RetentionFixture();
        var old = await fixture.Board.CreateIn(TaskState.Done);
        fixture.Pass(30 * Day);
        var younger = await fixture.Board.CreateIn(TaskState.Failed);
        var (gone, kept) = (fixture.DirectoryOf(old, bytes: 70), fixture.DirectoryOf(younger));
        fixture.Pass(60 * Day);
        (await fixture.Prune()).ShouldBeEquivalentTo(Report(isDry: false));

        fixture.Pass(TimeSpan.FromMilliseconds(1));

        (await fixture.Prune()).ShouldBeEquivalentTo(Report(isDry: false, tasks: [1], directories: [1], freed: 70));
        (await fixture.TasksLeft()).ShouldBe([2]);
        (Directory.Exists(gone), Directory.Exists(kept)).ShouldBe((false, true));
        fixture.Trash().ShouldBeEmpty();
    }

    [Test]
    public async Task A_task_whose_change_was_settled_is_as_old_as_that()
    {
        await using var fixture = new RetentionFixture();
        var task = await fixture.Board.CreateIn(TaskState.Done);
        await Change(fixture, task, ChangeState.Open);
        fixture.Pass(200 * Day);
        await Change(fixture, task, ChangeState.Landed, ChangeState.Open);

        (await fixture.Prune(Day)).Tasks.Count.ShouldBe(0);
        fixture.Pass(2 * Day);
        (await fixture.Prune(Day)).Tasks.Numbers.ShouldBe([task.Number]);
    }

    /// <summary>Whatever its age, and with all that it has: its session and its directory.</summary>
    [Test]
    public async Task What_waits_for_somebody_stays()
    {
        await using var fixture = new RetentionFixture();
        var board = fixture.Board;
        var waiting = new List<BoardTask>
        {
            await board.CreateIn(TaskState.Queued),
            await board.CreateIn(TaskState.Claimed),
            await board.CreateIn(TaskState.Started),
            await Held(board),
            await Open(fixture, TaskState.Done, ChangeState.Open),
            await Open(fixture, TaskState.Failed, ChangeState.Conflict),
            await board.Spawn("asks"),
            await board.CreateIn(TaskState.Failed),
            await board.CreateIn(TaskState.Done),
            await board.CreateIn(TaskState.Cancelled),
        };
        await board.Board.CreateAsync(new NewTask { Title = "after a failed one", MaxAttempts = 1, After = [waiting[7].Id] });
        await board.Board.IntakeAsync(new NewTask { Title = "in the intake", MaxAttempts = 1, After = [waiting[8].Id], SessionId = fixture.Session("of-the-intake", 300 * Day) });
        // The end of its agent is not on record.
        var ended = await board.Spawn("is-being-ended");
        (await board.Board.CancelAsync(ended.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);
        waiting.Add(ended);
        var (loose, landed) = (waiting[9], await Open(fixture, TaskState.Done, ChangeState.Landed));
        waiting.Remove(loose);
        foreach (var task in waiting)
            fixture.DirectoryOf(task);
        fixture.DirectoryOf(loose);
        foreach (var session in new[] { "session-of-asks", "session-of-is-being-ended", "nobodys" })
            fixture.Session(session, 300 * Day);
        fixture.Pass(TimeSpan.FromSeconds(1));

        var report = await fixture.Prune(TimeSpan.Zero);

        report.Tasks.Numbers.ShouldBe([loose.Number, landed.Number]);
        report.Directories.Numbers.ShouldBe([loose.Number]);
        report.Sessions.Ids.ShouldBe(["nobodys"]);
        foreach (var task in waiting)
        {
            (await board.Board.GetAsync(task.Id)).ShouldNotBeNull($"{task.Number}");
            Directory.Exists(Path.Combine(fixture.Work, $"{task.Number}")).ShouldBeTrue($"{task.Number}");
        }
        fixture.SessionsLeft().ShouldBe(["of-the-intake", "session-of-asks", "session-of-is-being-ended"]);
    }

    [Test]
    public async Task Costs_stay_in_the_sums_and_labels_are_not_given_again()
    {
        await using var fixture = new RetentionFixture();
        var (board, cost) = (fixture.Board, new Usage { InputTokens = 5, CostMicrocents = 700 });
        foreach (var agent in new[] { "first", "second", "third" })
        {
            await board.Spawn(agent);
            await board.Board.EndSpawnAsync(agent, new RunEnd { AgentId = agent, Ending = RunEnding.Done, Usage = agent == "first" ? [new UsageRow("run-of-first", new DateOnly(2026, 11, 22), "mock", "mock-1", 1, cost)] : [] });
        }
        fixture.Pass(Day);
        (await board.Board.SummariseCostAsync(CostGrouping.Task, 10)).Total.Usage.ShouldBe(cost);

        (await fixture.Prune(TimeSpan.Zero)).Tasks.Numbers.ShouldBe([1, 2, 3]);

        (board.Number("SELECT count(*) FROM runs"), board.Number("SELECT count(*) FROM agents"), board.Number("SELECT count(*) FROM agents WHERE argv IS NULL")).ShouldBe((0, 2, 2));
        (await board.Board.SummariseCostAsync(CostGrouping.Provider, 10)).Total.Usage.ShouldBe(cost);
        (await board.Board.SummariseCostAsync(CostGrouping.Day, 10)).Total.Usage.ShouldBe(cost);
        await board.Reopen();
        board.Board.NextAgentNumber().ShouldBe(4);
        (await board.Create()).Number.ShouldBe(4);
    }

    [Test]
    public async Task A_task_that_came_after_a_deleted_one_no_longer_waits_for_it()
    {
        await using var fixture = new RetentionFixture();
        var parent = await fixture.Board.CreateIn(TaskState.Failed);
        var child = await fixture.Board.Board.CreateAsync(new NewTask { Title = "later", MaxAttempts = 1, After = [parent.Id] });
        (await fixture.Board.Board.CancelAsync(child.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);
        fixture.Pass(10 * Day);
        // The child is touched, and so is younger.
        (await fixture.Board.Board.RetryAsync(child.Id, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        (await fixture.Board.Board.CancelAsync(child.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);

        (await fixture.Prune(Day)).Tasks.Numbers.ShouldBe([parent.Number]);

        (await fixture.Board.Board.RetryAsync(child.Id, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        fixture.Board.Number($"SELECT waits FROM tasks WHERE seq = {child.Number}").ShouldBe(0);
        (await fixture.Board.Board.ReadyAsync(10, fixture.Time.Now)).Select(ready => ready.Id).ShouldBe([child.Id]);
    }

    [Test]
    public async Task Sessions_go_by_age_and_then_the_oldest_of_too_many_bytes()
    {
        await using var fixture = new RetentionFixture();
        fixture.Settings = fixture.Settings with { Retention = new RetentionSettings { Sessions = 30 * Day, SessionsBytes = 1_000 } };
        fixture.Session("d-old", 31 * Day, bytes: 500);
        fixture.Session("c-20", 20 * Day, bytes: 400);
        fixture.Session("b-10", 10 * Day, bytes: 300);
        fixture.Session("a-05", 5 * Day, bytes: 300);
        fixture.Session("e-01", Day, bytes: 400);

        var report = await fixture.Prune();

        report.ShouldBeEquivalentTo(Report(isDry: false, sessions: ["d-old", "c-20"], freed: 900));
        fixture.SessionsLeft().ShouldBe(["a-05", "b-10", "e-01"]);

        // An age that is asked for leaves the limit in force.
        fixture.Session("f-00", TimeSpan.Zero, bytes: 900);
        (await fixture.Prune(300 * Day)).Sessions.Ids.ShouldBe(["b-10", "a-05", "e-01"]);
        fixture.Settings = fixture.Settings with { Retention = new RetentionSettings { SessionsBytes = null } };
        fixture.Session("g-00", TimeSpan.Zero, bytes: 100_000);
        (await fixture.Prune()).Sessions.Count.ShouldBe(0);
    }

    [Test]
    public async Task A_session_that_is_followed_stays_until_its_follower_leaves()
    {
        await using var fixture = new RetentionFixture();
        fixture.Session("read", 99 * Day);
        var follower = fixture.Sessions.Follow("read", null);

        (await fixture.DryPrune()).Sessions.Count.ShouldBe(0);
        (await fixture.Prune()).Sessions.Count.ShouldBe(0);
        fixture.Sessions.TryTake("read", () => throw new InvalidOperationException("taken while it is followed")).ShouldBeFalse();
        await fixture.Sessions.AppendAsync("read", SessionFixture.Note("still here"));
        follower.Dispose();

        fixture.Session("read", 99 * Day);
        (await fixture.Prune()).Sessions.Ids.ShouldBe(["read"]);
        fixture.Sessions.Read("read", all: true).ShouldBeNull();
        (await fixture.Sessions.AppendAsync("read", SessionFixture.Note("anew"))).Seq.ShouldBe(1);
    }

    /// <summary>A client that lists sessions or reads one meets a session or none, never an error.</summary>
    [Test]
    public async Task Reads_during_a_prune_find_a_session_whole_or_not_at_all()
    {
        await using var fixture = new RetentionFixture();
        for (var i = 0; i < 300; i++)
            fixture.Session($"s{i:D3}", 99 * Day);
        using var isOver = new CancellationTokenSource();
        var reading = Task.Run(() =>
        {
            var seen = 0;
            do
            {
                seen += fixture.Sessions.List(1_000).Count;
                for (var i = 0; i < 300; i += 7)
                    fixture.Sessions.Read($"s{i:D3}", all: true)?.Entries.Count.ShouldBe(1);
            }
            while (!isOver.IsCancellationRequested);
            return seen;
        });

        (await fixture.Prune()).Sessions.Count.ShouldBe(300);

        await isOver.CancelAsync();
        await reading;
        fixture.SessionsLeft().ShouldBeEmpty();
    }

    [Test]
    public async Task A_session_that_is_written_to_after_it_was_found_stays()
    {
        await using var fixture = new RetentionFixture();
        fixture.Session("a", 99 * Day);
        fixture.Session("b", 98 * Day);
        fixture.Pruner.AtStep = _ => fixture.Session("b", TimeSpan.Zero);

        (await fixture.Prune()).Sessions.Ids.ShouldBe(["a"]);
        fixture.SessionsLeft().ShouldBe(["b"]);
    }

    [Test]
    public async Task A_dry_prune_says_what_the_next_one_deletes_and_touches_nothing()
    {
        await using var fixture = new RetentionFixture();
        var tasks = new List<BoardTask>();
        for (var i = 0; i < 250; i++)
            tasks.Add(await fixture.Board.CreateIn(i % 50 == 0 ? TaskState.Queued : i % 2 == 0 ? TaskState.Done : TaskState.Failed));
        foreach (var task in tasks.Where(task => task.Number % 3 == 0))
            fixture.DirectoryOf(task, bytes: (int)task.Number);
        for (var i = 0; i < 120; i++)
            fixture.Session($"s{i:D3}", i * Day, bytes: 100 + i);
        var worktrees = new FakeWorktrees(new KeptWorktree("site", 7, "/none/7-x", fixture.Time.Now - Day), new KeptWorktree("site", 8, "/none/8-x", fixture.Time.Now - Day)) { Kept = 8 };
        fixture.Pruner.Worktrees = worktrees;
        fixture.Pass(TimeSpan.FromSeconds(1));

        var dry = await fixture.DryPrune(TimeSpan.Zero);

        (await fixture.TasksLeft()).Length.ShouldBe(250);
        (fixture.SessionsLeft().Length, Directory.GetDirectories(fixture.Work).Length, worktrees.All.Count).ShouldBe((120, 83, 2));
        var real = await fixture.Prune(TimeSpan.Zero);
        (dry with { DryRun = false }).ShouldBeEquivalentTo(real);
        (real.Tasks.Count, real.Tasks.Numbers.Count, real.Sessions.Count, real.Sessions.Ids.Count, real.Directories.Count).ShouldBe((245, 100, 120, 100, 81));
        real.Worktrees.Numbers.ShouldBe([7]);
        (await fixture.TasksLeft()).ShouldBe([1, 51, 101, 151, 201]);
        (await fixture.Prune(TimeSpan.Zero)).ShouldBeEquivalentTo(Report(isDry: false));
    }

    [Test]
    public async Task Nothing_outside_of_the_directories_is_deleted()
    {
        await using var fixture = new RetentionFixture();
        Directory.CreateDirectory(fixture.Outside);
        var precious = Path.Combine(fixture.Outside, "0001.jsonl");
        File.WriteAllText(precious, SessionFixture.Line(1));
        File.SetLastWriteTimeUtc(precious, DateTime.UnixEpoch);
        // A session that is a link, a file of a session that is one, and what is no session.
        fixture.Session("whole", 99 * Day);
        Directory.CreateSymbolicLink(Path.Combine(fixture.SessionsRoot, "linked"), fixture.Outside);
        Directory.CreateSymbolicLink(Path.Combine(fixture.SessionsRoot, "whole", "there"), fixture.Outside);
        Directory.CreateDirectory(Path.Combine(fixture.SessionsRoot, "no session"));
        Directory.CreateDirectory(Path.Combine(fixture.SessionsRoot, "empty"));
        // A directory of a task that is a link, one that holds links, and what is no task's.
        var (linked, holding, unknown) = (await fixture.Board.CreateIn(TaskState.Done), await fixture.Board.CreateIn(TaskState.Done), 99);
        Directory.CreateDirectory(fixture.Work);
        Directory.CreateSymbolicLink(Path.Combine(fixture.Work, $"{linked.Number}"), fixture.Outside);
        File.CreateSymbolicLink(Path.Combine(fixture.DirectoryOf(holding), "file"), precious);
        Directory.CreateSymbolicLink(Path.Combine(fixture.Work, $"{holding.Number}", "src", "up"), "../../..");
        foreach (var name in new[] { $"{unknown}", "007", "notes" })
            Directory.CreateDirectory(Path.Combine(fixture.Work, name));
        fixture.Pass(TimeSpan.FromSeconds(1));

        var report = await fixture.Prune(TimeSpan.Zero);

        (report.Sessions.Ids.ShouldHaveSingleItem(), report.Problem).ShouldBe(("whole", null));
        report.Directories.Numbers.ShouldBe([linked.Number, holding.Number]);
        File.ReadAllText(precious).ShouldBe(SessionFixture.Line(1));
        fixture.SessionsLeft().ShouldBe(["empty", "linked", "no session"]);
        Directory.EnumerateDirectories(fixture.Work).Select(Path.GetFileName).Where(name => name != ".pruned").Order().ShouldBe(["007", "99", "notes"]);
    }

    [Test]
    public async Task A_link_in_the_place_of_a_root_is_not_followed_but_that_of_the_sessions()
    {
        await using var fixture = new RetentionFixture();
        var task = await fixture.Board.CreateIn(TaskState.Done);
        fixture.DirectoryOf(task);
        fixture.Session("old", 99 * Day);
        Directory.CreateDirectory(fixture.Outside);
        Directory.Move(fixture.Work, Path.Combine(fixture.Outside, "work"));
        Directory.CreateSymbolicLink(fixture.Work, Path.Combine(fixture.Outside, "work"));
        Directory.Move(fixture.SessionsRoot, Path.Combine(fixture.Outside, "sessions"));
        Directory.CreateSymbolicLink(fixture.SessionsRoot, Path.Combine(fixture.Outside, "sessions"));
        fixture.Pass(TimeSpan.FromSeconds(1));

        var report = await fixture.Prune(TimeSpan.Zero);

        // An operator may put the sessions elsewhere; nobody is to put tasks' directories behind a link.
        report.Sessions.Ids.ShouldBe(["old"]);
        (report.Directories.Count, report.Tasks.Count).ShouldBe((0, 1));
        report.Problem.ShouldNotBeNull().ShouldContain(fixture.Work);
        Directory.Exists(Path.Combine(fixture.Outside, "work", $"{task.Number}", "src")).ShouldBeTrue();
    }

    [Test]
    public async Task A_link_in_the_place_of_the_trash_is_not_followed()
    {
        await using var fixture = new RetentionFixture();
        fixture.Session("old", 99 * Day);
        Directory.CreateDirectory(Path.Combine(fixture.Outside, "inner"));
        Directory.CreateSymbolicLink(Path.Combine(fixture.SessionsRoot, ".pruned"), fixture.Outside);

        var report = await fixture.Prune();

        (report.Sessions.Count, report.Problem).ShouldSatisfyAllConditions(all => all.Item1.ShouldBe(0), all => all.Problem.ShouldNotBeNull().ShouldContain(".pruned"));
        Directory.Exists(Path.Combine(fixture.Outside, "inner")).ShouldBeTrue();
        fixture.SessionsLeft().ShouldBe(["old"]);
    }

    /// <summary>The directory of one task may be where another works, or is to work.</summary>
    [Test]
    public async Task A_directory_that_is_used_stays_by_whichever_name_it_is_used()
    {
        await using var fixture = new RetentionFixture();
        var tasks = new List<BoardTask>();
        for (var i = 0; i < 5; i++)
        {
            tasks.Add(await fixture.Board.CreateIn(TaskState.Done));
            fixture.DirectoryOf(tasks[i]);
        }
        string Of(int i) => Path.Combine(fixture.Work, $"{tasks[i].Number}");
        Directory.CreateSymbolicLink(fixture.Outside, Of(2));
        await fixture.Board.Board.CreateAsync(new NewTask { Title = "there", MaxAttempts = 1, Cwd = Path.Combine(Of(0), "src") });
        await fixture.Board.Board.IntakeAsync(new NewTask { Title = "there too", MaxAttempts = 1, Cwd = Of(1) });
        var begun = await fixture.Board.Board.BeginSpawnAsync(BoardFixture.Record("works"), (await fixture.Board.Create()).Id);
        (await fixture.Board.Board.PlaceRunAsync(begun.Claim!, fixture.Outside)).ShouldBeTrue();
        await fixture.Board.Board.BeginRunAsync(BoardFixture.Record("resident") with { Agent = BoardFixture.Record("resident").Agent! with { Cwd = Of(3) } });
        fixture.Pass(TimeSpan.FromSeconds(1));

        (await fixture.Prune(TimeSpan.Zero)).Directories.Numbers.ShouldBe([tasks[4].Number]);
    }

    /// <summary>What a kill leaves is deleted by the next daemon, and nothing else is.</summary>
    [Test]
    [Arguments(nameof(PruneStep.BatchDeleted), 1)]
    [Arguments(nameof(PruneStep.BatchDeleted), 2)]
    [Arguments(nameof(PruneStep.SessionTaken), 1)]
    [Arguments(nameof(PruneStep.SessionTaken), 60)]
    [Arguments(nameof(PruneStep.DirectoryTaken), 1)]
    [Arguments(nameof(PruneStep.DirectoryTaken), 3)]
    [Arguments(nameof(PruneStep.WorktreeTaken), 1)]
    public async Task After_a_kill_at_any_step_the_next_prune_deletes_the_rest(string name, int times)
    {
        await using var fixture = new RetentionFixture();
        for (var i = 0; i < 203; i++)
            await fixture.Board.CreateIn(TaskState.Done);
        var waiting = await fixture.Board.CreateIn(TaskState.Queued);
        foreach (var number in new[] { 1, 2, 203 })
            fixture.DirectoryOf(waiting with { Number = number });
        fixture.DirectoryOf(waiting);
        for (var i = 0; i < 70; i++)
            fixture.Session($"s{i:D3}", 99 * Day);
        fixture.Session("young", TimeSpan.Zero);
        var worktrees = new FakeWorktrees(new KeptWorktree("site", 1, "/none/1-x", fixture.Time.Now - (8 * Day)), new KeptWorktree("site", 2, "/none/2-x", fixture.Time.Now - (8 * Day)));
        fixture.Pruner.Worktrees = worktrees;
        fixture.Pass(TimeSpan.FromSeconds(1));
        fixture.Settings = fixture.Settings with { Retention = new RetentionSettings { Tasks = TimeSpan.FromMilliseconds(1) } };
        var (wanted, seen) = (Enum.Parse<PruneStep>(name), 0);
        fixture.Pruner.AtStep = step =>
        {
            if (step == wanted && ++seen == times)
                throw new KilledException();
        };

        await Should.ThrowAsync<KilledException>(() => fixture.Prune());
        seen.ShouldBe(times);
        await fixture.Board.Reopen();
        fixture.Open().Worktrees = worktrees;
        await fixture.Prune();

        (await fixture.TasksLeft()).ShouldBe([waiting.Number]);
        fixture.SessionsLeft().ShouldBe(["young"]);
        Directory.EnumerateDirectories(fixture.Work).Select(Path.GetFileName).Where(left => left != ".pruned").ShouldBe([$"{waiting.Number}"]);
        (fixture.Trash(), worktrees.All).ShouldSatisfyAllConditions(all => all.Item1.ShouldBeEmpty(), all => all.All.ShouldBeEmpty());
        fixture.Board.Number("SELECT count(*) FROM pragma_foreign_key_check").ShouldBe(0);
    }

    /// <summary>A clock that is set forward makes the young old; one that is set back, the old young.</summary>
    [Test]
    [Arguments(2)]
    [Arguments(-2)]
    [Arguments(3_650)]
    public async Task A_clock_that_is_set_and_set_back_deletes_nothing_early(int days)
    {
        await using var fixture = new RetentionFixture();
        fixture.Settings = fixture.Settings with { Retention = new RetentionSettings { Tasks = 2 * Day, Sessions = 2 * Day } };
        await fixture.Board.CreateIn(TaskState.Done);
        fixture.Session("s", TimeSpan.Zero);
        await fixture.PassHours(12);

        fixture.Time.SetClock(days * Day);
        await fixture.PassHours(12);
        (await fixture.Prune()).ShouldBeEquivalentTo(Report(isDry: false));
        fixture.Time.SetClock(-days * Day);
        await fixture.PassHours(23);
        (await fixture.Prune()).ShouldBeEquivalentTo(Report(isDry: false));

        await fixture.PassHours(2);
        (await fixture.Prune()).ShouldBeEquivalentTo(Report(isDry: false, tasks: [1], sessions: ["s"], freed: 100));
    }

    /// <summary>Every statement is one batch's, so that other writes wait for one batch at the most.</summary>
    [Test]
    public async Task Tens_of_thousands_of_tasks_go_in_batches()
    {
        await using var fixture = new RetentionFixture();
        _ = fixture.Board.Board;
        var then = fixture.Time.Now.AddDays(-100).ToUnixTimeMilliseconds();
        fixture.Board.Execute($"""
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
            INSERT INTO tasks (id, title, description, status, capabilities, priority, max_attempts, created_at, updated_at, finished_at)
            SELECT 't' || i, 'x', '', CASE WHEN i % 4 = 0 THEN 'queued' ELSE 'done' END, '[]', 0, 3, {then}, {then}, CASE WHEN i % 4 = 0 THEN NULL ELSE {then} END FROM n;
            INSERT INTO agents (id, kind, name, capabilities, argv, created_at, ended_at, number)
            SELECT 'a' || seq, 'spawned', 'pi', '[]', '[]', {then}, {then}, seq FROM tasks WHERE status = 'done';
            INSERT INTO runs (id, task_id, attempt, agent_id, session_id, binary, argv, started_at, finished_at)
            SELECT 'r' || seq, id, 1, 'a' || seq, 's', '', '[]', {then}, {then} FROM tasks WHERE status = 'done';
            INSERT INTO task_after (task, parent) SELECT seq, seq - 1 FROM tasks WHERE status = 'queued';
            """);
        await fixture.Board.Reopen();
        fixture.Open();
        var (longest, batches) = (TimeSpan.Zero, 0);
        var since = Stopwatch.GetTimestamp();
        fixture.Pruner.AtStep = _ =>
        {
            // Another write in between is a batch's wait away.
            var at = Stopwatch.GetTimestamp();
            fixture.Board.Board.SetSettingAsync("beside", "x").GetAwaiter().GetResult();
            longest = TimeSpan.FromTicks(Math.Max(longest.Ticks, Stopwatch.GetElapsedTime(at).Ticks));
            batches++;
        };

        var report = await fixture.Prune();

        // A parent of a queued task stays: one of three that are done.
        report.Tasks.Count.ShouldBe(20_000);
        batches.ShouldBe(100);
        (fixture.Board.Number("SELECT count(*) FROM tasks"), fixture.Board.Number("SELECT count(*) FROM runs"), fixture.Board.Number("SELECT count(*) FROM agents")).ShouldBe((20_000, 10_000, 10_000));
        fixture.Board.Board.Counts.ShouldSatisfyAllConditions(counts => counts.Queued.ShouldBe(10_000), counts => counts.Done.ShouldBe(10_000));
        longest.ShouldBeLessThan(TimeSpan.FromSeconds(5), $"all in {Stopwatch.GetElapsedTime(since)}");
    }

    private static async Task<BoardTask> Held(BoardFixture board)
    {
        var task = await board.Create();
        (await board.Board.HoldAsync(task.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);
        return task;
    }

    private static async Task<BoardTask> Open(RetentionFixture fixture, TaskState state, ChangeState change)
    {
        var task = await fixture.Board.CreateIn(state);
        await Change(fixture, task, change);
        return task;
    }

    private static async Task Change(RetentionFixture fixture, BoardTask task, ChangeState state, ChangeState? expected = null) =>
        (await fixture.Board.Board.SetChangeAsync(task.Id, expected, new WorkChange { Workspace = "site", Branch = $"colibri/{task.Number}-x", Base = "b", Head = "h", State = state }))
            .Outcome.ShouldBe(EdgeOutcome.Applied);

    private static PruneReport Report(bool isDry, long[]? tasks = null, string[]? sessions = null, long[]? directories = null, long freed = 0) => new(
        isDry, PrunedNumbers.Of(tasks ?? []), PrunedIds.Of(sessions ?? []), sessions is null ? 0 : freed, PrunedNumbers.Of([]), PrunedNumbers.Of(directories ?? []), freed);

    private sealed class KilledException : Exception;

    /// <summary>Worktrees that are names alone.</summary>
    private sealed class FakeWorktrees(params KeptWorktree[] all) : IWorktreeRetention
    {
        public List<KeptWorktree> All { get; } = [.. all];

        /// <summary>The number of one that holds work.</summary>
        public long Kept { get; init; }

        public Task<IReadOnlyList<KeptWorktree>> ListAsync(CancellationToken stopping) => Task.FromResult<IReadOnlyList<KeptWorktree>>([.. All]);

        public Task<bool> RemoveAsync(KeptWorktree worktree, bool isDry, CancellationToken stopping) =>
            Task.FromResult(worktree.Number != Kept && (isDry || All.Remove(worktree)));
    }
}
