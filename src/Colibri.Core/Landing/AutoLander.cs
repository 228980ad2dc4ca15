using System.Collections.Concurrent;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Landing;

/// <summary>
/// Lands the changes of workspaces whose settings say <c>land = "auto"</c>, one after another in each workspace, and in several workspaces at once. The board
/// says what there is to land, so a change that an earlier daemon did not come to is landed too.
/// </summary>
internal sealed class AutoLander(TaskBoard board, LandingDesk desk, WorkspaceHealth health, Func<ColibriSettings> settings, TimeProvider time, ILogger logger)
{
    private const int MostAtOnce = 1_000;

    /// <summary>The time after which it tries again what the disk refused.</summary>
    internal static readonly TimeSpan Again = TimeSpan.FromSeconds(30);

    private readonly BoardReview _review = new(board);
    private readonly WakeUp _wake = new();
    private readonly ConcurrentDictionary<string, Task> _landings = new(StringComparer.Ordinal);
    private bool _isRefused;

    /// <summary>Looks for changes to land. Never blocks.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Lands until cancelled, and returns when no landing of its own is under way.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                await LookAsync(stopping).ConfigureAwait(false);
                await _wake.WaitAsync(_isRefused || !_landings.IsEmpty ? Again : Timeout.InfiniteTimeSpan, time, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The daemon is stopping.
        }
        await Task.WhenAll(_landings.Values).ConfigureAwait(false);
    }

    private async Task LookAsync(CancellationToken stopping)
    {
        _isRefused = false;
        var workspaces = settings().Workspaces.Where(workspace => workspace.Land == LandMode.Auto).Select(workspace => workspace.Name).ToList();
        if (workspaces.Count == 0)
            return;
        IReadOnlyList<BoardTask> changes;
        try
        {
            changes = await _review.ToLandAsync(workspaces, MostAtOnce).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            logger.UnexpectedFailure("the look for changes to land", e);
            _isRefused = true;
            return;
        }
        if (changes.Count < MostAtOnce)
            desk.KeepTries(changes.Select(task => task.Change!.Head));
        // Before a workspace was looked at, what a killed daemon left there is not in order.
        foreach (var some in changes.Where(desk.LandsByItself).GroupBy(task => task.Change!.Workspace).Where(some => health.Why(some.Key) is null && !(_landings.TryGetValue(some.Key, out var before) && !before.IsCompleted)))
            _landings[some.Key] = Background.Run(logger, $"landing in workspace {some.Key}", Task.Run(() => LandAsync(some.Key, [.. some], stopping), CancellationToken.None));
    }

    private async Task LandAsync(string workspace, IReadOnlyList<BoardTask> tasks, CancellationToken stopping)
    {
        var isRefused = false;
        try
        {
            foreach (var task in tasks.TakeWhile(_ => !stopping.IsCancellationRequested))
            {
                if (await desk.LandByItselfAsync(task).ConfigureAwait(false))
                    continue;
                isRefused = true;
                break;
            }
        }
        finally
        {
            _landings.TryRemove(workspace, out _);
            // Where the disk refused, the next look in its time tries again.
            if (!isRefused)
                Wake();
        }
    }
}
