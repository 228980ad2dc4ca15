using System.Globalization;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// Deletes ended tasks that nobody waits for, with their runs. The ledger keeps what they cost, without the task, so sums by day, provider and session stay
/// as they are. An agent whose runs are gone goes too. Where the ledger names it, it keeps a row without its arguments; so does the agent with the highest
/// number, because its label would be given again.
/// </summary>
internal static class PruneVerbs
{
    private static readonly string Over = StatesThat(TaskLifecycle.IsFinal);

    private static readonly string NotOver = StatesThat(state => !TaskLifecycle.IsFinal(state));

    /// <summary>
    /// The one place that says what is never pruned: each is a condition on a row of <c>tasks</c>, and any of them keeps the task, its sessions, its
    /// directory and its worktree. Each can be answered by an index, because the sessions that are kept are asked for again and again.
    /// </summary>
    private static readonly string[] WaitReasons =
    [
        // Held ones too: only a queued task is held.
        $"tasks.status IN ({NotOver})",
        // A person decides whether it lands.
        "tasks.change_state IN ('open', 'conflict')",
        // Its agent is being ended, or asks something.
        "tasks.seq IN (SELECT t.seq FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.finished_at IS NULL)",
        // Another task starts after it.
        $"tasks.seq IN (SELECT a.parent FROM task_after a JOIN tasks c ON c.seq = a.task WHERE c.status IN ({NotOver}))",
        "tasks.id IN (SELECT e.value FROM intake i, json_each(i.after_tasks) e)",
    ];

    private static readonly string Waits = $"({string.Join(" OR ", WaitReasons)})";

    // IS NOT TRUE: a task without a change has no state of one, and NOT of what is unknown is unknown.
    // A task is touched after its end only where a person does something with it, such as landing its change: it is young again then.
    private static readonly string IsDue =
        $"tasks.status IN ({Over}) AND max(ifnull(tasks.finished_at, 0), tasks.updated_at) < $before AND {Waits} IS NOT TRUE";

    private static readonly string Due = $"SELECT seq FROM tasks WHERE {IsDue} ORDER BY seq";

    // Asked again inside the transaction: a task may have been queued anew since it was found.
    private static readonly string DueOf = $"SELECT id, seq, status FROM tasks WHERE seq IN (SELECT value FROM json_each($numbers)) AND {IsDue} ORDER BY seq";

    private static readonly string WaitingOf = $"SELECT seq FROM tasks WHERE seq IN (SELECT value FROM json_each($numbers)) AND {Waits}";

    private const string AgentsOf = "SELECT DISTINCT agent_id FROM runs WHERE task_id IN (SELECT value FROM json_each($ids))";

    private static readonly string[] Delete =
    [
        "UPDATE usage SET task_id = NULL WHERE task_id IN (SELECT value FROM json_each($ids))",
        "DELETE FROM runs WHERE task_id IN (SELECT value FROM json_each($ids))",
        // What came after one of them no longer waits for it.
        AfterVerbs.CountWithoutAll,
        """
        DELETE FROM task_after WHERE parent IN (SELECT seq FROM tasks WHERE id IN (SELECT value FROM json_each($ids)))
            OR task IN (SELECT seq FROM tasks WHERE id IN (SELECT value FROM json_each($ids)))
        """,
        "DELETE FROM tasks WHERE id IN (SELECT value FROM json_each($ids))",
    ];

    private const string IsOver = "kind = 'spawned' AND ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.agent_id = agents.id)";

    private const string IsBooked = "EXISTS (SELECT 1 FROM usage u WHERE u.agent_id = agents.id)";

    private const string IsNewest = "number IS (SELECT max(number) FROM agents WHERE number IS NOT NULL)";

    private const string OldAgents = $"""
        SELECT id FROM agents WHERE {IsOver} AND ended_at < $before AND (argv IS NOT NULL OR NOT ({IsBooked} OR {IsNewest})) ORDER BY created_at
        """;

    private static readonly string[] DropAgents =
    [
        $"DELETE FROM agents WHERE id IN (SELECT value FROM json_each($ids)) AND {IsOver} AND NOT ({IsBooked} OR {IsNewest})",
        $"UPDATE agents SET argv = NULL WHERE id IN (SELECT value FROM json_each($ids)) AND {IsOver}",
    ];

    // A session that a task names is looked up in the directory of sessions by that name alone.
    private static readonly string KeptSessions = $"""
        SELECT session_id FROM tasks WHERE session_id IS NOT NULL AND {Waits}
        UNION SELECT r2.session_id FROM tasks JOIN runs r2 ON r2.task_id = tasks.id WHERE {Waits}
        UNION SELECT session_id FROM intake WHERE session_id IS NOT NULL
        UNION SELECT session_id FROM agents WHERE kind = 'spawned' AND ended_at IS NULL AND session_id IS NOT NULL
        """;

    private static readonly string UsedDirectories = $"""
        SELECT cwd FROM agents WHERE kind = 'spawned' AND ended_at IS NULL AND cwd IS NOT NULL
        UNION SELECT cwd FROM runs WHERE finished_at IS NULL AND cwd IS NOT NULL
        UNION SELECT cwd FROM tasks WHERE status IN ({NotOver}) AND cwd IS NOT NULL
        UNION SELECT cwd FROM intake WHERE cwd IS NOT NULL
        """;

    // A number that the board has not given yet is no task of its that is gone.
    private const string Gone = """
        SELECT value FROM json_each($numbers)
        WHERE value <= (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'tasks') AND NOT EXISTS (SELECT 1 FROM tasks WHERE seq = value)
        """;

    public static IReadOnlyList<long> ListDue(BoardConnection connection, DateTimeOffset before) =>
        connection[Due].Bind(("$before", before.ToUnixTimeMilliseconds())).All(row => row.GetInt64(0));

    public static IReadOnlyList<long> ListWaiting(BoardConnection connection, IReadOnlyCollection<long> numbers) =>
        connection[WaitingOf].Bind(("$numbers", Json(numbers))).All(row => row.GetInt64(0));

    public static IReadOnlyList<long> ListGone(BoardConnection connection, IReadOnlyCollection<long> numbers) =>
        connection[Gone].Bind(("$numbers", Json(numbers))).All(row => row.GetInt64(0));

    public static IReadOnlyList<string> ListKeptSessions(BoardConnection connection) => connection[KeptSessions].Bind().All(row => row.GetString(0));

    public static IReadOnlyList<string> ListUsedDirectories(BoardConnection connection) => connection[UsedDirectories].Bind().All(row => row.GetString(0));

    public static IReadOnlyList<string> ListOldAgents(BoardConnection connection, DateTimeOffset before) =>
        connection[OldAgents].Bind(("$before", before.ToUnixTimeMilliseconds())).All(row => row.GetString(0));

    /// <summary>Deletes those of the tasks that are still due.</summary>
    /// <returns>Their numbers.</returns>
    public static IReadOnlyList<long> Remove(WriteScope scope, IReadOnlyCollection<long> numbers, DateTimeOffset before)
    {
        var due = scope.All(
            DueOf, row => (Id: row.GetString(0), Number: row.GetInt64(1), Status: TaskRow.State(row.GetString(2))),
            ("$numbers", Json(numbers)), ("$before", before.ToUnixTimeMilliseconds()));
        if (due.Count == 0)
            return [];
        var ids = TaskRow.Json([.. due.Select(task => task.Id)]);
        var agents = scope.All(AgentsOf, row => row.GetString(0), ("$ids", ids));
        foreach (var statement in Delete)
            scope.Execute(statement, ("$ids", ids));
        RemoveAgents(scope, agents);
        foreach (var (id, number, status) in due)
        {
            var now = DateTimeOffset.FromUnixTimeMilliseconds(scope.Now);
            scope.Deleted(new BoardTask { Id = id, Number = number, Title = "", Status = status, CreatedAt = now, UpdatedAt = now });
        }
        return [.. due.Select(task => task.Number)];
    }

    /// <summary>Deletes those of the agents that have ended and have no runs, or makes them a row for the ledger.</summary>
    public static int RemoveAgents(WriteScope scope, IReadOnlyList<string> agents)
    {
        if (agents.Count == 0)
            return 0;
        var ids = TaskRow.Json(agents);
        return DropAgents.Sum(statement => scope.Execute(statement, ("$ids", ids)));
    }

    private static string StatesThat(Predicate<TaskState> are) =>
        string.Join(", ", Enum.GetValues<TaskState>().Where(state => are(state)).Select(state => $"'{TaskRow.Text(state)}'"));

    private static string Json(IReadOnlyCollection<long> numbers) =>
        $"[{string.Join(',', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)))}]";
}
