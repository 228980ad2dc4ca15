namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>prune</c>: what was deleted, or would be.</summary>
/// <param name="DryRun">Whether nothing was deleted.</param>
/// <param name="Tasks">Tasks with their runs.</param>
/// <param name="Sessions">Session logs.</param>
/// <param name="SessionBytes">The bytes of those.</param>
/// <param name="Worktrees">Worktrees of workspaces, by the numbers of their tasks.</param>
/// <param name="Directories">Tasks' own directories, by the numbers of their tasks.</param>
/// <param name="FreedBytes">The bytes of all files among them. Room in the database is used again, and not counted.</param>
/// <param name="Problem">Why something that is due stays, in one line, the first reason; absent where there is none.</param>
public sealed record PruneReport(
    bool DryRun, PrunedNumbers Tasks, PrunedIds Sessions, long SessionBytes, PrunedNumbers Worktrees, PrunedNumbers Directories, long FreedBytes,
    string? Problem = null)
{
    /// <summary>The most numbers or ids of a kind that are named.</summary>
    public const int MaxNamed = 100;
}

/// <param name="Count">How many.</param>
/// <param name="Numbers">The first 100.</param>
public sealed record PrunedNumbers(long Count, IReadOnlyList<long> Numbers)
{
    public static PrunedNumbers Of(IReadOnlyCollection<long> all) => new(all.Count, [.. all.Take(PruneReport.MaxNamed)]);
}

/// <param name="Count">How many.</param>
/// <param name="Ids">The first 100.</param>
public sealed record PrunedIds(long Count, IReadOnlyList<string> Ids)
{
    public static PrunedIds Of(IReadOnlyCollection<string> all) => new(all.Count, [.. all.Take(PruneReport.MaxNamed)]);
}
