namespace Colibri.Core;

/// <summary>
/// Waits for the end of a time that another process was given. When this process has stood still (SIGSTOP, a paused virtual machine), every
/// timer is due before anything that happened meanwhile was read. So the time is over only after a pause in which that is read.
/// </summary>
public static class FairWait
{
    /// <summary>The pause after a time that ended when it should.</summary>
    public static readonly TimeSpan Confirmation = TimeSpan.FromMilliseconds(250);

    /// <summary>A timer that is late by this much shows a standstill.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    /// <summary>The pause after a standstill.</summary>
    public static readonly TimeSpan AfterStandstill = TimeSpan.FromSeconds(2);

    /// <summary>Returns when the time and the pause after it are over.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before that.</exception>
    public static async Task ElapseAsync(TimeSpan length, TimeProvider time, CancellationToken cancellation)
    {
        var since = time.GetTimestamp();
        await Task.Delay(length, time, cancellation).ConfigureAwait(false);
        await Task.Delay(PauseAfter(time.GetElapsedTime(since) - length), time, cancellation).ConfigureAwait(false);
    }

    /// <summary>Whether something is done within a time; what it does is left to go on.</summary>
    public static async Task<bool> IsDoneAsync(Task work, TimeSpan length, TimeProvider time)
    {
        using var done = new CancellationTokenSource();
        var elapsed = ElapseAsync(length, time, done.Token);
        await Task.WhenAny(work, elapsed).ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        await elapsed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return work.IsCompleted;
    }

    /// <summary>The pause before something is judged by a timer that came so late.</summary>
    public static TimeSpan PauseAfter(TimeSpan lateness) => lateness >= Late ? AfterStandstill : Confirmation;
}
