using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Posix.Host;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Retention;

/// <summary>
/// The worktrees of the workspaces that are configured. One goes only without force: what is not committed, a commit that no branch, no base and no parked
/// reference holds, a repository that its agent made in it, or a run that is in it keeps it.
/// </summary>
/// <param name="git">Knows the trees.</param>
/// <param name="board">Knows the tasks.</param>
/// <param name="settings">The workspaces, as they are configured now.</param>
/// <param name="logger">Told of a repository that does not answer.</param>
internal sealed class WorktreeRetention(WorkspaceGit git, TaskBoard board, Func<ColibriSettings> settings, ILogger logger) : IWorktreeRetention
{
    private readonly Worktrees _trees = new(git);

    public async Task<IReadOnlyList<KeptWorktree>> ListAsync(CancellationToken stopping)
    {
        var kept = new List<KeptWorktree>();
        // A workspace that is shared now may have trees of before.
        foreach (var workspace in settings().Workspaces.Where(workspace => FileLook.AtName(Path.Combine(git.Trees, workspace.Name)).IsDirectory))
        {
            foreach (var tree in await TreesAsync(workspace, stopping).ConfigureAwait(false))
            {
                // The work of a task that is gone is as old as its tree, so far as can be told.
                var task = await board.GetAsync(BoardNumber(tree.Number)).ConfigureAwait(false);
                if (task is null)
                    kept.Add(new KeptWorktree(workspace.Name, tree.Number, tree.Path, Directory.GetLastWriteTimeUtc(tree.Path)));
                else if (TaskLifecycle.IsFinal(task.Status))
                    kept.Add(new KeptWorktree(workspace.Name, tree.Number, tree.Path, task.FinishedAt > task.UpdatedAt ? task.FinishedAt.Value : task.UpdatedAt));
            }
        }
        return kept;
    }

    public async Task<bool> RemoveAsync(KeptWorktree worktree, bool isDry, CancellationToken stopping)
    {
        if (settings().Workspace(worktree.Workspace) is not { } workspace)
            return false;
        try
        {
            var repository = await git.OpenAsync(workspace.Path, stopping).ConfigureAwait(false);
            var request = await RequestOfAsync(repository, workspace, worktree, stopping).ConfigureAwait(false);
            if (isDry)
                await _trees.RequireRemovableAsync(repository, request, stopping).ConfigureAwait(false);
            else
                await _trees.RemoveAsync(repository, request, force: false, stopping).ConfigureAwait(false);
            return true;
        }
        catch (GitException e)
        {
            // What holds work is kept, and that is no trouble.
            if (e.Kind != GitFailureKind.InUse)
                logger.NotPruned($"{worktree.Path}: {e.Message}");
            return false;
        }
    }

    private async Task<IReadOnlyList<TreeState>> TreesAsync(WorkspaceSettings workspace, CancellationToken stopping)
    {
        try
        {
            var repository = await git.OpenAsync(workspace.Path, stopping).ConfigureAwait(false);
            return [.. _trees.List(repository, workspace.Name).Where(tree => tree is { IsOnDisk: true, IsLocked: false, IsHalfMade: false })];
        }
        catch (GitException e)
        {
            logger.NotPruned($"workspace {workspace.Name}: {e.Message}");
            return [];
        }
    }

    // Its directory says how its title was when it was made; the task's branch stays whatever becomes of the title.
    private async Task<TreeRequest> RequestOfAsync(Repository repository, WorkspaceSettings workspace, KeptWorktree worktree, CancellationToken stopping)
    {
        var slug = Path.GetFileName(worktree.Path)[(BoardNumber(worktree.Number).Length + 1)..];
        var task = await board.GetAsync(BoardNumber(worktree.Number)).ConfigureAwait(false);
        var branch = task?.Change is { } change && change.Workspace == workspace.Name ? change.Branch : Workspaces.BranchName.For(workspace.Branch, worktree.Number, slug);
        return new TreeRequest(workspace.Name, worktree.Number, slug, branch, await repository.BaseAsync(workspace.Base, stopping).ConfigureAwait(false));
    }

    private static string BoardNumber(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
