using Colibri.Core.Logging;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Retention;

/// <summary>
/// Prunes at the daemon's start, every hour after that, and at once when the disk guard begins to hold starts. It then deletes what is due and no more, and
/// says what an operator could delete besides.
/// </summary>
public sealed class RetentionLoop(Pruner pruner, DiskGuard guard, TimeProvider time, ILogger logger)
{
    /// <summary>The time between two prunes, on the monotonic clock.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    private static readonly TimeSpan[] Offers = [TimeSpan.FromDays(30), TimeSpan.FromDays(7), TimeSpan.FromDays(1)];

    private readonly WakeUp _wake = new();

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        guard.Changed += _wake.Set;
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                var (since, wasHeld) = (time.GetTimestamp(), guard.IsHeld);
                await PruneAsync(wasHeld, stopping).ConfigureAwait(false);
                while (Interval - time.GetElapsedTime(since) is var left && left > TimeSpan.Zero && (wasHeld || !guard.IsHeld))
                {
                    await _wake.WaitAsync(left, time, stopping).ConfigureAwait(false);
                    wasHeld &= guard.IsHeld;
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The daemon is stopping.
        }
        finally
        {
            guard.Changed -= _wake.Set;
        }
    }

    private async Task PruneAsync(bool isLow, CancellationToken stopping)
    {
        try
        {
            var pruned = await pruner.PruneAsync(null, isDry: false, stopping).ConfigureAwait(false);
            if (pruned.Tasks.Count + pruned.Sessions.Count + pruned.Directories.Count + pruned.Worktrees.Count > 0)
                logger.Pruned(pruned.Tasks.Count, pruned.Sessions.Count, pruned.Directories.Count, pruned.Worktrees.Count, ByteWords.Of(pruned.FreedBytes));
            if (isLow && guard is { IsHeld: true, State: { } disk })
                logger.PruneAdvice(await AdviceAsync(disk, stopping).ConfigureAwait(false));
        }
        catch (Exception e) when (e is not OutOfMemoryException and not OperationCanceledException)
        {
            logger.UnexpectedFailure("retention", e);
        }
    }

    private async Task<string> AdviceAsync(StatusDisk disk, CancellationToken stopping)
    {
        var (advice, most) = ("nothing that prune deletes would make room", 0L);
        foreach (var age in Offers)
        {
            var could = await pruner.PruneAsync(age, isDry: true, stopping).ConfigureAwait(false);
            // The gentlest that does as much.
            if (could.FreedBytes > most)
                (advice, most) = ($"colibri prune --older-than {age.Days}d could free {ByteWords.Of(could.FreedBytes)}", could.FreedBytes);
            if (could.FreedBytes >= disk.MinFreeBytes - disk.FreeBytes)
                break;
        }
        return advice;
    }
}
