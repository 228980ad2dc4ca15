using Colibri.Core.Board;

namespace Colibri.Core.Schedules;

/// <summary>What becomes of a schedule's times that have come: usually one, and after a downtime many.</summary>
/// <param name="Fire">Those that it fires for, the earliest first.</param>
/// <param name="Missed">How many it does not fire for.</param>
/// <param name="Last">The latest that has come.</param>
/// <param name="Next">The first that has not; null where there is none.</param>
internal sealed record DueTimes(IReadOnlyList<DateTimeOffset> Fire, long Missed, DateTimeOffset Last, DateTimeOffset? Next)
{
    /// <summary>A time that is no older has been met: a daemon under load is no daemon that was off.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    /// <summary>Beyond so many times of a cron expression the count of missed ones is a least: the search goes on a day before now.</summary>
    public const int MostCounted = 100_000;

    private static readonly TimeSpan Skip = TimeSpan.FromDays(1);

    /// <param name="rule">The schedule's times.</param>
    /// <param name="first">The first that has come, at or before now.</param>
    /// <param name="now">The current time.</param>
    /// <param name="missed">Which of the missed ones are made up for.</param>
    /// <param name="most">With <see cref="MissedRuns.All"/>: how many at the most.</param>
    public static DueTimes Of(ScheduleRule rule, DateTimeOffset first, DateTimeOffset now, MissedRuns missed, int most)
    {
        // One more than is made up for: the latest may have been met.
        var keep = missed == MissedRuns.All ? most + 1 : 1;
        var (latest, count, next) = rule.Every is { } every ? Grid(first, now, every, keep) : Search(rule, first, now, keep);
        var last = latest[^1];
        var isMet = now - last <= Grace;
        var fired = missed switch
        {
            MissedRuns.None => isMet ? 1 : 0,
            MissedRuns.Once => 1,
            _ => Math.Min(latest.Count, most + (isMet ? 1 : 0)),
        };
        return new DueTimes([.. latest.Skip(latest.Count - fired)], count - fired, last, next);
    }

    private static (IReadOnlyList<DateTimeOffset> Latest, long Count, DateTimeOffset? Next) Grid(DateTimeOffset first, DateTimeOffset now, TimeSpan every, int keep)
    {
        var count = ((now - first).Ticks / every.Ticks) + 1;
        var last = first + (every * (count - 1));
        var kept = (int)Math.Min(count, keep);
        return ([.. Enumerable.Range(0, kept).Select(i => last - (every * (kept - 1 - i)))], count, last + every);
    }

    private static (IReadOnlyList<DateTimeOffset> Latest, long Count, DateTimeOffset? Next) Search(ScheduleRule rule, DateTimeOffset first, DateTimeOffset now, int keep)
    {
        var latest = new Queue<DateTimeOffset>(Math.Min(keep, 64));
        var count = 0L;
        DateTimeOffset? at = first;
        while (at is { } due && due <= now)
        {
            if (latest.Count == keep)
                latest.Dequeue();
            latest.Enqueue(due);
            count++;
            at = rule.Next(count == MostCounted && now - due > Skip ? now - Skip : due);
        }
        return ([.. latest], count, at);
    }
}
