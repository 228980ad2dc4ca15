using System.Globalization;
using System.Text;
using Colibri.Core.Settings;

namespace Colibri.Core.Workspaces;

/// <summary>
/// Lands a change: it is merged in a tree that lasts for the landing alone, the check runs there on the merged result, and only then the base
/// moves, from the very commit that the merge was made on.
/// </summary>
internal sealed class Merging(WorkspaceGit git)
{
    /// <summary>The most often that a landing begins anew because its base has moved meanwhile.</summary>
    public const int MaxTries = 3;

    /// <summary>The most files of a conflict that are named.</summary>
    public const int MaxConflicts = 100;

    /// <summary>How trees to merge in are called.</summary>
    public const string Scratch = "land";

    private readonly BaseMover _mover = new(git);

    /// <summary>Lands a branch.</summary>
    /// <param name="workspacePath">The workspace's repository; opened for each try.</param>
    /// <param name="request">What lands where.</param>
    /// <param name="check">Run in the merged tree, whose path it gets; false says that it did not pass.</param>
    /// <param name="cancellation">Stops it; the base is as it was, unless it has moved already.</param>
    /// <exception cref="GitException">The repository is not as it should be, or the base's checkout cannot follow; the base is as it was.</exception>
    public async Task<Landing> LandAsync(string workspacePath, LandRequest request, Func<string, CancellationToken, Task<bool>> check, CancellationToken cancellation)
    {
        for (var i = 1; ; i++)
        {
            var repository = await git.OpenAsync(workspacePath, cancellation).ConfigureAwait(false);
            var tip = await repository.BaseAsync(request.Base, cancellation).ConfigureAwait(false);
            var landing = await TryAsync(repository, tip, request, check, cancellation).ConfigureAwait(false) with { Tries = i };
            if (landing.State != LandState.BaseMoved || i == MaxTries)
                return landing;
        }
    }

    private async Task<Landing> TryAsync(Repository repository, BaseTip tip, LandRequest request, Func<string, CancellationToken, Task<bool>> check, CancellationToken cancellation)
    {
        var head = await repository.CommitOfAsync($"refs/heads/{request.Branch}", cancellation).ConfigureAwait(false)
            ?? throw new GitException(GitFailureKind.BaseGone, $"there is no branch {request.Branch} in {repository.Path}: colibri retry-task {request.Number}");
        if (await repository.IsAncestorAsync(head, tip.Commit, cancellation).ConfigureAwait(false))
            return new Landing(LandState.Empty, tip.Name, tip.Commit, []);
        if ((await repository.RunAsync(repository.Call("merge-base", tip.Commit, head) with { IsRead = true, Exits = [1] }, cancellation).ConfigureAwait(false)).Exit != 0)
        {
            throw new GitException(GitFailureKind.Other,
                $"{request.Branch} and {tip.Name} have no commit in common: look at git -C {GitFailure.Quoted(repository.Path)} log {GitFailure.Quoted(request.Branch)}, or colibri discard {request.Number}");
        }
        // Before the work: a checkout that cannot follow is told of at once.
        _ = await BaseMover.HolderOfAsync(repository, tip, cancellation).ConfigureAwait(false);
        var path = git.NewScratch(Scratch);
        try
        {
            git.Step("merge");
            var merged = await git.InTurnAsync(repository, () => MergeAsync(repository, tip, head, path, request, cancellation), cancellation).ConfigureAwait(false);
            if (merged.State != LandState.Landed)
                return merged;
            git.Step("check");
            if (!await check(path, cancellation).ConfigureAwait(false))
                return merged with { State = LandState.CheckFailed };
            // What the check changed is not landed; neither is a branch that moved meanwhile.
            var again = await git.OpenAsync(repository.Path, cancellation).ConfigureAwait(false);
            var hasMoved = await git.InTurnAsync(again, () => _mover.MoveAsync(again, tip, merged.Commit, request.Number, cancellation), cancellation).ConfigureAwait(false);
            return hasMoved ? merged : merged with { State = LandState.BaseMoved };
        }
        finally
        {
            await git.ClearUpAsync(path, () => git.InTurnAsync(repository, () => RemoveAsync(repository, path), CancellationToken.None)).ConfigureAwait(false);
        }
    }

    private async Task<Landing> MergeAsync(Repository repository, BaseTip tip, string head, string path, LandRequest request, CancellationToken cancellation)
    {
        await repository.RunAsync(Worktrees.AddCall(repository, path, tip.Commit, string.Create(CultureInfo.InvariantCulture, $"colibri lands task {request.Number}")), cancellation).ConfigureAwait(false);
        var gitDirectory = Worktrees.GitDirectoryOf(repository, path) ?? throw new GitException(GitFailureKind.Other, $"git made {path} and does not list it");
        var tree = new Worktree(path, gitDirectory, request.Number, tip.Commit, null, IsNew: true);
        await repository.RunAsync(repository.CallIn(tree, "reset", "--hard", "--quiet", tip.Commit), cancellation).ConfigureAwait(false);
        git.Step("merging");
        var commit = request.Mode == MergeMode.Rebase
            ? await RebaseAsync(repository, tree, tip, head, cancellation).ConfigureAwait(false)
            : await JoinAsync(repository, tree, tip, head, request, cancellation).ConfigureAwait(false);
        if (commit is null)
            return new Landing(LandState.Conflict, tip.Name, tip.Commit, await ConflictsAsync(repository, tree, cancellation).ConfigureAwait(false));
        var isSame = await repository.TextAsync(cancellation, "rev-parse", $"{commit}^{{tree}}").ConfigureAwait(false)
            == await repository.TextAsync(cancellation, "rev-parse", $"{tip.Commit}^{{tree}}").ConfigureAwait(false);
        if (isSame)
            return new Landing(LandState.Empty, tip.Name, tip.Commit, []);
        // The check finds a tree in which nothing is under way.
        await repository.RunAsync(repository.CallIn(tree, "reset", "--hard", "--quiet", commit), cancellation).ConfigureAwait(false);
        return new Landing(LandState.Landed, tip.Name, commit, []);
    }

    /// <summary>The merge commit, or with a squash one commit of all; null where there are conflicts.</summary>
    private static async Task<string?> JoinAsync(Repository repository, Worktree tree, BaseTip tip, string head, LandRequest request, CancellationToken cancellation)
    {
        var call = repository.CallIn(tree, "merge", "--no-ff", "--no-commit", "--no-stat", "--quiet", "--no-verify-signatures", "--no-rerere-autoupdate", "-m", "merge", head);
        var merge = await repository.TryAsync(call, cancellation).ConfigureAwait(false);
        if (merge.Exit != 0)
            return (await ConflictsAsync(repository, tree, cancellation).ConfigureAwait(false)).Count > 0 ? null : throw GitFailure.Of(merge, call);
        var written = (await repository.RunAsync(repository.CallIn(tree, "write-tree"), cancellation).ConfigureAwait(false)).Text;
        string[] parents = request.Mode == MergeMode.Squash ? [tip.Commit] : [tip.Commit, head];
        return await Snapshots.CommitAsync(repository, written, parents, Snapshots.Message(request.Title, request.Number), cancellation).ConfigureAwait(false);
    }

    /// <summary>The last of its commits, on top of the base; null where one has conflicts.</summary>
    private static async Task<string?> RebaseAsync(Repository repository, Worktree tree, BaseTip tip, string head, CancellationToken cancellation)
    {
        var fork = await repository.TextAsync(cancellation, "merge-base", tip.Commit, head).ConfigureAwait(false);
        var call = repository.CallIn(tree, "rebase", "--quiet", "--no-stat", "--no-autostash", "--no-fork-point", "--no-rebase-merges", "--no-rerere-autoupdate", "--onto", tip.Commit, fork, head);
        var rebase = await repository.TryAsync(call, cancellation).ConfigureAwait(false);
        if (rebase.Exit == 0)
            return await Worktrees.HeadOfAsync(repository, tree, cancellation).ConfigureAwait(false);
        return (await ConflictsAsync(repository, tree, cancellation).ConfigureAwait(false)).Count > 0 ? null : throw GitFailure.Of(rebase, call);
    }

    private static async Task<IReadOnlyList<string>> ConflictsAsync(Repository repository, Worktree tree, CancellationToken cancellation)
    {
        var unmerged = await repository.RunAsync(repository.CallIn(tree, "ls-files", "--unmerged", "-z") with { IsRead = true, MayBeCut = true }, cancellation).ConfigureAwait(false);
        return [.. unmerged.Fields().Select(field => Encoding.UTF8.GetString(field.Span[(field.Span.IndexOf((byte)'\t') + 1)..])).Distinct().Take(MaxConflicts)];
    }

    private async Task<bool> RemoveAsync(Repository repository, string path)
    {
        var gitDirectory = Worktrees.GitDirectoryOf(repository, path);
        await git.Runner.RemoveDirectoryAsync(path, CancellationToken.None).ConfigureAwait(false);
        if (gitDirectory is not null)
            await git.Runner.RemoveDirectoryAsync(gitDirectory, CancellationToken.None).ConfigureAwait(false);
        await UnnamedTrees.RemoveAsync(git.Runner, repository, path, CancellationToken.None).ConfigureAwait(false);
        return true;
    }
}

/// <summary>What lands where.</summary>
/// <param name="Number">The task's.</param>
/// <param name="Title">The task's, for the commit's message.</param>
/// <param name="Branch">The change, without <c>refs/heads/</c>.</param>
/// <param name="Base">As the workspace names it; null is the branch that is checked out.</param>
/// <param name="Mode">How it is put onto its base.</param>
internal sealed record LandRequest(long Number, string Title, string Branch, string? Base, MergeMode Mode);

/// <summary>What came of a landing.</summary>
internal enum LandState
{
    Landed,

    /// <summary>The base has all of it already.</summary>
    Empty,

    /// <summary>Files were changed on both sides.</summary>
    Conflict,
    CheckFailed,

    /// <summary>The base moved during each try.</summary>
    BaseMoved,
}

/// <summary>What came of a landing.</summary>
/// <param name="State">Where it ended.</param>
/// <param name="Base">The branch.</param>
/// <param name="Commit">The base's new commit, or the one that it was tried with.</param>
/// <param name="Conflicts">The files that were changed on both sides; at most <see cref="Merging.MaxConflicts"/>.</param>
internal sealed record Landing(LandState State, string Base, string Commit, IReadOnlyList<string> Conflicts)
{
    public int Tries { get; init; } = 1;
}
