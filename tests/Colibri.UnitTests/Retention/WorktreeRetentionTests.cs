using Colibri.Core.Retention;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Workspaces;

namespace Colibri.UnitTests.Retention;

/// <summary>Worktrees that runs left, with the real git.</summary>
[NotInParallel]
public sealed class WorktreeRetentionTests : IAsyncDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly GitFixture _git = new();
    private readonly RetentionFixture _fixture = new();

    public WorktreeRetentionTests()
    {
        _fixture.Settings = _fixture.Settings with { Workspaces = [new WorkspaceSettings { Name = "site", Path = _git.Repo, Keep = 7 * Day }] };
        _fixture.Pruner.Worktrees = new WorktreeRetention(_git.Git, _fixture.Board.Board, () => _fixture.Settings, _fixture.Logger);
    }

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        _git.Dispose();
    }

    [Test]
    public async Task A_tree_goes_at_the_age_that_its_workspace_keeps_and_no_earlier()
    {
        await _git.Init();
        var (failed, discarded, landed) = (await Task(TaskState.Failed), await Task(TaskState.Done, ChangeState.Discarded), await Task(TaskState.Done, ChangeState.Landed));
        var trees = new[] { await Tree(failed, "echo 1 >>a.txt"), await Tree(discarded, "echo 2 >>a.txt"), await Tree(landed, "") };
        _fixture.Pass(7 * Day);
        (await _fixture.Prune()).Worktrees.Count.ShouldBe(0);
        _fixture.Pass(TimeSpan.FromSeconds(1));

        var dry = await _fixture.DryPrune();

        Array.TrueForAll(trees, Directory.Exists).ShouldBeTrue();
        var real = await _fixture.Prune();
        (dry with { DryRun = false }).ShouldBeEquivalentTo(real);
        real.Worktrees.Numbers.ShouldBe([failed.Number, discarded.Number, landed.Number]);
        real.FreedBytes.ShouldBeGreaterThan(0);
        Array.Exists(trees, Directory.Exists).ShouldBeFalse();
        (await _git.Sh("git worktree list --porcelain | grep -c ^worktree", _git.Repo)).ShouldBe("1");
        (await _git.Sh($"git show colibri/{failed.Number}-work:a.txt | tail -n 1", _git.Repo)).ShouldBe("1");
        _fixture.Logger.All.ShouldBeEmpty();
    }

    /// <summary>Whatever the age that is asked for.</summary>
    [Test]
    public async Task What_waits_is_dirty_unlanded_or_occupied_stays()
    {
        await _git.Init();
        var trees = new List<string>
        {
            await Tree(await Task(TaskState.Queued), ""),
            await Tree(await Task(TaskState.Started), ""),
            await Tree(await Task(TaskState.Done, ChangeState.Open), "echo x >>a.txt"),
            await Tree(await Task(TaskState.Failed, ChangeState.Conflict), "echo x >>a.txt"),
        };
        var (dirty, unheld, inner, occupied) = (await Tree(await Task(TaskState.Failed), ""), await Tree(await Task(TaskState.Failed), ""), await Tree(await Task(TaskState.Failed), ""), await Task(TaskState.Failed));
        await _git.Sh("echo late >late.txt", dirty);
        await _git.Sh("echo late >late.txt; git add .; git commit -q -m late", unheld);
        await _git.Sh("rm .git; git init -q .", inner);
        var repository = await _git.Repository();
        trees.AddRange([dirty, unheld, inner, (await _git.Trees.OpenAsync(repository, await Request(repository, occupied.Number), GitFixture.Token)).Path]);
        _fixture.Pass(Day);

        (await _fixture.DryPrune(TimeSpan.Zero)).Worktrees.Count.ShouldBe(0);
        var report = await _fixture.Prune(TimeSpan.Zero);

        (report.Worktrees.Count, report.Problem).ShouldBe((0, null));
        trees.ShouldAllBe(tree => Directory.Exists(tree));
        _fixture.Logger.All.ShouldBeEmpty();
    }

    [Test]
    public async Task A_tree_whose_task_is_gone_goes_by_its_own_age()
    {
        await _git.Init();
        var task = await Task(TaskState.Failed);
        var tree = await Tree(task, "echo x >>a.txt");
        (await _fixture.Board.Board.DeleteAsync(task.Id)).Outcome.ShouldBe(Colibri.Core.Board.EdgeOutcome.Applied);
        Directory.SetLastWriteTimeUtc(tree, _fixture.Time.Now.UtcDateTime);
        _fixture.Pass(6 * Day);
        (await _fixture.Prune()).Worktrees.Count.ShouldBe(0);

        _fixture.Pass(2 * Day);

        (await _fixture.Prune()).Worktrees.Numbers.ShouldBe([task.Number]);
        Directory.Exists(tree).ShouldBeFalse();
        (await _git.Sh($"git show colibri/{task.Number}-work:a.txt | tail -n 1", _git.Repo)).ShouldBe("x");
    }

    [Test]
    public async Task A_repository_that_is_gone_is_told_and_stops_nothing_else()
    {
        await _git.Init();
        var tree = await Tree(await Task(TaskState.Failed), "");
        _fixture.Session("old", 99 * Day);
        Directory.Move(_git.Repo, _git.Repo + "-away");
        _fixture.Pass(8 * Day);

        var report = await _fixture.Prune();

        (report.Worktrees.Count, report.Sessions.Count, Directory.Exists(tree)).ShouldBe((0, 1, true));
        _fixture.Logger.All.ShouldHaveSingleItem().ShouldContain("workspace site: ");
    }

    [Test]
    public async Task A_kill_at_any_step_of_a_removal_loses_no_work_and_the_rest_goes_the_next_time()
    {
        await _git.Init();
        var stops = await Stops.AtEach(
            _git,
            async (git, arm) =>
            {
                var task = await Task(TaskState.Failed);
                await Tree(task, $"echo {task.Number} >>a.txt");
                _fixture.Pass(8 * Day);
                _fixture.Pruner.Worktrees = new WorktreeRetention(git, _fixture.Board.Board, () => _fixture.Settings, _fixture.Logger);
                arm();
                await _fixture.Prune();
            },
            async _ =>
            {
                // As at a daemon's start.
                await _git.Trees.SweepScratchAsync(GitFixture.Token);
                await _git.Trees.SweepAsync(await _git.Repository(), "site", _ => false, GitFixture.Token);
                _fixture.Open().Worktrees = new WorktreeRetention(_git.Git, _fixture.Board.Board, () => _fixture.Settings, _fixture.Logger);
                await _fixture.Prune();
                _git.Trees.List(await _git.Repository(), "site").ShouldBeEmpty();
                var last = _fixture.Board.Number("SELECT max(seq) FROM tasks");
                (await _git.Sh($"git show colibri/{last}-work:a.txt | tail -n 1", _git.Repo)).ShouldBe($"{last}");
            });
        stops.ShouldBeGreaterThan(3);
    }

    private async Task<BoardTask> Task(TaskState state, ChangeState? change = null)
    {
        var task = await _fixture.Board.CreateIn(state);
        if (change is { } to)
        {
            await _fixture.Board.Board.SetChangeAsync(
                task.Id, null, new WorkChange { Workspace = "site", Branch = $"colibri/{task.Number}-work", Base = "b", Head = "h", State = to });
        }
        return task;
    }

    /// <summary>A tree in which a run of the task has worked.</summary>
    private async Task<string> Tree(BoardTask task, string script)
    {
        var repository = await _git.Repository();
        var request = await Request(repository, task.Number);
        var tree = await _git.Trees.OpenAsync(repository, request, GitFixture.Token);
        await _git.Sh(script, tree.Path);
        await _git.Changes.CollectAsync(await _git.Repository(), tree, request, "Work", GitFixture.Token);
        await _git.Trees.UnlockAsync(repository, tree, GitFixture.Token);
        return tree.Path;
    }

    private static Task<TreeRequest> Request(Repository repository, long number) => GitFixture.Request(repository, number, "work");
}
