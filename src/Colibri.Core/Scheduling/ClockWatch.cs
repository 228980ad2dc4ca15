namespace Colibri.Core.Scheduling;

/// <summary>
/// Notices that the host's wall clock was set, by an operator, by ntpd or by the end of a suspend: it then differs from the monotonic clock.
/// Slewing moves both clocks alike.
/// </summary>
internal sealed class ClockWatch(TimeProvider time)
{
    /// <summary>The smallest step. A smaller difference may come from reading the two clocks one after the other.</summary>
    public static readonly TimeSpan Smallest = TimeSpan.FromSeconds(2);

    private DateTimeOffset _wall = time.GetUtcNow();
    private long _monotonic = time.GetTimestamp();

    /// <summary>How far the clock was set since the last accepted step, and what it would show otherwise; null if it was not set.</summary>
    public (TimeSpan By, DateTimeOffset Before)? Step()
    {
        var before = _wall + time.GetElapsedTime(_monotonic);
        var by = time.GetUtcNow() - before;
        return by.Duration() >= Smallest ? (by, before) : null;
    }

    /// <summary>Accepts a step once everything that depends on the clock is adjusted.</summary>
    public void Accept(TimeSpan by) => (_wall, _monotonic) = (_wall + time.GetElapsedTime(_monotonic) + by, time.GetTimestamp());
}
