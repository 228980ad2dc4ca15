using Colibri.Core.Board;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>
/// Gives a run of a task its place: the directory that its task names, a worktree of its workspace, or a directory of its own. No two runs are in one
/// directory at once. A directory that is not there is a failed start.
/// </summary>
/// <param name="places">The directories in which runs are.</param>
/// <param name="board">Records the place.</param>
/// <param name="settings">The workspaces.</param>
/// <param name="worktrees">Makes worktrees.</param>
/// <param name="state">The directory of the daemon's state, below which tasks have their own directories.</param>
internal sealed class PlaceStep(Places places, TaskBoard board, Func<ColibriSettings> settings, WorkspacePlacing worktrees, string state) : IRunStep
{
    /// <summary>The error code of a run whose directory another run is in: its attempt is given back.</summary>
    public const string Busy = "directory";

    public async Task<TaskError?> RunAsync(Run run)
    {
        if (run is not { Task: { } task, Claim: { } claim, Site: { } site })
            return null;
        if (run.FixedDirectory is { } fixedDirectory)
        {
            // An agent that lives already, or one whose directory the request states.
            run.Place = new RunPlace(fixedDirectory);
        }
        else if (!run.IsPlaced)
        {
            return null;
        }
        else if (task.Workspace is { } name)
        {
            if (settings().Workspace(name) is not { } workspace)
                return new TaskError(RunVerdict.SpawnFailed, $"there is no workspace {name} in the configuration");
            if (await worktrees.PlaceAsync(run, task, workspace, places).ConfigureAwait(false) is { } error)
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
        site.ShowPlace(run.Place!.Directory);
        await board.PlaceRunAsync(claim, run.Place.Directory).ConfigureAwait(false);
        return null;
    }

    /// <summary>The directory of a task that names none.</summary>
    public static string OwnOf(string state, long number) => Path.Combine(state, "work", number.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private TaskError? Take(BoardTask task, string directory) => places.Take(directory, task.Id) is { } holder
        ? new TaskError(Busy, $"task {holder} works in {directory}; two runs are never in one directory")
        : null;
}
