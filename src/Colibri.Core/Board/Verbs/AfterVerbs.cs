using Colibri.Core.Board.Storage;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// Which tasks must be done before another starts. The ids stand in the task's row, the edges in <c>task_after</c>, and the number of those that are
/// not done in <c>tasks.waits</c>, which a trigger keeps.
/// </summary>
internal static class AfterVerbs
{
    private const string Known = "SELECT id FROM tasks WHERE id = $id UNION ALL SELECT id FROM intake WHERE id = $id";

    private const string DropEdges = "DELETE FROM task_after WHERE task = (SELECT seq FROM tasks WHERE id = $id)";

    private const string AddEdge = """
        INSERT OR IGNORE INTO task_after (task, parent) SELECT t.seq, p.seq FROM tasks t, tasks p WHERE t.id = $id AND p.id = $parent
        """;

    private const string Count = """
        UPDATE tasks SET waits = (
            SELECT count(*) FROM task_after a JOIN tasks p ON p.seq = a.parent WHERE a.task = tasks.seq AND p.status <> 'done')
        WHERE id = $id
        """;

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
    public static void Set(WriteScope scope, string taskId, IReadOnlyList<string> parents)
    {
        scope.Execute(DropEdges, ("$id", taskId));
        foreach (var parent in parents)
            scope.Execute(AddEdge, ("$id", taskId), ("$parent", parent));
        scope.Execute(Count, ("$id", taskId));
        if (parents.Count > 0 && scope.First(Cycle, row => "", ("$id", taskId)) is not null)
            throw new TaskRefusedException("after", "makes the task wait for itself");
    }
}
