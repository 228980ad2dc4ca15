using Colibri.Core.Board.Storage;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// What a client says of a task, in one place for every road by which a task gets it: creation, intake, admission and edit. The tables
/// <c>tasks</c> and <c>intake</c> name the columns alike.
/// </summary>
internal static class TaskFields
{
    public const string Columns = """
        key, title, description, capabilities, priority, max_attempts, session_id, held, agent, model, workspace, cwd, after_tasks, task_group, tags,
        check_command, run_timeout_ms, budget_microcents, tenant, asked_not_before, on_failed
        """;

    public const string Parameters = """
        $key, $title, $description, $capabilities, $priority, $max_attempts, $session, $held, $agent, $model, $workspace, $cwd, $after, $group, $tags,
        $check, $run_timeout, $budget, $tenant, $asked, $on_failed
        """;

    public const string Assignments = """
        key = $key, title = $title, description = $description, capabilities = $capabilities, priority = $priority, max_attempts = $max_attempts,
        session_id = $session, held = $held, agent = $agent, model = $model, workspace = $workspace, cwd = $cwd, after_tasks = $after,
        task_group = $group, tags = $tags, check_command = $check, run_timeout_ms = $run_timeout, budget_microcents = $budget, tenant = $tenant,
        asked_not_before = $asked, on_failed = $on_failed
        """;

    private const int Count = 21;

    /// <param name="task">Its <see cref="NewTask.After"/> are ids.</param>
    /// <param name="more">What else the statement binds.</param>
    public static (string Name, object? Value)[] Of(NewTask task, params ReadOnlySpan<(string Name, object? Value)> more) =>
    [
        ("$key", task.Key), ("$title", task.Title), ("$description", task.Description), ("$capabilities", TaskRow.Json(task.Capabilities)),
        ("$priority", task.Priority), ("$max_attempts", task.MaxAttempts), ("$session", task.SessionId), ("$held", task.Hold ? 1 : 0),
        ("$agent", task.Agent), ("$model", task.Model), ("$workspace", task.Workspace), ("$cwd", task.Cwd), ("$after", TaskRow.Json(task.After)),
        ("$group", task.Group), ("$tags", TaskRow.Json(task.Tags)), ("$check", task.Check), ("$run_timeout", (long?)task.RunTimeout?.TotalMilliseconds),
        ("$budget", task.BudgetMicrocents), ("$tenant", task.Tenant), ("$asked", task.NotBefore?.ToUnixTimeMilliseconds()),
        ("$on_failed", TaskRow.Text(task.OnFailed)),
        .. more,
    ];

    /// <summary>Reads the columns, which begin at this one.</summary>
    /// <param name="next">The first column behind them.</param>
    public static NewTask Read(SqliteDataReader row, int first, out int next)
    {
        next = first + Count;
        return new NewTask
        {
            Key = row.TextOrNull(first),
            Title = row.GetString(first + 1),
            Description = row.GetString(first + 2),
            Capabilities = TaskRow.Names(row.GetString(first + 3)),
            Priority = row.GetInt32(first + 4),
            MaxAttempts = row.GetInt32(first + 5),
            SessionId = row.TextOrNull(first + 6),
            Hold = row.GetInt64(first + 7) != 0,
            Agent = row.TextOrNull(first + 8),
            Model = row.TextOrNull(first + 9),
            Workspace = row.TextOrNull(first + 10),
            Cwd = row.TextOrNull(first + 11),
            After = TaskRow.Names(row.GetString(first + 12)),
            Group = row.TextOrNull(first + 13),
            Tags = TaskRow.Names(row.GetString(first + 14)),
            Check = row.TextOrNull(first + 15),
            RunTimeout = row.LongOrNull(first + 16) is { } timeout ? TimeSpan.FromMilliseconds(timeout) : null,
            BudgetMicrocents = row.LongOrNull(first + 17),
            Tenant = row.TextOrNull(first + 18),
            NotBefore = row.TimeOrNull(first + 19),
            OnFailed = TaskRow.PolicyOf(row.GetString(first + 20)),
        };
    }
}
