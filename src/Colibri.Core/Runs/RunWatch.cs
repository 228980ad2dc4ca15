namespace Colibri.Core.Runs;

/// <summary>
/// Checks the limits of an agent's current run, after each event that matters and when the time of a limit is over. An agent has one watch for
/// all its runs.
/// </summary>
/// <param name="time">Limits run on its monotonic clock.</param>
/// <param name="look">Reads the run's current facts; null while there is no run.</param>
/// <param name="end">Called with a limit's finding that ends the run or the agent.</param>
internal sealed class RunWatch(TimeProvider time, Func<RunLook?> look, Action<Run, LimitFinding> end)
{
    /// <summary>
    /// Pause before a limit is enforced, in which waiting output is read: after a standstill of the host every timer is due before any pipe was
    /// read.
    /// </summary>
    internal static readonly TimeSpan Confirmation = TimeSpan.FromMilliseconds(250);

    /// <summary>A timer that is late by this much shows a standstill of the host.</summary>
    internal static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan AfterStandstill = TimeSpan.FromSeconds(2);

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
            if (time.GetElapsedTime(since) - next >= Late)
                await PauseAsync(AfterStandstill, stopping).ConfigureAwait(false);
        }
    }

    private async Task<TimeSpan> AskAsync(RunLook seen, CancellationToken stopping)
    {
        var found = RunLimits.Ask(seen);
        if (found.IsOver)
            end(seen.Run, found);
        if (found.Cause == StopCause.None)
            return found.IsOver ? LimitFinding.Longest : found.LookAgain;
        // A second look confirms the finding, after pending output was read.
        await PauseAsync(Confirmation, stopping).ConfigureAwait(false);
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
