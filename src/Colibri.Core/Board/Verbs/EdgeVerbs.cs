using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// Changes of state that outside clients ask for: claim, transition, cancel; and the release of tasks whose claimants are lost. A transition to
/// failed is final: an outside claimant decides itself whether to try again (by queued). Retries are for runs that the daemon supervises.
/// </summary>
internal static class EdgeVerbs
{
    private const string OpenRunAgent = "SELECT agent_id FROM runs WHERE task_id = $id AND finished_at IS NULL";

    /// <returns>The task with the tasks that it comes after.</returns>
    public static EdgeResult Claim(WriteScope scope, string taskId, string agentId) =>
        scope.Change(
            taskId, EdgeSql.Claim, ("$agent", agentId), ("$epoch", scope.Epoch), ("$now", scope.Now), ("$group_limit", GroupVerbs.LimitOf(scope, taskId))) is { } task
            ? new EdgeResult(EdgeOutcome.Applied, ParentVerbs.With(scope, task))
            : Refuse(scope, taskId, TaskState.Claimed);

    public static EdgeResult Transition(WriteScope scope, string taskId, TaskState to, TaskError? error, string? agentId)
    {
        if (OutsideEdge(to) is not { } sql)
            return RefuseClaim(scope, taskId);
        var task = scope.Change(
            taskId, sql, ("$agent", agentId is null ? null : Claimant(scope, taskId, agentId)), ("$error_code", error?.Code), ("$error_message", error?.Message), ("$now", scope.Now));
        return task is null ? Refuse(scope, taskId, to, agentId) : new EdgeResult(EdgeOutcome.Applied, task);
    }

    public static IReadOnlyList<BoardTask> ReleaseLost(WriteScope scope, string? heard, UnknownClaims unknown) =>
        scope.ChangeAll(
            EdgeSql.ReleaseLost,
            ("$heard", heard),
            ("$unknown", (long)unknown),
            // Told of alone where it counts, because the first use writes it.
            ("$epoch", unknown == UnknownClaims.OfEarlierStarts ? scope.Epoch : 0),
            ("$now", scope.Now));

    /// <summary>Says why a guard refused a change. It runs in the same transaction, so the reason is accurate.</summary>
    public static EdgeResult Refuse(WriteScope scope, string taskId, TaskState to, string? agentId = null)
    {
        if (TaskVerbs.Get(scope, taskId) is not { } task)
            return NotFound(taskId);
        if (to == TaskState.Claimed && task is { Status: TaskState.Queued, BlockedBy: [{ Code: TaskRow.ParentFailed } lost, ..] })
            return Conflict(task, $"task {taskId} is held: {lost.Message}");
        if (task.Held && to == TaskState.Claimed)
            return Conflict(task, $"task {taskId} is held; to let it start, type: colibri release-task {taskId}");
        if (to == TaskState.Claimed && task is { Status: TaskState.Queued, BlockedBy: [var waits, ..] })
            return Conflict(task, $"task {taskId} cannot be claimed yet: {waits.Message}");
        if (to == TaskState.Claimed && task.Status == TaskState.Queued && GroupVerbs.WhyFull(scope, task) is { } full)
            return Conflict(task, $"task {taskId} cannot be claimed yet: {full}");
        if (TaskLifecycle.Allows(task.Status, to) && scope.First(OpenRunAgent, row => row.GetString(0), ("$id", taskId)) is { } agent)
            return Conflict(task, $"task {taskId} is run by agent {agent} of this daemon: it can be cancelled, nothing else, from outside");
        if (TaskLifecycle.Allows(task.Status, to) && agentId is not null && task.AgentId != agentId)
            return Conflict(task, $"task {taskId} is held by agent {task.AgentId}, not by {agentId}");
        return Conflict(task, $"task {taskId} is {TaskRow.Text(task.Status)}, not {Choice(TaskLifecycle.Sources(to))}");
    }

    // A claimant that was not a label when it claimed holds the task by the name it gave.
    private static string Claimant(WriteScope scope, string taskId, string name) =>
        BoardNames.Agent(scope, name) is var id && id != name && TaskVerbs.Get(scope, taskId)?.AgentId == name ? name : id;

    // The edge to claimed needs a claimant, which a transition does not name.
    private static EdgeResult RefuseClaim(WriteScope scope, string taskId)
    {
        if (TaskVerbs.Get(scope, taskId) is not { } task)
            return NotFound(taskId);
        return Conflict(task, $"task {taskId} is {TaskRow.Text(task.Status)}: a transition cannot make it claimed, claiming it can");
    }

    private static string? OutsideEdge(TaskState to) => to switch
    {
        TaskState.Queued => EdgeSql.OutsideRequeue,
        TaskState.Claimed => null,
        TaskState.Started => EdgeSql.OutsideStart,
        TaskState.Done => EdgeSql.OutsideDone,
        TaskState.Failed => EdgeSql.OutsideFail,
        TaskState.Cancelled => EdgeSql.Cancel,
        _ => throw new ArgumentOutOfRangeException(nameof(to), to, "no state of a task"),
    };

    internal static EdgeResult NotFound(string taskId) => new(EdgeOutcome.NotFound, Reason: $"no task {taskId} on the board");

    internal static EdgeResult Conflict(BoardTask task, string reason) => new(EdgeOutcome.Conflict, task, reason);

    private static string Choice(IReadOnlyList<TaskState> states) => states.Count == 1
        ? TaskRow.Text(states[0])
        : $"{string.Join(", ", states.SkipLast(1).Select(TaskRow.Text))} or {TaskRow.Text(states[^1])}";
}
