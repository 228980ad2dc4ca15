using System.Text;
using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

[NotInParallel]
public sealed class ChangesTests : IDisposable
{
    private const string Branch = "colibri/12-fix-the-login";

    private readonly GitFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    public async Task A_run_that_left_nothing_has_an_empty_change_and_no_branch()
    {
        var repository = await _fixture.Init();
        var collected = await _fixture.Work("touch a.txt");
        collected.Size.IsEmpty.ShouldBeTrue();
        collected.IsCommitted.ShouldBeFalse();
        collected.Left.ShouldBeEmpty();
        (await repository.CommitOfAsync($"refs/heads/{Branch}", GitFixture.Token)).ShouldBeNull();
    }

    [Test]
    public async Task Commits_and_files_that_are_not_committed_become_the_branch()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("""
            printf 'build/\n' >.gitignore; git add .; git commit -q -m own
            echo four >>a.txt; sed -i '1d' a.txt; mkdir -p build deep; touch build/out; printf '\000\001' >deep/binary; ln -s /etc/passwd link
            """);
        collected.IsCommitted.ShouldBeTrue();
        collected.Size.ShouldBe(new ChangeSize(collected.Before, 2, 4, 3, 1));
        (await _fixture.Sh($"git log --format='%an|%s|%(trailers:key=Colibri-Task,separator=%x2C)' main..{Branch}", _fixture.Repo)).ShouldBe(
            $"{GitFixture.Name}|Fix the login (#12)|Colibri-Task: 12\n{GitFixture.Name}|own|");
        (await _fixture.Sh($"git ls-tree -r --name-only {Branch}", _fixture.Repo)).ShouldBe(".gitignore\na.txt\ndeep/binary\nlink");
        // The tree is clean for an agent that goes on there.
        var tree = Path.Combine(_fixture.State, "trees", "site", "12-fix-the-login");
        (await _fixture.Sh("git status --porcelain; git rev-parse HEAD; git rev-parse --abbrev-ref HEAD", tree)).ShouldBe($"{collected.After}\nHEAD");
        // No file of the checkout is touched.
        (await _fixture.Sh("git status --porcelain; git log --format=%s", _fixture.Repo)).ShouldBe("first");
    }

    [Test]
    public async Task Names_of_any_bytes_are_committed()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("touch -- \"$(printf 'a\\377b')\" \"$(printf 'new\\nline')\" ' space' '-dash' '\"quote' ':(top)magic'; rm a.txt; mkdir a.txt; touch a.txt/in");
        collected.Size.Files.ShouldBe(8);
        (await _fixture.Sh($"git ls-tree -r -z --name-only {Branch} | od -An -c | tr -d ' \\n'", _fixture.Repo)).ShouldContain("a377b");
    }

    [Test]
    public async Task A_branch_that_the_agent_made_is_the_change_and_no_other_branch_moves()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("git switch -q -c mine; echo x >>a.txt; git commit -q -a -m own; git symbolic-ref HEAD refs/heads/main; git update-ref --no-deref HEAD mine; git symbolic-ref HEAD refs/heads/mine; echo y >b.txt");
        (await _fixture.Sh("git log --format=%s main; git log --format=%s mine", _fixture.Repo)).ShouldBe("first\nown\nfirst");
        collected.Size.Commits.ShouldBe(2);
        collected.Left.ShouldBeEmpty();
    }

    [Test]
    public async Task A_head_on_the_base_itself_does_not_move_the_base()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("git symbolic-ref HEAD refs/heads/main; echo y >b.txt");
        collected.Size.Commits.ShouldBe(1);
        (await _fixture.Sh($"git log --format=%s main; git log --format=%s -1 {Branch}; git status --porcelain", _fixture.Repo)).ShouldBe("first\nFix the login (#12)");
    }

    [Test]
    public async Task A_file_in_whose_place_there_is_a_directory_without_a_file_is_gone()
    {
        await _fixture.Init();
        (await _fixture.Work("rm a.txt; mkdir a.txt; echo x >b.txt")).Size.Files.ShouldBe(2);
        (await _fixture.Sh($"git ls-tree -r --name-only {Branch}", _fixture.Repo)).ShouldBe("b.txt");
    }

    [Test]
    public async Task A_git_that_was_removed_and_a_repository_in_its_place_lose_nothing()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("echo x >b.txt; rm .git; git init -q .; git add .; git commit -q -m elsewhere; echo y >c.txt");
        collected.Left.ShouldBe([LeftState.GitGone]);
        (await _fixture.Sh($"git ls-tree -r --name-only {Branch}", _fixture.Repo)).ShouldBe("a.txt\nb.txt\nc.txt");
    }

    [Test]
    public async Task A_tree_that_the_repository_was_made_to_forget_loses_nothing()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("echo x >b.txt; rm -rf \"$(git rev-parse --git-dir)\"");
        collected.Left.ShouldBe([LeftState.GitGone, LeftState.HeadGone]);
        (await _fixture.Sh($"git show {Branch}:b.txt", _fixture.Repo)).ShouldBe("x");
    }

    [Test]
    public async Task A_tree_that_was_removed_leaves_its_commits()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("echo x >b.txt; git add .; git commit -q -m own; cd ..; rm -rf 12-fix-the-login");
        collected.Left.ShouldContain(LeftState.TreeGone);
        (await _fixture.Sh($"git log -1 --format=%s {Branch}", _fixture.Repo)).ShouldBe("own");
    }

    [Test]
    public async Task A_head_that_was_rewound_parks_what_it_left()
    {
        await _fixture.Init();
        var first = await _fixture.Work("echo x >b.txt; git add .; git commit -q -m own");
        var second = await _fixture.Work("git reset -q --hard HEAD~1; echo y >c.txt");
        second.Left.ShouldBe([LeftState.Rewound]);
        second.Before.ShouldBe(first.After);
        var parked = second.Parked.Distinct().ShouldHaveSingleItem();
        (await _fixture.Sh($"git rev-parse {parked}; git ls-tree --name-only {Branch}", _fixture.Repo)).ShouldBe($"{first.After}\na.txt\nc.txt");
    }

    [Test]
    public async Task A_merge_that_is_under_way_is_parked_with_its_files()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("""
            git switch -q -c other; echo theirs >a.txt; git commit -q -a -m theirs
            git switch -q --detach main; echo ours >a.txt; git commit -q -a -m ours
            git merge -q other || true
            """);
        collected.Left.ShouldBe([LeftState.Unfinished]);
        (await _fixture.Sh($"git show {Branch}:a.txt; git log --format=%s {Branch}", _fixture.Repo)).ShouldBe("ours\nours\nfirst");
        (await _fixture.Sh($"git show {collected.Parked[0]}:a.txt", _fixture.Repo)).ShouldContain("<<<<<<<");
    }

    [Test]
    public async Task A_rebase_that_is_under_way_keeps_the_commits_it_began_with()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("""
            git switch -q -c other; echo theirs >a.txt; git commit -q -a -m theirs
            git switch -q --detach main; echo ours >a.txt; git commit -q -a -m ours; git tag began
            git rebase -q other || true; git tag -d began >/dev/null
            """);
        collected.Left.ShouldContain(LeftState.Unfinished);
        var subjects = await Task.WhenAll(collected.Parked.Select(name => _fixture.Sh($"git log -1 --format=%s {name}", _fixture.Repo)));
        subjects.ShouldContain("ours");
    }

    [Test]
    public async Task Locks_and_an_index_that_overlooks_files_hide_nothing()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("echo hidden >a.txt; git update-index --assume-unchanged a.txt; touch \"$(git rev-parse --git-dir)/index.lock\"");
        collected.Left.ShouldBe([LeftState.LockLeft]);
        (await _fixture.Sh($"git show {Branch}:a.txt", _fixture.Repo)).ShouldBe("hidden");
        (await _fixture.Sh("git status --porcelain", Path.Combine(_fixture.State, "trees", "site", "12-fix-the-login"))).ShouldBe("");
    }

    [Test]
    public async Task A_repository_within_the_tree_is_committed_as_files()
    {
        await _fixture.Init();
        var collected = await _fixture.Work("git init -q in; echo x >in/file; ln -s / in/root; git init -q with; cd with; echo y >file; git add .; git commit -q -m x");
        collected.Size.Commits.ShouldBe(1);
        (await _fixture.Sh($"git ls-tree -r --name-only {Branch}", _fixture.Repo)).ShouldBe("a.txt\nin/file\nin/root\nwith/file");
    }

    [Test]
    public async Task Files_whose_line_ends_are_not_as_their_attributes_want_are_no_change()
    {
        await _fixture.Init();
        await _fixture.Sh("printf 'x\\r\\ny\\r\\n' >dos.txt; git add .; git commit -q -m dos; echo '*.txt text eol=lf' >.gitattributes; git add .gitattributes; git commit -q -m attributes", _fixture.Repo);
        (await _fixture.Work("true")).Size.IsEmpty.ShouldBeTrue();
        (await _fixture.Work("touch dos.txt; echo x >b.txt", 13)).Size.Files.ShouldBe(1);
        (await _fixture.Work("printf 'z\\r\\n' >>dos.txt", 14)).Size.Files.ShouldBe(1);
    }

    [Test]
    public async Task A_patch_is_cut_at_the_border_of_a_file()
    {
        var repository = await _fixture.Init();
        var collected = await _fixture.Work("for i in 1 2 3 4; do seq 1000 >$i.txt; done; git add .; git commit -q -m own");
        var patch = await Changes.PatchAsync(repository, collected.Before, collected.After, Changes.MaxPatch, GitFixture.Token);
        patch.Split("diff --git ").Length.ShouldBe(5);
        patch.ShouldNotContain("# cut after");
        var cut = await Changes.PatchAsync(repository, collected.Before, collected.After, patch.Length * 5 / 8, GitFixture.Token);
        cut.Split("diff --git ").Length.ShouldBe(3);
        var last = cut.TrimEnd('\n').Split('\n')[^1];
        last.ShouldStartWith($"# cut after {Encoding.UTF8.GetByteCount(cut[..cut.LastIndexOf("# cut", StringComparison.Ordinal)])} bytes; the whole patch: git -C ");
        patch.ShouldStartWith(cut[..cut.LastIndexOf("# cut", StringComparison.Ordinal)]);
    }

    [Test]
    public void Numbers_are_added_over_renames_and_binary_files()
    {
        var output = new GitOutput(0, Encoding.UTF8.GetBytes("3\t1\ta\0-\t-\tb\0" + "2\t0\t\0old\tname\0new\0" + "1\t1\tc\0"), false, "");
        Changes.Count(output).ShouldBe(new ChangeSize("", 0, 4, 6, 2));
    }

    [Test]
    public async Task A_collection_that_is_stopped_at_any_step_is_done_by_the_next_one()
    {
        var repository = await _fixture.Init();
        var number = 100;
        TreeRequest request = null!;
        Worktree tree = null!;
        var stops = await Stops.AtEach(_fixture, async (git, arm) =>
        {
            request = await GitFixture.Request(repository, ++number);
            tree = await new Worktrees(git).OpenAsync(repository, request, GitFixture.Token);
            await _fixture.Sh("echo x >b.txt; git add .; git commit -q -m own; echo y >c.txt", tree.Path);
            arm();
            await new Changes(git).CollectAsync(repository, tree, request, "Fix", GitFixture.Token);
        },
        async _ =>
        {
            var collected = await _fixture.Changes.CollectAsync(repository, tree, request, "Fix", GitFixture.Token);
            collected.Size.Commits.ShouldBe(2);
            collected.Parked.ShouldBeEmpty();
            (await _fixture.Sh($"git rev-parse {request.Branch}; git status --porcelain", tree.Path)).ShouldBe(collected.After);
            (await _fixture.Sh($"git ls-tree --name-only {request.Branch}", _fixture.Repo)).ShouldBe("a.txt\nb.txt\nc.txt");
        });
        stops.ShouldBeGreaterThanOrEqualTo(5);
    }
}
