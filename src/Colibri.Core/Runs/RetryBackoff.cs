namespace Colibri.Core.Runs;

/// <summary>When a failed attempt may be tried again: 1 s doubling to 5 min, with full jitter so that retries do not come all at once.</summary>
public sealed class RetryBackoff(TimeProvider time, Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>The earliest instant of the next attempt, for the board: the scheduler moves it when the clock is set.</summary>
    /// <param name="attempts">Attempts made so far, at least 1.</param>
    public DateTimeOffset NextAttemptAt(int attempts) => time.GetUtcNow() + Wait(attempts);

    /// <summary>The same as a length of time, for waits on the monotonic clock.</summary>
    public TimeSpan Wait(int attempts) => Ceiling(attempts) * random.NextDouble();

    /// <summary>The longest wait after so many attempts.</summary>
    public static TimeSpan Ceiling(int attempts)
    {
        // 2^9 s exceeds the longest wait already. The cap keeps the exponent from overflowing with a max_attempts of a thousand.
        var doubled = First * Math.Pow(2, Math.Clamp(attempts - 1, 0, 9));
        return doubled < Longest ? doubled : Longest;
    }
}
