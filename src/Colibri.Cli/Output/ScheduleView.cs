using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>Schedules, for a person: times are those of the schedule's own zone.</summary>
internal static class ScheduleView
{
    private const string Nothing = "-";

    public static void Write(Screen screen, ScheduleList list)
    {
        if (list.Schedules.Count == 0)
        {
            screen.Line("no schedules; add one: colibri schedule NAME --cron '0 7 * * 1-5' TITLE");
            return;
        }
        var table = new Table("NAME", new TableColumn("WHEN", Flexible: true), "NEXT", "LAST");
        foreach (var schedule in list.Schedules)
        {
            table.Add(schedule.Name, When(schedule), Next(schedule), Last(schedule));
            table.Below($"{(schedule.NextAt is { } next ? $"{In(next, screen.Now)}, " : "")}{schedule.Zone}: {schedule.Task.Title}");
            if (Counts(schedule) is { } counts)
                table.Below(counts);
            if (schedule.Problem is { } problem)
                table.Below($"it cannot fire: {problem}");
        }
        table.Write(screen);
    }

    public static void Write(Screen screen, ScheduleAnswer answer)
    {
        var schedule = answer.Schedule;
        if (answer.Next is { } times)
        {
            screen.Line(Words.Plain($"{schedule.Name} is not stored; it would fire at, in {schedule.Zone}:"));
            foreach (var time in times)
                screen.Line(Words.Plain($"  {Clock(time)}{(DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, out var at) ? $"  {Words.Time(at)}  {In(at, screen.Now)}" : "")}"));
            return;
        }
        var stands = schedule.Paused ? $"is paused; go on: colibri resume-schedule {schedule.Name}"
            : schedule.NextAt is { } next ? $"fires at {Clock(schedule.NextLocal)} ({schedule.Zone}), {In(next, screen.Now)}"
            : "is over";
        screen.Line(Words.Plain($"schedule {schedule.Name}{(answer.Replaced is true ? " was replaced, and" : "")} {stands}"));
    }

    /// <summary>One line for the status of the daemon.</summary>
    public static string Glance(StatusSchedules schedules, DateTimeOffset now)
    {
        var next = schedules.Next is { } name && schedules.NextAt is { } at ? $"next {name} {In(at, now)}" : "none is to fire";
        return $"{Words.Number(schedules.Count)}, {next}" + (schedules.Problems > 0 ? $"; {Words.Number(schedules.Problems)} cannot fire: colibri schedules" : "");
    }

    private static string When(Schedule schedule) => schedule switch
    {
        { Cron: { } cron } => cron,
        { EveryMs: { } every } => $"every {Words.Duration(TimeSpan.FromMilliseconds(every))}",
        _ => $"once at {schedule.At}",
    };

    private static string Next(Schedule schedule) => schedule switch
    {
        { Paused: true } => "paused",
        { NextLocal: { } next } => Clock(next),
        _ => "over",
    };

    private static string Last(Schedule schedule) => schedule switch
    {
        { LastOutcome: "fired", LastTask: { } task } => $"task {task.Number.ToString(CultureInfo.InvariantCulture)}",
        { LastOutcome: "skipped-overlap" } => "skipped",
        { LastOutcome: "missed" } => "missed",
        _ => Nothing,
    };

    private static string? Counts(Schedule schedule) => schedule.Skipped + schedule.MissedCount == 0
        ? null
        : $"{Words.Count(schedule.Fired, "firing")}, {Words.Number(schedule.Skipped)} skipped because an earlier task was not over, {Words.Number(schedule.MissedCount)} missed";

    private static string In(DateTimeOffset at, DateTimeOffset now) => at <= now ? "now" : $"in {Short(at - now)}";

    private static string Short(TimeSpan time) => time switch
    {
        { TotalMinutes: < 1 } => $"{Math.Max(1, Math.Round(time.TotalSeconds)).ToString("0", CultureInfo.InvariantCulture)} s",
        { TotalHours: < 1 } => $"{(int)time.TotalMinutes} min",
        { TotalDays: < 1 } => $"{(int)time.TotalHours} h {time.Minutes} min",
        _ => $"{time.Days} d {time.Hours} h",
    };

    // To the second, without the offset: the zone stands beside it.
    private static string Clock(string? local) => local is { Length: >= 19 } ? $"{local[..10]} {local[11..19]}" : Nothing;
}
