using System.Globalization;
using System.Text;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// What a change of a task does to the tasks that come after it, in the same transaction. <see cref="WriteScope"/> calls it after each change, so that no
/// verb can forget it. The counts themselves are kept by the trigger <c>tasks_parents</c>.
/// </summary>
internal static class Dependents
{
    /// <summary>The most tasks of which one change of another tells that they are held now, or no longer. More are held all the same.</summary>
    public const int MostTold = 1_000;

    // No edge of the life cycle: only the board itself lets a queued task fail.
    private const string Fail = $"""
        UPDATE tasks SET previous_status = status, status = 'failed', updated_at = $now, finished_at = $now, not_before = NULL, held = 0,
            error_code = '{TaskRow.ParentFailed}', error_message =
        """;

    private const string IsToFail = "WHERE status = 'queued' AND on_failed = 'fail' AND lost > 0";

    private const string ComesAfter = "seq IN (SELECT a.task FROM task_after a WHERE a.parent IN (SELECT value FROM json_each($parents)))";

    private static readonly string FailChildren = $"{Fail} {DependencySchema.Why("tasks")} {IsToFail} AND {ComesAfter} RETURNING {TaskRow.Columns}";

    private static readonly string FailOne = $"{Fail} {DependencySchema.Why("tasks")} {IsToFail} AND id = $id RETURNING {TaskRow.Columns}";

    private static readonly string Held = $"SELECT {TaskRow.Columns} FROM tasks WHERE status = 'queued' AND on_failed <> 'run' AND {ComesAfter} ORDER BY seq LIMIT $most";

    /// <summary>Lets fail what fails with the task, and tells of what is held for it from now on, or no longer.</summary>
    /// <returns>The task itself where it has failed in its turn; else null.</returns>
    public static BoardTask? Follow(WriteScope scope, TaskChange change)
    {
        if (change.From is not { } from || change.Task.Status is var to && to == from)
            return null;
        // It was claimed when a task that it comes after was tried again and failed.
        if (to == TaskState.Queued && from is TaskState.Claimed or TaskState.Started)
            return FailFor(scope, change.Task);
        if (IsLost(to))
            FollowLoss(scope, change.Task);
        else if (IsLost(from))
            TellOfHeld(scope, $"[{change.Task.Number.ToString(CultureInfo.InvariantCulture)}]");
        return null;
    }

    /// <summary>Lets a queued task fail that fails with what it comes after; null where there is no reason to.</summary>
    public static BoardTask? FailFor(WriteScope scope, BoardTask task)
    {
        if (!IsToFailNow(task) || scope.All(FailOne, TaskRow.ReadChange, ("$id", task.Id), ("$now", scope.Now)) is not [var failed])
            return null;
        scope.Tell(failed);
        FollowLoss(scope, failed.Task);
        return failed.Task;
    }

    private static bool IsToFailNow(BoardTask task) => task is { Status: TaskState.Queued, OnFailed: "fail", Error.Code: TaskRow.ParentFailed };

    // One generation after the other: a chain may be as long as the board, and neither statement nor trigger calls itself. It ends, because what has failed is
    // not queued any more.
    private static void FollowLoss(WriteScope scope, BoardTask task)
    {
        var parents = $"[{task.Number.ToString(CultureInfo.InvariantCulture)}]";
        while (true)
        {
            var failed = scope.All(FailChildren, TaskRow.ReadChange, ("$parents", parents), ("$now", scope.Now));
            // The order of RETURNING's rows is undefined.
            failed.Sort(static (left, right) => left.Task.Number.CompareTo(right.Task.Number));
            var numbers = new StringBuilder();
            foreach (var change in failed)
            {
                scope.Tell(change);
                numbers.Append(numbers.Length == 0 ? '[' : ',').Append(CultureInfo.InvariantCulture, $"{change.Task.Number}");
            }
            TellOfHeld(scope, parents);
            if (failed.Count == 0)
                return;
            parents = numbers.Append(']').ToString();
        }
    }

    private static void TellOfHeld(WriteScope scope, string parents)
    {
        foreach (var task in scope.All(Held, TaskRow.Read, ("$parents", parents), ("$most", MostTold)))
            scope.Tell(new TaskChange(task, task.Status));
    }

    private static bool IsLost(TaskState state) => state is TaskState.Failed or TaskState.Cancelled;
}
