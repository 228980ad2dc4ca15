using System.Globalization;
using Colibri.Core.Board;

namespace Colibri.Core.Schedules;

/// <summary>When a schedule fires: a cron expression in a zone, an interval of real time, or once.</summary>
internal sealed class ScheduleRule
{
    private static readonly string[] WallForms = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd HH:mm:ss"];

    private readonly CronRule? _cron;
    private readonly DateTimeOffset? _once;

    private ScheduleRule(CronRule? cron, TimeSpan? every, DateTimeOffset? once) => (_cron, Every, _once) = (cron, every, once);

    /// <summary>Of an interval: its length.</summary>
    public TimeSpan? Every { get; }

    /// <summary>Whether what it says depends on the data of its zone.</summary>
    public static bool NeedsZone(NewSchedule schedule) => schedule.Cron is not null || (schedule.At is { } at && Instant(at) is null);

    /// <exception cref="ScheduleRefusedException">It says no time.</exception>
    public static ScheduleRule Of(NewSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var stated = (schedule.Cron is null ? 0 : 1) + (schedule.EveryMs is null ? 0 : 1) + (schedule.At is null ? 0 : 1);
        if (stated != 1)
            throw new ScheduleRefusedException("cron", stated == 0 ? "is missing, and so are every_ms and at: a schedule has one of them" : ", every_ms and at exclude each other: a schedule has one of them");
        if (schedule.EveryMs is { } every)
            return new ScheduleRule(null, TimeSpan.FromMilliseconds(every), null);
        if (schedule.Cron is { } cron)
            return new ScheduleRule(CronRule.Parse(cron, HostZones.Find(schedule.Zone)), null, null);
        return new ScheduleRule(null, null, OnceAt(schedule.At!, schedule.Zone));
    }

    /// <summary>The first time after this one; null where there is none.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        if (Every is { } every)
            return after + every;
        if (_once is { } once)
            return once > after ? once : null;
        return _cron!.Next(after.UtcDateTime) is { } next ? new DateTimeOffset(next, TimeSpan.Zero) : null;
    }

    private static DateTimeOffset OnceAt(string text, string zone)
    {
        if (Instant(text) is { } instant)
            return instant;
        if (!DateTime.TryParseExact(text, WallForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var wall))
            throw new ScheduleRefusedException("at", $"is '{text}', which is no time, such as 2026-11-27T22:00:00+01:00, or 2026-11-27T22:00 in the schedule's zone");
        return new DateTimeOffset(HostZones.Find(zone).Find(wall).First, TimeSpan.Zero);
    }

    /// <summary>A time with its offset; null for one of a wall clock.</summary>
    private static DateTimeOffset? Instant(string text)
    {
        if (text.Length < 17 || (text[^1] is not ('Z' or 'z') && text[^6] is not ('+' or '-')))
            return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? Millisecond(at) : null;
    }

    // The board's times are whole milliseconds.
    private static DateTimeOffset Millisecond(DateTimeOffset at) => DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds());
}
