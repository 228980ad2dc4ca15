using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Retention;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>
/// Gives a run of a task its place: the directory that its task names, a worktree of its workspace, or a directory of its own. No two runs are in one
/// directory at once. A directory that is not there is a failed start.
/// </summary>
/// <param name="places">The directories in which runs are.</param>
/// <param name="record">Records the place of a run.</param>
/// <param name="settings">The workspaces.</param>
/// <param name="enter">Gives a run its place in a workspace; answers why it cannot.</param>
/// <param name="state">The directory of the daemon's state, below which tasks have their own directories.</param>
internal sealed class PlaceStep(
    Places places, Func<RunClaim, string, Task<bool>> record, Func<ColibriSettings> settings, Func<Run, BoardTask, WorkspaceSettings, Task<TaskError?>> enter, string state) : IRunStep
{
    /// <summary>The error code of a run whose directory another run is in: its attempt is given back.</summary>
    public const string Busy = "directory";

    public async Task<TaskError?> RunAsync(Run run)
    {
        if (run is not { Task: { } task, Claim: { } claim, Site: { } site })
            return null;
        if (run.IsOfLivingAgent)
        {
            // It cannot change its directory. It is there already, and takes one task after another.
            run.Place = new RunPlace(run.FixedDirectory ?? WorkingDirectory.Current);
        }
        else if (run.FixedDirectory is { } stated)
        {
            // Of a confined agent it is a directory inside its root, where no other agent is.
            if (PlaceOf(site, task, stated) is { } place && Take(task, place) is { } busy)
                return busy;
            if (site.Root is null && !Directory.Exists(stated))
                return new TaskError(RunVerdict.SpawnFailed, $"its directory is not there: {stated}");
            run.Place = new RunPlace(stated);
        }
        else if (site.Root is { } root && task is { Workspace: null, Cwd: null })
        {
            // A tenant's tasks that name no directory share its root: they run one after another.
            if (task.Tenant is not null && Take(task, root) is { } busy)
                return busy;
            run.Place = new RunPlace(root) { Inside = "/" };
        }
        else if (task.Workspace is { } name)
        {
            if (settings().Workspace(name) is not { } workspace)
                return new TaskError(RunVerdict.SpawnFailed, $"there is no workspace {name} in the configuration");
            if (await enter(run, task, workspace).ConfigureAwait(false) is { } error)
                return error;
        }
        else
        {
            var directory = task.Cwd ?? OwnOf(state, task.Number);
            if (Take(task, directory) is { } busy)
                return busy;
            if (task.Cwd is null)
                Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            else if (!Directory.Exists(directory))
                return new TaskError(RunVerdict.SpawnFailed, $"its directory is not there: {directory}");
            run.Place = new RunPlace(directory);
        }
        if (site.Root is not null && run.Place is { Inside: null } outside && run.FixedDirectory is null)
        {
            if (site.Inside(outside.Directory) is not { } inside)
                return new TaskError(RunVerdict.SpawnFailed, $"its directory lies outside the root that its agent is confined to: {outside.Directory}");
            run.Place = outside with { Inside = inside };
        }
        run.NeedsAgentsEnd = run.Place!.Tree is not null || task.Check is not null || task.Tenant is not null
            || (run.Place.Workspace is { } shared && settings().Workspace(shared)?.Check is not null);
        site.ShowPlace(run.Place!.Directory);
        await record(claim, run.Place.Directory).ConfigureAwait(false);
        return null;
    }

    /// <summary>The directory of a task that names none.</summary>
    public static string OwnOf(string state, long number) => Path.Combine(state, Pruner.WorkDirectory, number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>The directory of the host that a stated one is; null where no other agent can be in it.</summary>
    private static string? PlaceOf(IRunSite site, BoardTask task, string stated) =>
        site.Root is not { } root ? stated : task.Tenant is null ? null : $"{root}/{stated.TrimStart('/')}";

    private TaskError? Take(BoardTask task, string directory) => places.Take(directory, new PlaceHolder(task.Id, task.Number)) is { } holder
        ? new TaskError(Busy, $"task {holder.Number} works in {directory}; two runs are never in one directory")
        : null;
}
