namespace Colibri.Core.Runs;

/// <summary>
/// Asks the limits of the run that an agent is at, when something happened and when their time is over. One for an agent: a run that
/// comes later is watched like the first.
/// </summary>
/// <param name="time">Limits run on its monotonic side.</param>
/// <param name="look">What there is to see now; null while there is no run.</param>
/// <param name="end">Ends what a limit found to be over.</param>
internal sealed class RunWatch(TimeProvider time, Func<RunLook?> look, Action<Run, LimitFinding> end)
{
    /// <summary>What waits in the agent's pipe is read first: after a standstill of the host every timer is due before any pipe was read.</summary>
    internal static readonly TimeSpan Confirmation = TimeSpan.FromMilliseconds(250);

    /// <summary>A timer that comes so much too late tells of a standstill.</summary>
    internal static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan AfterStandstill = TimeSpan.FromSeconds(2);

    private readonly WakeUp _wake = new();

    /// <summary>Something happened that a limit depends on: it is asked soon.</summary>
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
        // Confirmed by a second look, after what was on its way has been read.
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
