using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>Sums over the whole life of the board, read in one transaction.</summary>
internal static class MetricsVerbs
{
    // Beyond these the rest is one line: what an agent calls its models is its own word.
    private const int MostLines = 1_000;

    private const string Open = "SELECT count(*) FROM runs WHERE finished_at IS NULL";

    private const string Held = $"SELECT count(*) FROM tasks WHERE status = 'queued' AND (held = 1 OR {TaskRow.IsHeldForParent})";

    private const string Runs = "SELECT profile, verdict, runs, duration_ms FROM run_totals ORDER BY profile, verdict";

    public static BoardTotals Read(BoardConnection connection)
    {
        connection.Script("BEGIN");
        try
        {
            return new BoardTotals(
                connection[Open].Number(), connection[Held].Number(),
                connection[Runs].Bind().All(row => new RunTotal(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3))),
                LedgerVerbs.Totals(connection, MostLines));
        }
        finally
        {
            connection.Script("COMMIT");
        }
    }
}
