using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// Persists the runs of agents that the daemon starts. One verb begins a run, one ends it; each also persists the agent's own start or end
/// where the two fall together.
/// </summary>
internal static class RunVerbs
{
    private const int StderrTailBytes = 8 * 1024;

    private const string InsertAgent = """
        INSERT INTO agents (id, number, kind, name, runtime, capabilities, host, binary, argv, cwd, session_id, jail, jail_root, created_at, version)
        VALUES ($id, $number, 'spawned', $name, $runtime, $capabilities, $host, $binary, $argv, $cwd, $session, $jail, $jail_root, $now, $version)
        """;

    // The agent's row says what it runs. A run that begins with the agent gets a copy, because agents' rows are deleted before runs' rows.
    private const string InsertRun = """
        INSERT INTO runs (id, task_id, attempt, claim, claim_epoch, agent_id, session_id, binary, argv, provider, model, profile, access, pid, start_time, boot_id, started_at,
            harness_session, harness_runtime, resumed, told, version, trace_id, span_id)
        SELECT $id, $task, $attempt, $claim, $epoch, a.id, $session, ifnull(a.binary, ''), ifnull(a.argv, '[]'), $provider, $model, $profile, $access,
            a.pid, a.start_time, a.boot_id, $now, $harness_session, $harness_runtime, $resumed, $told, a.version, $trace, $span
        FROM agents a WHERE a.id = $agent AND a.kind = 'spawned' AND a.ended_at IS NULL
        """;

    private const string IdentifyAgent =
        "UPDATE agents SET pid = $pid, start_time = $start_time, boot_id = $boot WHERE id = $agent AND kind = 'spawned' AND ended_at IS NULL";

    private const string IdentifyRun = """
        UPDATE runs SET pid = $pid, start_time = $start_time, boot_id = $boot
        WHERE id = $run AND claim = $claim AND claim_epoch = $epoch AND finished_at IS NULL
        """;

    private const string EndAgent = """
        UPDATE agents SET ended_at = $now, exit_code = $exit_code, exit_signal = $exit_signal
        WHERE id = $agent AND kind = 'spawned' AND ended_at IS NULL
        """;

    private const string EndRun = $"""
        UPDATE runs SET finished_at = $now, exit_code = $exit_code, exit_signal = $exit_signal, verdict = $verdict, denied = $denied,
            result = $result, result_truncated = $result_truncated, error_code = $error_code, error_message = $error_message, stderr_tail = $stderr,
            input_tokens = $input, output_tokens = $output, cache_read_tokens = $cache_read, cache_write_tokens = $cache_write,
            cost_microcents = $cost, unpriced_tokens = $unpriced, session_entries_dropped = $dropped, {Heard},
            resume_failed = $resume_failed
        WHERE id = $run AND claim = $claim AND claim_epoch = $epoch AND finished_at IS NULL
        """;

    private const string Place = "UPDATE runs SET cwd = $cwd WHERE id = $run AND claim = $claim AND claim_epoch = $epoch AND finished_at IS NULL";

    // What is on record of the session stays where nothing new is known of it: the end of a run that a killed daemon left knows nothing.
    private const string Heard = """
        harness_session = ifnull($harness_session, harness_session), harness_runtime = ifnull($harness_runtime, harness_runtime),
        harness_answered = max(harness_answered, $answered)
        """;

    private const string NoteSession = $"UPDATE runs SET {Heard} WHERE id = $run AND claim = $claim AND claim_epoch = $epoch AND finished_at IS NULL";

    private const string RestartRun = """
        UPDATE runs SET argv = $argv, harness_session = $harness_session, harness_runtime = $harness_runtime, resumed = 0
        WHERE id = $run AND claim = $claim AND claim_epoch = $epoch AND finished_at IS NULL
        """;

    private const string RestartAgent = "UPDATE agents SET argv = $argv WHERE id = $agent AND kind = 'spawned' AND ended_at IS NULL";

    // The latest run in which the model has answered, also that of an agent without a session: what it did is in no earlier session.
    private const string Earlier = """
        SELECT r.harness_runtime, r.harness_session, r.cwd, r.told,
            (SELECT count(*) FROM runs f WHERE f.task_id = $id AND f.seq > r.seq AND f.resume_failed = 1 AND f.harness_session = r.harness_session),
            l.error_message
        FROM runs r JOIN (SELECT error_message FROM runs WHERE task_id = $id AND finished_at IS NOT NULL ORDER BY seq DESC LIMIT 1) l
        WHERE r.task_id = $id AND r.harness_answered = 1 AND r.finished_at IS NOT NULL AND r.claim > (SELECT afresh_after FROM tasks WHERE id = $id)
        ORDER BY r.seq DESC LIMIT 1
        """;

    private const string ClaimNumber = "SELECT claim FROM tasks WHERE id = $id";

    private const string OwnRun = "SELECT 1 FROM runs WHERE id = $run AND claim = $claim AND claim_epoch = $epoch";

    private const string Live = """
        SELECT a.id, r.task_id, a.pid, a.start_time, a.boot_id, a.binary, a.jail, a.jail_root, r.id, r.claim, r.claim_epoch FROM agents a
        LEFT JOIN runs r ON r.agent_id = a.id AND r.finished_at IS NULL
        WHERE a.kind = 'spawned' AND a.ended_at IS NULL ORDER BY a.created_at, a.id
        """;

    private const string Ended = "SELECT 1 FROM agents WHERE id = $agent AND kind = 'spawned' AND ended_at IS NOT NULL";

    private const string RunsOfTask = """
        SELECT id, task_id, attempt, agent_id, session_id, binary, argv, pid, start_time, boot_id, started_at, finished_at,
            exit_code, exit_signal, verdict, error_code, error_message, stderr_tail,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_microcents, unpriced_tokens, provider, model, denied,
            session_entries_dropped, profile, access, cwd, (SELECT a.number FROM agents a WHERE a.id = runs.agent_id), result, result_truncated,
            harness_session, resumed, harness_answered, version
        FROM runs WHERE task_id = $task ORDER BY seq
        """;

    /// <summary>Claims the task if there is one, persists the agent if it is new, and opens the run: all or nothing.</summary>
    /// <exception cref="InvalidOperationException">No new agent is given, and the board has no living agent of that id.</exception>
    public static RunBegun Begin(WriteScope scope, RunStart start)
    {
        var taskId = start.TaskId is { } name ? BoardNames.Task(scope, name) : null;
        var task = taskId is null ? null : scope.Change(
            taskId, EdgeSql.ClaimForRun,
            ("$agent", start.AgentId), ("$session", start.SessionId), ("$replaces", start.ReplacesSession ? 1 : 0), ("$epoch", scope.Epoch),
            ("$jitter", scope.Jitter()), ("$now", scope.Now), ("$group_limit", GroupVerbs.LimitOf(scope, taskId)));
        if (taskId is not null && task is null)
        {
            var refused = EdgeVerbs.Refuse(scope, taskId, TaskState.Claimed);
            return new RunBegun(refused.Outcome, refused.Task, Reason: refused.Reason);
        }
        // Its agent is told what came before.
        task = task is null ? null : ParentVerbs.With(scope, task);
        var earlier = task is null ? null : scope.First(Earlier, row => ReadEarlier(row, task), ("$id", task.Id))?.Value;
        if (start.Agent is { } agent)
            Insert(scope, start, agent, task, earlier);
        if (task is null)
            return new RunBegun(EdgeOutcome.Applied);
        var claim = new RunClaim(start.RunId, task.Id, scope.First(ClaimNumber, row => new Number(row.GetInt64(0)), ("$id", task.Id))!.Value, scope.Epoch);
        var own = start.Session?.Invoke(task, earlier);
        var opened = scope.Execute(
            InsertRun,
            ("$id", start.RunId), ("$task", task.Id), ("$attempt", task.Attempts), ("$claim", claim.Number), ("$epoch", claim.Epoch),
            ("$agent", start.AgentId), ("$session", task.SessionId), ("$provider", start.Provider), ("$model", start.Model),
            ("$profile", start.Profile), ("$access", start.Access), ("$now", scope.Now),
            ("$harness_session", own?.Conversation.Session), ("$harness_runtime", own?.Conversation.Runtime), ("$resumed", own is { IsTakenUp: true } ? 1 : 0),
            ("$told", ToldMark.Of(task)), ("$trace", start.Trace.TraceId), ("$span", start.Trace.SpanId));
        if (opened != 1)
            throw new InvalidOperationException($"agent {start.AgentId} is not on record as living");
        // The agent's process exists already, so the run starts with the claim.
        if (start.Agent is null)
            task = (scope.Change(task.Id, EdgeSql.RunStart, [.. Token(claim), ("$now", scope.Now)]) ?? task) with { Parents = task.Parents };
        return new RunBegun(EdgeOutcome.Applied, task, claim, Earlier: earlier, Trace: start.Trace);
    }

    /// <summary>Records where the run works; false if it has lost its task, or is over.</summary>
    public static bool PlaceAt(WriteScope scope, RunClaim claim, string cwd) =>
        scope.Execute(Place, [.. Token(claim), ("$run", claim.RunId), ("$cwd", cwd)]) == 1;

    /// <summary>Records what the agent has told of its own session; false if the run has lost its task, or is over.</summary>
    public static bool NoteOwnSession(WriteScope scope, RunClaim claim, Conversation? conversation, bool hasAnswered) => scope.Execute(
        NoteSession,
        [
            .. Token(claim), ("$run", claim.RunId),
            ("$harness_session", conversation?.Session), ("$harness_runtime", conversation?.Runtime), ("$answered", hasAnswered ? 1 : 0),
        ]) == 1;

    /// <summary>Records that the run begins in no earlier session after all; false if it has lost its task, or is over.</summary>
    public static bool BeginAnew(WriteScope scope, RunClaim claim, string agentId, IReadOnlyList<string> arguments, Conversation? given)
    {
        var argv = TaskRow.Json(arguments);
        var changed = scope.Execute(
            RestartRun, [.. Token(claim), ("$run", claim.RunId), ("$argv", argv), ("$harness_session", given?.Session), ("$harness_runtime", given?.Runtime)]);
        if (changed == 1)
            scope.Execute(RestartAgent, ("$agent", agentId), ("$argv", argv));
        return changed == 1;
    }

    public static BoardTask? Started(WriteScope scope, string agentId, RunClaim? claim, int pid, long startTime, string bootId)
    {
        scope.Execute(IdentifyAgent, ("$agent", agentId), ("$pid", pid), ("$start_time", startTime), ("$boot", bootId));
        if (claim is null)
            return null;
        scope.Execute(IdentifyRun, [.. Token(claim), ("$run", claim.RunId), ("$pid", pid), ("$start_time", startTime), ("$boot", bootId)]);
        return scope.Change(claim.TaskId, EdgeSql.RunStart, [.. Token(claim), ("$now", scope.Now)]) ?? TaskVerbs.Get(scope, claim.TaskId);
    }

    /// <summary>Closes the run if there is one and moves its task; with <see cref="RunEnd.AgentEnded"/> it closes the agent's row as well.</summary>
    public static RunClosed End(WriteScope scope, RunEnd end)
    {
        SessionVerbs.Set(scope, end.Sessions);
        LedgerVerbs.Book(scope, end.AgentId, end.Usage);
        var closed = end.Claim is { } claim ? Close(scope, end, claim) : default;
        // An agent knows its id and the daemon's socket, so it may have claimed more tasks than the one it was started on.
        if (end.AgentEnded && scope.Execute(
            EndAgent, ("$agent", end.AgentId), ("$exit_code", end.Exit?.Code), ("$exit_signal", end.Exit?.Signal), ("$now", scope.Now)) == 1)
            scope.ChangeAll(EdgeSql.ReleaseEnded, ("$agent", end.AgentId), ("$now", scope.Now));
        return closed;
    }

    private static void Insert(WriteScope scope, RunStart start, AgentRecord agent, BoardTask? task, EarlierSession? earlier) => scope.Execute(
        InsertAgent,
        ("$id", start.AgentId), ("$number", agent.Number ?? scope.NextAgentNumber()), ("$name", agent.Name), ("$runtime", agent.Runtime), ("$capabilities", TaskRow.Json(agent.Capabilities)),
        ("$host", agent.Host), ("$binary", agent.Binary), ("$argv", TaskRow.Json(start.Arguments?.Invoke(task, earlier) ?? [])), ("$cwd", agent.Cwd),
        ("$session", task?.SessionId ?? start.SessionId), ("$jail", agent.Jail), ("$jail_root", agent.JailRoot), ("$now", scope.Now), ("$version", agent.Version));

    private static RunClosed Close(WriteScope scope, RunEnd end, RunClaim claim)
    {
        // Includes the usage that was booked during the run, also by an earlier daemon that started it.
        (string, object?)[] outcome = [.. Outcome(scope, end, LedgerVerbs.OfRun(scope, end.AgentId, claim.RunId)), .. Token(claim), ("$run", claim.RunId)];
        var isClosed = scope.Execute(
            EndRun,
            [
                .. outcome,
                ("$exit_code", end.Exit?.Code), ("$exit_signal", end.Exit?.Signal), ("$stderr", Utf8Tail.Of(end.StderrTail, StderrTailBytes)),
                ("$dropped", end.SessionEntriesDropped), ("$harness_session", end.Conversation?.Session), ("$harness_runtime", end.Conversation?.Runtime),
                ("$answered", end.HasAnswered ? 1 : 0), ("$resume_failed", end.ResumeFailed ? 1 : 0),
            ]) == 1;
        // A second end of the same run changes nothing, so that its usage counts once.
        if (!isClosed)
            return new RunClosed(TaskVerbs.Get(scope, claim.TaskId), scope.First(OwnRun, row => "", [.. Token(claim), ("$run", claim.RunId)]) is null);
        var moved = Move(scope, claim.TaskId, end, outcome);
        return new RunClosed(moved ?? TaskVerbs.Get(scope, claim.TaskId), IsLost: moved is null);
    }

    public static IReadOnlyList<SpawnRow> ListLive(BoardConnection connection) => connection[Live].All(row => new SpawnRow(
        row.GetString(0),
        row.TextOrNull(8) is { } run ? new RunClaim(run, row.GetString(1), row.GetInt64(9), row.GetInt64(10)) : null,
        row.IntOrNull(2), row.LongOrNull(3), row.TextOrNull(4), row.GetString(5))
    {
        Jail = row.TextOrNull(6),
        JailRoot = row.TextOrNull(7),
    });

    public static bool HasEnded(BoardConnection connection, string agentId) =>
        connection[Ended].Bind(("$agent", agentId)).All(row => row.GetInt32(0)).Count > 0;

    public static IReadOnlyList<RunRow> ListRuns(BoardConnection connection, string taskId) =>
        connection[RunsOfTask].Bind(("$task", taskId)).All(ReadRun);

    private static BoardTask? Move(WriteScope scope, string taskId, RunEnd end, (string Name, object? Value)[] values)
    {
        var moved = end.Ending switch
        {
            RunEnding.Done => Finish(scope, taskId, EdgeSql.RunDone, values),
            RunEnding.Reworked => scope.Change(taskId, EdgeSql.RunRework, [.. values, ("$feedback", end.Feedback)]),
            RunEnding.Interrupted => scope.Change(taskId, EdgeSql.RunInterrupt, [.. values, ("$not_before", end.RetryAt?.ToUnixTimeMilliseconds())]),
            RunEnding.Killed when !RegistryVerbs.WasStopping(scope, end.Claim!.Epoch) =>
                scope.Change(taskId, EdgeSql.RunKilled, [.. values, ("$max_interruptions", scope.MaxInterruptions), ("$jitter", scope.Jitter())]),
            RunEnding.Killed => scope.Change(taskId, EdgeSql.RunInterrupt, [.. values, ("$not_before", null)]),
            RunEnding.Failed when end.RetryAt is { } retryAt =>
                scope.Change(taskId, EdgeSql.RunRetry, [.. values, ("$not_before", retryAt.ToUnixTimeMilliseconds())])
                ?? Finish(scope, taskId, EdgeSql.RunFail, values),
            RunEnding.Failed => Finish(scope, taskId, EdgeSql.RunFail, values),
            _ => throw new ArgumentOutOfRangeException(nameof(end), end.Ending, "no ending of a run"),
        };
        return moved ?? scope.Change(taskId, EdgeSql.RunAfterCancel, values);
    }

    // If the process ended before it was seen to run, the task is still claimed. Only a started task can finish, so start it first.
    private static BoardTask? Finish(WriteScope scope, string taskId, string sql, (string Name, object? Value)[] values)
    {
        scope.Change(taskId, EdgeSql.RunStart, values);
        return scope.Change(taskId, sql, values);
    }

    private static (string Name, object? Value)[] Token(RunClaim claim) => [("$claim", claim.Number), ("$epoch", claim.Epoch)];

    private static (string Name, object? Value)[] Outcome(WriteScope scope, RunEnd end, Usage usage) =>
    [
        ("$now", scope.Now), ("$verdict", end.Verdict), ("$denied", TaskRow.Json(end.Denied)),
        ("$result", end.Result?.Text), ("$result_truncated", end.Result?.Truncated is true ? 1 : 0),
        ("$error_code", end.Error?.Code), ("$error_message", end.Error?.Message),
        ("$change", TaskRow.Json(end.Change)), ("$change_state", end.Change is { } change ? TaskRow.Text(change.State) : null),
        ("$check_outcome", TaskRow.Json(end.Check)),
        ("$input", usage.InputTokens), ("$output", usage.OutputTokens), ("$cache_read", usage.CacheReadTokens),
        ("$cache_write", usage.CacheWriteTokens), ("$cost", usage.CostMicrocents), ("$unpriced", usage.UnpricedTokens),
    ];

    // Of a run before these columns it is not known what it was told: then the task is as it was.
    private static FoundSession ReadEarlier(SqliteDataReader row, BoardTask task) => new(
        row.TextOrNull(0) is { } runtime && row.TextOrNull(1) is { } session
            ? new EarlierSession(new Conversation(runtime, session))
            {
                Directory = row.TextOrNull(2),
                IsTaskTold = row.TextOrNull(3) is not { } told || ToldMark.IsTaskIn(told, task),
                AreParentsTold = row.TextOrNull(3) is { } known ? ToldMark.AreParentsIn(known, task) : task.Parents is not { Count: > 0 },
                IsFeedbackTold = row.TextOrNull(3) is { } heard && ToldMark.IsFeedbackIn(heard, task),
                Failures = row.GetInt32(4),
                Reason = row.TextOrNull(5),
            }
            : null);

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
        Denied = row.DeniedOrNull(26),
        SessionEntriesDropped = row.GetInt64(27),
        Profile = row.TextOrNull(28),
        Access = row.TextOrNull(29),
        Cwd = row.TextOrNull(30),
        AgentNumber = row.LongOrNull(31),
        Result = row.ResultOrNull(32),
        HarnessSession = row.TextOrNull(34),
        IsResumed = row.GetInt32(35) != 0,
        HasAnswered = row.GetInt32(36) != 0,
        Version = row.TextOrNull(37),
    };

    private sealed record Number(long Value);

    private sealed record FoundSession(EarlierSession? Value);
}
