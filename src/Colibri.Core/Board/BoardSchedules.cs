using Colibri.Core.Board.Verbs;

namespace Colibri.Core.Board;

/// <summary>The schedules of a board. What is answered is on the disk.</summary>
/// <param name="board">The board.</param>
public sealed class BoardSchedules(TaskBoard board)
{
    /// <summary>The most schedules.</summary>
    public const int Most = 1_000;

    /// <summary>The most characters of all their tasks' descriptions together: the list of them is one reply.</summary>
    public const int MostTexts = 1_048_576;

    /// <summary>Of each schedule the record of firings keeps the latest so many, and none that is older than <see cref="FiringsAge"/>.</summary>
    public const int MostFirings = 1_000;

    public static TimeSpan FiringsAge { get; } = TimeSpan.FromDays(90);

    public Task<IReadOnlyList<ScheduleRow>> ListAsync() => board.ReadAsync(ScheduleVerbs.List);

    public Task<ScheduleRow?> GetAsync(string name) => board.ReadAsync(connection => ScheduleVerbs.Get(connection, name));

    /// <exception cref="TaskRefusedException">Its task names what is not there.</exception>
    /// <exception cref="ScheduleLimitException">There is no room for it.</exception>
    internal Task<(ScheduleRow Row, bool Replaced)> SetAsync(NewSchedule schedule, DateTimeOffset next) => board.WriteAsync(scope => ScheduleVerbs.Set(scope, schedule, next));

    internal Task<ScheduleRow?> DeleteAsync(string name) => board.WriteAsync(scope => ScheduleVerbs.Delete(scope, name));

    internal Task<ScheduleRow?> PauseAsync(string name) => board.WriteAsync(scope => ScheduleVerbs.Pause(scope, name, isPaused: true, null, null));

    internal Task<ScheduleRow?> ResumeAsync(ScheduleRow row, DateTimeOffset? next) =>
        board.WriteAsync(scope => ScheduleVerbs.Pause(scope, row.Given.Name, isPaused: false, row.Revision, next));

    /// <summary>The schedules whose time has come, the longest overdue first.</summary>
    internal Task<IReadOnlyList<(string Name, long Revision)>> DueAsync(DateTimeOffset now) => board.ReadAsync(connection => ScheduleVerbs.ListDue(connection, now));

    internal Task<ScheduleGlance> GlanceAsync() => board.ReadAsync(ScheduleVerbs.LookAtAll);

    internal Task<IReadOnlyList<DateTimeOffset>> FiredAfterAsync(string name, DateTimeOffset after) => board.ReadAsync(connection => ScheduleVerbs.ListFired(connection, name, after));

    internal Task<bool> MoveAsync(ScheduleRow row, DateTimeOffset next) =>
        board.WriteAsync(scope => row.NextAt is { } expected && ScheduleVerbs.Move(scope, row.Given.Name, row.Revision, expected, next));

    internal Task<bool> TroubleAsync(ScheduleRow row, string problem) => board.WriteAsync(scope => ScheduleVerbs.Trouble(scope, row.Given.Name, row.Revision, problem));

    internal Task<ScheduleFired?> FireAsync(ScheduleFiring firing) => board.WriteAsync(scope => ScheduleVerbs.Fire(scope, firing));
}

/// <summary>There is no room for a schedule. Nothing is written.</summary>
public sealed class ScheduleLimitException(string message) : Exception(message);
