using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Runs;

/// <summary>
/// Runs in workspaces: a worktree for each task before its agent is told, and its branch after the run has ended. A workspace that is shared has its
/// runs in the checkout, one at a time, and they leave no change to land.
/// </summary>
internal sealed class WorkspaceRuns(WorkspaceGit git, Places places, WorkspaceHealth health, Secrets secrets, ILogger logger) : IRunStep
{
    /// <summary>The error code of a run whose workspace could not take it: the attempt is given back.</summary>
    public const string NoWorkspace = "workspace";

    /// <summary>The error code of a run whose workspace's setup failed.</summary>
    public const string SetupFailed = "setup-failed";

    private readonly Worktrees _trees = new(git);
    private readonly Changes _changes = new(git);

    /// <summary>Gives a run its place in a workspace.</summary>
    /// <returns>Why it gets none; null where it has one.</returns>
    public async Task<TaskError?> EnterAsync(Run run, BoardTask task, WorkspaceSettings workspace)
    {
        if (workspace.Isolation == Isolation.Shared)
        {
            if (places.Take(workspace.Path, new PlaceHolder(task.Id, task.Number)) is { } holder)
                return new TaskError(PlaceStep.Busy, $"task {holder.Number} works in {workspace.Path}; two runs are never in one directory");
            if (!Directory.Exists(workspace.Path))
                return new TaskError(RunVerdict.SpawnFailed, $"the directory of workspace {workspace.Name} is not there: {workspace.Path}");
            run.Place = new RunPlace(workspace.Path) { Workspace = workspace.Name, Settings = workspace };
            return null;
        }
        // Of what goes wrong with the task's own tree the other tasks of the workspace know nothing.
        var isItsOwn = false;
        try
        {
            var repository = await git.OpenAsync(workspace.Path, CancellationToken.None).ConfigureAwait(false);
            var tip = await repository.BaseAsync(workspace.Base, CancellationToken.None).ConfigureAwait(false);
            await repository.RequireUsableAsync(tip, workspace, CancellationToken.None).ConfigureAwait(false);
            isItsOwn = true;
            var request = RequestOf(task, workspace, tip);
            if (places.Take(_trees.PathOf(request), new PlaceHolder(task.Id, task.Number)) is { } holder)
                return new TaskError(PlaceStep.Busy, $"task {holder.Number} works in the tree of task {task.Number}");
            var tree = await _trees.OpenAsync(repository, request, CancellationToken.None).ConfigureAwait(false);
            run.Place = new RunPlace(tree.Path) { Workspace = workspace.Name, Settings = workspace, Tree = new RunTree(repository, tree, request) };
            if (workspace.Setup is not { Length: > 0 } setup || File.Exists(SetUpMarkOf(tree)))
                return null;
            if (await SetUpAsync(run, setup, workspace.SetupTimeout).ConfigureAwait(false) is not { } error)
            {
                // Written after it: a daemon that is killed over a setup does it again.
                await File.WriteAllTextAsync(SetUpMarkOf(tree), "").ConfigureAwait(false);
                return null;
            }
            // The next attempt makes it anew, and sets it up again.
            await _trees.UnlockAsync(repository, tree, CancellationToken.None).ConfigureAwait(false);
            await _trees.RemoveAsync(repository, request, force: true, CancellationToken.None).ConfigureAwait(false);
            return error;
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            if (!isItsOwn || !IsOfATree(e))
                health.Report(workspace, e.Message);
            return new TaskError(NoWorkspace, $"workspace {workspace.Name}: {e.Message}");
        }
    }

    private static bool IsOfATree(Exception e) =>
        e is GitException { Kind: GitFailureKind.InUse or GitFailureKind.Corrupt or GitFailureKind.Planted or GitFailureKind.Other or GitFailureKind.TooLarge };

    // In the tree's directory in the repository, where the agent has no work.
    private static string SetUpMarkOf(Worktree tree) => Path.Combine(tree.GitDirectory, "colibri-setup");

    /// <summary>Puts what a run did onto its task's branch, whatever its verdict, and lets go of its tree.</summary>
    public async Task<TaskError?> RunAsync(Run run)
    {
        if (run is not { Task: { } task, Place: { Tree: { } at, Workspace: { } workspace } })
            return null;
        try
        {
            var collected = await _changes.CollectAsync(at.Repository, at.Tree, at.Request, task.Title, CancellationToken.None).ConfigureAwait(false);
            run.Change = ChangeOf(workspace, at.Request, collected);
            foreach (var left in collected.Left)
                logger.TreeLeftOdd(task.Number, left.ToString());
            return null;
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            logger.ChangeNotCollected(task.Number, e.Message);
            return new TaskError(NoWorkspace, $"its work could not be put on its branch, and is in {at.Tree.Path}: {e.Message}");
        }
    }

    /// <summary>After the check: what it changed in the tree is taken back, and a tree without a change is removed.</summary>
    public async Task LeaveAsync(Run run)
    {
        if (run is not { Task: { } task, Place.Tree: { } at })
            return;
        try
        {
            // All that the agent did is on the branch by now. What a check has written is no work of the agent's.
            if (run is { Check: not null, Change: { } change })
                await _changes.TakeBackAsync(at.Repository, at.Tree, change.Head, CancellationToken.None).ConfigureAwait(false);
            await _trees.UnlockAsync(at.Repository, at.Tree, CancellationToken.None).ConfigureAwait(false);
            if (run.Change is { State: ChangeState.Empty } && run.Feedback is null)
                await _trees.RemoveAsync(at.Repository, at.Request, force: true, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            logger.TreeNotLeft(task.Number, e.Message);
        }
    }

    /// <summary>Where a task of a workspace works, and on which branch.</summary>
    /// <exception cref="GitException">The workspace's template makes no name of a branch.</exception>
    public static TreeRequest RequestOf(BoardTask task, WorkspaceSettings workspace, BaseTip tip)
    {
        var slug = Workspaces.BranchName.Slug(task.Title);
        // A task keeps its branch, whatever becomes of its title or of the template.
        var branch = task.Change is { } known && known.Workspace == workspace.Name ? known.Branch : Workspaces.BranchName.For(workspace.Branch, task.Number, slug);
        return new TreeRequest(workspace.Name, task.Number, slug, branch, tip);
    }

    /// <summary>What was put onto a task's branch.</summary>
    public static WorkChange ChangeOf(string workspace, TreeRequest request, Collected collected) => new()
    {
        Workspace = workspace,
        Branch = request.Branch,
        Base = collected.Size.From,
        Head = collected.After,
        Commits = collected.Size.Commits,
        Files = collected.Size.Files,
        Insertions = collected.Size.Insertions,
        Deletions = collected.Size.Deletions,
        State = collected.Size.IsEmpty ? ChangeState.Empty : ChangeState.Open,
    };

    private async Task<TaskError?> SetUpAsync(Run run, string setup, TimeSpan limit)
    {
        try
        {
            var outcome = await run.Site!.ExecuteAsync(setup, run.Place!.Directory, limit).ConfigureAwait(false);
            if (outcome.IsGood)
                return null;
            if (outcome.Memory is { } excess)
                return new TaskError(RunVerdict.Memory, $"the setup {excess.Words}");
            var how = outcome.IsStopped ? "was stopped" : outcome.HasMissedItsLimit ? $"ran longer than {CheckStep.Words(limit)} and was ended" : $"failed: {outcome.Exit}";
            return new TaskError(SetupFailed, outcome.Output.LastLine(secrets) is { } last ? $"the setup {how}: {last}" : $"the setup {how}");
        }
        catch (SpawnException e)
        {
            return new TaskError(SetupFailed, $"the setup could not be started: {e.Message}");
        }
    }
}

/// <summary>The worktree that a run works in.</summary>
internal sealed record RunTree(Repository Repository, Worktree Tree, TreeRequest Request);
