using Colibri.Core.Settings;
using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

[NotInParallel]
public sealed class RepositoryTests : IDisposable
{
    private readonly GitFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    [Arguments("plain")]
    [Arguments("with a space")]
    [Arguments("it's \"quoted\" $(touch x)")]
    [Arguments("a\nnewline")]
    [Arguments("-dash")]
    public async Task A_checkout_is_opened_at_any_path(string name)
    {
        var path = Path.Combine(_fixture.Path_, name);
        await _fixture.Sh("git init -q .; git commit -q --allow-empty -m first", Directory.CreateDirectory(path).FullName);
        var repository = await _fixture.Repository(path);
        repository.IsBare.ShouldBeFalse();
        repository.CommonDirectory.ShouldBe(Path.Combine(path, ".git"));
        var tip = await repository.BaseAsync(null, GitFixture.Token);
        tip.ShouldBe(new BaseTip("main", await _fixture.Sh("git rev-parse main", path)));
        await repository.RequireUsableAsync(tip, Settings(), GitFixture.Token);
        var tree = await _fixture.Trees.OpenAsync(repository, await GitFixture.Request(repository), GitFixture.Token);
        (await _fixture.Sh("git rev-parse HEAD", tree.Path)).ShouldBe(tip.Commit);
    }

    [Test]
    public async Task A_bare_repository_and_a_linked_worktree_are_opened()
    {
        await _fixture.Init();
        await _fixture.Sh("git clone -q --bare repo bare.git; git -C repo worktree add -q ../linked -b side");
        var bare = await _fixture.Repository(Path.Combine(_fixture.Path_, "bare.git"));
        bare.IsBare.ShouldBeTrue();
        (await bare.BaseAsync(null, GitFixture.Token)).Name.ShouldBe("main");
        var linked = await _fixture.Repository(Path.Combine(_fixture.Path_, "linked"));
        linked.CommonDirectory.ShouldBe(Path.Combine(_fixture.Repo, ".git"));
        (await linked.BaseAsync(null, GitFixture.Token)).Name.ShouldBe("side");
    }

    [Test]
    public async Task A_directory_within_a_repository_is_refused_with_the_repository()
    {
        await _fixture.Init();
        var within = Directory.CreateDirectory(Path.Combine(_fixture.Repo, "within")).FullName;
        var failure = await Should.ThrowAsync<GitException>(_fixture.Repository(within));
        failure.Kind.ShouldBe(GitFailureKind.Subdirectory);
        failure.Message.ShouldBe($"{within} lies within the repository {_fixture.Repo}: name that as the workspace's path");
        (await Should.ThrowAsync<GitException>(_fixture.Repository(Path.Combine(_fixture.Repo, ".git", "refs")))).Kind.ShouldBe(GitFailureKind.Subdirectory);
    }

    [Test]
    public async Task A_repository_without_commits_and_a_base_that_is_gone_are_told_apart()
    {
        await _fixture.Sh("git init -q repo");
        var empty = await _fixture.Repository();
        var failure = await Should.ThrowAsync<GitException>(empty.BaseAsync(null, GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.NoCommits);
        failure.Message.ShouldEndWith($"git -C {_fixture.Repo} commit --allow-empty -m start");

        await _fixture.Sh("git commit -q --allow-empty -m first", _fixture.Repo);
        failure = await Should.ThrowAsync<GitException>((await _fixture.Repository()).BaseAsync("release", GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.BaseGone);
        failure.Message.ShouldBe($"there is no branch release in {_fixture.Repo}: git -C {_fixture.Repo} branch release, or correct the workspace's base");

        await _fixture.Sh("git switch -q --detach", _fixture.Repo);
        (await Should.ThrowAsync<GitException>((await _fixture.Repository()).BaseAsync(null, GitFixture.Token))).Message.ShouldContain("has no branch checked out");
        await _fixture.Sh("git symbolic-ref refs/heads/other refs/heads/main", _fixture.Repo);
        (await Should.ThrowAsync<GitException>((await _fixture.Repository()).BaseAsync("other", GitFixture.Token))).Message.ShouldContain("is another name of a branch");
    }

    [Test]
    public async Task Submodules_need_a_setup_and_lfs_is_refused()
    {
        await _fixture.Init();
        await _fixture.Sh("git init -q other; git -C other commit -q --allow-empty -m x; cd repo; git -c protocol.file.allow=always submodule --quiet add ../other sub; git commit -q -m sub");
        var repository = await _fixture.Repository();
        var tip = await repository.BaseAsync(null, GitFixture.Token);
        var failure = await Should.ThrowAsync<GitException>(repository.RequireUsableAsync(tip, Settings(), GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.Submodules);
        failure.Message.ShouldContain("set setup = \"git submodule update --init --recursive\" for workspace site");
        await repository.RequireUsableAsync(tip, Settings() with { Setup = "git submodule update --init" }, GitFixture.Token);

        await _fixture.Sh("mkdir deep; echo '*.bin filter=lfs diff=lfs' >deep/.gitattributes; git add .; git commit -q -m lfs", _fixture.Repo);
        repository = await _fixture.Repository();
        failure = await Should.ThrowAsync<GitException>(repository.RequireUsableAsync(await repository.BaseAsync(null, GitFixture.Token), Settings() with { Setup = "x" }, GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.Lfs);
    }

    [Test]
    public async Task A_git_file_that_points_elsewhere_is_refused()
    {
        await _fixture.Init();
        await _fixture.Sh("git init -q other; git -C other commit -q --allow-empty -m x; mv repo/.git away; printf 'gitdir: %s\\n' \"$PWD/other/.git\" >repo/.git");
        var failure = await Should.ThrowAsync<GitException>(_fixture.Repository());
        failure.Kind.ShouldBe(GitFailureKind.Planted);
        failure.Message.ShouldContain($"{_fixture.Repo}/.git points to {_fixture.Path_}/other/.git");
    }

    [Test]
    [Arguments("mv objects ../o; ln -s ../o objects")]
    [Arguments("mkdir ../x; rm -rf objects/ab; ln -s ../../x objects/ab")]
    [Arguments("mkdir ../x; mv refs/heads/* ../x; rmdir refs/heads; ln -s ../../x refs/heads")]
    [Arguments("mv logs ../l; ln -s ../l logs")]
    public async Task A_link_by_which_git_would_write_outside_is_refused(string plant)
    {
        await _fixture.Init();
        await _fixture.Sh(plant, Path.Combine(_fixture.Repo, ".git"));
        (await Should.ThrowAsync<GitException>(_fixture.Repository())).Kind.ShouldBe(GitFailureKind.Planted);
    }

    [Test]
    public async Task A_reference_is_moved_from_where_it_was_seen_and_not_through_another_name()
    {
        var repository = await _fixture.Init();
        var first = (await repository.CommitOfAsync("main", GitFixture.Token))!;
        await _fixture.Sh("git commit -q --allow-empty -m second", _fixture.Repo);
        var second = (await repository.CommitOfAsync("main", GitFixture.Token))!;
        (await repository.MoveAsync("refs/heads/x", first, null, "test", GitFixture.Token)).ShouldBeTrue();
        (await repository.MoveAsync("refs/heads/x", second, null, "test", GitFixture.Token)).ShouldBeFalse();
        (await repository.MoveAsync("refs/heads/x", second, first, "test", GitFixture.Token)).ShouldBeTrue();
        await _fixture.Sh("git symbolic-ref refs/heads/alias refs/heads/main", _fixture.Repo);
        (await repository.MoveAsync("refs/heads/alias", first, second, "test", GitFixture.Token)).ShouldBeTrue();
        (await repository.CommitOfAsync("refs/heads/main", GitFixture.Token)).ShouldBe(second);

        Directory.CreateDirectory(Path.Combine(_fixture.Path_, "outside"));
        await _fixture.Sh("ln -s ../../../../outside .git/refs/heads/out", _fixture.Repo);
        (await Should.ThrowAsync<GitException>(repository.MoveAsync("refs/heads/out/x", first, null, "test", GitFixture.Token))).Kind.ShouldBe(GitFailureKind.Planted);
        Directory.EnumerateFileSystemEntries(Path.Combine(_fixture.Path_, "outside")).ShouldBeEmpty();
    }

    private WorkspaceSettings Settings() => new() { Name = "site", Path = _fixture.Repo };
}
