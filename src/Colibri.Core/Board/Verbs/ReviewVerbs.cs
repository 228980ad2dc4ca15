using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>What of a board waits for a person, or for the landing of its change.</summary>
internal static class ReviewVerbs
{
    // The states are in the text: SQLite chooses a partial index only by constants. The index is named, because the planner would rather walk the whole
    // board backwards than sort the few changes that wait.
    private static readonly string Waiting = $"""
        SELECT {TaskRow.Columns} FROM tasks INDEXED BY tasks_to_review WHERE change_state IN ('open', 'conflict')
        """;

    private static readonly string Changes = $"{Waiting} AND status IN ('done', 'failed', 'cancelled') ORDER BY seq DESC LIMIT $limit";

    // By the change's own workspace: that of its task may have been another when it was made.
    private static readonly string ToLand = $"""
        {Waiting} AND status = 'done' AND change_state = 'open' AND json_extract(change, '$.Workspace') IN (SELECT value FROM json_each($workspaces))
        ORDER BY seq LIMIT $limit
        """;

    private const string Count = "SELECT count(*) FROM tasks INDEXED BY tasks_to_review WHERE change_state IN ('open', 'conflict') AND status IN ('done', 'cancelled')";

    private static readonly string Ended = $"""
        SELECT {TaskRow.Columns} FROM tasks WHERE seq IN (SELECT value FROM json_each($numbers)) AND +workspace = $workspace AND +status IN ('done', 'failed', 'cancelled')
        """;

    public static IReadOnlyList<BoardTask> ListChanges(BoardConnection connection, int limit) =>
        connection[Changes].Bind(("$limit", (long)limit)).All(TaskRow.Read);

    public static IReadOnlyList<BoardTask> ListToLand(BoardConnection connection, IReadOnlyList<string> workspaces, int limit) =>
        connection[ToLand].Bind(("$workspaces", TaskRow.Json(workspaces)), ("$limit", (long)limit)).All(TaskRow.Read);

    public static long CountChanges(BoardConnection connection) => connection[Count].All(row => row.GetInt64(0))[0];

    public static IReadOnlyList<BoardTask> ListEnded(BoardConnection connection, string workspace, string numbers) =>
        connection[Ended].Bind(("$workspace", workspace), ("$numbers", numbers)).All(TaskRow.Read);

    /// <summary>The texts whose cost must not grow with the board.</summary>
    internal static IReadOnlyList<string> Indexed => [Changes, ToLand, Count, Ended];
}
