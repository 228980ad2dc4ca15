using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>The life of an agent the daemon starts, on record: before its process, with it, and after it.</summary>
internal static class SpawnVerbs
{
    private const int StderrTailBytes = 8 * 1024;

    private const string InsertAgent = """
        INSERT INTO agents (id, kind, name, runtime, capabilities, host, binary, argv, cwd, session_id, jail, jail_root, created_at)
        VALUES ($id, 'spawned', $name, $runtime, $capabilities, $host, $binary, $argv, $cwd, $session, $jail, $jail_root, $now)
        """;

    private const string InsertRun = """
        INSERT INTO runs (id, task_id, attempt, agent_id, session_id, binary, argv, provider, model, started_at)
        VALUES ($id, $task, $attempt, $agent, $session, $binary, $argv, $provider, $model, $now)
        """;

    private const string IdentifyAgent =
        "UPDATE agents SET pid = $pid, start_time = $start_time, boot_id = $boot WHERE id = $agent AND kind = 'spawned' AND ended_at IS NULL";

    private const string IdentifyRun = """
        UPDATE runs SET pid = $pid, start_time = $start_time, boot_id = $boot WHERE agent_id = $agent AND finished_at IS NULL
        RETURNING task_id
        """;

    private const string EndAgent = """
        UPDATE agents SET ended_at = $now, exit_code = $exit_code, exit_signal = $exit_signal
        WHERE id = $agent AND kind = 'spawned' AND ended_at IS NULL
        """;

    private const string EndRun = """
        UPDATE runs SET finished_at = $now, exit_code = $exit_code, exit_signal = $exit_signal, verdict = $verdict,
            error_code = $error_code, error_message = $error_message, stderr_tail = $stderr,
            input_tokens = $input, output_tokens = $output, cache_read_tokens = $cache_read, cache_write_tokens = $cache_write,
            cost_microcents = $cost, unpriced_tokens = $unpriced
        WHERE agent_id = $agent AND finished_at IS NULL
        RETURNING task_id
        """;

    private const string InsertRunOfLiving = """
        INSERT INTO runs (id, task_id, attempt, agent_id, session_id, binary, argv, provider, model, pid, start_time, boot_id, started_at)
        SELECT $id, $task, $attempt, a.id, $session, ifnull(a.binary, ''), ifnull(a.argv, '[]'), $provider, $model,
            a.pid, a.start_time, a.boot_id, $now
        FROM agents a WHERE a.id = $agent AND a.kind = 'spawned' AND a.ended_at IS NULL
        """;

    private const string OpenRun = "SELECT id FROM runs WHERE agent_id = $agent AND finished_at IS NULL";

    private const string TaskOfAgent = "SELECT task_id FROM runs WHERE agent_id = $agent ORDER BY seq DESC LIMIT 1";

    private const string Live = """
        SELECT a.id, r.task_id, a.pid, a.start_time, a.boot_id, a.binary, a.jail, a.jail_root FROM agents a
        LEFT JOIN runs r ON r.agent_id = a.id AND r.finished_at IS NULL
        WHERE a.kind = 'spawned' AND a.ended_at IS NULL ORDER BY a.created_at, a.id
        """;

    private const string Ended = "SELECT 1 FROM agents WHERE id = $agent AND kind = 'spawned' AND ended_at IS NOT NULL";

    private const string RunsOfTask = """
        SELECT id, task_id, attempt, agent_id, session_id, binary, argv, pid, start_time, boot_id, started_at, finished_at,
            exit_code, exit_signal, verdict, error_code, error_message, stderr_tail,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microcents, unpriced_tokens, provider, model
        FROM runs WHERE task_id = $task ORDER BY seq
        """;

    public static EdgeResult Begin(WriteScope scope, SpawnRecord record, string? taskId)
    {
        BoardTask? task = null;
        if (taskId is not null)
        {
            task = scope.Change(
                taskId, EdgeSql.ClaimForSpawn,
                ("$agent", record.AgentId), ("$session", record.SessionId), ("$now", scope.Now));
            if (task is null)
                return EdgeVerbs.Refuse(scope, taskId, TaskState.Claimed);
        }
        var argv = TaskRow.Json(record.Arguments);
        scope.Execute(
            InsertAgent,
            ("$id", record.AgentId), ("$name", record.Name), ("$runtime", record.Runtime), ("$capabilities", TaskRow.Json(record.Capabilities)),
            ("$host", record.Host), ("$binary", record.Binary), ("$argv", argv), ("$cwd", record.Cwd), ("$session", record.SessionId),
            ("$jail", record.Jail), ("$jail_root", record.JailRoot), ("$now", scope.Now));
        if (task is not null)
        {
            scope.Execute(
                InsertRun,
                ("$id", record.RunId), ("$task", task.Id), ("$attempt", task.Attempts), ("$agent", record.AgentId),
                ("$session", record.SessionId), ("$binary", record.Binary), ("$argv", argv),
                ("$provider", record.Provider), ("$model", record.Model), ("$now", scope.Now));
        }
        return new EdgeResult(EdgeOutcome.Applied, task);
    }

    /// <summary>As <see cref="Begin"/>, for an agent that runs already; the task is started at once.</summary>
    public static EdgeResult BeginRun(WriteScope scope, RunStart start, string? provider, string? model)
    {
        var task = scope.Change(
            start.TaskId, EdgeSql.ClaimForSpawn, ("$agent", start.AgentId), ("$session", start.SessionId), ("$now", scope.Now));
        if (task is null)
            return EdgeVerbs.Refuse(scope, start.TaskId, TaskState.Claimed);
        var opened = scope.Execute(
            InsertRunOfLiving,
            ("$id", start.RunId), ("$task", task.Id), ("$attempt", task.Attempts), ("$agent", start.AgentId), ("$session", start.SessionId),
            ("$provider", provider), ("$model", model), ("$now", scope.Now));
        return opened == 1
            ? new EdgeResult(EdgeOutcome.Applied, scope.Change(task.Id, EdgeSql.SpawnStart, ("$agent", start.AgentId), ("$now", scope.Now)) ?? task)
            : throw new InvalidOperationException($"agent {start.AgentId} is not on record as living");
    }

    /// <summary>Closes the open run of an agent that lives on.</summary>
    public static BoardTask? EndRunOf(WriteScope scope, string agentId, SpawnEnd end)
    {
        LedgerVerbs.Book(scope, agentId, end.Usage);
        return CloseRun(scope, agentId, end);
    }

    public static BoardTask? Started(WriteScope scope, string agentId, int pid, long startTime, string bootId)
    {
        scope.Execute(IdentifyAgent, ("$agent", agentId), ("$pid", pid), ("$start_time", startTime), ("$boot", bootId));
        var taskId = scope.First(
            IdentifyRun, row => row.GetString(0), ("$agent", agentId), ("$pid", pid), ("$start_time", startTime), ("$boot", bootId));
        if (taskId is null)
            return null;
        return scope.Change(taskId, EdgeSql.SpawnStart, ("$agent", agentId), ("$now", scope.Now)) ?? TaskVerbs.Get(scope, taskId);
    }

    public static BoardTask? End(WriteScope scope, string agentId, SpawnEnd end)
    {
        LedgerVerbs.Book(scope, agentId, end.Usage);
        var isFirst = scope.Execute(
            EndAgent, ("$agent", agentId), ("$exit_code", end.Exit?.Code), ("$exit_signal", end.Exit?.Signal), ("$now", scope.Now)) == 1;
        // Told twice, the second time changes nothing: a run's usage counts once.
        if (!isFirst)
            return scope.First(TaskOfAgent, row => row.GetString(0), ("$agent", agentId)) is { } known ? TaskVerbs.Get(scope, known) : null;
        var task = CloseRun(scope, agentId, end);
        // An agent knows its id and the way to the daemon: it may have claimed more than it was started on.
        scope.ChangeAll(EdgeSql.ReleaseEnded, ("$agent", agentId), ("$now", scope.Now));
        return task;
    }

    private static BoardTask? CloseRun(WriteScope scope, string agentId, SpawnEnd end)
    {
        // What was booked while it ran is there even where the daemon that sees its end is not the one that started it.
        if (scope.First(OpenRun, row => row.GetString(0), ("$agent", agentId)) is not { } runId)
            return null;
        var usage = LedgerVerbs.OfRun(scope, agentId, runId);
        var taskId = scope.First(
            EndRun,
            row => row.GetString(0),
            [
                .. Outcome(scope, agentId, end, usage),
                ("$exit_code", end.Exit?.Code), ("$exit_signal", end.Exit?.Signal), ("$stderr", Utf8Tail.Of(end.StderrTail, StderrTailBytes)),
            ]);
        return taskId is null ? null : Move(scope, taskId, end, Outcome(scope, agentId, end, usage));
    }

    public static IReadOnlyList<SpawnRow> ListLive(BoardConnection connection) => connection[Live].All(row => new SpawnRow(
        row.GetString(0), row.TextOrNull(1), row.IntOrNull(2), row.LongOrNull(3), row.TextOrNull(4), row.GetString(5))
    {
        Jail = row.TextOrNull(6),
        JailRoot = row.TextOrNull(7),
    });

    public static bool HasEnded(BoardConnection connection, string agentId) =>
        connection[Ended].Bind(("$agent", agentId)).All(row => row.GetInt32(0)).Count > 0;

    public static IReadOnlyList<RunRow> ListRuns(BoardConnection connection, string taskId) =>
        connection[RunsOfTask].Bind(("$task", taskId)).All(ReadRun);

    private static BoardTask? Move(WriteScope scope, string taskId, SpawnEnd end, (string Name, object? Value)[] values)
    {
        var moved = end.Ending switch
        {
            RunEnding.Done => Finish(scope, taskId, EdgeSql.SpawnDone, values),
            RunEnding.Interrupted => scope.Change(taskId, EdgeSql.SpawnInterrupt, values),
            RunEnding.Failed when end.RetryAt is { } retryAt =>
                scope.Change(taskId, EdgeSql.SpawnRetry, [.. values, ("$not_before", retryAt.ToUnixTimeMilliseconds())])
                ?? Finish(scope, taskId, EdgeSql.SpawnFail, values),
            RunEnding.Failed => Finish(scope, taskId, EdgeSql.SpawnFail, values),
            _ => throw new ArgumentOutOfRangeException(nameof(end), end.Ending, "no ending of a run"),
        };
        return moved ?? scope.Change(taskId, EdgeSql.SpawnAfterCancel, values) ?? TaskVerbs.Get(scope, taskId);
    }

    // A process that was gone before it was seen to run leaves its task claimed, and only a started one can finish.
    private static BoardTask? Finish(WriteScope scope, string taskId, string sql, (string Name, object? Value)[] values)
    {
        scope.Change(taskId, EdgeSql.SpawnStart, values);
        return scope.Change(taskId, sql, values);
    }

    private static (string Name, object? Value)[] Outcome(WriteScope scope, string agentId, SpawnEnd end, Usage usage) =>
    [
        ("$agent", agentId), ("$now", scope.Now), ("$verdict", end.Verdict),
        ("$error_code", end.Error?.Code), ("$error_message", end.Error?.Message),
        ("$input", usage.InputTokens), ("$output", usage.OutputTokens), ("$cache_read", usage.CacheReadTokens),
        ("$cache_write", usage.CacheWriteTokens), ("$cost", usage.CostMicrocents), ("$unpriced", usage.UnpricedTokens),
    ];

    private static RunRow ReadRun(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        TaskId = row.GetString(1),
        Attempt = row.GetInt32(2),
        AgentId = row.GetString(3),
        SessionId = row.GetString(4),
        Binary = row.GetString(5),
        Arguments = TaskRow.Names(row.GetString(6)),
        Pid = row.IntOrNull(7),
        StartTime = row.LongOrNull(8),
        BootId = row.TextOrNull(9),
        StartedAt = row.Time(10),
        FinishedAt = row.TimeOrNull(11),
        Exit = row.ExitOrNull(12),
        Verdict = row.TextOrNull(14),
        Error = row.ErrorOrNull(15),
        StderrTail = row.TextOrNull(17),
        Usage = row.Usage(18),
        Provider = row.TextOrNull(24),
        Model = row.TextOrNull(25),
    };
}
