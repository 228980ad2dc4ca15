namespace Colibri.Core.Scheduling;

/// <summary>
/// Notices that the host's wall clock was set, by an operator, by ntpd or by the end of a suspend: it then differs from the monotonic clock.
/// Slewing moves both clocks alike.
/// </summary>
internal sealed class ClockWatch(TimeProvider time)
{
    /// <summary>The smallest step. A smaller difference may come from reading the two clocks one after the other.</summary>
    public static readonly TimeSpan Smallest = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private DateTimeOffset _wall = time.GetUtcNow();
    private long _monotonic = time.GetTimestamp();
    private long _looked = time.GetTimestamp();

    /// <summary>
    /// How far the clock was set since the last accepted step, and the earliest that the clock as it is set now can have shown; null if it was
    /// not set. What is dated from then to now was dated by the new clock, and everything else by the old one. A step back by less than the
    /// time since the look before leaves some in doubt: they count as dated by the new clock, and wait longer by less than that time.
    /// </summary>
    public (TimeSpan By, DateTimeOffset Since)? Step()
    {
        var (now, before) = (time.GetUtcNow(), _wall + time.GetElapsedTime(_monotonic));
        var by = now - before;
        if (by.Duration() < Smallest)
        {
            _looked = time.GetTimestamp();
            return null;
        }

        // It was set after the look before this one.
        var since = now - time.GetElapsedTime(_looked);
        return (by, by > TimeSpan.Zero && since <= before ? before + Tick : since);
    }

    /// <summary>Accepts a step once everything that depends on the clock is adjusted.</summary>
    public void Accept(TimeSpan by)
    {
        (_wall, _monotonic) = (_wall + time.GetElapsedTime(_monotonic) + by, time.GetTimestamp());
        _looked = _monotonic;
    }
}
