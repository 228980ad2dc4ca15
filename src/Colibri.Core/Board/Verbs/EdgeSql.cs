using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// Each edge of the life cycle as one guarded UPDATE. The guard's states come from <see cref="TaskLifecycle"/>, so that no statement
/// can take a step the table does not have.
/// </summary>
internal static class EdgeSql
{
    public static readonly string Claim = To(TaskState.Claimed, NewClaim, NotHeld);

    public static readonly string ClaimForRun = To(
        TaskState.Claimed,
        $"{NewClaim}, {NewStart}, check_outcome = NULL, session_id = CASE WHEN $replaces THEN $session ELSE ifnull(session_id, $session) END",
        NotHeld);

    public static readonly string OutsideStart = To(TaskState.Started, $"started_at = $now, {LatestError}", Outside);

    public static readonly string OutsideDone = To(TaskState.Done, $"finished_at = $now, {NewError}", Outside);

    public static readonly string OutsideFail = To(TaskState.Failed, $"finished_at = $now, {NewError}", Outside);

    public static readonly string OutsideRequeue =
        To(TaskState.Queued, $"{BackFrom("NULL")}, {LatestError}", Outside);

    public static readonly string Cancel = To(TaskState.Cancelled, $"finished_at = $now, not_before = NULL, held = 0, {LatestError}");

    public static readonly string RunStart = To(TaskState.Started, "started_at = $now", HeldByRun);

    public static readonly string RunDone =
        To(TaskState.Done, $"finished_at = $now, feedback = NULL, verdict = $verdict, denied = $denied, {Result}, interruptions = 0, {NewError}, {NewWork}, {AddUsage}", HeldByRun);

    public static readonly string RunFail =
        To(TaskState.Failed, $"finished_at = $now, verdict = $verdict, denied = $denied, {Result}, interruptions = 0, {NewError}, {NewWork}, {AddUsage}", HeldByRun);

    public static readonly string RunRetry = To(
        TaskState.Queued,
        $"{BackFrom("$not_before")}, verdict = $verdict, denied = $denied, {Result}, interruptions = 0, {NewError}, {NewWork}, {AddUsage}",
        $"{HeldByRun} AND attempts < max_attempts");

    public static readonly string RunInterrupt = To(
        TaskState.Queued,
        $"{BackFrom("$not_before")}, {AttemptBack}, {EndSeen}, verdict = $verdict, denied = $denied, {Result}, {NewError}, {NewWork}, {AddUsage}",
        HeldByRun);

    /// <summary>The work goes back to an agent, which is told what its check found. It is no new attempt, and counted apart.</summary>
    public static readonly string RunRework = To(
        TaskState.Queued,
        $"{BackFrom("NULL")}, {AttemptBack}, reworks = reworks + 1, feedback = $feedback, interruptions = 0, verdict = $verdict, denied = $denied, {Result}, {NewError}, {NewWork}, {AddUsage}",
        HeldByRun);

    /// <summary>
    /// As <see cref="RunInterrupt"/>, and counted: the daemon was killed under the run. The interruption that reaches the limit also holds the task.
    /// </summary>
    public static readonly string RunKilled = To(
        TaskState.Queued,
        $"""
        {BackFrom("$now + min(1000 << min(interruptions, 9), 300000) * $jitter / 1000")}, {AttemptBack},
        interruptions = interruptions + 1, held = {IsPoison},
        verdict = CASE WHEN {IsPoison} THEN '{TaskRow.Poison}' ELSE $verdict END, denied = $denied, {Result},
        error_code = CASE WHEN {IsPoison} THEN '{TaskRow.Poison}' ELSE $error_code END,
        error_message = CASE WHEN {IsPoison}
            THEN (interruptions + 1) || ' runs in a row were interrupted because the daemon was killed, so the task is held; '
                || 'see whether it ends the daemon, then type: colibri release-task ' || seq
            ELSE $error_message END,
        {NewWork}, {AddUsage}
        """,
        HeldByRun);

    /// <summary>Not a state change: stores usage and verdict of a run whose task was cancelled while it ran.</summary>
    public const string RunAfterCancel = $"""
        UPDATE tasks SET previous_status = status, updated_at = $now, verdict = $verdict, denied = $denied, {Result}, {NewWork}, {AddUsage}
        WHERE id = $id AND status = 'cancelled' {HeldByRun}
        """;

    public static readonly string ReleaseLost = AllTo(
        TaskState.Queued,
        $"""
        {BackFrom("NULL")}, error_code = 'agent-lost',
        error_message = 'agent ' || ifnull(agent_id, '') || ' was not heard of in time; the task is queued again'
        """,
        $"""
        {NoOpenRun} AND (
            EXISTS (SELECT 1 FROM agents a WHERE a.id = tasks.agent_id AND a.kind = 'registered'
                AND $heard IS NOT NULL AND a.id NOT IN (SELECT value FROM json_each($heard)))
            OR (($unknown = 2 OR ($unknown = 1 AND tasks.claim_epoch <> $epoch)) AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.id = tasks.agent_id AND a.kind = 'registered')))
        """);

    public static readonly string ReleaseEnded = AllTo(
        TaskState.Queued,
        $"""
        {BackFrom("NULL")}, error_code = 'agent-lost',
        error_message = 'agent ' || $agent || ' has ended; the task is queued again'
        """,
        $"{HeldByAgent} {NoOpenRun}");

    /// <summary>Whether the row <c>g</c> of <c>tasks</c> takes a place of its group.</summary>
    public const string RunningInGroup = "g.status IN ('claimed', 'started')";

    // A task that the daemon itself runs is ended by its run. An outside claimant that lost it must not move it.
    public const string NoOpenRun = "AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.task_id = tasks.id AND r.finished_at IS NULL)";

    // A claimant that names itself can move only tasks that it holds.
    private const string Outside = $"{NoOpenRun} AND ($agent IS NULL OR agent_id = $agent)";

    private const string HeldByAgent = "AND agent_id = $agent";

    // The claim token fences the run: once another claim has the task, the run cannot change it.
    private const string HeldByRun = "AND claim = $claim AND claim_epoch = $epoch";

    private const string NewClaim = "agent_id = $agent, attempts = attempts + 1, claim = claim + 1, claim_epoch = $epoch, not_before = NULL";

    // A held task can be cancelled, and nothing else before it is released; one that waits for others, before they are done.
    private const string NotHeld = $"AND held = 0 AND waits = 0 {HasGroupRoom}";

    // Counted from the rows, so that no crash leaks a place. The limit is that of the task's group, which the same transaction has read.
    private const string HasGroupRoom = $"""
        AND ($group_limit IS NULL OR (SELECT count(*) FROM tasks g WHERE g.task_group = tasks.task_group AND {RunningInGroup}) < $group_limit)
        """;

    private const string AttemptBack = "attempts = max(attempts - 1, 0)";

    // A run that its provider failed has ended before the daemon's eyes: the row of interruptions begins anew.
    private const string EndSeen = "interruptions = CASE WHEN $error_code IN ('provider', 'agent-error') THEN 0 ELSE interruptions END";

    private const string IsPoison = "(interruptions + 1 >= $max_interruptions)";

    // Starts that are an hour or more apart do not add up.
    private const string StartsBefore = "(CASE WHEN last_start_at > $now - 3600000 THEN starts ELSE 0 END)";

    // The one place that bounds how often a task is started, whatever its runs end with: from this start to the next one it is 1 s, doubled
    // with each start, at most 5 min; half of that at the least ($jitter is 500 to 1000).
    private const string NewStart = $"""
        starts = {StartsBefore} + 1, last_start_at = $now,
        rest_until = $now + min(1000 << min({StartsBefore}, 9), 300000) * $jitter / 1000
        """;

    // Cut to the longest rest, because the clock may have been set back.
    private const string Rest = "CASE WHEN rest_until > $now THEN min(rest_until, $now + 300000) ELSE 0 END";

    private const string AskedStart = "CASE WHEN asked_not_before > $now THEN asked_not_before ELSE 0 END";

    // A run that made no change leaves the one that is there. The check is that of the latest run.
    private const string NewWork = "change = ifnull($change, change), change_state = ifnull($change_state, change_state), check_outcome = $check_outcome";

    private const string Result = "result = $result, result_truncated = $result_truncated";

    private const string NewError = "error_code = $error_code, error_message = $error_message";

    private const string LatestError = """
        error_message = CASE WHEN $error_code IS NULL THEN error_message ELSE $error_message END,
        error_code = ifnull($error_code, error_code)
        """;

    // A sum beyond 64 bits becomes a REAL in SQLite, which no column accepts. So each part is bounded before the addition, and the sum after it.
    private const string MaxUsage = "9000000000000000";

    private const string AddUsage = $"""
        input_tokens = min(min(input_tokens, {MaxUsage}) + min($input, {MaxUsage}), {MaxUsage}),
        output_tokens = min(min(output_tokens, {MaxUsage}) + min($output, {MaxUsage}), {MaxUsage}),
        cache_read_tokens = min(min(cache_read_tokens, {MaxUsage}) + min($cache_read, {MaxUsage}), {MaxUsage}),
        cache_write_tokens = min(min(cache_write_tokens, {MaxUsage}) + min($cache_write, {MaxUsage}), {MaxUsage}),
        cost_microcents = min(min(cost_microcents, {MaxUsage}) + min($cost, {MaxUsage}), {MaxUsage}),
        unpriced_tokens = min(min(unpriced_tokens, {MaxUsage}) + min($unpriced, {MaxUsage}), {MaxUsage})
        """;

    /// <summary>Back in the queue, without a wait but the task's rest and the time that was asked for.</summary>
    public static string BackAtOnce => BackFrom("NULL");

    /// <summary>Back in the queue: not before what is asked for, and not before the task's rest is over.</summary>
    private static string BackFrom(string earliest) =>
        $"agent_id = NULL, started_at = NULL, not_before = nullif(max(ifnull({earliest}, 0), {Rest}, {AskedStart}), 0)";

    private static string To(TaskState to, string set, string guard = "") => Update(to, set, "id = $id AND ", guard);

    private static string AllTo(TaskState to, string set, string guard) => Update(to, set, "", $"{guard} RETURNING {TaskRow.Columns}");

    private static string Update(TaskState to, string set, string which, string rest) => $"""
        UPDATE tasks SET previous_status = status, status = '{TaskRow.Text(to)}', updated_at = $now, {set}
        WHERE {which}status IN ({string.Join(", ", TaskLifecycle.Sources(to).Select(from => $"'{TaskRow.Text(from)}'"))}) {rest}
        """;
}
