using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

[NotInParallel]
public sealed class WorktreesTests : IDisposable
{
    private readonly GitFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    public async Task A_tree_is_made_detached_below_its_workspace_and_locked()
    {
        var repository = await _fixture.Init();
        var request = await GitFixture.Request(repository);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        tree.Path.ShouldBe(Path.Combine(_fixture.State, "trees", "site", "12-fix-the-login"));
        tree.IsNew.ShouldBeTrue();
        tree.Start.ShouldBe(request.Base.Commit);
        (await _fixture.Sh("git rev-parse --abbrev-ref HEAD; git status --porcelain; cat a.txt", tree.Path)).ShouldBe("HEAD\none\ntwo\nthree");
        (await _fixture.Sh("git worktree list --porcelain", _fixture.Repo)).ShouldContain("locked colibri works on task 12");
        File.GetUnixFileMode(Path.GetDirectoryName(tree.Path)!).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var again = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        again.ShouldBe(tree with { IsNew = false });
    }

    [Test]
    public async Task A_retry_starts_from_the_branch_even_where_the_tree_is_gone()
    {
        await _fixture.Init();
        var first = await _fixture.Work("echo more >>a.txt");
        var repository = await _fixture.Repository();
        var request = await GitFixture.Request(repository);
        await _fixture.Trees.RemoveAsync(repository, request, force: false, GitFixture.Token);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        tree.Start.ShouldBe(first.After);
        tree.BranchTip.ShouldBe(first.After);
    }

    [Test]
    public async Task A_tree_with_work_is_removed_by_force_alone_and_its_work_is_parked()
    {
        var repository = await _fixture.Init();
        var request = await GitFixture.Request(repository);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        (await Should.ThrowAsync<GitException>(_fixture.Trees.RemoveAsync(repository, request, force: true, GitFixture.Token))).Message.ShouldContain("is in use by a run of task 12");
        await _fixture.Trees.UnlockAsync(repository, tree, GitFixture.Token);

        await _fixture.Sh("echo new >b.txt", tree.Path);
        (await Should.ThrowAsync<GitException>(_fixture.Trees.RemoveAsync(repository, request, force: false, GitFixture.Token))).Message.ShouldContain("has work that is not committed");
        await _fixture.Sh("git add .; git commit -q -m own", tree.Path);
        (await Should.ThrowAsync<GitException>(_fixture.Trees.RemoveAsync(repository, request, force: false, GitFixture.Token))).Message.ShouldContain("has commits that are on no branch");
        await _fixture.Sh("echo newer >>b.txt; echo x >c.txt", tree.Path);

        var parked = (await _fixture.Trees.RemoveAsync(repository, request, force: true, GitFixture.Token)).ShouldNotBeNull();
        parked.ShouldStartWith("refs/colibri/parked/12-");
        (await _fixture.Sh($"git show {parked}:b.txt; git show {parked}:c.txt; git log --format=%s {parked}", _fixture.Repo)).ShouldBe("new\nnewer\nx\nWork in progress (#12)\nown\nfirst");
        Directory.Exists(tree.Path).ShouldBeFalse();
        (await _fixture.Sh("git worktree list | wc -l", _fixture.Repo)).Trim().ShouldBe("1");
        _fixture.Logger.Of(470).ShouldHaveSingleItem().ShouldContain(parked);
        Directory.EnumerateFileSystemEntries(_fixture.Git.Scratch).ShouldBeEmpty();
    }

    [Test]
    public async Task A_clean_tree_whose_work_is_on_its_branch_goes()
    {
        await _fixture.Init();
        await _fixture.Work("echo more >>a.txt; printf 'build/\\n' >.gitignore; mkdir -p build; touch build/out");
        var repository = await _fixture.Repository();
        (await _fixture.Trees.RemoveAsync(repository, await GitFixture.Request(repository), force: false, GitFixture.Token)).ShouldBeNull();
        _fixture.Trees.List(repository, "site").ShouldBeEmpty();
        _fixture.Logger.Of(470).ShouldBeEmpty();
    }

    [Test]
    public async Task A_tree_with_a_repository_that_an_agent_made_in_its_place_stays()
    {
        var repository = await _fixture.Init();
        var request = await GitFixture.Request(repository);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        await _fixture.Trees.UnlockAsync(repository, tree, GitFixture.Token);
        await _fixture.Sh("rm .git; git init -q .", tree.Path);
        (await Should.ThrowAsync<GitException>(_fixture.Trees.RemoveAsync(repository, request, force: true, GitFixture.Token))).Message.ShouldContain("holds a repository that its agent made");
    }

    [Test]
    public async Task The_repository_of_a_forgotten_tree_gets_its_files_and_a_new_tree()
    {
        var repository = await _fixture.Init();
        var request = await GitFixture.Request(repository);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        await _fixture.Sh($"echo work >b.txt; rm -rf '{tree.GitDirectory}'", tree.Path);
        var again = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        again.IsNew.ShouldBeTrue();
        var parked = (await repository.ReferencesAsync(GitFixture.Token, Snapshots.ParkedPrefix)).Keys.ShouldHaveSingleItem();
        (await _fixture.Sh($"git show {parked}:b.txt", _fixture.Repo)).ShouldBe("work");
    }

    [Test]
    public async Task Trees_of_one_repository_can_be_asked_for_at_the_same_time()
    {
        var repository = await _fixture.Init();
        var requests = new List<TreeRequest>();
        for (var i = 1; i <= 8; i++)
            requests.Add(await GitFixture.Request(repository, i));
        var trees = await Task.WhenAll(requests.Select(request => _fixture.Trees.OpenAsync(repository, request, GitFixture.Token)));
        trees.Select(tree => tree.Path).Distinct().Count().ShouldBe(8);
        _fixture.Trees.List(repository, "site").Count(state => state is { IsLocked: true, IsOnDisk: true, GitDirectory: not null }).ShouldBe(8);
    }

    [Test]
    public async Task The_sweep_touches_what_is_ours_and_parks_commits_of_trees_that_are_gone()
    {
        var repository = await _fixture.Init();
        await _fixture.Sh("git -C repo worktree add -q ../theirs; rm -rf theirs");
        var request = await GitFixture.Request(repository);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        await _fixture.Sh("echo x >b.txt; git add .; git commit -q -m own", tree.Path);
        Directory.Delete(tree.Path, recursive: true);
        var running = await _fixture.Trees.OpenAsync(repository, await GitFixture.Request(repository, 13), GitFixture.Token);
        var ended = await _fixture.Trees.OpenAsync(repository, await GitFixture.Request(repository, 14), GitFixture.Token);

        var left = await _fixture.Trees.SweepAsync(repository, "site", number => number == 13, GitFixture.Token);

        left.Select(state => (state.Path, state.IsLocked)).ShouldBe([(running.Path, true), (ended.Path, false)]);
        var parked = (await repository.ReferencesAsync(GitFixture.Token, Snapshots.ParkedPrefix)).Keys.ShouldHaveSingleItem();
        (await _fixture.Sh($"git show {parked}:b.txt", _fixture.Repo)).ShouldBe("x");
        Directory.Exists(Path.Combine(_fixture.Repo, ".git", "worktrees", "theirs")).ShouldBeTrue();
    }

    [Test]
    public async Task A_making_that_is_stopped_at_any_step_is_done_by_the_next_one()
    {
        await _fixture.Init();
        var stops = await Stops.AtEach(_fixture, async (git, arm) =>
        {
            arm();
            var repository = await git.OpenAsync(_fixture.Repo, GitFixture.Token);
            await new Worktrees(git).OpenAsync(repository, await GitFixture.Request(repository), GitFixture.Token);
        },
        async _ =>
        {
            var repository = await _fixture.Repository();
            var request = await GitFixture.Request(repository);
            foreach (var state in await _fixture.Trees.SweepAsync(repository, "site", _ => false, GitFixture.Token))
                state.ShouldSatisfyAllConditions(() => state.IsOnDisk.ShouldBeTrue(), () => state.GitDirectory.ShouldNotBeNull(), () => state.IsHalfMade.ShouldBeFalse());
            var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
            (await _fixture.Sh("git status --porcelain; cat a.txt", tree.Path)).ShouldBe("one\ntwo\nthree");
            await _fixture.Trees.UnlockAsync(repository, tree, GitFixture.Token);
            await _fixture.Trees.RemoveAsync(repository, request, force: false, GitFixture.Token);
        });
        stops.ShouldBeGreaterThanOrEqualTo(4);
    }

    [Test]
    public async Task A_removal_that_is_stopped_at_any_step_loses_nothing_and_leaves_no_orphan()
    {
        var repository = await _fixture.Init();
        var request = await GitFixture.Request(repository);
        var stops = await Stops.AtEach(_fixture, async (git, arm) =>
        {
            var trees = new Worktrees(git);
            var tree = await trees.OpenAsync(repository, request, GitFixture.Token);
            await _fixture.Sh("echo work >b.txt; git add b.txt; git commit -q -m own; echo more >c.txt", tree.Path);
            await trees.UnlockAsync(repository, tree, GitFixture.Token);
            arm();
            await trees.RemoveAsync(repository, request, force: true, GitFixture.Token);
        },
        async _ =>
        {
            await _fixture.Trees.SweepScratchAsync(GitFixture.Token);
            await _fixture.Trees.SweepAsync(repository, "site", _ => false, GitFixture.Token);
            await _fixture.Trees.RemoveAsync(repository, request, force: true, GitFixture.Token);
            _fixture.Trees.List(repository, "site").ShouldBeEmpty();
            (await _fixture.Sh("git worktree list | wc -l", _fixture.Repo)).Trim().ShouldBe("1");
            var parked = (await repository.ReferencesAsync(GitFixture.Token, Snapshots.ParkedPrefix)).Keys.ToList();
            var holds = await Task.WhenAll(parked.Select(async name => (await repository.TryAsync(repository.Call("cat-file", "-e", $"{name}:c.txt"), GitFixture.Token)).Exit == 0));
            holds.ShouldContain(true);
            foreach (var name in parked)
                await _fixture.Sh($"git update-ref -d {name}", _fixture.Repo);
        });
        stops.ShouldBeGreaterThanOrEqualTo(5);
    }
}
