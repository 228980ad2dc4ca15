using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// Schedules, and their firings. A firing is one transaction: it moves the schedule on from the time that it was worked out for, notes that time under a key
/// that is unique, and makes the task. So a kill at any moment, a second look, or a clock that was set back fires no time twice.
/// </summary>
internal static class ScheduleVerbs
{
    private const string RowColumns = $"""
        {TaskFields.Columns}, name, cron, every_ms, at, zone, overlap, missed, missed_max, jitter_ms, paused, revision, next_at, last_at, last_outcome,
        last_task, last_task_number, fired, skipped, missed_count, problem, created_at
        """;

    private const string Upsert = $"""
        INSERT INTO schedules ({TaskFields.Columns}, name, cron, every_ms, at, zone, overlap, missed, missed_max, jitter_ms, next_at, created_at)
        SELECT {TaskFields.Parameters}, $name, $cron, $every, $at, $zone, $overlap, $missed, $missed_max, $jitter, $next, $now
        WHERE EXISTS (SELECT 1 FROM schedules WHERE name = $name) OR (SELECT count(*) FROM schedules) < $most
        ON CONFLICT (name) DO UPDATE SET {TaskFields.Assignments}, cron = $cron, every_ms = $every, at = $at, zone = $zone, overlap = $overlap, missed = $missed,
            missed_max = $missed_max, jitter_ms = $jitter, next_at = $next, problem = NULL, revision = revision + 1
        """;

    private const string OtherTexts = "SELECT ifnull(sum(length(description)), 0) FROM schedules WHERE name <> $name";

    private const string ByName = $"SELECT {RowColumns} FROM schedules WHERE name = $name";

    private const string All = $"SELECT {RowColumns} FROM schedules ORDER BY name";

    private const string DueNames = "SELECT name, revision FROM schedules INDEXED BY schedules_due WHERE paused = 0 AND next_at <= $now ORDER BY next_at LIMIT 1000";

    private const string Glance = """
        SELECT (SELECT count(*) FROM schedules), (SELECT count(*) FROM schedules WHERE problem IS NOT NULL),
            (SELECT name FROM schedules INDEXED BY schedules_due WHERE paused = 0 AND next_at IS NOT NULL AND problem IS NULL ORDER BY next_at LIMIT 1),
            (SELECT next_at FROM schedules INDEXED BY schedules_due WHERE paused = 0 AND next_at IS NOT NULL AND problem IS NULL ORDER BY next_at LIMIT 1)
        """;

    private const string DropFirings = "DELETE FROM schedule_firings WHERE schedule = $name";

    private const string Drop = "DELETE FROM schedules WHERE name = $name";

    private const string SetPaused = """
        UPDATE schedules SET paused = $paused, next_at = ifnull($next, next_at), problem = NULL, revision = revision + 1
        WHERE name = $name AND paused <> $paused AND ($revision IS NULL OR revision = $revision)
        """;

    private const string EndTime = "UPDATE schedules SET next_at = NULL WHERE name = $name AND at IS NOT NULL AND next_at <= $now";

    private const string MoveNext = "UPDATE schedules SET next_at = $next WHERE name = $name AND revision = $revision AND next_at = $expected";

    private const string SetProblem = "UPDATE schedules SET problem = $problem WHERE name = $name AND revision = $revision AND problem IS NOT $problem";

    private const string FiredAfter = "SELECT at FROM schedule_firings WHERE schedule = $name AND at > $after ORDER BY at LIMIT 1001";

    private const string Advance = """
        UPDATE schedules SET next_at = $next, problem = NULL, missed_count = missed_count + $missed
        WHERE name = $name AND revision = $revision AND paused = 0 AND next_at = $expected
        """;

    private const string Note = "INSERT OR IGNORE INTO schedule_firings (schedule, at, fired_at, outcome) VALUES ($name, $at, $now, $outcome)";

    private const string NoteTask = "UPDATE schedule_firings SET task = $task WHERE schedule = $name AND at = $at";

    private const string OpenTasks = """
        SELECT id FROM tasks INDEXED BY tasks_open_of_schedule WHERE schedule = $name AND status IN ('queued', 'claimed', 'started') ORDER BY seq
        """;

    private const string Count = """
        UPDATE schedules SET fired = fired + $fired, skipped = skipped + $skipped, last_at = $last, last_outcome = $outcome,
            last_task = ifnull($task, last_task), last_task_number = ifnull($number, last_task_number)
        WHERE name = $name
        """;

    private const string Prune = """
        DELETE FROM schedule_firings WHERE schedule = $name AND (at < $before
            OR at <= (SELECT at FROM schedule_firings WHERE schedule = $name ORDER BY at DESC LIMIT 1 OFFSET $most))
        """;

    /// <summary>Stores a schedule, or replaces the one of this name, which stays paused and keeps its counts.</summary>
    /// <returns>The schedule, and whether one of this name was there.</returns>
    /// <exception cref="TaskRefusedException">Its tenant or a task that is to be done before is not there.</exception>
    /// <exception cref="ScheduleLimitException">There is no room for it.</exception>
    public static (ScheduleRow Row, bool Replaced) Set(WriteScope scope, NewSchedule schedule, DateTimeOffset next)
    {
        TenantVerbs.Require(scope, schedule.Task.Tenant);
        var task = schedule.Task with { After = AfterVerbs.Resolve(scope, schedule.Task.After), Key = null };
        var isKnown = Get(scope, schedule.Name) is not null;
        if (scope.All(OtherTexts, row => row.GetInt64(0), ("$name", schedule.Name))[0] + task.Description.Length > BoardSchedules.MostTexts)
            throw new ScheduleLimitException($"the descriptions of all schedules may have {BoardSchedules.MostTexts:#,0} characters together; keep the long one in a file, and name that");
        var stored = scope.Execute(Upsert, TaskFields.Of(
            task, ("$name", schedule.Name), ("$cron", schedule.Cron), ("$every", schedule.EveryMs), ("$at", schedule.At), ("$zone", schedule.Zone), ("$overlap", ScheduleWords.Of(schedule.Overlap)),
            ("$missed", ScheduleWords.Of(schedule.Missed)), ("$missed_max", schedule.MissedMax), ("$jitter", schedule.JitterMs), ("$next", next.ToUnixTimeMilliseconds()), ("$now", scope.Now),
            ("$most", BoardSchedules.Most)));
        if (stored == 0)
            throw new ScheduleLimitException($"there are {BoardSchedules.Most:#,0} schedules, and no more may be; forget one first: colibri delete-schedule NAME");
        OutboxVerbs.EndOf(scope, EpisodeOf(schedule.Name));
        return (Get(scope, schedule.Name)!, isKnown);
    }

    public static ScheduleRow? Get(BoardConnection connection, string name) => connection[ByName].Bind(("$name", name)).First(Read);

    public static IReadOnlyList<ScheduleRow> List(BoardConnection connection) => connection[All].Bind().All(Read);

    public static IReadOnlyList<(string Name, long Revision)> ListDue(BoardConnection connection, DateTimeOffset now) =>
        connection[DueNames].Bind(("$now", now.ToUnixTimeMilliseconds())).All(row => (row.GetString(0), row.GetInt64(1)));

    public static ScheduleGlance LookAtAll(BoardConnection connection) =>
        connection[Glance].Bind().First(row => new ScheduleGlance(row.GetInt64(0), row.GetInt64(1), row.TextOrNull(2), row.TimeOrNull(3)))!;

    /// <summary>The times after this one that are on record, which are so once the clock was set back.</summary>
    public static IReadOnlyList<DateTimeOffset> ListFired(BoardConnection connection, string name, DateTimeOffset after) =>
        connection[FiredAfter].Bind(("$name", name), ("$after", after.ToUnixTimeMilliseconds())).All(row => row.Time(0));

    /// <summary>Deletes a schedule with its record of firings. Its tasks stay.</summary>
    public static ScheduleRow? Delete(WriteScope scope, string name)
    {
        if (Get(scope, name) is not { } row)
            return null;
        scope.Execute(DropFirings, ("$name", name));
        scope.Execute(Drop, ("$name", name));
        OutboxVerbs.EndOf(scope, EpisodeOf(name));
        return row;
    }

    /// <summary>Pauses a schedule, or lets it go on from a time that was worked out for a revision of it. One that is so already stays as it is.</summary>
    public static ScheduleRow? Pause(WriteScope scope, string name, bool isPaused, long? revision, DateTimeOffset? next)
    {
        var changed = scope.Execute(SetPaused, ("$name", name), ("$paused", isPaused ? 1 : 0), ("$revision", revision), ("$next", next?.ToUnixTimeMilliseconds()));
        // The one time of a schedule has passed while it was paused.
        if (changed > 0 && !isPaused && next is null)
            scope.Execute(EndTime, ("$name", name), ("$now", scope.Now));
        if (changed > 0)
            OutboxVerbs.EndOf(scope, EpisodeOf(name));
        return Get(scope, name);
    }

    public static bool Move(WriteScope scope, string name, long revision, DateTimeOffset expected, DateTimeOffset next) => scope.Execute(
        MoveNext, ("$name", name), ("$revision", revision), ("$expected", expected.ToUnixTimeMilliseconds()), ("$next", next.ToUnixTimeMilliseconds())) > 0;

    /// <summary>Says why a schedule cannot fire, on it and to whom such is told.</summary>
    public static bool Trouble(WriteScope scope, string name, long revision, string problem)
    {
        if (scope.Execute(SetProblem, ("$name", name), ("$revision", revision), ("$problem", problem)) == 0)
            return false;
        OutboxVerbs.Begin(scope, new NewNotice(NoticeKind.Schedule, EpisodeOf(name), $"schedule {name} cannot fire: {problem}") { Name = name });
        return true;
    }

    /// <summary>Fires for the times that have come.</summary>
    /// <returns>What was done; null where the schedule is no longer as it was when the firing was worked out.</returns>
    public static ScheduleFired? Fire(WriteScope scope, ScheduleFiring firing)
    {
        if (Get(scope, firing.Name) is not { } row || row.Revision != firing.Revision)
            return null;
        try
        {
            TenantVerbs.Require(scope, row.Given.Task.Tenant);
        }
        catch (TaskRefusedException e)
        {
            Trouble(scope, firing.Name, firing.Revision, e.Message);
            return new ScheduleFired([], [], 0, e.Message);
        }
        var moved = scope.Execute(
            Advance, ("$name", firing.Name), ("$revision", firing.Revision), ("$expected", firing.Expected.ToUnixTimeMilliseconds()),
            ("$next", firing.Next?.ToUnixTimeMilliseconds()), ("$missed", firing.Missed));
        if (moved == 0)
            return null;
        if (row.Problem is not null)
            OutboxVerbs.EndOf(scope, EpisodeOf(firing.Name));
        var (created, replaced, skipped) = (new List<BoardTask>(), new List<BoardTask>(), 0);
        var last = firing.Missed > 0 && firing.Times.Count == 0 ? ScheduleOutcome.Missed : row.LastOutcome;
        foreach (var (at, startsAt) in firing.Times)
        {
            List<string> open = row.Given.Overlap == ScheduleOverlap.Queue ? [] : scope.All(OpenTasks, one => one.GetString(0), ("$name", firing.Name));
            var isSkipped = open.Count > 0 && row.Given.Overlap == ScheduleOverlap.Skip;
            var outcome = isSkipped ? ScheduleOutcome.SkippedOverlap : ScheduleOutcome.Fired;
            // A time that is on record was fired before the clock was set back.
            if (scope.Execute(Note, ("$name", firing.Name), ("$at", at.ToUnixTimeMilliseconds()), ("$now", scope.Now), ("$outcome", ScheduleWords.Of(outcome))) == 0)
                continue;
            last = outcome;
            if (isSkipped)
            {
                skipped++;
                continue;
            }
            foreach (var id in open)
            {
                if (Cancel(scope, id, firing.Name, at) is { } cancelled)
                    replaced.Add(cancelled);
            }
            created.Add(Make(scope, row.Given, at, startsAt));
        }
        scope.Execute(
            Count, ("$name", firing.Name), ("$fired", created.Count), ("$skipped", skipped), ("$last", firing.Last.ToUnixTimeMilliseconds()), ("$outcome", last is { } told ? ScheduleWords.Of(told) : null),
            ("$task", created.Count > 0 ? created[^1].Id : null), ("$number", created.Count > 0 ? created[^1].Number : null));
        scope.Execute(Prune, ("$name", firing.Name), ("$before", scope.Now - (long)BoardSchedules.FiringsAge.TotalMilliseconds), ("$most", BoardSchedules.MostFirings));
        return new ScheduleFired(created, replaced, skipped);
    }

    /// <summary>The texts whose cost must not grow with the board, for a test to hold against the query planner.</summary>
    internal static IReadOnlyList<string> Indexed => [ByName, DueNames, OpenTasks, FiredAfter];

    private static BoardTask Make(WriteScope scope, NewSchedule schedule, DateTimeOffset at, DateTimeOffset? startsAt)
    {
        var given = schedule.Task;
        var earliest = given.NotBefore is { } asked && asked > (startsAt ?? at) ? asked : startsAt;
        // What is no longer on the board is left out, as of a task in the intake.
        var task = TaskVerbs.Create(scope, given with { Schedule = schedule.Name, Key = null, NotBefore = earliest, After = AfterVerbs.StillThere(scope, given.After) });
        scope.Execute(NoteTask, ("$name", schedule.Name), ("$at", at.ToUnixTimeMilliseconds()), ("$task", task.Number));
        return task;
    }

    private static BoardTask? Cancel(WriteScope scope, string id, string name, DateTimeOffset at) => scope.Change(
        id, EdgeSql.Cancel, ("$error_code", "replaced"), ("$error_message", $"the firing of schedule {name} at {at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} took its place"), ("$now", scope.Now));

    private static ScheduleRow? Get(WriteScope scope, string name) => scope.First(ByName, Read, ("$name", name));

    private static string EpisodeOf(string name) => $"schedule:{name}";

    private static ScheduleRow Read(SqliteDataReader row)
    {
        var task = TaskFields.Read(row, 0, out var first);
        return new ScheduleRow(
            new NewSchedule
            {
                Name = row.GetString(first),
                Cron = row.TextOrNull(first + 1),
                EveryMs = row.LongOrNull(first + 2),
                At = row.TextOrNull(first + 3),
                Zone = row.GetString(first + 4),
                Overlap = Enum.Parse<ScheduleOverlap>(row.GetString(first + 5), ignoreCase: true),
                Missed = Enum.Parse<MissedRuns>(row.GetString(first + 6), ignoreCase: true),
                MissedMax = row.GetInt32(first + 7),
                JitterMs = row.GetInt64(first + 8),
                Task = task,
            },
            row.GetInt64(first + 10))
        {
            IsPaused = row.GetInt64(first + 9) != 0,
            NextAt = row.TimeOrNull(first + 11),
            LastAt = row.TimeOrNull(first + 12),
            LastOutcome = row.TextOrNull(first + 13) is { } outcome ? OutcomeOf(outcome) : null,
            LastTask = row.TextOrNull(first + 14) is { } id ? new ScheduledTask(id, row.GetInt64(first + 15)) : null,
            Fired = row.GetInt64(first + 16),
            Skipped = row.GetInt64(first + 17),
            Missed = row.GetInt64(first + 18),
            Problem = row.TextOrNull(first + 19),
            CreatedAt = row.Time(first + 20),
        };
    }

    private static ScheduleOutcome OutcomeOf(string text) => text switch
    {
        "fired" => ScheduleOutcome.Fired,
        "missed" => ScheduleOutcome.Missed,
        _ => ScheduleOutcome.SkippedOverlap,
    };
}
