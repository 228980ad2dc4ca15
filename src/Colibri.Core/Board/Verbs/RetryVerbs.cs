using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>What an operator does with a task that is over, or waits: another try, an edit, its deletion, the state of its change.</summary>
internal static class RetryVerbs
{
    // What is over with a new try is taken away: the check's outcome, and a change that is settled. One that is open or in conflict goes on. Without
    // feedback the agent begins anew as well: what is wrong with its session may be why somebody wants another try.
    private static readonly string Retry = $"""
        UPDATE tasks SET previous_status = status, status = 'queued', updated_at = $now, {EdgeSql.BackAtOnce}, attempts = 0, finished_at = NULL,
            held = 0, interruptions = 0, reworks = 0, feedback = $feedback, check_outcome = NULL,
            afresh_after = CASE WHEN ifnull($feedback, '') = '' THEN claim ELSE afresh_after END,
            change = CASE WHEN change_state IN ('open', 'conflict') THEN change END,
            change_state = CASE WHEN change_state IN ('open', 'conflict') THEN change_state END
        WHERE id = $id AND status IN ({string.Join(", ", Enum.GetValues<TaskState>().Where(TaskLifecycle.IsFinal).Select(state => $"'{TaskRow.Text(state)}'"))})
            {EdgeSql.NoOpenRun}
        """;

    // A back-off stays where the time asked for is past.
    private const string EditQueued = $"""
        UPDATE tasks SET previous_status = status, updated_at = $now, {TaskFields.Assignments},
            not_before = CASE WHEN $asked IS asked_not_before THEN not_before
                ELSE nullif(max(CASE WHEN $asked > $now THEN $asked ELSE 0 END, CASE WHEN rest_until > $now THEN rest_until ELSE 0 END), 0) END
        WHERE id = $id AND status = 'queued'
        """;

    private const string Stored = $"SELECT {TaskFields.Columns}, status FROM tasks WHERE id = $id";

    private const string OtherOfKey = "SELECT id FROM tasks WHERE key = $key AND id <> $id UNION ALL SELECT id FROM intake WHERE key = $key";

    private const string ChangeTo = """
        UPDATE tasks SET previous_status = status, updated_at = $now, change = $change, change_state = $state
        WHERE id = $id AND change_state IS $expected AND ($head IS NULL OR json_extract(change, '$.Head') = $head)
        """;

    private const string Waiting = """
        SELECT t.seq FROM task_after a JOIN tasks t ON t.seq = a.task WHERE a.parent = $seq AND t.status NOT IN ('done', 'failed', 'cancelled') LIMIT 1
        """;

    private const string OpenRun = "SELECT agent_id FROM runs WHERE task_id = $id AND finished_at IS NULL";

    // The ledger keeps what was spent, without the task. What came after the task no longer waits for it.
    private static readonly string[] Delete =
    [
        "UPDATE usage SET task_id = NULL WHERE task_id = $id",
        "DELETE FROM runs WHERE task_id = $id",
        AfterVerbs.CountWithout,
        "DELETE FROM task_after WHERE parent = $seq OR task = $seq",
        "DELETE FROM tasks WHERE id = $id",
    ];

    public static EdgeResult Again(WriteScope scope, string taskId, string? feedback)
    {
        if (scope.Change(taskId, Retry, ("$feedback", feedback), ("$now", scope.Now)) is { } queued)
            return new EdgeResult(EdgeOutcome.Applied, queued);
        if (TaskVerbs.Get(scope, taskId) is not { } task)
            return EdgeVerbs.NotFound(taskId);
        return EdgeVerbs.Conflict(task, TaskLifecycle.IsFinal(task.Status)
            ? $"task {task.Number} is {TaskRow.Text(task.Status)}, and its agent is still being ended: try again in a moment"
            : $"task {task.Number} is {TaskRow.Text(task.Status)}: only a task that is done, failed or cancelled can be tried again");
    }

    /// <summary>The task as a client would have to state it to make it anew; null for an unknown one.</summary>
    public static NewTask? Given(BoardConnection connection, string name) =>
        connection[Stored].Bind(("$id", BoardNames.Task(connection, name))).First(row => TaskFields.Read(row, 0, out _));

    /// <exception cref="TaskRefusedException">The task cannot be so.</exception>
    public static EdgeResult Edit(WriteScope scope, string taskId, TaskEdit edit)
    {
        if (scope.First(Stored, row => TaskFields.Read(row, 0, out _), ("$id", taskId)) is not { } given)
            return EdgeVerbs.NotFound(taskId);
        if (TaskVerbs.Get(scope, taskId) is { Status: not TaskState.Queued } other)
            return EdgeVerbs.Conflict(other, $"task {other.Number} is {TaskRow.Text(other.Status)}: only a queued task can be edited");
        var wanted = edit.Of(given);
        // Its branch is in the other repository, and the board has room for one change of a task.
        if (wanted.Workspace != given.Workspace && TaskVerbs.Get(scope, taskId) is { Change: { State: ChangeState.Open or ChangeState.Conflict } change } held && change.Workspace != wanted.Workspace)
            return EdgeVerbs.Conflict(held, $"task {held.Number} has a change in workspace {change.Workspace} that has not landed; give it up before: colibri discard {held.Number}");
        if (wanted.Key is { } key && scope.First(OtherOfKey, row => row.GetString(0), ("$key", key), ("$id", taskId)) is { } holder)
            throw new TaskRefusedException("key", $"is that of task {holder}");
        if (edit.Tenant is not null)
            TenantVerbs.Require(scope, wanted.Tenant);
        if (edit.After is not null)
        {
            wanted = wanted with { After = AfterVerbs.Resolve(scope, wanted.After) };
            TaskVerbs.AdmitAll(scope, wanted.After);
            AfterVerbs.Set(scope, taskId, wanted.After, wanted.OnFailed);
        }
        else if (wanted.OnFailed != given.OnFailed)
        {
            AfterVerbs.SetPolicy(scope, taskId, wanted.OnFailed);
        }
        var edited = scope.Change(taskId, EditQueued, TaskFields.Of(wanted, ("$now", scope.Now)));
        if (edited is not null && wanted.Group != given.Group)
            scope.Regrouped(given.Group);
        // An edit of something else leaves alone what was queued by hand though its parent has failed.
        var isDecidedAnew = edit.After is not null || wanted.OnFailed != given.OnFailed;
        return new EdgeResult(EdgeOutcome.Applied, edited is not null && isDecidedAnew ? Dependents.FailFor(scope, edited) ?? edited : edited);
    }

    public static EdgeResult Remove(WriteScope scope, string taskId)
    {
        if (TaskVerbs.Get(scope, taskId) is not { } task)
            return EdgeVerbs.NotFound(taskId);
        if (!TaskLifecycle.IsFinal(task.Status))
            return EdgeVerbs.Conflict(task, $"task {task.Number} is {TaskRow.Text(task.Status)}: only a task that is over can be deleted; give it up with: colibri cancel-task {task.Number}");
        if (scope.First(OpenRun, row => row.GetString(0), ("$id", taskId)) is not null)
            return EdgeVerbs.Conflict(task, $"the agent of task {task.Number} is still being ended: try again in a moment");
        if (task.Change is { State: ChangeState.Open or ChangeState.Conflict })
            return EdgeVerbs.Conflict(task, $"the change of task {task.Number} is neither landed nor discarded: colibri land {task.Number}, or colibri discard {task.Number}");
        if (task.Status != TaskState.Done && scope.All(Waiting, row => row.GetInt64(0), ("$seq", task.Number)) is [var child])
            return EdgeVerbs.Conflict(task, $"task {child} waits for task {task.Number}; do without it: colibri edit-task {child} --after ''");
        foreach (var statement in Delete)
            scope.Execute(statement, ("$id", taskId), ("$seq", task.Number));
        scope.Deleted(task);
        return new EdgeResult(EdgeOutcome.Applied, task);
    }

    /// <param name="scope">The transaction.</param>
    /// <param name="taskId">The task.</param>
    /// <param name="expected">The state that its change has to be in; null is none.</param>
    /// <param name="change">The change from now on.</param>
    /// <param name="head">The head that its change has to have, where another run may have moved it; null is any.</param>
    public static EdgeResult SetChange(WriteScope scope, string taskId, ChangeState? expected, WorkChange change, string? head)
    {
        var changed = scope.Change(
            taskId, ChangeTo, ("$change", TaskRow.Json(change)), ("$state", TaskRow.Text(change.State)),
            ("$expected", expected is { } state ? TaskRow.Text(state) : null), ("$head", head), ("$now", scope.Now));
        if (changed is not null)
            return new EdgeResult(EdgeOutcome.Applied, changed);
        return TaskVerbs.Get(scope, taskId) is { } task
            ? EdgeVerbs.Conflict(task, task.Change is { } other && other.State == expected ? $"another run has moved the change of task {task.Number} to {other.Head}"
                : $"the change of task {task.Number} is {(task.Change is { } now ? TaskRow.Text(now.State) : "not there")}, not {(expected is { } wanted ? TaskRow.Text(wanted) : "missing")}")
            : EdgeVerbs.NotFound(taskId);
    }
}
