namespace Colibri.Core.Scheduling;

/// <summary>A bell that one loop waits for: ringing it before the wait, or many times, is one wake-up.</summary>
internal sealed class WakeUp
{
    private readonly SemaphoreSlim _bell = new(0, 1);
    private int _rung;

    public void Set()
    {
        if (Interlocked.Exchange(ref _rung, 1) == 0)
            _bell.Release();
    }

    /// <summary>Returns when rung or when the time is up, whichever is first.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            await _bell.WaitAsync(either.Token).ConfigureAwait(false);
            Volatile.Write(ref _rung, 0);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The time is up.
        }
    }
}
