namespace Colibri.Core.Runs;

/// <summary>
/// Checks the limits of an agent's current run, after each event that matters and when the time of a limit is over. An agent has one watch for
/// all its runs.
/// </summary>
/// <param name="time">Limits run on its monotonic clock.</param>
/// <param name="look">Reads the run's current facts; null while there is no run.</param>
/// <param name="end">Called with a limit's finding that ends the run or the agent.</param>
/// <param name="catchUp">Returns when all that the agent had printed by the call was read; null where nothing is read.</param>
internal sealed class RunWatch(TimeProvider time, Func<RunLook?> look, Action<Run, LimitFinding> end, Func<CancellationToken, Task>? catchUp = null)
{
    /// <summary>
    /// Pause before a limit is enforced, in which waiting output is read: after a standstill of the host every timer is due before any pipe was
    /// read.
    /// </summary>
    internal static readonly TimeSpan Confirmation = FairWait.Confirmation;

    private readonly WakeUp _wake = new();

    /// <summary>Wakes the watch after an event that a limit depends on.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Watches until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var next = look() is { } seen ? await AskAsync(seen, stopping).ConfigureAwait(false) : LimitFinding.Longest;
            var since = time.GetTimestamp();
            try
            {
                await _wake.WaitAsync(next > TimeSpan.Zero ? next : TimeSpan.FromMilliseconds(1), time, stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            if (time.GetElapsedTime(since) - next >= FairWait.Late)
                await PauseAsync(FairWait.AfterStandstill, stopping).ConfigureAwait(false);
        }
    }

    private async Task<TimeSpan> AskAsync(RunLook seen, CancellationToken stopping)
    {
        var found = RunLimits.Ask(seen);
        if (!found.Ends)
            return found.LookAgain;
        // A second look confirms the finding, after pending output was read.
        await PauseAsync(Confirmation, stopping).ConfigureAwait(false);
        if (catchUp is not null)
            await catchUp(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopping.IsCancellationRequested || look() is not { } again || again.Run != seen.Run)
            return TimeSpan.Zero;
        found = RunLimits.Ask(again);
        if (!found.Ends)
            return found.LookAgain;
        end(again.Run, found);
        return LimitFinding.Longest;
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken stopping) =>
        await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
