namespace Colibri.Core.Scheduling;

/// <summary>
/// Notices that the host's wall clock was set, by an operator, by ntpd or by the end of a suspend: it then no longer agrees with the monotonic
/// clock. Slewing moves both alike.
/// </summary>
internal sealed class ClockWatch(TimeProvider time)
{
    /// <summary>A smaller difference is that of two readings that are not made at one instant.</summary>
    public static readonly TimeSpan Smallest = TimeSpan.FromSeconds(2);

    private DateTimeOffset _wall = time.GetUtcNow();
    private long _monotonic = time.GetTimestamp();

    /// <summary>By how much the clock was set since the last step that was accepted, and what it would show without; null for not at all.</summary>
    public (TimeSpan By, DateTimeOffset Before)? Step()
    {
        var before = _wall + time.GetElapsedTime(_monotonic);
        var by = time.GetUtcNow() - before;
        return by.Duration() >= Smallest ? (by, before) : null;
    }

    /// <summary>What depends on the step was put right.</summary>
    public void Accept(TimeSpan by) => (_wall, _monotonic) = (_wall + time.GetElapsedTime(_monotonic) + by, time.GetTimestamp());
}
