using System.Text;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

/// <summary>What an agent may plant in a repository that it can write to, and the whole of a task's way through it.</summary>
[NotInParallel]
public sealed class HostileRepositoryTests : IDisposable
{
    private readonly GitFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    public async Task Nothing_that_was_planted_runs_and_nothing_outside_is_written()
    {
        await _fixture.Init();
        var evil = Path.Combine(_fixture.Path_, "evil");
        await File.WriteAllTextAsync(evil, $"#!/bin/sh\necho \"$0 $*\" >>'{_fixture.Canary}'\ncat 2>/dev/null\nexit 0\n", new UTF8Encoding(false));
        File.SetUnixFileMode(evil, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await _fixture.Sh($$"""
            cd repo
            for h in pre-commit post-commit post-checkout post-merge pre-merge-commit prepare-commit-msg commit-msg post-rewrite pre-rebase reference-transaction post-index-change applypatch-msg; do cp '{{evil}}' .git/hooks/$h; done
            for key in core.fsmonitor core.sshCommand core.editor core.pager sequence.editor diff.external gpg.program gpg.ssh.program credential.helper core.askPass core.gitProxy uploadpack.packObjectsHook core.alternateRefsCommand pager.diff pager.status \
                filter.evil.clean filter.evil.smudge filter.evil.process 'filter.e=v.clean' 'filter.e=v.smudge' diff.evil.textconv diff.evil.command hook.evil.command trailer.x.command; do
                git config "$key" '{{evil}}'
            done
            git config merge.evil.driver "'{{evil}}' %O %A %B"
            git config hook.evil.event pre-commit; git config filter.evil.required true; git config commit.gpgSign true; git config tag.gpgSign true
            git config protocol.ext.allow always; git config remote.evil.url 'ext::sh -c {{evil}}%'; git config remote.evil.promisor true; git config remote.evil.partialclonefilter blob:none; git config extensions.partialClone evil
            mkdir -p included; git config -f included/config filter.more.clean '{{evil}}'; git config include.path ../included/config
            printf '*.e filter=evil diff=evil merge=evil\n*.f filter=e=v\n*.m filter=more\n' >.git/info/attributes
            """);
        // Committed before it is planted would run the filters here; the files come from a clone that has none.
        await _fixture.Sh($$"""
            git clone -q -c core.hooksPath=/dev/null --no-local repo clone 2>/dev/null || git -c protocol.file.allow=always clone -q repo clone
            cd clone; printf '*.e filter=evil diff=evil merge=evil\n*.f filter=e=v\n*.m filter=more\n' >.gitattributes; for x in e f m; do seq 9 >a.$x; done
            git add .; git commit -q -m planted; id=$(git rev-parse HEAD)
            cp -r .git/objects/. ../repo/.git/objects/ ; echo $id >../repo/.git/refs/heads/main
            rm -f '{{_fixture.Canary}}'
            """);
        await _fixture.Sh($"cp clone/a.* clone/.gitattributes repo/; cp clone/.git/index repo/.git/index; rm -f '{_fixture.Canary}'");

        var repository = await _fixture.Repository();
        var request = await GitFixture.Request(repository);
        await repository.RequireUsableAsync(request.Base, new WorkspaceSettings { Name = "site", Path = _fixture.Repo }, GitFixture.Token);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        // By an agent without git, so that what is planted runs by our own calls alone.
        await _fixture.Sh("for x in e f m; do sed -i s/1/one/ a.$x; echo x >new.$x; done; ln -s /etc out; ln -s ../../../../outside dir", tree.Path);
        repository = await _fixture.Repository();
        var collected = await _fixture.Changes.CollectAsync(repository, tree, request, "Fix", GitFixture.Token);
        collected.Size.Files.ShouldBe(8);
        (await Changes.PatchAsync(repository, collected.Before, collected.After, Changes.MaxPatch, GitFixture.Token)).ShouldContain("+one");
        await _fixture.Trees.UnlockAsync(repository, tree, GitFixture.Token);
        foreach (var mode in new[] { MergeMode.Rebase, MergeMode.Squash, MergeMode.Merge })
        {
            var landing = await _fixture.Merging.LandAsync(_fixture.Repo, new LandRequest(12, "Fix", request.Branch, null, mode), (_, _) => Task.FromResult(mode == MergeMode.Merge), GitFixture.Token);
            landing.State.ShouldBe(mode == MergeMode.Merge ? LandState.Landed : LandState.CheckFailed);
        }
        await _fixture.Trees.RemoveAsync(await _fixture.Repository(), request, force: true, GitFixture.Token);
        await _fixture.Trees.SweepAsync(await _fixture.Repository(), "site", _ => false, GitFixture.Token);

        File.Exists(_fixture.Canary).ShouldBeFalse(File.Exists(_fixture.Canary) ? await File.ReadAllTextAsync(_fixture.Canary) : "");
        Directory.Exists(Path.Combine(_fixture.Path_, "outside")).ShouldBeFalse();

        // They were planted well: a person's git runs them.
        await _fixture.Sh("touch a.e; git status >/dev/null 2>&1 || true; git add a.e >/dev/null 2>&1 || true", _fixture.Repo);
        File.Exists(_fixture.Canary).ShouldBeTrue();
    }

    [Test]
    public async Task A_driver_that_merges_makes_a_conflict_instead()
    {
        await _fixture.Init();
        await _fixture.Sh($"printf 'a.txt merge=evil\\n' >.git/info/attributes; git config merge.evil.driver 'touch {_fixture.Canary}'", _fixture.Repo);
        await _fixture.Work("echo ours >>a.txt");
        await _fixture.Sh("sed -i 1d a.txt; git commit -q -a -m main", _fixture.Repo);
        var landing = await _fixture.Merging.LandAsync(_fixture.Repo, new LandRequest(12, "Fix", "colibri/12-fix-the-login", null, MergeMode.Merge), (_, _) => Task.FromResult(true), GitFixture.Token);
        landing.State.ShouldBe(LandState.Conflict);
        File.Exists(_fixture.Canary).ShouldBeFalse();
    }

    [Test]
    public async Task A_submodule_that_an_agent_configured_is_not_asked()
    {
        await _fixture.Init();
        await _fixture.Sh($"git init -q other; git -C other commit -q --allow-empty -m x; cd repo; git -c protocol.file.allow=always submodule --quiet add ../other sub; git commit -q -m sub");
        var repository = await _fixture.Repository();
        var request = await GitFixture.Request(repository);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        await _fixture.Sh($$"""
            git -c protocol.file.allow=always submodule --quiet update --init
            printf '#!/bin/sh\ntouch {{_fixture.Canary}}\n' >evil; chmod +x evil
            git -C sub config core.fsmonitor "$PWD/evil"; git -C "{{_fixture.Repo}}/sub" config core.fsmonitor "$PWD/evil"; rm -f '{{_fixture.Canary}}'; echo x >b.txt
            """, tree.Path);
        (await _fixture.Changes.CollectAsync(await _fixture.Repository(), tree, request, "Fix", GitFixture.Token)).Size.Files.ShouldBe(2);
        (await _fixture.Merging.LandAsync(_fixture.Repo, new LandRequest(12, "Fix", request.Branch, null, MergeMode.Merge), (_, _) => Task.FromResult(true), GitFixture.Token)).State.ShouldBe(LandState.Landed);
        File.Exists(_fixture.Canary).ShouldBeFalse();
        await _fixture.Sh("git add --all", tree.Path);
        File.Exists(_fixture.Canary).ShouldBeTrue("a person's git asks it");
    }

    [Test]
    public async Task A_tree_s_own_directory_is_not_written_through_links()
    {
        await _fixture.Init();
        var repository = await _fixture.Repository();
        var request = await GitFixture.Request(repository);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        await _fixture.Sh($"echo mine >'{_fixture.Path_}/precious'; rm index; ln -s '{_fixture.Path_}/precious' index", tree.GitDirectory);
        (await Should.ThrowAsync<GitException>(_fixture.Changes.CollectAsync(repository, tree, request, "Fix", GitFixture.Token))).Kind.ShouldBe(GitFailureKind.Planted);
        (await File.ReadAllTextAsync(Path.Combine(_fixture.Path_, "precious"))).ShouldBe("mine\n");
    }

    [Test]
    public async Task A_worktree_s_configuration_and_common_directory_have_no_say()
    {
        await _fixture.Init();
        var repository = await _fixture.Repository();
        var request = await GitFixture.Request(repository);
        var tree = await _fixture.Trees.OpenAsync(repository, request, GitFixture.Token);
        await _fixture.Sh($$"""
            git init -q '{{_fixture.Path_}}/trap'; git config extensions.worktreeConfig true
            git config --worktree core.worktree '{{_fixture.Path_}}/trap'; git config --worktree filter.w.clean 'touch {{_fixture.Canary}}; cat'
            printf '* filter=w\n' >.gitattributes
            echo '{{_fixture.Path_}}/trap/.git' >"$(git rev-parse --absolute-git-dir)/commondir"; echo '{{_fixture.Path_}}/trap/.git' >'{{_fixture.Repo}}/.git/commondir'
            rm -f '{{_fixture.Canary}}'; echo x >b.txt
            """, tree.Path);
        (await Should.ThrowAsync<GitException>(_fixture.Repository())).Kind.ShouldBe(GitFailureKind.Planted);
        File.Delete(Path.Combine(_fixture.Repo, ".git", "commondir"));
        var collected = await _fixture.Changes.CollectAsync(await _fixture.Repository(), tree, request, "Fix", GitFixture.Token);
        collected.Size.Files.ShouldBe(2);
        File.Exists(_fixture.Canary).ShouldBeFalse();
        Directory.EnumerateFileSystemEntries(Path.Combine(_fixture.Path_, "trap")).Select(Path.GetFileName).ShouldBe([".git"]);
        (await _fixture.Sh("git for-each-ref", Path.Combine(_fixture.Path_, "trap"))).ShouldBe("");
    }

    [Test]
    public async Task Branches_with_names_that_no_terminal_should_show_are_data()
    {
        var repository = await _fixture.Init();
        var first = await _fixture.Sh("git rev-parse main", _fixture.Repo);
        // Git refuses to make them; a file in refs/heads does not.
        await File.WriteAllTextAsync(Path.Combine(_fixture.Repo, ".git", "refs", "heads", "evil\nrefs"), first + "\n");
        await _fixture.Sh($"printf '%s\\n' {first} >\".git/refs/heads/$(printf 'b\\377')\"", _fixture.Repo);
        (await _fixture.Work("echo x >b.txt")).Size.Commits.ShouldBe(1);
        (await repository.ReferencesAsync(GitFixture.Token, "refs/heads/")).Keys.Order().ShouldBe(["refs/heads/colibri/12-fix-the-login", "refs/heads/main"]);
        (await Should.ThrowAsync<GitException>(repository.BaseAsync("evil\nrefs", GitFixture.Token))).Message.ShouldContain("'evil?refs' has characters");
    }
}
