using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>Keeps a queued task from starting, and lets it start again. Neither is a step of the life cycle: the task stays queued.</summary>
internal static class HoldVerbs
{
    private const string SetHeld = "UPDATE tasks SET previous_status = status, updated_at = $now, held = 1 WHERE id = $id AND status = 'queued' AND held = 0";

    // What was said about the interruptions is over with them.
    private const string ClearHeld = $"""
        UPDATE tasks SET previous_status = status, updated_at = $now, held = 0, interruptions = 0,
            verdict = CASE WHEN verdict = '{TaskRow.Poison}' THEN 'interrupted' ELSE verdict END,
            error_message = CASE WHEN error_code = '{TaskRow.Poison}' THEN NULL ELSE error_message END,
            error_code = nullif(error_code, '{TaskRow.Poison}')
        WHERE id = $id AND status = 'queued' AND (held = 1 OR $dropped = 1)
        """;

    public static EdgeResult Hold(WriteScope scope, string taskId)
    {
        if (scope.Change(taskId, SetHeld, ("$now", scope.Now)) is { } held)
            return new EdgeResult(EdgeOutcome.Applied, held);
        return TaskVerbs.Get(scope, taskId) switch
        {
            null => EdgeVerbs.NotFound(taskId),
            { Held: true } already => new EdgeResult(EdgeOutcome.Applied, already),
            var task => EdgeVerbs.Conflict(task, $"task {taskId} is {TaskRow.Text(task.Status)}: only a queued task can be held"),
        };
    }

    /// <summary>Lets it start, without those of the tasks that it comes after that are over without being done.</summary>
    public static EdgeResult Release(WriteScope scope, string taskId)
    {
        var dropped = AfterVerbs.DropLost(scope, taskId);
        if (scope.Change(taskId, ClearHeld, ("$dropped", dropped ? 1 : 0), ("$now", scope.Now)) is { } released)
            return new EdgeResult(EdgeOutcome.Applied, released);
        return TaskVerbs.Get(scope, taskId) is { } task
            ? EdgeVerbs.Conflict(task, $"task {taskId} is {TaskRow.Text(task.Status)} and not held")
            : EdgeVerbs.NotFound(taskId);
    }
}
