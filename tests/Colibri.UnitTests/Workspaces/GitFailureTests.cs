using Colibri.Core.Workspaces;
using Colibri.Posix.Host;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Workspaces;

/// <summary>Each way to fail, provoked with the real git.</summary>
[NotInParallel]
public sealed class GitFailureTests : IDisposable
{
    private readonly GitFixture _fixture = new();
    private string? _mount;

    public void Dispose()
    {
        if (_mount is not null)
            Shell.Run(Shell.Options($"umount '{_mount}'")).GetAwaiter().GetResult();
        _fixture.Dispose();
    }

    [Test]
    public async Task A_repository_of_another_user()
    {
        RequireRoot();
        await _fixture.Init();
        await _fixture.Sh($"chown -R 12345 '{_fixture.Repo}'");
        var failure = await Should.ThrowAsync<GitException>(_fixture.Repository());
        failure.Kind.ShouldBe(GitFailureKind.DubiousOwner);
        failure.Message.ShouldBe(
            $"{_fixture.Repo} belongs to another user than {Environment.UserName}, so git refuses it: git config --global --add safe.directory {_fixture.Repo}, as {Environment.UserName}");
        await _fixture.Sh($"git config --global --add safe.directory '{_fixture.Repo}'");
        await _fixture.Repository();
    }

    [Test]
    public async Task No_identity()
    {
        var repository = await _fixture.Init();
        await _fixture.Sh("printf '[user]\\n\\tuseConfigOnly = true\\n' >home/.gitconfig");
        var call = new GitCall { Directory = _fixture.Repo, Arguments = ["commit-tree", "-m", "x", "HEAD^{tree}"] };
        var failure = await Should.ThrowAsync<GitException>(_fixture.Runner().RunAsync(call, GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.NoIdentity);
        failure.Message.ShouldContain("git config --global user.name NAME");

        // Work of our own has an author all the same.
        (await _fixture.Work("echo more >>a.txt")).Size.Commits.ShouldBe(1);
        (await _fixture.Sh("git log -1 --format='%an <%ae>' colibri/12-fix-the-login", _fixture.Repo)).ShouldBe($"Colibri <colibri@{Environment.MachineName}>");
        repository.IsBare.ShouldBeFalse();
    }

    [Test]
    public async Task An_index_that_is_locked()
    {
        var repository = await _fixture.Init();
        await _fixture.Sh("touch .git/index.lock", _fixture.Repo);
        var failure = await Should.ThrowAsync<GitException>(repository.RunAsync(repository.CallInCheckout("read-tree", "HEAD"), GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.Locked);
        failure.Message.ShouldBe($"{_fixture.Repo}/.git/index.lock is there: git runs there, or ended halfway; if none runs: rm {_fixture.Repo}/.git/index.lock");
    }

    [Test]
    public async Task A_disk_that_is_full()
    {
        RequireRoot();
        await Mount("size=2m");
        await _fixture.Sh("git init -q mounted/repo; cd mounted/repo; git commit -q --allow-empty -m first; head -c 10000000 /dev/zero >fill || true");
        var repository = await _fixture.Repository(Path.Combine(_fixture.Path_, "mounted", "repo"));
        var call = repository.Call("hash-object", "-w", "--stdin") with { Input = new byte[] { 1, 2, 3 } };
        var failure = await Should.ThrowAsync<GitException>(repository.RunAsync(call, GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.DiskFull);
        failure.Message.ShouldStartWith("the disk is full: ");
    }

    [Test]
    public async Task A_file_system_that_is_read_only()
    {
        RequireRoot();
        await Mount("size=2m");
        await _fixture.Sh("git init -q mounted/repo; git -C mounted/repo commit -q --allow-empty -m first; mount -o remount,ro mounted");
        var repository = await _fixture.Repository(Path.Combine(_fixture.Path_, "mounted", "repo"));
        var failure = await Should.ThrowAsync<GitException>(repository.RunAsync(repository.Call("update-ref", "refs/heads/x", "main"), GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.ReadOnly);
    }

    [Test]
    public async Task No_permission()
    {
        Skip.When(ProcessUser.EffectiveUid == 0, "root may do anything");
        var repository = await _fixture.Init();
        await _fixture.Sh("chmod -R a-w .git/objects .git/refs", _fixture.Repo);
        var failure = await Should.ThrowAsync<GitException>(repository.RunAsync(repository.Call("update-ref", "refs/heads/x", "main"), GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.PermissionDenied);
    }

    [Test]
    public async Task What_git_says_without_permission_is_known()
    {
        // As git 2.39 says it to another user than root.
        GitFailure.KindOf("error: insufficient permission for adding an object to repository database .git/objects\n").ShouldBe(GitFailureKind.PermissionDenied);
        await Task.CompletedTask;
    }

    [Test]
    public async Task A_repository_that_is_damaged()
    {
        var repository = await _fixture.Init();
        await _fixture.Sh("cd .git/objects; for f in ??/*; do chmod u+w $f; echo broken >$f; done", _fixture.Repo);
        var failure = await Should.ThrowAsync<GitException>(repository.RunAsync(repository.Call("cat-file", "-p", "main"), GitFixture.Token));
        failure.Kind.ShouldBe(GitFailureKind.Corrupt);
        failure.Message.ShouldContain("fsck");
    }

    [Test]
    public async Task No_repository_and_no_directory()
    {
        Directory.CreateDirectory(_fixture.Repo);
        (await Should.ThrowAsync<GitException>(_fixture.Repository())).Message.ShouldStartWith($"{_fixture.Repo} is no git repository: ");
        var gone = Path.Combine(_fixture.Path_, "gone");
        (await Should.ThrowAsync<GitException>(_fixture.Repository(gone))).Kind.ShouldBe(GitFailureKind.NotARepository);
    }

    [Test]
    public void A_path_is_shown_as_a_shell_takes_it()
    {
        GitFailure.Quoted("/srv/site-1").ShouldBe("/srv/site-1");
        GitFailure.Quoted("/srv/it's here").ShouldBe(@"'/srv/it'\''s here'");
    }

    private static void RequireRoot() => Skip.Unless(ProcessUser.EffectiveUid == 0, "only root may change owners and mount");

    private async Task Mount(string options)
    {
        var place = Path.Combine(_fixture.Path_, "mounted");
        Directory.CreateDirectory(place);
        var (exit, output) = await Shell.Run(Shell.Options($"mount -t tmpfs -o {options} tmpfs '{place}'"));
        Skip.Unless(exit.Code == 0, $"nothing can be mounted here: {output.Trim()}");
        _mount = place;
    }
}
