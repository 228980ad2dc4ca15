using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Storage;

/// <summary>A row of <c>tasks</c> as the wire's task, and the few conversions all rows share.</summary>
internal static class TaskRow
{
    /// <summary>
    /// Whether a row of <c>tasks</c> is held because one that it comes after is over without being done. It is no state of its own: it begins and ends with the
    /// count that a trigger keeps, on every road. A task that fails with its parents is held so where an operator queued it all the same.
    /// </summary>
    public const string IsHeldForParent = "(status = 'queued' AND lost > 0 AND on_failed <> 'run')";

    // CROSS JOIN: from the task's few edges to their rows. Some versions of SQLite would go through all tasks that have failed instead.
    public static readonly string Columns = $"""
        id, title, description, status, capabilities, priority, attempts, max_attempts, not_before, agent_id, session_id,
        CASE WHEN {IsHeldForParent} THEN '{ParentFailed}' ELSE error_code END,
        CASE WHEN {IsHeldForParent} THEN {DependencySchema.Why("tasks")} ELSE error_message END, verdict, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microcents, unpriced_tokens,
        created_at, updated_at, started_at, finished_at, previous_status, seq, denied,
        CASE WHEN {IsHeldForParent} THEN 1 ELSE held END, interruptions,
        agent, model, workspace, cwd, after_tasks, task_group, tags, check_command, check_outcome, run_timeout_ms, budget_microcents, tenant, feedback,
        change,
        CASE WHEN waits > 0 AND status = 'queued' THEN (
            SELECT json_group_array(p.seq || ' ' || p.status) FROM task_after a CROSS JOIN tasks p ON p.seq = a.parent
            WHERE a.task = tasks.seq AND p.status NOT IN ('done', 'failed', 'cancelled')) END,
        reworks, result, result_truncated, on_failed,
        CASE WHEN {IsHeldForParent} THEN (
            SELECT min(p.seq) FROM task_after a CROSS JOIN tasks p ON p.seq = a.parent WHERE a.task = tasks.seq AND p.status IN ('failed', 'cancelled')) END,
        schedule
        """;

    /// <summary>Verdict and error code of a task that is held because its runs were interrupted too often.</summary>
    public const string Poison = "poison";

    /// <summary>The code of <see cref="BlockedBy"/> of a task whose parents are not all over.</summary>
    public const string AfterCode = "after";

    /// <summary>Error code, and code of <see cref="BlockedBy"/>, of a task of whose parents one is over without being done.</summary>
    public const string ParentFailed = "parent-failed";

    /// <summary>The most parents that a reason names; of the rest it says how many they are.</summary>
    private const int MostNamed = 8;

    public static readonly string ById = $"SELECT {Columns} FROM tasks WHERE id = $id";

    public static BoardTask Read(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        Number = row.GetInt64(25),
        Title = row.GetString(1),
        Description = row.GetString(2),
        Status = State(row.GetString(3)),
        Capabilities = Names(row.GetString(4)),
        Priority = row.GetInt32(5),
        Attempts = row.GetInt32(6),
        MaxAttempts = row.GetInt32(7),
        NotBefore = row.TimeOrNull(8),
        AgentId = row.TextOrNull(9),
        SessionId = row.TextOrNull(10),
        Error = row.ErrorOrNull(11),
        Verdict = row.TextOrNull(13),
        Usage = row.Usage(14),
        CreatedAt = row.Time(20),
        UpdatedAt = row.Time(21),
        StartedAt = row.TimeOrNull(22),
        FinishedAt = row.TimeOrNull(23),
        Denied = row.DeniedOrNull(26),
        Held = row.GetInt64(27) != 0,
        Interruptions = row.GetInt32(28),
        Agent = row.TextOrNull(29),
        Model = row.TextOrNull(30),
        Workspace = row.TextOrNull(31),
        Cwd = row.TextOrNull(32),
        After = Names(row.GetString(33)),
        Group = row.TextOrNull(34),
        Tags = Names(row.GetString(35)),
        Check = row.TextOrNull(37) is { } checkedAs ? JsonSerializer.Deserialize(checkedAs, BoardJson.Default.TaskCheck)
            : row.TextOrNull(36) is { } command ? new TaskCheck(command) : null,
        RunTimeoutMs = row.LongOrNull(38),
        BudgetMicrocents = row.LongOrNull(39),
        Tenant = row.TextOrNull(40),
        Feedback = row.TextOrNull(41),
        Change = row.TextOrNull(42) is { } change ? JsonSerializer.Deserialize(change, BoardJson.Default.WorkChange) : null,
        Result = row.ResultOrNull(45),
        Reworks = row.GetInt64(44) is > 0 and var reworks ? (int)reworks : null,
        OnFailed = row.GetString(47),
        BlockedBy = Reasons(row),
        Schedule = row.TextOrNull(49),
    };

    // Why it does not start: those of its parents that are not done.
    private static List<BlockedBy>? Reasons(SqliteDataReader row)
    {
        var reasons = new List<BlockedBy>();
        if (row.LongOrNull(48) is { } lost)
        {
            reasons.Add(new BlockedBy(
                ParentFailed, $"{row.GetString(12)}; try that again: colibri retry-task {lost}, or run this without it: colibri release-task {row.GetInt64(25)}"));
        }
        if (row.TextOrNull(43) is { } waits && Names(waits) is { Count: > 0 } open)
        {
            // Each is its number and its state.
            var named = string.Join(", ", open.Take(MostNamed).Select(parent => $"{parent.Replace(" ", " (", StringComparison.Ordinal)})"));
            var rest = open.Count > MostNamed ? string.Create(CultureInfo.InvariantCulture, $" and {open.Count - MostNamed} more") : "";
            reasons.Add(new BlockedBy(AfterCode, $"it starts after {(open.Count == 1 ? "task" : "tasks")} {named}{rest}"));
        }
        return reasons.Count == 0 ? null : reasons;
    }

    public static TaskChange ReadChange(SqliteDataReader row) =>
        new(Read(row), row.TextOrNull(24) is { } from ? State(from) : null);

    public static long Sequence(SqliteDataReader row) => row.GetInt64(25);

    public static TaskState State(string text) => text switch
    {
        "queued" => TaskState.Queued,
        "claimed" => TaskState.Claimed,
        "started" => TaskState.Started,
        "done" => TaskState.Done,
        "failed" => TaskState.Failed,
        "cancelled" => TaskState.Cancelled,
        _ => throw new UnreachableException($"the schema's check let the state {text} pass"),
    };

    public static string Text(TaskState state) => state switch
    {
        TaskState.Queued => "queued",
        TaskState.Claimed => "claimed",
        TaskState.Started => "started",
        TaskState.Done => "done",
        TaskState.Failed => "failed",
        TaskState.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "no state of a task"),
    };

    public static string Text(OnFailed policy) => policy switch
    {
        OnFailed.Hold => "hold",
        OnFailed.Fail => "fail",
        OnFailed.Run => "run",
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "nothing that can become of a task"),
    };

    public static OnFailed PolicyOf(string text) => text switch
    {
        "fail" => OnFailed.Fail,
        "run" => OnFailed.Run,
        _ => OnFailed.Hold,
    };

    public static string Json(IReadOnlyList<string> names) =>
        names.Count == 0 ? "[]" : JsonSerializer.Serialize([.. names], BoardJson.Default.StringArray);

    public static IReadOnlyList<string> Names(string json) =>
        json == "[]" ? [] : JsonSerializer.Deserialize(json, BoardJson.Default.StringArray)!;

    public static string? TextOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static int? IntOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt32(column);

    public static long? LongOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    public static DateTimeOffset Time(this SqliteDataReader row, int column) => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    public static DateTimeOffset? TimeOrNull(this SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.Time(column);

    public static string? Json(IReadOnlyList<DeniedTool>? denied) =>
        denied is { Count: > 0 } ? JsonSerializer.Serialize([.. denied], BoardJson.Default.DeniedToolArray) : null;

    public static string? Json(WorkChange? change) => change is null ? null : JsonSerializer.Serialize(change, BoardJson.Default.WorkChange);

    public static string? Json(TaskCheck? check) => check is null ? null : JsonSerializer.Serialize(check, BoardJson.Default.TaskCheck);

    public static string Text(ChangeState state) => state switch
    {
        ChangeState.Open => "open",
        ChangeState.Landed => "landed",
        ChangeState.Discarded => "discarded",
        ChangeState.Conflict => "conflict",
        ChangeState.Empty => "empty",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "no state of a change"),
    };

    public static IReadOnlyList<DeniedTool>? DeniedOrNull(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : JsonSerializer.Deserialize(row.GetString(column), BoardJson.Default.DeniedToolArray);

    /// <summary>Words, and whether they were cut, in two neighbouring columns.</summary>
    public static TaskResult? ResultOrNull(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : new TaskResult(row.GetString(column), row.GetInt64(column + 1) != 0 ? true : null);

    /// <summary>Code and message in two neighbouring columns.</summary>
    public static TaskError? ErrorOrNull(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : new TaskError(row.GetString(column), row.TextOrNull(column + 1) ?? "");

    /// <summary>Exit code and signal in two neighbouring columns.</summary>
    public static ProcessExit? ExitOrNull(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) && row.IsDBNull(column + 1) ? null : new ProcessExit(row.IntOrNull(column), row.IntOrNull(column + 1));

    /// <summary>Six neighbouring columns.</summary>
    public static Usage Usage(this SqliteDataReader row, int column) => new()
    {
        InputTokens = row.GetInt64(column),
        OutputTokens = row.GetInt64(column + 1),
        CacheReadTokens = row.GetInt64(column + 2),
        CacheWriteTokens = row.GetInt64(column + 3),
        CostMicrocents = row.GetInt64(column + 4),
        UnpricedTokens = row.GetInt64(column + 5),
    };
}

[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(DeniedTool[]))]
[JsonSerializable(typeof(WorkChange))]
[JsonSerializable(typeof(TaskCheck))]
internal sealed partial class BoardJson : JsonSerializerContext;
