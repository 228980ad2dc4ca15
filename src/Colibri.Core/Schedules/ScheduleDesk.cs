using System.Globalization;
using Colibri.Core.Board;

namespace Colibri.Core.Schedules;

/// <summary>What clients ask of schedules. Each change works out the next time anew, and wakes the loop that fires.</summary>
/// <param name="schedules">Those of the board.</param>
/// <param name="time">The board's clock.</param>
/// <param name="changed">Called after each change.</param>
public sealed class ScheduleDesk(BoardSchedules schedules, TimeProvider time, Action changed)
{
    /// <summary>The daemon's zone, which a schedule gets that names none.</summary>
    public static string Zone => HostZones.Here();

    /// <summary>A time as the clocks of a zone show it, with their offset; in UTC where the zone is gone.</summary>
    public static string Local(string zone, DateTimeOffset at)
    {
        var offset = HostZones.TryFind(zone, out _)?.OffsetAt(at.UtcDateTime) ?? TimeSpan.Zero;
        return at.ToOffset(offset).ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture);
    }

    /// <summary>Stores a schedule, or replaces the one of its name.</summary>
    /// <returns>The schedule, and whether one of its name was there.</returns>
    /// <exception cref="ScheduleRefusedException">It says no time that is to come.</exception>
    /// <exception cref="TaskRefusedException">Its task names what is not there.</exception>
    /// <exception cref="ScheduleLimitException">There is no room for it.</exception>
    public async Task<(ScheduleRow Row, bool Replaced)> SetAsync(NewSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var set = await schedules.SetAsync(schedule, First(schedule)).ConfigureAwait(false);
        changed();
        return set;
    }

    /// <summary>A schedule as it would be, and its next times, at most so many. Nothing is stored.</summary>
    /// <exception cref="ScheduleRefusedException">It says no time that is to come.</exception>
    public (ScheduleRow Row, IReadOnlyList<DateTimeOffset> Times) Preview(NewSchedule schedule, int most)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var rule = ScheduleRule.Of(schedule);
        var times = new List<DateTimeOffset>(most);
        for (DateTimeOffset? next = First(schedule); next is { } at && times.Count < most; next = rule.Next(at))
            times.Add(at);
        return (new ScheduleRow(schedule, 0) { NextAt = times[0], CreatedAt = Now }, times);
    }

    public Task<IReadOnlyList<ScheduleRow>> ListAsync() => schedules.ListAsync();

    /// <returns>As it was; null where there is none.</returns>
    public async Task<ScheduleRow?> DeleteAsync(string name)
    {
        var row = await schedules.DeleteAsync(name).ConfigureAwait(false);
        changed();
        return row;
    }

    /// <summary>A paused schedule fires nothing, and misses nothing.</summary>
    /// <returns>As it is now; null where there is none.</returns>
    public async Task<ScheduleRow?> PauseAsync(string name)
    {
        var row = await schedules.PauseAsync(name).ConfigureAwait(false);
        changed();
        return row;
    }

    /// <summary>Goes on with the first time from now on.</summary>
    /// <returns>As it is now; null where there is none.</returns>
    /// <exception cref="ScheduleRefusedException">Its zone is gone.</exception>
    public async Task<ScheduleRow?> ResumeAsync(string name)
    {
        // Another client may replace it in between: then its time is worked out once more.
        var row = await schedules.GetAsync(name).ConfigureAwait(false);
        while (row is { IsPaused: true })
        {
            row = await schedules.ResumeAsync(row, ScheduleRule.Of(row.Given).Next(Now)).ConfigureAwait(false);
            changed();
        }
        return row;
    }

    private DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());

    private DateTimeOffset First(NewSchedule schedule) => ScheduleRule.Of(schedule).Next(Now)
        ?? throw (schedule.At is { } at
            ? new ScheduleRefusedException("at", $"is '{at}', which is over")
            : new ScheduleRefusedException("cron", $"is '{schedule.Cron}', which names no time before the year 2100"));
}
