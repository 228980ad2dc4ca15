using Colibri.Core.Cost;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Sessions.Generations;

/// <summary>Which entries of a generation stay as they are, and how long the summary of the others may be.</summary>
/// <param name="FirstKept">Index of the first entry that stays; all before it are summarised.</param>
/// <param name="SummaryMaxBytes">Bound of the compaction entry's line.</param>
internal readonly record struct CompactionPlan(int FirstKept, long SummaryMaxBytes)
{
    private const int SummaryShare = 16;
    private const int TurnsKeptOnRequest = 2;

    /// <summary>
    /// A plan to get back within the limits. Half of what they allow stays, so that the next compaction is some appends away, because each
    /// compaction breaks the provider's cached prefix. The newest entry always stays.
    /// </summary>
    /// <param name="entries">The generation.</param>
    /// <param name="limits">What to get back within.</param>
    /// <param name="behindBytes">Bytes that will be written after the newest entry.</param>
    public static CompactionPlan Within(IReadOnlyList<LoggedEntry> entries, CostLimits limits, long behindBytes) =>
        Keep(entries, limits, limits.MaxUncompactedTurns / 2, behindBytes);

    /// <summary>
    /// A plan for a client's request to compact: the last two turns stay, or the newer half of a log that is no longer than that. Null if no
    /// entry is left to summarise.
    /// </summary>
    public static CompactionPlan? OnRequest(IReadOnlyList<LoggedEntry> entries, CostLimits limits)
    {
        var first = FirstPlain(entries);
        if (entries.Count - first < 2)
            return null;
        var plan = Keep(entries, limits, TurnsKeptOnRequest, behindBytes: 0);
        return plan.FirstKept > first ? plan : plan with { FirstKept = first + (entries.Count - first) / 2 };
    }

    private static CompactionPlan Keep(IReadOnlyList<LoggedEntry> entries, CostLimits limits, int maxTurns, long behindBytes)
    {
        var newest = Newest(entries);
        var (first, turns, bytes) = (newest, 0, behindBytes);
        for (var i = newest; i < entries.Count; i++)
        {
            bytes += entries[i].Line.Length;
            turns += entries[i].IsTurn ? 1 : 0;
        }
        var oldest = FirstPlain(entries);
        while (first > oldest)
        {
            var next = entries[first - 1];
            var isTurn = next.IsTurn ? 1 : 0;
            if (bytes + next.Line.Length > limits.SessionMaxBytes / 2 || turns + isTurn > maxTurns)
                break;
            (first, bytes, turns) = (first - 1, bytes + next.Line.Length, turns + isTurn);
        }
        // Keep tool results together with their turn, without which they are hard to understand.
        for (var i = first; i < newest; i++)
        {
            if (!entries[i].IsTurn)
                continue;
            for (; first < i; first++)
                bytes -= entries[first].Line.Length;
            break;
        }
        var room = Math.Min(limits.SessionMaxBytes / SummaryShare, limits.SessionMaxBytes - bytes);
        return new CompactionPlan(first, Math.Max(room, CompactionSummary.MinBytes));
    }

    /// <summary>The last entry that a client or an agent appended; the daemon's escalation entries after it stay with it.</summary>
    private static int Newest(IReadOnlyList<LoggedEntry> entries)
    {
        var newest = entries.Count - 1;
        while (newest > 0 && entries[newest].Entry.Kind is SessionEntryKind.Escalation)
            newest--;
        return newest;
    }

    private static int FirstPlain(IReadOnlyList<LoggedEntry> entries) => entries is [{ Entry.Kind: SessionEntryKind.Compaction }, ..] ? 1 : 0;
}
