namespace Colibri.Core.Schedules;

/// <summary>
/// What clocks on the wall of a zone show. Everything follows from the zone's offset at an instant, which is the one thing that zone data states without a
/// choice. A wall time is a <see cref="DateTime"/> whose kind is UTC, because the search of an expression knows no zone.
/// </summary>
internal sealed class ZoneClock(TimeZoneInfo zone)
{
    /// <summary>Offsets go from -12 to +14 hours, and have been a day apart in Samoa: a wall time's instants lie in this window around it.</summary>
    private static readonly TimeSpan Earliest = TimeSpan.FromHours(15);

    private static readonly TimeSpan Latest = TimeSpan.FromHours(13);

    private static readonly TimeSpan Step = TimeSpan.FromHours(1);

    public string Name => zone.Id;

    public TimeSpan OffsetAt(DateTime utc) => zone.GetUtcOffset(utc);

    public DateTime WallAt(DateTime utc) => utc + OffsetAt(utc);

    /// <summary>The first instant after this one at which the offset is another, up to and with the last; null for none.</summary>
    public DateTime? NextChange(DateTime utc, DateTime last)
    {
        var offset = OffsetAt(utc);
        for (var at = utc; at < last;)
        {
            var next = last - at > Step ? at + Step : last;
            if (OffsetAt(next) != offset)
                return ChangeIn(at, next);
            at = next;
        }
        return null;
    }

    /// <summary>Which instants show a wall time.</summary>
    public WallTime Find(DateTime wall)
    {
        var (from, to) = (wall - Earliest, wall + Latest);
        var (before, after) = (OffsetAt(from), OffsetAt(to));
        if (before == after)
            return new WallTime(wall - before, IsSkipped: false);
        var change = ChangeIn(from, to);
        if (wall - before < change)
            return new WallTime(wall - before, IsSkipped: false);
        return wall - after >= change ? new WallTime(wall - after, IsSkipped: false) : new WallTime(change, IsSkipped: true);
    }

    // Offsets change at whole seconds.
    private DateTime ChangeIn(DateTime from, DateTime to)
    {
        var offset = OffsetAt(from);
        var (low, high) = (from.Ticks / TimeSpan.TicksPerSecond, (to.Ticks + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (OffsetAt(At(middle)) == offset)
                low = middle;
            else
                high = middle;
        }
        return At(high);

        static DateTime At(long seconds) => new(seconds * TimeSpan.TicksPerSecond, DateTimeKind.Utc);
    }
}

/// <summary>When a wall clock shows a time.</summary>
/// <param name="First">The first instant that shows it; of a skipped one, the instant at which the clock was set forward past it.</param>
/// <param name="IsSkipped">No instant shows it.</param>
internal readonly record struct WallTime(DateTime First, bool IsSkipped);
