using System.Collections.Concurrent;
using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Landing;

/// <summary>
/// What becomes of changes: shown, landed, discarded. A landing merges in a tree of its own, runs the check on what was merged, and then moves the base
/// from the commit that it merged onto. One lands at a time in a workspace.
/// </summary>
/// <param name="board">Has the changes.</param>
/// <param name="supervisor">Runs checks.</param>
/// <param name="settings">The workspaces.</param>
/// <param name="git">Runs git.</param>
/// <param name="secrets">Redacts what checks print.</param>
/// <param name="logger">Told of every landing.</param>
public sealed class LandingDesk
{
    /// <summary>The most bytes of a patch that are shown.</summary>
    public const int MaxPatch = Changes.MaxPatch;

    private readonly TaskBoard _board;
    private readonly AgentSupervisor _supervisor;
    private readonly Func<ColibriSettings> _settings;
    private readonly WorkspaceGit _git;
    private readonly Merging _merging;
    private readonly Worktrees _trees;
    private readonly Snapshots _snapshots;
    private readonly Secrets _secrets;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, CallChain> _landings = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _tried = new(StringComparer.Ordinal);

    internal LandingDesk(TaskBoard board, AgentSupervisor supervisor, Func<ColibriSettings> settings, WorkspaceGit git, Secrets secrets, ILogger logger)
    {
        (_board, _supervisor, _settings, _git, _secrets, _logger) = (board, supervisor, settings, git, secrets, logger);
        (_merging, _trees, _snapshots) = (new Merging(git), new Worktrees(git), new Snapshots(git));
    }

    /// <summary>Removes what landings of a killed daemon left, and finishes those that had moved their base. Only at the start, before any landing.</summary>
    public async Task SweepAsync(CancellationToken stopping)
    {
        try
        {
            await _trees.SweepScratchAsync(stopping).ConfigureAwait(false);
            await new BaseMover(_git).RecoverAsync(stopping).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            _logger.WorkspaceNotCleared("what landings left", e.Message);
        }
    }

    /// <summary>A task's change, and what it changes.</summary>
    /// <param name="task">The task.</param>
    /// <param name="maxPatch">The most bytes of the patch; 0 for none.</param>
    /// <exception cref="LandingRefusedException">It has none, or its repository does not answer.</exception>
    public async Task<(WorkChange Change, string? Patch)> ShowAsync(BoardTask task, int maxPatch)
    {
        ArgumentNullException.ThrowIfNull(task);
        var change = ChangeOf(task);
        if (maxPatch <= 0)
            return (change, null);
        try
        {
            var repository = await _git.OpenAsync(WorkspaceOf(change).Path, CancellationToken.None).ConfigureAwait(false);
            return (change, _secrets.Redact(await Changes.PatchAsync(repository, change.Base, change.Head, maxPatch, CancellationToken.None).ConfigureAwait(false)));
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            throw new LandingRefusedException(e.Message);
        }
    }

    /// <summary>Lands a task's change.</summary>
    /// <param name="task">The task.</param>
    /// <param name="isForced">Whether it lands although its last run did not end well.</param>
    /// <returns>The change as it is then: landed, or in conflict.</returns>
    /// <exception cref="LandingRefusedException">It cannot land now. The base is as it was.</exception>
    /// <exception cref="BoardUnavailableException">The disk refused.</exception>
    public Task<(WorkChange Change, TaskCheck? Check)> LandAsync(BoardTask task, bool isForced)
    {
        ArgumentNullException.ThrowIfNull(task);
        var workspace = WorkspaceOf(ChangeOf(task));
        return _landings.GetOrAdd(workspace.Name, _ => new CallChain()).RunAsync(() => LandNowAsync(task.Id, isForced), CancellationToken.None);
    }

    /// <summary>
    /// Gives a change up. Its commits are parked under a reference, and its tree is removed. Where its workspace is not configured any more, its branch and
    /// its tree stay.
    /// </summary>
    /// <param name="task">The task.</param>
    /// <param name="isForced">Whether work in its tree that is on no branch is parked too. Else it is in the way.</param>
    /// <exception cref="LandingRefusedException">It has none that could be given up, its tree holds other work, or a run is at work on it.</exception>
    public async Task<WorkChange> DiscardAsync(BoardTask task, bool isForced)
    {
        ArgumentNullException.ThrowIfNull(task);
        return await _landings.GetOrAdd(ChangeOf(task).Workspace, _ => new CallChain()).RunAsync(() => DiscardNowAsync(task.Id, isForced), CancellationToken.None).ConfigureAwait(false);
    }

    private async Task<WorkChange> DiscardNowAsync(string taskId, bool isForced)
    {
        // Read again: a landing may have come first.
        var task = await _board.GetAsync(taskId).ConfigureAwait(false) ?? throw new LandingRefusedException("the task is gone") { IsMissing = true };
        var change = ChangeOf(task);
        RequireAtRest(task);
        if (change.State is ChangeState.Landed or ChangeState.Discarded)
            throw new LandingRefusedException($"the change of task {task.Number} is {Words(change.State)} already");
        var workspace = _settings().Workspace(change.Workspace);
        if (workspace is not null && !isForced)
            await RequireNothingElseAsync(task, workspace).ConfigureAwait(false);
        var discarded = await SetAsync(task, change, change with { State = ChangeState.Discarded }).ConfigureAwait(false);
        if (workspace is not null)
            await ClearAsync(task, workspace, change, isLanded: false).ConfigureAwait(false);
        return discarded;
    }

    /// <summary>Whether a change is to land by itself. There is one try for each head: what failed waits for a person.</summary>
    public bool LandsByItself(BoardTask task) =>
        // A task that an outside claimant has done says nothing of what a run left before.
        task is { Status: TaskState.Done, Verdict: RunVerdict.Done, Change: { State: ChangeState.Open } change } && !_tried.ContainsKey(change.Head)
        && _settings().Workspace(change.Workspace) is { Land: LandMode.Auto };

    /// <summary>Whether a change is to land by itself, or is being landed so.</summary>
    public bool IsLandingByItself(BoardTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return LandsByItself(task) || (task.Change is { } change && _tried.TryGetValue(change.Head, out var isUnderWay) && isUnderWay);
    }

    /// <summary>Forgets the tries of changes that are not there any more.</summary>
    internal void KeepTries(IEnumerable<string> heads)
    {
        foreach (var gone in _tried.Keys.Except(heads, StringComparer.Ordinal))
            _tried.TryRemove(gone, out _);
    }

    /// <summary>Lands a change by itself. What is in the way is logged.</summary>
    /// <returns>False where the disk refused, so that it is to be tried again.</returns>
    public async Task<bool> LandByItselfAsync(BoardTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (!LandsByItself(task) || !_tried.TryAdd(task.Change!.Head, true))
            return true;
        try
        {
            await LandAsync(task, isForced: false).ConfigureAwait(false);
        }
        catch (LandingRefusedException e)
        {
            _logger.ChangeNotLanded(task.Number, e.Message);
        }
        catch (BoardUnavailableException e)
        {
            // Its base may have moved by now: the next try finds that, and records it.
            _logger.BoardUnavailable(e.Message);
            _tried.TryRemove(task.Change.Head, out _);
            return false;
        }
        finally
        {
            _tried.TryUpdate(task.Change.Head, false, true);
        }
        return true;
    }

    private async Task<(WorkChange Change, TaskCheck? Check)> LandNowAsync(string taskId, bool isForced)
    {
        // Read again: another landing may have come first.
        var task = await _board.GetAsync(taskId).ConfigureAwait(false) ?? throw new LandingRefusedException("the task is gone") { IsMissing = true };
        var change = ChangeOf(task);
        var workspace = WorkspaceOf(change);
        RequireAtRest(task);
        if (change.State is ChangeState.Landed or ChangeState.Discarded or ChangeState.Empty)
            throw new LandingRefusedException($"the change of task {task.Number} is {Words(change.State)}: there is nothing to land");
        if (task.Status != TaskState.Done && !isForced)
            throw new LandingRefusedException($"task {task.Number} is {TaskWords(task)}; land its change all the same with: colibri land {task.Number} --force");
        if (workspace.Land == LandMode.Never && !isForced)
            throw new LandingRefusedException($"changes of workspace {workspace.Name} stay on their branches (land = \"never\"); land this one all the same with: colibri land {task.Number} --force");
        TaskCheck? check = null;
        Workspaces.Landing landing;
        try
        {
            landing = await _merging.LandAsync(
                workspace.Path, new LandRequest(task.Number, task.Title, change.Branch, workspace.Base, workspace.Merge),
                async (tree, _) => (check = await CheckAsync(task, workspace, tree).ConfigureAwait(false)) is null or { Exit.Code: 0 }, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            throw new LandingRefusedException(e.Message);
        }
        switch (landing.State)
        {
            // The base has all of it: a landing that was cut short before it was recorded, or somebody else's merge.
            case LandState.Landed or LandState.Empty:
                var landed = await SetAsync(task, change, change with { State = ChangeState.Landed, Conflicts = null }).ConfigureAwait(false);
                _logger.ChangeLanded(task.Number, change.Branch, landing.Base, landing.Commit);
                await ClearAsync(task, workspace, change, isLanded: true).ConfigureAwait(false);
                return (landed, check);
            case LandState.Conflict:
                var files = string.Join(", ", landing.Conflicts.Take(5)) + (landing.Conflicts.Count > 5 ? $" and {landing.Conflicts.Count - 5} more" : "");
                _logger.ChangeInConflict(task.Number, landing.Base, files);
                return (await SetAsync(task, change, change with { State = ChangeState.Conflict, Conflicts = landing.Conflicts }).ConfigureAwait(false), check);
            case LandState.CheckFailed:
                throw new LandingRefusedException(
                    $"the check failed on the merged result ({(check?.Exit is { } exit ? new ExitStatus(exit.Code, exit.Signal).ToString() : "it did not end in time")}); {landing.Base} is as it was")
                { Check = check };
            default:
                throw new LandingRefusedException($"{landing.Base} moved during each of {landing.Tries} tries; try again");
        }
    }

    private async Task<TaskCheck?> CheckAsync(BoardTask task, WorkspaceSettings workspace, string tree)
    {
        // The task's own, else that of the workspace as it is now, which may not be the one that the run met.
        if (((await _board.GivenAsync(task.Id).ConfigureAwait(false))?.Check ?? workspace.Check) is not { Length: > 0 } command)
            return null;
        var confine = await ConfinementOfAsync(task).ConfigureAwait(false);
        try
        {
            var outcome = await _supervisor.ExecuteAsync(command, tree, workspace.CheckTimeout, confine).ConfigureAwait(false);
            if (outcome.IsStopped)
                throw new LandingRefusedException("the daemon stopped while the merged result was checked; the base is as it was");
            var exit = outcome.HasMissedItsLimit ? null : new ProcessExit(outcome.Exit.Code, outcome.Exit.Signal);
            return new TaskCheck(command, exit, (long)outcome.Duration.TotalMilliseconds, outcome.Output.Text(_secrets));
        }
        catch (Exception e) when (e is SpawnException or SpawnRefusedException)
        {
            throw new LandingRefusedException($"the check could not be run: {e.Message}");
        }
    }

    // As the latest of its runs that was confined: what is checked is what agents wrote, whichever profile the task asks for.
    private async Task<JailRequest?> ConfinementOfAsync(BoardTask task)
    {
        var settings = _settings();
        var profiles = (await _board.RunsAsync(task.Id).ConfigureAwait(false)).Select(run => run.Profile).Prepend(task.Agent);
        return profiles.Select(name => name is null ? null : settings.Agent(name)?.Confine).LastOrDefault(confined => confined is not null) is { } confine
            ? new JailRequest { Path = confine.Path, User = confine.User, Ip4 = confine.Ip4 } : null;
    }

    private async Task<WorkChange> SetAsync(BoardTask task, WorkChange before, WorkChange after)
    {
        // By its head too: a run that began during the landing's check may have ended, and what it did has not landed.
        var set = await _board.SetChangeAsync(task.Id, before.State, after, before.Head).ConfigureAwait(false);
        // The look at a workspace records what it finds landed.
        return set.Outcome == EdgeOutcome.Applied || (set.Task?.Change is { } now && now.State == after.State && now.Head == after.Head) ? after : throw new LandingRefusedException($"task {task.Number} has changed meanwhile; look at it again");
    }

    // The branch and the tree of a change that is over. What no other reference has is parked before.
    // The tree goes last: one that is left says that a kill came between.
    internal async Task ClearAsync(BoardTask task, WorkspaceSettings workspace, WorkChange change, bool isLanded)
    {
        try
        {
            var repository = await _git.OpenAsync(workspace.Path, CancellationToken.None).ConfigureAwait(false);
            var tip = await repository.BaseAsync(workspace.Base, CancellationToken.None).ConfigureAwait(false);
            var request = WorkspaceRuns.RequestOf(task, workspace, tip);
            var reference = $"refs/heads/{change.Branch}";
            if (await repository.CommitOfAsync(reference, CancellationToken.None).ConfigureAwait(false) is { } head)
            {
                if (!isLanded || !await repository.IsAncestorAsync(head, tip.Commit, CancellationToken.None).ConfigureAwait(false))
                    await _snapshots.ParkAsync(repository, task.Number, head, CancellationToken.None).ConfigureAwait(false);
                await _git.InTurnAsync(
                    repository, () => repository.DeleteAsync(reference, head, CancellationToken.None), CancellationToken.None).ConfigureAwait(false);
            }
            await _trees.RemoveAsync(repository, request, force: true, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            _logger.TreeNotLeft(task.Number, e.Message);
        }
    }

    // What a person did in the tree after the run has ended is on no branch.
    private async Task RequireNothingElseAsync(BoardTask task, WorkspaceSettings workspace)
    {
        try
        {
            var repository = await _git.OpenAsync(workspace.Path, CancellationToken.None).ConfigureAwait(false);
            var request = WorkspaceRuns.RequestOf(task, workspace, await repository.BaseAsync(workspace.Base, CancellationToken.None).ConfigureAwait(false));
            await _trees.RequireRemovableAsync(repository, request, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is GitException or IOException or UnauthorizedAccessException)
        {
            throw new LandingRefusedException($"{e.Message}; give it up all the same, parked, with: colibri discard {task.Number} --force");
        }
    }

    private void RequireAtRest(BoardTask task)
    {
        if (task.Status == TaskState.Cancelled && _supervisor.FindByTask(task.Id) is not null)
            throw new LandingRefusedException($"the agent of task {task.Number} is still being ended: try again in a moment");
        if (task.Status is TaskState.Claimed or TaskState.Started)
            throw new LandingRefusedException($"a run is at work on task {task.Number}; wait for it, or: colibri cancel-task {task.Number}");
    }

    private static WorkChange ChangeOf(BoardTask task) =>
        task.Change ?? throw new LandingRefusedException($"task {task.Number} has no change{(task.Workspace is null ? ": it works in no workspace" : "")}") { IsMissing = true };

    private WorkspaceSettings WorkspaceOf(WorkChange change) => _settings().Workspace(change.Workspace)
        ?? throw new LandingRefusedException($"there is no workspace {change.Workspace} in the configuration any more: put it back there, or give the change up, whose branch stays, with discard");

    private static string TaskWords(BoardTask task) => task.Status == TaskState.Failed && task.Verdict is { } verdict ? $"failed ({verdict})" : task.Status.ToString().ToLowerInvariant();

    private static string Words(ChangeState state) => state.ToString().ToLowerInvariant();
}

/// <summary>A change cannot be shown, landed or discarded. The message is one line for a person: what is in the way, and what to type.</summary>
public sealed class LandingRefusedException(string message) : Exception(message)
{
    /// <summary>There is no change at all.</summary>
    public bool IsMissing { get; init; }

    /// <summary>How the check of the merged result ended; null where it was not run.</summary>
    public TaskCheck? Check { get; init; }
}
