using Colibri.Core.Settings;
using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

/// <summary>Bases that somebody else uses too, and changes of every kind.</summary>
[NotInParallel]
public sealed class LandingCasesTests : IDisposable
{
    private const string Branch = "colibri/12-fix-the-login";

    private readonly GitFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    [Arguments(MergeMode.Merge)]
    [Arguments(MergeMode.Squash)]
    [Arguments(MergeMode.Rebase)]
    public async Task Landings_at_the_same_time_all_land_and_the_checkout_is_clean(MergeMode mode)
    {
        await _fixture.Init();
        for (var i = 1; i <= 4; i++)
            await _fixture.Work($"echo {i} >f{i}", i);
        (await Task.WhenAll(Enumerable.Range(1, 4).Select(number => LandUntilIn(number, mode)))).ShouldAllBe(state => state == LandState.Landed);
        (await _fixture.Sh("git status --porcelain; git fsck --no-dangling 2>&1; cat f1 f2 f3 f4", _fixture.Repo)).ShouldBe("1\n2\n3\n4");
    }

    [Test]
    public async Task Commits_of_a_person_on_the_base_at_the_same_time_are_all_there()
    {
        await _fixture.Init();
        for (var i = 1; i <= 3; i++)
            await _fixture.Work($"echo {i} >f{i}", i);
        await _fixture.Sh("git switch -q --detach", _fixture.Repo);
        var person = _fixture.Sh("""
            for i in 1 2 3 4 5 6; do
                while :; do
                    old=$(git rev-parse main)
                    new=$(git commit-tree -p $old -m "person $i" "$old^{tree}")
                    if git update-ref refs/heads/main $new $old 2>/dev/null; then break; fi
                done
            done
            """, _fixture.Repo);
        var landed = await Task.WhenAll(Enumerable.Range(1, 3).Select(number => LandUntilIn(number, MergeMode.Merge, "main")));
        await person;
        landed.ShouldAllBe(state => state == LandState.Landed);
        (await _fixture.Sh("git log --format=%s main | grep -c '^person'; git ls-tree --name-only main", _fixture.Repo)).ShouldBe("6\na.txt\nf1\nf2\nf3");
    }

    [Test]
    [Arguments("git switch -q -c side; echo x >s; git add .; git commit -q -m side; git switch -q main; git merge -q --no-ff --no-commit -s ours side", "in the middle of a merge: finish it, or git -C REPO merge --abort, then land again")]
    [Arguments("git switch -q -c side; echo x >a.txt; git commit -q -am side; git switch -q main; echo y >a.txt; git commit -q -am main; git rebase -q side 2>/dev/null || true", "main is being rebased in REPO: git -C REPO rebase --continue, or --abort, then land again")]
    [Arguments("git worktree add -q --force ../second main", "main is checked out in BESIDE/second, which would not follow it: git -C BESIDE/second switch --detach, then land again")]
    [Arguments("echo mine >>a.txt", "has main checked out with changes that are not committed (a.txt): git -C REPO stash, or commit them, then land again")]
    [Arguments("echo mine >>a.txt; git add a.txt; printf 'ref:  refs/heads/main\\n' >.git/HEAD", "has main checked out with changes that are not committed (a.txt)")]
    public async Task A_checkout_that_cannot_follow_is_refused_in_one_line_and_left(string script, string message)
    {
        await _fixture.Init();
        await _fixture.Work("echo x >b.txt");
        await _fixture.Sh(script, _fixture.Repo);
        var before = await _fixture.Sh("git rev-parse main; git status --porcelain", _fixture.Repo);
        var failure = await Should.ThrowAsync<GitException>(Land(MergeMode.Merge, "main"));
        failure.Kind.ShouldBe(GitFailureKind.CheckoutBusy);
        failure.Message.ShouldContain(message.Replace("REPO", _fixture.Repo, StringComparison.Ordinal).Replace("BESIDE", _fixture.Path_, StringComparison.Ordinal));
        (await _fixture.Sh("git rev-parse main; git status --porcelain", _fixture.Repo)).ShouldBe(before);
    }

    [Test]
    public async Task A_detached_checkout_stays_where_it_is()
    {
        await _fixture.Init();
        await _fixture.Work("echo x >b.txt");
        await _fixture.Sh("git switch -q --detach", _fixture.Repo);
        (await Should.ThrowAsync<GitException>(Land(MergeMode.Merge))).Message.ShouldContain("has no branch checked out: set the workspace's base");
        (await Land(MergeMode.Merge, "main")).State.ShouldBe(LandState.Landed);
        (await _fixture.Sh("ls; git status --porcelain; git show main:b.txt", _fixture.Repo)).ShouldBe("a.txt\nx");
    }

    [Test]
    public async Task A_repository_without_commits_has_nothing_to_land_on()
    {
        await _fixture.Sh($"git init -q '{_fixture.Repo}'");
        (await Should.ThrowAsync<GitException>(Land(MergeMode.Merge))).Kind.ShouldBe(GitFailureKind.NoCommits);
    }

    [Test]
    [Arguments(MergeMode.Merge)]
    [Arguments(MergeMode.Squash)]
    [Arguments(MergeMode.Rebase)]
    public async Task A_branch_with_a_merge_renames_modes_binaries_and_pointers_lands_as_it_is(MergeMode mode)
    {
        await _fixture.Init();
        await _fixture.Sh("seq 40 >old; printf '#!/bin/sh\\n' >run; git add .; git commit -q -m more", _fixture.Repo);
        await _fixture.Work("""
            git switch -q -c one; git mv old renamed; git commit -q -m renamed
            git switch -q -c two HEAD~1; chmod +x run; printf '\000\377' >binary; git add .; git commit -q -m binary
            git merge -q --no-edit one
            printf 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n' >large.bin; printf '*.bin filter=lfs diff=lfs merge=lfs -text\n' >.gitattributes
            """);
        await _fixture.Sh("echo 41 >>old; git commit -q -am 'on the base'", _fixture.Repo);
        (await Land(mode)).State.ShouldBe(LandState.Landed);
        (await _fixture.Sh("git status --porcelain; ls; tail -1 renamed; git ls-tree main run | cut -c1-6; od -An -tx1 binary; head -1 large.bin; test -x run", _fixture.Repo)).ShouldBe(
            "a.txt\nbinary\nlarge.bin\nrenamed\nrun\n41\n100755\n 00 ff\nversion https://git-lfs.github.com/spec/v1");
    }

    [Test]
    [Arguments(MergeMode.Merge)]
    [Arguments(MergeMode.Squash)]
    [Arguments(MergeMode.Rebase)]
    public async Task A_change_that_the_base_has_by_now_is_empty(MergeMode mode)
    {
        await _fixture.Init();
        await _fixture.Work("echo x >b.txt");
        await _fixture.Sh("echo x >b.txt; git add .; git commit -q -m same", _fixture.Repo);
        var before = await _fixture.Sh("git rev-parse main", _fixture.Repo);
        (await Land(mode)).State.ShouldBe(LandState.Empty);
        (await _fixture.Sh("git rev-parse main; git status --porcelain", _fixture.Repo)).ShouldBe(before);
    }

    [Test]
    [Arguments(MergeMode.Merge)]
    [Arguments(MergeMode.Rebase)]
    public async Task A_branch_without_a_commit_in_common_is_refused_in_one_line(MergeMode mode)
    {
        await _fixture.Init();
        await _fixture.Sh($"git update-ref refs/heads/{Branch} \"$(git commit-tree -m alone 'HEAD^{{tree}}')\"", _fixture.Repo);
        (await Should.ThrowAsync<GitException>(Land(mode))).Message.ShouldBe(
            $"{Branch} and main have no commit in common: look at git -C {_fixture.Repo} log {Branch}, or colibri discard 12");
    }

    [Test]
    [Arguments("branch.HEAD.mergeOptions", "-s ours", MergeMode.Merge)]
    [Arguments("pull.twohead", "ours", MergeMode.Squash)]
    public async Task A_configured_strategy_has_no_say(string key, string value, MergeMode mode)
    {
        await _fixture.Init();
        await _fixture.Work("echo x >b.txt");
        await _fixture.Sh($"git commit -q --allow-empty -m moved; git config {key} '{value}'", _fixture.Repo);
        (await Land(mode)).State.ShouldBe(LandState.Landed);
        (await _fixture.Sh("cat b.txt; git status --porcelain", _fixture.Repo)).ShouldBe("x");
    }

    [Test]
    public async Task A_command_in_the_list_of_a_rebase_is_not_run()
    {
        await _fixture.Init();
        await _fixture.Work("echo x >b.txt");
        await _fixture.Sh($"git commit -q --allow-empty -m moved; git branch moved; git config rebase.instructionFormat \"%s$(printf '\\nexec touch %s' '{_fixture.Canary}')\"", _fixture.Repo);
        (await Land(MergeMode.Rebase)).State.ShouldBe(LandState.Landed);
        File.Exists(_fixture.Canary).ShouldBeFalse();
        await _fixture.Sh($"git rebase -q --onto moved moved~1 {Branch} 2>/dev/null", _fixture.Repo);
        File.Exists(_fixture.Canary).ShouldBeTrue("a person's git runs it");
    }

    [Test]
    public async Task Another_name_of_a_branch_is_deleted_itself_and_the_branch_stays()
    {
        var repository = await _fixture.Init();
        var first = await _fixture.Sh($"git symbolic-ref refs/heads/{Branch} refs/heads/main; git rev-parse main", _fixture.Repo);
        (await repository.DeleteAsync($"refs/heads/{Branch}", first, GitFixture.Token)).ShouldBeTrue();
        (await _fixture.Sh("git for-each-ref --format='%(refname)'", _fixture.Repo)).ShouldBe("refs/heads/main");
        (await repository.DeleteAsync("refs/heads/main", new string('1', 40), GitFixture.Token)).ShouldBeFalse();
    }

    private async Task<LandState> LandUntilIn(int number, MergeMode mode, string? @base = null)
    {
        for (var i = 0; ; i++)
        {
            var request = new LandRequest(number, "Fix", $"colibri/{number}-fix-the-login", @base, mode);
            var landing = await _fixture.Merging.LandAsync(_fixture.Repo, request, (_, _) => Task.FromResult(true), GitFixture.Token);
            if (landing.State != LandState.BaseMoved || i == 20)
                return landing.State;
        }
    }

    private Task<Core.Workspaces.Landing> Land(MergeMode mode, string? @base = null) =>
        _fixture.Merging.LandAsync(_fixture.Repo, new LandRequest(12, "Fix", Branch, @base, mode), (_, _) => Task.FromResult(true), GitFixture.Token);
}
