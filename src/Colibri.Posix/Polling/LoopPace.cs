namespace Colibri.Posix.Polling;

/// <summary>How an <see cref="EventLoop"/> waits while events come in quick succession. Otherwise it sleeps until one comes.</summary>
public enum LoopPace
{
    /// <summary>
    /// Looks again at once, for 0.2 ms, leaving the processor to whoever wants it: for clients that ask one question after the other, since
    /// to sleep and be woken takes longer than most answers.
    /// </summary>
    Attend,

    /// <summary>
    /// Lets 1 ms pass first, and 12 ms from 128 events at a time on until they are fewer than 32, so that what many say meanwhile costs one wake-up: for news
    /// that need not be known at once.
    /// </summary>
    Gather,
}
