using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>What of a board waits for a person, or for the landing of its change.</summary>
internal static class ReviewVerbs
{
    // The states are in the text: SQLite chooses a partial index only by constants.
    private static readonly string Changes = $"""
        SELECT {TaskRow.Columns} FROM tasks WHERE change_state IN ('open', 'conflict') AND status IN ('done', 'failed', 'cancelled') ORDER BY seq DESC LIMIT $limit
        """;

    private static readonly string Unsettled = $"""
        SELECT {TaskRow.Columns} FROM tasks WHERE workspace = $workspace AND status IN ('done', 'failed', 'cancelled') AND seq IN (SELECT value FROM json_each($numbers))
        """;

    public static IReadOnlyList<BoardTask> ListChanges(BoardConnection connection, int limit) =>
        connection[Changes].Bind(("$limit", (long)limit)).All(TaskRow.Read);

    public static IReadOnlyList<BoardTask> ListEnded(BoardConnection connection, string workspace, string numbers) =>
        connection[Unsettled].Bind(("$workspace", workspace), ("$numbers", numbers)).All(TaskRow.Read);

    /// <summary>The texts whose cost must not grow with the board.</summary>
    internal static IReadOnlyList<string> Indexed => [Changes, Unsettled];
}
