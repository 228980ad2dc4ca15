using System.Globalization;
using Colibri.Core.Logging;
using Colibri.Posix.Host;

namespace Colibri.Core.Workspaces;

/// <summary>
/// The worktrees of tasks: <c>TREES/WORKSPACE/NUMBER-SLUG</c>, detached, locked while a run works there. A mark beside a tree says that it is
/// being made, so that a half-made one is known after a kill; a tree that goes is renamed first, so that there is no half-removed one.
/// </summary>
internal sealed class Worktrees(WorkspaceGit git)
{
    private const string Lock = "locked";

    private readonly Snapshots _snapshots = new(git);

    /// <summary>Opens a task's worktree, and makes it where there is none: detached at its branch, or where it has none yet at the base's tip. It is locked.</summary>
    /// <exception cref="GitException">It cannot be made; nothing of it is left.</exception>
    public Task<Worktree> OpenAsync(Repository repository, TreeRequest request, CancellationToken cancellation) =>
        git.InTurnAsync(repository, () => OpenNowAsync(repository, request, cancellation), cancellation);

    /// <summary>Lets go of a tree that no run works in any more.</summary>
    public Task UnlockAsync(Repository repository, Worktree tree, CancellationToken cancellation) => git.InTurnAsync(
        repository,
        () =>
        {
            if (FileLook.AtName(tree.GitDirectory).IsDirectory)
                File.Delete(Path.Combine(tree.GitDirectory, Lock));
            return Task.FromResult(true);
        },
        cancellation);

    /// <summary>
    /// Removes a tree. One that is in use is never removed. One with work that no reference holds is removed by force alone, and its work is
    /// parked before.
    /// </summary>
    /// <returns>The reference under which work was parked; null where there was none to park.</returns>
    /// <exception cref="GitException">It is in use, or would lose work.</exception>
    public Task<string?> RemoveAsync(Repository repository, TreeRequest request, bool force, CancellationToken cancellation) =>
        git.InTurnAsync(repository, () => RemoveNowAsync(repository, request, force, cancellation), cancellation);

    /// <summary>Whether a tree would be removed without force. The tree stays; objects that no reference holds may come into the repository.</summary>
    /// <exception cref="GitException">It is in use, or would lose work.</exception>
    public Task RequireRemovableAsync(Repository repository, TreeRequest request, CancellationToken cancellation) => git.InTurnAsync(
        repository,
        async () =>
        {
            var path = PathOf(request);
            var gitDirectory = RequireAtRest(repository, request, path);
            return FileLook.AtName(path).IsDirectory ? await ParkAsync(repository, OfNow(path, gitDirectory, request), request, force: false, cancellation).ConfigureAwait(false) : null;
        },
        cancellation);

    /// <summary>The trees of a workspace, on disk and in its repository.</summary>
    public IReadOnlyList<TreeState> List(Repository repository, string workspace)
    {
        var directory = Path.Combine(git.Trees, workspace);
        var states = new SortedDictionary<string, TreeState>(StringComparer.Ordinal);
        if (Directory.Exists(directory))
        {
            foreach (var path in Directory.EnumerateDirectories(directory))
            {
                if (NumberOf(path) is { } number)
                    states[path] = new TreeState(path, number, IsOnDisk: true, null, IsLocked: false, IsHalfMade: File.Exists(MarkOf(path)));
            }
        }
        foreach (var (gitDirectory, path) in Registered(repository).Where(entry => Path.GetDirectoryName(entry.Path) == directory))
        {
            if (NumberOf(path) is { } number)
            {
                var known = states.GetValueOrDefault(path) ?? new TreeState(path, number, IsOnDisk: false, null, IsLocked: false, IsHalfMade: File.Exists(MarkOf(path)));
                states[path] = known with { GitDirectory = gitDirectory, IsLocked = File.Exists(Path.Combine(gitDirectory, Lock)) };
            }
        }
        return [.. states.Values];
    }

    /// <summary>
    /// Puts in order what a killed daemon left: half-made trees, entries of the repository without a tree, and locks of tasks that do not run.
    /// Only what is ours is touched. Work is parked before its last reference goes.
    /// </summary>
    /// <param name="repository">The workspace's.</param>
    /// <param name="workspace">Its name.</param>
    /// <param name="isRunning">Whether a task's run works now.</param>
    /// <param name="cancellation">Leaves the rest for the next time.</param>
    /// <returns>The trees that are left.</returns>
    public Task<IReadOnlyList<TreeState>> SweepAsync(Repository repository, string workspace, Predicate<long> isRunning, CancellationToken cancellation) =>
        git.InTurnAsync(repository, () => SweepNowAsync(repository, workspace, isRunning, cancellation), cancellation);

    /// <summary>Removes what lasts no longer than one call, and the lock files of sequences that were cut short. Only at the start, before any call.</summary>
    public async Task SweepScratchAsync(CancellationToken cancellation)
    {
        if (Directory.Exists(git.Trees))
            StaleLocks.Sweep(git.Trees);
        if (FileLook.AtName(git.Scratch).IsDirectory)
            await git.Runner.RemoveDirectoryAsync(git.Scratch, cancellation).ConfigureAwait(false);
    }

    /// <summary>The path of a task's tree: of the one that is there, for its title may have been another when it was made.</summary>
    public string PathOf(TreeRequest request)
    {
        if (request.Workspace.Length == 0 || request.Workspace[0] == '.' || request.Workspace.Contains('/', StringComparison.Ordinal))
            throw new GitException(GitFailureKind.Other, $"'{BranchName.Shown(request.Workspace)}' is no name of a workspace");
        var directory = Path.Combine(git.Trees, request.Workspace);
        var number = string.Create(CultureInfo.InvariantCulture, $"{request.Number}-");
        var known = Directory.Exists(directory) ? Directory.EnumerateDirectories(directory, number + "*").Order(StringComparer.Ordinal).FirstOrDefault() : null;
        return known ?? Path.Combine(directory, number + BranchName.Slug(request.Slug));
    }

    private async Task<Worktree> OpenNowAsync(Repository repository, TreeRequest request, CancellationToken cancellation)
    {
        var path = PathOf(request);
        WorkspaceGit.MakePrivate(git.Trees);
        WorkspaceGit.MakePrivate(Path.GetDirectoryName(path)!);
        var look = FileLook.AtName(path);
        if (File.Exists(MarkOf(path)))
            await ForgetHalfMadeAsync(repository, path, cancellation).ConfigureAwait(false);
        else if (look.IsDirectory && GitDirectoryOf(repository, path) is { } known)
            return await ReopenAsync(repository, path, known, request, cancellation).ConfigureAwait(false);
        else if (look.IsDirectory && File.Exists(Snapshots.IndexOf(path)))
            await RenewAsync(repository, path, request, cancellation).ConfigureAwait(false);
        else if (!look.IsMissing)
            throw new GitException(GitFailureKind.InUse, $"{path} is there and is no worktree of {repository.Path}: look at it, and move it away");
        else if (GitDirectoryOf(repository, path) is { } stale)
            await ForgetAsync(repository, request.Number, stale, cancellation).ConfigureAwait(false);
        return await MakeAsync(repository, path, request, cancellation).ConfigureAwait(false);
    }

    private async Task<Worktree> MakeAsync(Repository repository, string path, TreeRequest request, CancellationToken cancellation)
    {
        var branch = await repository.CommitOfAsync($"refs/heads/{request.Branch}", cancellation).ConfigureAwait(false);
        var start = branch ?? request.Base.Commit;
        if (branch is null)
            await RequireRoomAsync(repository, request, cancellation).ConfigureAwait(false);
        PlantedLinks.RefuseName(Path.Combine(repository.CommonDirectory, "worktrees", Path.GetFileName(path)));
        git.Step("mark");
        await File.WriteAllTextAsync(MarkOf(path), start, cancellation).ConfigureAwait(false);
        try
        {
            git.Step("add");
            var add = AddCall(repository, path, start, ReasonFor(request.Number));
            await repository.RunAsync(add, cancellation).ConfigureAwait(false);
            git.Step("added");
            var made = GitDirectoryOf(repository, path) ?? throw new GitException(GitFailureKind.Other, $"git made {path} and does not list it");
            var tree = new Worktree(path, made, request.Number, start, branch, IsNew: true);
            await repository.RunAsync(repository.CallIn(tree, "reset", "--hard", "--quiet", start), cancellation).ConfigureAwait(false);
            git.Step("written");
            Snapshots.KeepFirst(tree);
            File.Delete(MarkOf(path));
            git.Step("made");
            return tree;
        }
        catch
        {
            await git.ClearUpAsync($"the half-made {path}", () => ForgetHalfMadeAsync(repository, path, CancellationToken.None)).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A branch <c>a</c> leaves no room for a branch <c>a/b</c>: told of before an agent works for nothing.</summary>
    private static async Task RequireRoomAsync(Repository repository, TreeRequest request, CancellationToken cancellation)
    {
        for (var end = request.Branch.IndexOf('/', StringComparison.Ordinal); end >= 0; end = request.Branch.IndexOf('/', end + 1))
        {
            var above = request.Branch[..end];
            if (await repository.CommitOfAsync($"refs/heads/{above}", cancellation).ConfigureAwait(false) is not null)
            {
                throw new GitException(GitFailureKind.Other,
                    $"the branch {above} in {repository.Path} leaves no room for {request.Branch}: git -C {GitFailure.Quoted(repository.Path)} branch -m {GitFailure.Quoted(above)} OTHER, or correct the workspace's branch");
            }
        }
    }

    /// <summary>Without files: they are written by a call in the tree, which finds the configuration that the tree has by then.</summary>
    internal static GitCall AddCall(Repository repository, string path, string start, string reason) =>
        repository.Call("worktree", "add", "--detach", "--no-checkout", "--lock", "--reason", reason, "--", path, start) with { Timeout = GitRunner.TreeTimeout };

    private async Task<Worktree> ReopenAsync(Repository repository, string path, string gitDirectory, TreeRequest request, CancellationToken cancellation)
    {
        PlantedLinks.RefuseTree(gitDirectory);
        var tree = new Worktree(path, gitDirectory, request.Number, "", await repository.CommitOfAsync($"refs/heads/{request.Branch}", cancellation).ConfigureAwait(false), IsNew: false);
        var head = await HeadOfAsync(repository, tree, cancellation).ConfigureAwait(false)
            ?? throw new GitException(GitFailureKind.Corrupt, $"{path} has no commit checked out: colibri discard {request.Number}, which parks its files, and retry");
        git.Step("lock");
        WriteLock(gitDirectory, request.Number);
        RepairLink(tree);
        return tree with { Start = head };
    }

    /// <summary>The repository has forgotten the tree, as after an agent's <c>git worktree prune</c>: its files are parked, and it is made anew.</summary>
    private async Task RenewAsync(Repository repository, string path, TreeRequest request, CancellationToken cancellation)
    {
        _ = await ParkAsync(repository, new Worktree(path, "", request.Number, request.Base.Commit, null, IsNew: false), request, force: true, cancellation).ConfigureAwait(false);
        await RemoveTreeAsync(path, null, "gone", cancellation).ConfigureAwait(false);
    }

    /// <summary>Puts the tree's <c>.git</c> file back where it is missing or points elsewhere. A directory in its place is left.</summary>
    internal static bool RepairLink(Worktree tree)
    {
        var link = Path.Combine(tree.Path, ".git");
        var right = $"gitdir: {tree.GitDirectory}";
        if (Repository.ReadLinkFile(link) == right)
            return true;
        var look = FileLook.AtName(link);
        if (look.IsDirectory)
            return false;
        if (!look.IsMissing)
            File.Delete(link);
        using var file = new StreamWriter(new FileStream(link, FileMode.CreateNew, FileAccess.Write));
        file.Write(right + '\n');
        return true;
    }

    private async Task<string?> RemoveNowAsync(Repository repository, TreeRequest request, bool force, CancellationToken cancellation)
    {
        var path = PathOf(request);
        var gitDirectory = RequireAtRest(repository, request, path);
        if (!FileLook.AtName(path).IsDirectory)
        {
            if (gitDirectory is not null)
                await ForgetAsync(repository, request.Number, gitDirectory, cancellation).ConfigureAwait(false);
            return null;
        }
        var parked = await ParkAsync(repository, OfNow(path, gitDirectory, request), request, force, cancellation).ConfigureAwait(false);
        git.Step("parked");
        await RemoveTreeAsync(path, gitDirectory, "gone", cancellation).ConfigureAwait(false);
        return parked;
    }

    // Its directory in the repository; null where it has none.
    private static string? RequireAtRest(Repository repository, TreeRequest request, string path)
    {
        var gitDirectory = GitDirectoryOf(repository, path);
        if (gitDirectory is not null)
            PlantedLinks.RefuseTree(gitDirectory);
        if (gitDirectory is not null && File.Exists(Path.Combine(gitDirectory, Lock)))
            throw new GitException(GitFailureKind.InUse, $"{path} is in use by a run of task {request.Number}: wait for it, or colibri cancel-task {request.Number}");
        return FileLook.AtName(path).IsDirectory && FileLook.AtName(Path.Combine(path, ".git")).IsDirectory
            ? throw new GitException(GitFailureKind.InUse, $"{path} holds a repository that its agent made: look at it, and move away {GitFailure.Quoted(Path.Combine(path, ".git"))}")
            : gitDirectory;
    }

    private static Worktree OfNow(string path, string? gitDirectory, TreeRequest request) =>
        new(path, gitDirectory ?? "", request.Number, request.Base.Commit, null, IsNew: false);

    /// <summary>Parks what no reference holds: commits on HEAD, and what is not committed.</summary>
    private async Task<string?> ParkAsync(Repository repository, Worktree tree, TreeRequest request, bool force, CancellationToken cancellation)
    {
        var head = tree.GitDirectory.Length == 0 ? null : await HeadOfAsync(repository, tree, cancellation).ConfigureAwait(false);
        var parent = head ?? await repository.CommitOfAsync($"refs/heads/{request.Branch}", cancellation).ConfigureAwait(false) ?? request.Base.Commit;
        var commit = await _snapshots.TakeAsync(repository, tree, parent, Snapshots.Message("Work in progress", request.Number), cancellation).ConfigureAwait(false);
        if (commit is null && (head is null || await IsHeldAsync(repository, head, request, cancellation).ConfigureAwait(false)))
            return null;
        if (!force)
        {
            throw new GitException(GitFailureKind.InUse, commit is not null
                ? $"{tree.Path} has work that is not committed: colibri discard --force {request.Number} parks it under {Snapshots.ParkedPrefix}{request.Number}-…"
                : $"{tree.Path} has commits that are on no branch: colibri discard --force {request.Number} parks them under {Snapshots.ParkedPrefix}{request.Number}-…");
        }
        git.Step("park");
        return await _snapshots.ParkAsync(repository, request.Number, commit ?? head!, cancellation).ConfigureAwait(false);
    }

    private static async Task<bool> IsHeldAsync(Repository repository, string commit, TreeRequest request, CancellationToken cancellation)
    {
        var holders = await repository.ReferencesAsync(cancellation, $"refs/heads/{request.Branch}", request.Base.Reference, Snapshots.ParkedPrefix).ConfigureAwait(false);
        return await IsReachableAsync(repository, commit, [.. holders.Values.Distinct()], cancellation).ConfigureAwait(false);
    }

    private static async Task<bool> IsReachableAsync(Repository repository, string commit, IReadOnlyList<string> from, CancellationToken cancellation) =>
        from.Count > 0 && (await repository.TextAsync(cancellation, ["rev-list", "--max-count=1", commit, "--not", .. from]).ConfigureAwait(false)).Length == 0;

    /// <summary>The tree leaves its place in one step; what is left then is not a tree of a task any more.</summary>
    private async Task RemoveTreeAsync(string path, string? gitDirectory, string what, CancellationToken cancellation)
    {
        var away = git.NewScratch(what);
        git.Step("rename");
        File.Delete(Snapshots.IndexOf(path));
        Directory.Move(path, away);
        git.Step("renamed");
        if (gitDirectory is not null)
            await git.Runner.RemoveDirectoryAsync(gitDirectory, cancellation).ConfigureAwait(false);
        git.Step("forgotten");
        await git.Runner.RemoveDirectoryAsync(away, cancellation).ConfigureAwait(false);
        git.Step("removed");
    }

    /// <summary>No run has worked in it yet.</summary>
    private async Task ForgetHalfMadeAsync(Repository repository, string path, CancellationToken cancellation)
    {
        if (GitDirectoryOf(repository, path) is { } gitDirectory)
            await git.Runner.RemoveDirectoryAsync(gitDirectory, cancellation).ConfigureAwait(false);
        await UnnamedTrees.RemoveAsync(git.Runner, repository, path, cancellation).ConfigureAwait(false);
        await git.Runner.RemoveDirectoryAsync(path, cancellation).ConfigureAwait(false);
        File.Delete(Snapshots.IndexOf(path));
        File.Delete(MarkOf(path));
    }

    /// <summary>An entry whose tree is gone: its HEAD may be the one reference to an agent's commits.</summary>
    private async Task ForgetAsync(Repository repository, long number, string gitDirectory, CancellationToken cancellation)
    {
        PlantedLinks.RefuseTree(gitDirectory);
        var head = await HeadOfAsync(repository, new Worktree(repository.CommonDirectory, gitDirectory, number, "", null, IsNew: false), cancellation).ConfigureAwait(false);
        var all = await repository.ReferencesAsync(cancellation, "refs/heads/", Snapshots.ParkedPrefix).ConfigureAwait(false);
        if (head is not null && !await IsReachableAsync(repository, head, [.. all.Values.Distinct()], cancellation).ConfigureAwait(false))
            await _snapshots.ParkAsync(repository, number, head, cancellation).ConfigureAwait(false);
        await git.Runner.RemoveDirectoryAsync(gitDirectory, cancellation).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<TreeState>> SweepNowAsync(Repository repository, string workspace, Predicate<long> isRunning, CancellationToken cancellation)
    {
        // Trees to merge in, and trees on their way out, whose place is gone with the scratch directory.
        foreach (var (gitDirectory, path) in Registered(repository))
        {
            if (Path.GetDirectoryName(path) == git.Scratch && FileLook.AtName(path).IsMissing)
                await git.Runner.RemoveDirectoryAsync(gitDirectory, cancellation).ConfigureAwait(false);
        }
        await UnnamedTrees.RemoveLandingsAsync(git.Runner, repository, cancellation).ConfigureAwait(false);
        foreach (var state in List(repository, workspace).Where(state => !isRunning(state.Number)))
            await git.ClearUpAsync(state.Path, () => SweepAsync(repository, state, cancellation)).ConfigureAwait(false);
        var directory = Path.Combine(git.Trees, workspace);
        if (Directory.Exists(directory))
        {
            // Marks of trees that were not begun.
            foreach (var mark in Directory.EnumerateFiles(directory, ".*.making").Where(mark => !isRunning(NumberOf(mark[..^".making".Length]) ?? -1)))
                await ForgetHalfMadeAsync(repository, Path.Combine(directory, Path.GetFileName(mark)[1..^".making".Length]), cancellation).ConfigureAwait(false);
        }
        return List(repository, workspace);
    }

    private async Task SweepAsync(Repository repository, TreeState state, CancellationToken cancellation)
    {
        if (state.IsHalfMade)
        {
            git.Logger.WorktreeSwept(state.Path, "it was half made");
            await ForgetHalfMadeAsync(repository, state.Path, cancellation).ConfigureAwait(false);
        }
        else if (!state.IsOnDisk)
        {
            git.Logger.WorktreeSwept(state.Path, "its directory is gone");
            await ForgetAsync(repository, state.Number, state.GitDirectory!, cancellation).ConfigureAwait(false);
        }
        else if (state.IsLocked)
        {
            File.Delete(Path.Combine(state.GitDirectory!, Lock));
        }
    }

    /// <summary>The commit that is checked out in a tree; null where its HEAD names none.</summary>
    internal static async Task<string?> HeadOfAsync(Repository repository, Worktree tree, CancellationToken cancellation)
    {
        var call = repository.Call("rev-parse", "--verify", "--quiet", "HEAD^{commit}") with { GitDirectory = tree.GitDirectory, IsRead = true };
        var output = await repository.TryAsync(call, cancellation).ConfigureAwait(false);
        return output.Exit == 0 && output.Text.Length >= 40 ? output.Text : null;
    }

    /// <summary>The repository's directory of a tree, found by what it says of the tree; null where it has none.</summary>
    internal static string? GitDirectoryOf(Repository repository, string path) =>
        Registered(repository).FirstOrDefault(entry => entry.Path == path).GitDirectory;

    /// <summary>Each linked worktree: its directory in the repository, and its path.</summary>
    internal static IEnumerable<(string GitDirectory, string Path)> Registered(Repository repository)
    {
        var worktrees = Path.Combine(repository.CommonDirectory, "worktrees");
        if (!FileLook.AtName(worktrees).IsDirectory)
            yield break;
        foreach (var gitDirectory in Directory.EnumerateDirectories(worktrees).Order(StringComparer.Ordinal))
        {
            const string Link = "/.git";
            // A relative one is relative to its own directory (worktree.useRelativePaths).
            if (FileLook.AtName(gitDirectory).IsDirectory && Repository.ReadLinkFile(Path.Combine(gitDirectory, "gitdir")) is { } link && link.EndsWith(Link, StringComparison.Ordinal))
                yield return (gitDirectory, Path.GetFullPath(link[..^Link.Length], gitDirectory));
        }
    }

    private static void WriteLock(string gitDirectory, long number)
    {
        var path = Path.Combine(gitDirectory, Lock);
        File.Delete(path);
        using var file = new StreamWriter(new FileStream(path, FileMode.CreateNew, FileAccess.Write));
        file.Write(ReasonFor(number));
    }

    private static string ReasonFor(long number) => string.Create(CultureInfo.InvariantCulture, $"colibri works on task {number}");

    private static string MarkOf(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.making");

    private static long? NumberOf(string path)
    {
        var name = Path.GetFileName(path).TrimStart('.');
        return name.IndexOf('-', StringComparison.Ordinal) is > 0 and var dash && long.TryParse(name.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}

/// <summary>Whose tree.</summary>
/// <param name="Workspace">The workspace's name, a directory.</param>
/// <param name="Number">The task's.</param>
/// <param name="Slug">Made of its title; the same for every run of it.</param>
/// <param name="Branch">Its branch, without <c>refs/heads/</c>.</param>
/// <param name="Base">Where it starts while there is no such branch.</param>
internal sealed record TreeRequest(string Workspace, long Number, string Slug, string Branch, BaseTip Base);

/// <summary>A tree to work in.</summary>
/// <param name="Path">Where the run works.</param>
/// <param name="GitDirectory">Its directory in the repository; empty where the repository has forgotten it.</param>
/// <param name="Number">The task's.</param>
/// <param name="Start">The commit that was checked out when it was opened.</param>
/// <param name="BranchTip">Where its branch was then; null where there was none.</param>
/// <param name="IsNew">It was made just now, so a workspace's setup is still to be run.</param>
internal sealed record Worktree(string Path, string GitDirectory, long Number, string Start, string? BranchTip, bool IsNew);

/// <summary>A tree as it was found.</summary>
/// <param name="Path">Where it is, or was.</param>
/// <param name="Number">The task's.</param>
/// <param name="IsOnDisk">Its directory is there.</param>
/// <param name="GitDirectory">Its directory in the repository; null where the repository does not list it.</param>
/// <param name="IsLocked">A run works there, or did when the daemon was killed.</param>
/// <param name="IsHalfMade">It was never finished; nobody has worked there.</param>
internal sealed record TreeState(string Path, long Number, bool IsOnDisk, string? GitDirectory, bool IsLocked, bool IsHalfMade);
