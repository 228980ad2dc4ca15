using Colibri.Core.Board;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Workspaces;

namespace Colibri.UnitTests.Landing;

/// <summary>What a kill leaves of a workspace, each as the next daemon finds it.</summary>
[NotInParallel]
public sealed class TreeSweepTests : IAsyncDisposable
{
    private readonly LandingFixture _fixture = new();

    [Before(Test)]
    public Task Init() => _fixture.Git.Init();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    /// <summary>A task that was cancelled has no further try, so nobody else would look into its tree.</summary>
    [Test]
    public async Task Work_of_a_run_that_was_cut_off_comes_onto_its_branch()
    {
        var task = await _fixture.Board.CreateAsync(new NewTask { Title = "Fix the login", Workspace = "site" });
        var tree = await OpenTree(task);
        await _fixture.Git.Sh("echo four >>a.txt", tree);
        await _fixture.Board.CancelAsync(task.Id);

        await _fixture.Sweep();

        var change = (await _fixture.Get(task)).Change!;
        (change.State, change.Files, change.Insertions).ShouldBe((ChangeState.Open, 1, 1));
        (await _fixture.InRepo($"git show {change.Branch}:a.txt | tail -n 1")).ShouldBe("four");
        _fixture.Logger.Of(486).ShouldHaveSingleItem();
        (await Locked()).ShouldBeFalse();
    }

    /// <summary>It may be under review, and may land by itself.</summary>
    [Test]
    public async Task What_a_person_has_begun_in_the_tree_of_a_task_that_is_done_stays_theirs()
    {
        var task = await _fixture.Done();
        var file = Path.Combine(await _fixture.TreeOf(task), "mine.txt");
        await File.WriteAllTextAsync(file, "a person's\n");

        await _fixture.Sweep();

        (await _fixture.Get(task)).Change.ShouldBe(task.Change);
        File.Exists(file).ShouldBeTrue();
        (await _fixture.InRepo($"git rev-parse {task.Change!.Branch}")).ShouldBe(task.Change.Head);
    }

    /// <summary>A reload has a workspace swept while agents of cancelled tasks are still being ended.</summary>
    [Test]
    public async Task A_tree_in_which_a_run_is_is_left_alone()
    {
        var task = await _fixture.Board.CreateAsync(new NewTask { Title = "Fix the login", Workspace = "site" });
        var tree = await OpenTree(task);
        await _fixture.Git.Sh("echo half >>a.txt", tree);
        await _fixture.Board.CancelAsync(task.Id);
        _fixture.Places.Take(tree, new PlaceHolder(task.Id, task.Number)).ShouldBeNull();

        await _fixture.Sweep();

        ((await _fixture.Get(task)).Change, await Locked()).ShouldBe((null, true));
    }

    [Test]
    public async Task A_landing_that_moved_its_base_is_recorded()
    {
        var task = await _fixture.Done();
        await _fixture.InRepo($"git merge -q --no-ff -m landed {task.Change!.Branch}");

        await _fixture.Sweep();

        (await _fixture.Get(task)).Change!.State.ShouldBe(ChangeState.Landed);
        (await _fixture.References()).ShouldBe(["refs/heads/main"]);
        _fixture.Logger.Of(487).ShouldBe([$"the change of task {task.Number} is on main already: it has landed"]);
    }

    [Test]
    public async Task A_branch_that_a_person_has_gone_on_with_has_not_landed()
    {
        var task = await _fixture.Done();
        await _fixture.InRepo($"git merge -q --no-ff -m landed {task.Change!.Branch}");
        await _fixture.InRepo($"git worktree add -q ../more {task.Change.Branch}; cd ../more; echo more >>a.txt; git commit -qam more; git worktree remove ../more");

        await _fixture.Sweep();

        (await _fixture.Get(task)).Change!.State.ShouldBe(ChangeState.Open);
        (await _fixture.References()).ShouldContain($"refs/heads/{task.Change.Branch}");
    }

    [Test]
    [Arguments(ChangeState.Landed)]
    [Arguments(ChangeState.Discarded)]
    public async Task What_was_settled_and_not_cleared_up_is(ChangeState settled)
    {
        var task = await _fixture.Done();
        var tree = await _fixture.TreeOf(task);
        if (settled == ChangeState.Landed)
            await _fixture.InRepo($"git merge -q --no-ff -m landed {task.Change!.Branch}");
        await _fixture.Board.SetChangeAsync(task.Id, ChangeState.Open, task.Change! with { State = settled });

        await _fixture.Sweep();

        Directory.Exists(tree).ShouldBeFalse();
        (await _fixture.References()).ShouldNotContain($"refs/heads/{task.Change!.Branch}");
        (await _fixture.References()).Any(name => name.StartsWith($"refs/colibri/parked/{task.Number}-", StringComparison.Ordinal)).ShouldBe(settled == ChangeState.Discarded);
    }

    /// <summary>After the base has moved and before that is on the board; the squash makes a commit of which the branch knows nothing.</summary>
    [Test]
    [Arguments(MergeMode.Merge)]
    [Arguments(MergeMode.Squash)]
    [Arguments(MergeMode.Rebase)]
    public async Task A_landing_that_was_not_recorded_is_found_by_the_next_one(MergeMode mode)
    {
        _fixture.Site = _fixture.Site with { Merge = mode };
        var task = await _fixture.Done();
        await _fixture.InRepo("touch b.txt; git add .; git commit -qm b");
        await _fixture.Desk.LandAsync(task, isForced: false);
        // As it was before the record and what followed.
        await _fixture.InRepo($"git branch {task.Change!.Branch} {task.Change.Head}");
        await _fixture.Board.SetChangeAsync(task.Id, ChangeState.Landed, task.Change);
        var before = await _fixture.InRepo("git rev-parse main");

        await _fixture.Sweep();
        if (mode != MergeMode.Merge)
            await _fixture.Desk.LandAsync(task, isForced: false);

        (await _fixture.Get(task)).Change!.State.ShouldBe(ChangeState.Landed);
        (await _fixture.InRepo("git rev-parse main")).ShouldBe(before);
        (await _fixture.References()).ShouldNotContain($"refs/heads/{task.Change.Branch}");
    }

    private async Task<string> OpenTree(BoardTask task)
    {
        var repository = await _fixture.Git.Repository();
        return (await _fixture.Git.Trees.OpenAsync(repository, await _fixture.RequestOf(task), GitFixture.Token)).Path;
    }

    private async Task<bool> Locked() => _fixture.Git.Trees.List(await _fixture.Git.Repository(), "site").ShouldHaveSingleItem().IsLocked;
}
