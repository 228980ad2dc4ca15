using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

public sealed partial class TaskBoard
{
    /// <summary>Books what an agent has used so far. The rows replace those booked before; an agent that is not on record has none.</summary>
    public Task BookUsageAsync(string agentId, IReadOnlyList<UsageRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return WriteAsync(scope => LedgerVerbs.Book(scope, agentId, rows));
    }

    /// <summary>All that was booked on a day, in UTC.</summary>
    public Task<Usage> UsageOfDayAsync(DateOnly day) => ReadAsync(connection => LedgerVerbs.OfDay(connection, day));

    /// <summary>The ledger's sums, the dearest first, days the latest first.</summary>
    /// <param name="by">One line for each of these.</param>
    /// <param name="limit">At most so many lines, from 1.</param>
    public Task<CostSummary> SummariseCostAsync(CostGrouping by, int limit) => ReadAsync(connection => LedgerVerbs.Summarise(connection, by, limit));
}
