using System.Collections.Concurrent;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Landing;

/// <summary>
/// Lands the changes of workspaces whose settings say <c>land = "auto"</c>, one after another in each workspace, and in several workspaces at once. The board
/// says what there is to land, so a change that an earlier daemon did not come to is landed too.
/// </summary>
internal sealed class AutoLander(TaskBoard board, LandingDesk desk, Func<ColibriSettings> settings, TimeProvider time, ILogger logger)
{
    private const int MostAtOnce = 1_000;

    private readonly BoardReview _review = new(board);
    private readonly WakeUp _wake = new();
    private readonly ConcurrentDictionary<string, Task> _landings = new(StringComparer.Ordinal);

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
                await _wake.WaitAsync(Timeout.InfiniteTimeSpan, time, stopping).ConfigureAwait(false);
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
        if (!settings().Workspaces.Any(workspace => workspace.Land == LandMode.Auto))
            return;
        var changes = await _review.ChangesAsync(MostAtOnce).ConfigureAwait(false);
        // Those that began first land first.
        foreach (var some in changes.Where(desk.LandsByItself).Reverse().GroupBy(task => task.Change!.Workspace).Where(some => !_landings.ContainsKey(some.Key)))
            _landings[some.Key] = Background.Run(logger, $"landing in workspace {some.Key}", Task.Run(() => LandAsync(some.Key, [.. some], stopping), CancellationToken.None));
    }

    private async Task LandAsync(string workspace, IReadOnlyList<BoardTask> tasks, CancellationToken stopping)
    {
        try
        {
            foreach (var task in tasks.TakeWhile(_ => !stopping.IsCancellationRequested))
                await desk.LandByItselfAsync(task).ConfigureAwait(false);
        }
        finally
        {
            _landings.TryRemove(workspace, out _);
            Wake();
        }
    }
}
