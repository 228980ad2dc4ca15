using Colibri.Core.Settings;
using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

[NotInParallel]
public sealed class MergingTests : IDisposable
{
    private const string Branch = "colibri/12-fix-the-login";

    private readonly GitFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    [Arguments(MergeMode.Merge, "Fix the login (#12)\nown two\nown one\nmain\nfirst")]
    [Arguments(MergeMode.Squash, "Fix the login (#12)\nmain\nfirst")]
    [Arguments(MergeMode.Rebase, "own two\nown one\nmain\nfirst")]
    public async Task A_change_lands_on_a_base_that_went_on_and_the_checkout_follows(MergeMode mode, string log)
    {
        await Ready();
        string? seen = null;
        var landing = await _fixture.Merging.LandAsync(_fixture.Repo, Request(mode), async (path, _) =>
        {
            // The check sees both sides, and the base has not moved yet.
            seen = await _fixture.Sh("ls; git status --porcelain; git log -1 --format=%s main", path);
            return true;
        }, GitFixture.Token);
        landing.State.ShouldBe(LandState.Landed);
        seen.ShouldBe("a.txt\nb.txt\nc.txt\nm.txt\nmain");
        (await _fixture.Sh("git log --topo-order --format=%s; git status --porcelain; ls", _fixture.Repo)).ShouldBe($"{log}\na.txt\nb.txt\nc.txt\nm.txt");
        (await _fixture.Sh("git rev-parse main", _fixture.Repo)).ShouldBe(landing.Commit);
        await NothingIsLeft();
        (await Land(mode)).State.ShouldBe(LandState.Empty);
    }

    [Test]
    [Arguments(MergeMode.Merge)]
    [Arguments(MergeMode.Squash)]
    [Arguments(MergeMode.Rebase)]
    public async Task A_conflict_is_a_result_and_names_its_files(MergeMode mode)
    {
        await _fixture.Init();
        await _fixture.Work("echo ours >a.txt; echo x >b.txt; git add .; git commit -q -m own");
        await _fixture.Sh("echo theirs >a.txt; git commit -q -a -m main", _fixture.Repo);
        var landing = await Land(mode);
        landing.State.ShouldBe(LandState.Conflict);
        landing.Conflicts.ShouldBe(["a.txt"]);
        (await _fixture.Sh("git log -1 --format=%s; git status --porcelain", _fixture.Repo)).ShouldBe("main");
        await NothingIsLeft();
    }

    [Test]
    public async Task A_check_that_does_not_pass_leaves_the_base()
    {
        await Ready();
        var landing = await _fixture.Merging.LandAsync(_fixture.Repo, Request(), (_, _) => Task.FromResult(false), GitFixture.Token);
        landing.State.ShouldBe(LandState.CheckFailed);
        (await _fixture.Sh("git log -1 --format=%s main", _fixture.Repo)).ShouldBe("main");
        await NothingIsLeft();
    }

    [Test]
    public async Task What_a_check_changes_does_not_land()
    {
        await Ready();
        await _fixture.Merging.LandAsync(_fixture.Repo, Request(), async (path, _) =>
        {
            await _fixture.Sh("echo changed >a.txt; git add .; git commit -q -m check; echo y >new.txt", path);
            return true;
        }, GitFixture.Token);
        (await _fixture.Sh("head -1 a.txt; ls new.txt 2>&1 || true", _fixture.Repo)).ShouldStartWith("one\nls: ");
    }

    [Test]
    public async Task A_base_that_moves_meanwhile_is_tried_again_and_three_times_at_most()
    {
        await Ready();
        var tries = 0;
        var landing = await _fixture.Merging.LandAsync(_fixture.Repo, Request(), async (path, _) =>
        {
            if (++tries == 1)
                await _fixture.Sh("echo more >more.txt; git add .; git commit -q -m more", _fixture.Repo);
            else
                File.Exists(Path.Combine(path, "more.txt")).ShouldBeTrue();
            return true;
        }, GitFixture.Token);
        landing.ShouldSatisfyAllConditions(() => landing.State.ShouldBe(LandState.Landed), () => landing.Tries.ShouldBe(2));

        await _fixture.Work("echo again >>c.txt");
        landing = await _fixture.Merging.LandAsync(_fixture.Repo, Request(), async (_, _) =>
        {
            await _fixture.Sh("git commit -q --allow-empty -m faster", _fixture.Repo);
            return true;
        }, GitFixture.Token);
        landing.ShouldSatisfyAllConditions(() => landing.State.ShouldBe(LandState.BaseMoved), () => landing.Tries.ShouldBe(3));
        await NothingIsLeft();
    }

    [Test]
    public async Task A_checkout_with_changes_or_a_file_in_the_way_is_left_as_it_is()
    {
        await Ready();
        var before = await _fixture.Sh("git rev-parse main", _fixture.Repo);
        await _fixture.Sh("echo mine >>m.txt", _fixture.Repo);
        var failure = await Should.ThrowAsync<GitException>(Land());
        failure.Kind.ShouldBe(GitFailureKind.CheckoutBusy);
        failure.Message.ShouldBe($"{_fixture.Repo} has main checked out with changes that are not committed (m.txt): git -C {_fixture.Repo} stash, or commit them, then land again");

        await _fixture.Sh("git checkout -q m.txt; echo mine >b.txt", _fixture.Repo);
        failure = await Should.ThrowAsync<GitException>(Land());
        failure.Kind.ShouldBe(GitFailureKind.CheckoutBusy);
        failure.Message.ShouldContain("b.txt");
        (await _fixture.Sh("cat b.txt; git rev-parse main; git status --porcelain", _fixture.Repo)).ShouldBe($"mine\n{before}\n?? b.txt");
        await NothingIsLeft();

        // A file that is not in the way is not asked about, nor one that was touched and is as it was.
        await _fixture.Sh("mv b.txt mine.txt; touch a.txt m.txt", _fixture.Repo);
        (await Land()).State.ShouldBe(LandState.Landed);
    }

    [Test]
    public async Task A_lock_in_the_checkout_takes_the_base_back()
    {
        await Ready();
        var before = await _fixture.Sh("git rev-parse main", _fixture.Repo);
        _fixture.Open(step =>
        {
            if (step == "files")
                File.WriteAllText(Path.Combine(_fixture.Repo, ".git", "index.lock"), "");
        });
        (await Should.ThrowAsync<GitException>(Land())).Kind.ShouldBe(GitFailureKind.Locked);
        (await _fixture.Sh("git rev-parse main; rm .git/index.lock; git status --porcelain", _fixture.Repo)).ShouldBe(before);
        await NothingIsLeft();
    }

    [Test]
    public async Task A_base_that_another_tree_has_checked_out_is_refused_and_one_that_none_has_moves_alone()
    {
        await Ready();
        await _fixture.Sh("git switch -q -c side; git worktree add -q ../linked main", _fixture.Repo);
        var failure = await Should.ThrowAsync<GitException>(_fixture.Merging.LandAsync(_fixture.Repo, Request() with { Base = "main" }, Pass, GitFixture.Token));
        failure.Message.ShouldContain($"main is checked out in {_fixture.Path_}/linked");
        await _fixture.Sh("git worktree remove ../linked", _fixture.Repo);
        (await _fixture.Merging.LandAsync(_fixture.Repo, Request() with { Base = "main" }, Pass, GitFixture.Token)).State.ShouldBe(LandState.Landed);
        (await _fixture.Sh("ls; git status --porcelain; git ls-tree --name-only main", _fixture.Repo)).ShouldBe("a.txt\nm.txt\na.txt\nb.txt\nc.txt\nm.txt");
    }

    [Test]
    public async Task In_a_bare_repository_the_reference_alone_moves()
    {
        await _fixture.Init();
        await _fixture.Sh("git clone -q --bare repo bare.git");
        var path = Path.Combine(_fixture.Path_, "bare.git");
        var repository = await _fixture.Repository(path);
        var request = await GitFixture.Request(repository);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        await _fixture.Sh("echo x >b.txt", tree.Path);
        (await _fixture.Changes.CollectAsync(repository, tree, request, "Fix", GitFixture.Token)).Size.Files.ShouldBe(1);
        (await _fixture.Merging.LandAsync(path, Request(), Pass, GitFixture.Token)).State.ShouldBe(LandState.Landed);
        (await _fixture.Sh("git ls-tree --name-only main; git worktree list | wc -l", path)).ShouldBe("a.txt\nb.txt\n2");
    }

    [Test]
    [Arguments(MergeMode.Merge)]
    [Arguments(MergeMode.Rebase)]
    public async Task A_landing_that_is_stopped_at_any_step_leaves_the_base_old_or_new_and_no_tree(MergeMode mode)
    {
        await _fixture.Init();
        var old = "";
        var stops = await Stops.AtEach(_fixture, async (git, arm) =>
        {
            await _fixture.Work("date +%N >>b.txt; echo $$ >>a.txt; git add .; git commit -q -m own");
            old = await _fixture.Sh("git rev-parse main", _fixture.Repo);
            arm();
            await new Merging(git).LandAsync(_fixture.Repo, Request(mode), Pass, GitFixture.Token);
        },
        async step =>
        {
            await Recover();
            var now = await _fixture.Sh("git rev-parse main", _fixture.Repo);
            (await _fixture.Sh("git status --porcelain", _fixture.Repo)).ShouldBe("");
            if (now != old)
                (await _fixture.Sh($"git merge-base --is-ancestor {old} main; git diff --stat main {Branch}", _fixture.Repo)).ShouldBe("");
            else
                (await Land(mode)).State.ShouldBe(LandState.Landed, step);
            await NothingIsLeft();
            (await _fixture.Sh("git status --porcelain", _fixture.Repo)).ShouldBe("");
        });
        stops.ShouldBeGreaterThanOrEqualTo(7);
    }

    [Test]
    public async Task Files_that_a_kill_left_half_written_are_finished_and_what_was_there_is_parked()
    {
        await Ready();
        _fixture.Open(step =>
        {
            if (step == "files")
                throw new InvalidOperationException("killed");
        });
        await Should.ThrowAsync<InvalidOperationException>(Land());
        // Git writes files first and the index last: one is new, one is half written.
        await _fixture.Sh($"git show {Branch}:b.txt >b.txt; printf 'hal' >c.txt", _fixture.Repo);
        _fixture.Open();
        await Recover();
        (await _fixture.Sh("git status --porcelain; cat c.txt", _fixture.Repo)).ShouldBe("two");
        _fixture.Logger.Of(473).ShouldHaveSingleItem();
        var parked = (await (await _fixture.Repository()).ReferencesAsync(GitFixture.Token, Snapshots.ParkedPrefix)).Keys.ShouldHaveSingleItem();
        (await _fixture.Sh($"git show {parked}:c.txt", _fixture.Repo)).ShouldBe("hal");
        await NothingIsLeft();
    }

    private static Task<bool> Pass(string path, CancellationToken cancellation) => Task.FromResult(true);

    private static LandRequest Request(MergeMode mode = MergeMode.Merge) => new(12, "Fix the login", Branch, null, mode);

    private Task<Core.Workspaces.Landing> Land(MergeMode mode = MergeMode.Merge) => _fixture.Merging.LandAsync(_fixture.Repo, Request(mode), Pass, GitFixture.Token);

    /// <summary>What the next daemon does at its start.</summary>
    private async Task Recover()
    {
        await _fixture.Trees.SweepScratchAsync(GitFixture.Token);
        await new BaseMover(_fixture.Git).RecoverAsync(GitFixture.Token);
        await _fixture.Trees.SweepAsync(await _fixture.Repository(), "site", _ => false, GitFixture.Token);
    }

    /// <summary>A change of two commits, and a base that has gone on.</summary>
    private async Task Ready()
    {
        await _fixture.Init();
        await _fixture.Work("echo one >b.txt; git add .; git commit -q -m 'own one'; echo two >c.txt; git add .; git commit -q -m 'own two'");
        await _fixture.Sh("echo main >m.txt; git add .; git commit -q -m main", _fixture.Repo);
    }

    private async Task NothingIsLeft()
    {
        Directory.EnumerateFileSystemEntries(_fixture.Git.Trees).Select(Path.GetFileName).Where(name => name != ".scratch").ShouldBe(["site"]);
        if (Directory.Exists(_fixture.Git.Scratch))
            Directory.EnumerateFileSystemEntries(_fixture.Git.Scratch).ShouldBeEmpty();
        (await _fixture.Sh("git worktree list --porcelain | grep '^worktree '", _fixture.Repo)).Split('\n').Length.ShouldBe(2);
    }
}
