using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Landing;

/// <summary>
/// Puts a workspace in order before its first run: what a killed daemon left half made, work of a run that was over before its work was on its branch, and
/// landings that were not recorded.
/// </summary>
internal sealed class TreeSweep(TaskBoard board, LandingDesk desk, WorkspaceGit git, Places places, ILogger logger)
{
    private const int MostChanges = 10_000;

    private readonly BoardReview _review = new(board);
    private readonly Worktrees _trees = new(git);
    private readonly Changes _changes = new(git);

    /// <exception cref="GitException">The repository does not answer.</exception>
    public async Task RunAsync(WorkspaceSettings workspace, Repository repository, CancellationToken stopping)
    {
        var tip = await repository.BaseAsync(workspace.Base, stopping).ConfigureAwait(false);
        var trees = await _trees.SweepAsync(repository, workspace.Name, IsRunning, stopping).ConfigureAwait(false);
        var ended = await _review.EndedAsync(workspace.Name, [.. trees.Where(tree => tree.IsOnDisk).Select(tree => tree.Number)]).ConfigureAwait(false);
        // Settings that change have their workspace looked at again, while runs are at work and agents are being ended.
        ended = [.. ended.Where(task => !places.Holds(task.Number))];
        foreach (var task in ended.Where(MayHaveWork))
            await CollectAsync(task, workspace, repository, tip, stopping).ConfigureAwait(false);
        // What was settled, and not yet cleared up.
        foreach (var task in ended)
        {
            if (task.Change is { State: ChangeState.Landed or ChangeState.Discarded } settled)
                await desk.ClearAsync(task, workspace, settled, settled.State == ChangeState.Landed).ConfigureAwait(false);
        }
        foreach (var task in (await _review.ChangesAsync(MostChanges).ConfigureAwait(false)).Where(task => task.Change!.Workspace == workspace.Name))
            await RecordLandingAsync(task, workspace, repository, tip, stopping).ConfigureAwait(false);

        bool IsRunning(long number) => places.Holds(number);
    }

    // Of a task that is done all was collected before. What came into its tree since is a person's, and stays off the branch
    // that is under review.
    private static bool MayHaveWork(BoardTask task) =>
        task.Change is null || (task.Status != TaskState.Done && task.Change.State is ChangeState.Open or ChangeState.Empty or ChangeState.Conflict);

    // A run that was cut off with the daemon, and whose task has no further try, leaves its work in its tree alone.
    private async Task CollectAsync(BoardTask task, WorkspaceSettings workspace, Repository repository, BaseTip tip, CancellationToken stopping)
    {
        try
        {
            var request = WorkspaceRuns.RequestOf(task, workspace, tip);
            if (!Directory.Exists(_trees.PathOf(request)))
                return;
            var tree = await _trees.OpenAsync(repository, request, stopping).ConfigureAwait(false);
            try
            {
                var collected = await _changes.CollectAsync(repository, tree, request, task.Title, stopping).ConfigureAwait(false);
                var change = WorkspaceRuns.ChangeOf(workspace.Name, request, collected);
                if (change.State == ChangeState.Open && change.Head != task.Change?.Head)
                {
                    await board.SetChangeAsync(task.Id, task.Change?.State, change, task.Change?.Head).ConfigureAwait(false);
                    logger.WorkRecovered(task.Number, request.Branch);
                }
            }
            finally
            {
                await _trees.UnlockAsync(repository, tree, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            // One odd tree must not keep the workspace from working.
            logger.TreeNotLeft(task.Number, e.Message);
        }
    }

    // The base was moved, and the daemon was killed before that was on the board.
    private async Task RecordLandingAsync(BoardTask task, WorkspaceSettings workspace, Repository repository, BaseTip tip, CancellationToken stopping)
    {
        var change = task.Change!;
        // A branch that a person has gone on with has not landed, though what its run did has.
        var head = await repository.CommitOfAsync($"refs/heads/{change.Branch}", stopping).ConfigureAwait(false) ?? change.Head;
        if (await repository.CommitOfAsync(change.Head, stopping).ConfigureAwait(false) is null || !await repository.IsAncestorAsync(head, tip.Commit, stopping).ConfigureAwait(false) || !await repository.IsAncestorAsync(change.Head, tip.Commit, stopping).ConfigureAwait(false))
            return;
        var set = await board.SetChangeAsync(task.Id, change.State, change with { State = ChangeState.Landed, Conflicts = null }, change.Head).ConfigureAwait(false);
        if (set.Outcome != EdgeOutcome.Applied)
            return;
        logger.LandingRecovered(task.Number, tip.Name);
        await desk.ClearAsync(task, workspace, change, isLanded: true).ConfigureAwait(false);
    }
}
