using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>A schedule as a client states it. Exactly one of <see cref="Cron"/>, <see cref="EveryMs"/> and <see cref="At"/> is there.</summary>
public sealed record NewSchedule
{
    public required string Name { get; init; }
    public string? Cron { get; init; }
    public long? EveryMs { get; init; }

    /// <summary>As it was stated: with an offset, or of the zone's wall clock.</summary>
    public string? At { get; init; }

    /// <summary>Its IANA name.</summary>
    public required string Zone { get; init; }
    public ScheduleOverlap Overlap { get; init; }
    public MissedRuns Missed { get; init; } = MissedRuns.Once;

    /// <summary>With <see cref="MissedRuns.All"/>: how many missed times are made up for.</summary>
    public int MissedMax { get; init; } = 10;
    public long JitterMs { get; init; }

    /// <summary>The task of each firing, without a key.</summary>
    public required NewTask Task { get; init; }
}

/// <summary>What a firing does while a task of an earlier one is not over.</summary>
public enum ScheduleOverlap
{
    /// <summary>Nothing, and counts it.</summary>
    Skip,

    /// <summary>Makes a further task.</summary>
    Queue,

    /// <summary>Cancels what is not over, and makes a task.</summary>
    Replace,
}

/// <summary>Which times are made up for that the daemon was not there to meet.</summary>
public enum MissedRuns
{
    None,

    /// <summary>One firing for all of them.</summary>
    Once,

    /// <summary>The latest of them, up to a number.</summary>
    All,
}

/// <summary>What became of a time.</summary>
public enum ScheduleOutcome
{
    Fired,
    SkippedOverlap,
    Missed,
}

/// <summary>These words as the board and the wire have them.</summary>
public static class ScheduleWords
{
    public static string Of(ScheduleOverlap overlap) => overlap.ToString().ToLowerInvariant();

    public static string Of(MissedRuns missed) => missed.ToString().ToLowerInvariant();

    public static string Of(ScheduleOutcome outcome) => outcome switch
    {
        ScheduleOutcome.Fired => "fired",
        ScheduleOutcome.SkippedOverlap => "skipped-overlap",
        _ => "missed",
    };
}

/// <summary>A schedule on the board.</summary>
/// <param name="Given">What was stated of it.</param>
/// <param name="Revision">Grows with each change by a client, so that a firing worked out before one changes nothing.</param>
public sealed record ScheduleRow(NewSchedule Given, long Revision)
{
    public bool IsPaused { get; init; }

    /// <summary>The next time; null where there is none any more. Of a paused schedule, that of before.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>The latest time that has come, and what became of it.</summary>
    public DateTimeOffset? LastAt { get; init; }
    public ScheduleOutcome? LastOutcome { get; init; }
    public ScheduledTask? LastTask { get; init; }
    public long Fired { get; init; }
    public long Skipped { get; init; }
    public long Missed { get; init; }

    /// <summary>Why it cannot fire; null where nothing is in its way.</summary>
    public string? Problem { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Times of a schedule that have come.</summary>
/// <param name="Name">The schedule.</param>
/// <param name="Revision">Of which this was worked out.</param>
/// <param name="Expected">Its next time until now.</param>
/// <param name="Times">The times that it fires for, each with the earliest start of its task.</param>
/// <param name="Missed">How many times it does not fire for.</param>
/// <param name="Last">The latest that has come.</param>
/// <param name="Next">Its next time from now on.</param>
internal sealed record ScheduleFiring(
    string Name, long Revision, DateTimeOffset Expected, IReadOnlyList<(DateTimeOffset At, DateTimeOffset? StartsAt)> Times, long Missed, DateTimeOffset Last, DateTimeOffset? Next);

/// <summary>What a firing did.</summary>
/// <param name="Created">The new tasks.</param>
/// <param name="Replaced">The tasks that were cancelled for them.</param>
/// <param name="Skipped">How many times were skipped, because an earlier task was not over.</param>
/// <param name="Problem">Why nothing was done; the schedule says so as well.</param>
internal sealed record ScheduleFired(IReadOnlyList<BoardTask> Created, IReadOnlyList<BoardTask> Replaced, int Skipped, string? Problem = null);

/// <summary>The schedules at a glance.</summary>
/// <param name="Count">How many there are.</param>
/// <param name="Problems">How many cannot fire.</param>
/// <param name="Name">Which fires next; null where none does.</param>
/// <param name="NextAt">When.</param>
internal sealed record ScheduleGlance(long Count, long Problems, string? Name, DateTimeOffset? NextAt);

/// <summary>A schedule cannot be as it was asked for. Nothing is written.</summary>
/// <param name="field">The field that is wrong, as the wire names it.</param>
/// <param name="problem">What is wrong with it: the rest of a line that begins with the field.</param>
public sealed class ScheduleRefusedException(string field, string problem) : Exception($"{field}{(problem.StartsWith(',') ? "" : " ")}{problem}")
{
    public string Field { get; } = field;
}
