using Colibri.Core.Board.Storage;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// Which tasks must be done before another starts. The ids stand in the task's row and the edges in <c>task_after</c>. Two counts, kept by a trigger, say how
/// things stand: <c>tasks.waits</c> is how many are in the way, <c>tasks.lost</c> how many are over without being done.
/// </summary>
internal static class AfterVerbs
{
    private const string Known = "SELECT id FROM tasks WHERE id = $id UNION ALL SELECT id FROM intake WHERE id = $id";

    private const string DropEdges = "DELETE FROM task_after WHERE task = (SELECT seq FROM tasks WHERE id = $id)";

    private const string AddEdge = """
        INSERT OR IGNORE INTO task_after (task, parent) SELECT t.seq, p.seq FROM tasks t, tasks p WHERE t.id = $id AND p.id = $parent
        """;

    private static readonly string Count = $"UPDATE tasks SET on_failed = $on_failed, {CountsOf("$on_failed")} WHERE id = $id";

    /// <summary>Counts anew for the tasks that come after one that is about to be deleted (<c>$seq</c>).</summary>
    public static readonly string CountWithout = $"""
        UPDATE tasks SET {CountsOf("tasks.on_failed", "AND a.parent <> $seq")} WHERE seq IN (SELECT task FROM task_after WHERE parent = $seq)
        """;

    /// <summary>The same for several (<c>$ids</c>).</summary>
    public static readonly string CountWithoutAll = $"""
        UPDATE tasks SET {CountsOf("tasks.on_failed", "AND p.id NOT IN (SELECT value FROM json_each($ids))")}
        WHERE seq IN (SELECT a.task FROM task_after a JOIN tasks p ON p.seq = a.parent WHERE p.id IN (SELECT value FROM json_each($ids)))
        """;

    private const string LostOf = """
        SELECT p.id FROM tasks t JOIN task_after a ON a.task = t.seq JOIN tasks p ON p.seq = a.parent
        WHERE t.id = $id AND t.status = 'queued' AND t.on_failed <> 'run' AND p.status IN ('failed', 'cancelled')
        """;

    private const string DropEdge = "DELETE FROM task_after WHERE task = (SELECT seq FROM tasks WHERE id = $id) AND parent = (SELECT seq FROM tasks WHERE id = $parent)";

    private const string SetAfter = "UPDATE tasks SET after_tasks = $after WHERE id = $id";

    // From the task down through what it waits for: does it come back to itself?
    private const string Cycle = """
        WITH RECURSIVE above (seq) AS (
            SELECT a.parent FROM task_after a JOIN tasks t ON t.seq = a.task WHERE t.id = $id
            UNION SELECT a.parent FROM task_after a JOIN above ON a.task = above.seq)
        SELECT 1 FROM above JOIN tasks t ON t.seq = above.seq WHERE t.id = $id
        """;

    /// <summary>The ids of the tasks named, each once.</summary>
    /// <exception cref="TaskRefusedException">One of them is neither on the board nor in the intake.</exception>
    public static IReadOnlyList<string> Resolve(WriteScope scope, IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return [];
        var ids = new List<string>(names.Count);
        foreach (var name in names)
        {
            var id = scope.First(Known, row => row.GetString(0), ("$id", BoardNames.Task(scope, name)))
                ?? throw new TaskRefusedException("after", $"names {name}, which is no task on the board");
            if (!ids.Contains(id))
                ids.Add(id);
        }
        return ids;
    }

    /// <summary>Those of the ids that are still on the board or in the intake.</summary>
    public static IReadOnlyList<string> StillThere(WriteScope scope, IReadOnlyList<string> ids) =>
        ids.Count == 0 ? ids : [.. ids.Where(id => scope.First(Known, row => row.GetString(0), ("$id", id)) is not null)];

    /// <summary>Makes these the tasks that it waits for; those that are no longer on the board are left out.</summary>
    /// <exception cref="TaskRefusedException">It would wait for itself.</exception>
    public static void Set(WriteScope scope, string taskId, IReadOnlyList<string> parents, OnFailed policy)
    {
        scope.Execute(DropEdges, ("$id", taskId));
        foreach (var parent in parents)
            scope.Execute(AddEdge, ("$id", taskId), ("$parent", parent));
        SetPolicy(scope, taskId, policy);
        if (parents.Count > 0 && scope.First(Cycle, row => "", ("$id", taskId)) is not null)
            throw new TaskRefusedException("after", "makes the task wait for itself");
    }

    /// <summary>Says what becomes of it when one of them is over without being done, and counts them by that.</summary>
    public static void SetPolicy(WriteScope scope, string taskId, OnFailed policy) =>
        scope.Execute(Count, ("$id", taskId), ("$on_failed", TaskRow.Text(policy)));

    /// <summary>Lets a queued task that is held for them come no longer after those that are over without being done.</summary>
    /// <returns>Whether there were any.</returns>
    public static bool DropLost(WriteScope scope, string taskId)
    {
        var lost = scope.All(LostOf, row => row.GetString(0), ("$id", taskId));
        if (lost.Count == 0)
            return false;
        var task = TaskVerbs.Get(scope, taskId)!;
        foreach (var parent in lost)
            scope.Execute(DropEdge, ("$id", taskId), ("$parent", parent));
        scope.Execute(SetAfter, ("$id", taskId), ("$after", TaskRow.Json([.. task.After.Where(parent => !lost.Contains(parent))])));
        SetPolicy(scope, taskId, TaskRow.PolicyOf(task.OnFailed));
        return true;
    }

    private static string CountsOf(string policy, string also = "") => $"""
        waits = (SELECT count(*) FROM task_after a CROSS JOIN tasks p ON p.seq = a.parent WHERE a.task = tasks.seq {also}
            AND p.status <> 'done' AND NOT ({policy} = 'run' AND p.status IN ('failed', 'cancelled'))),
        lost = (SELECT count(*) FROM task_after a CROSS JOIN tasks p ON p.seq = a.parent WHERE a.task = tasks.seq {also} AND p.status IN ('failed', 'cancelled'))
        """;
}
