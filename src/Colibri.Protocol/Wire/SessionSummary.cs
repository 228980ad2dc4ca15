namespace Colibri.Protocol.Wire;

/// <summary>A session, without its entries.</summary>
/// <param name="Id">The session's id.</param>
/// <param name="Generation">Number of the live generation, from 1.</param>
/// <param name="Bytes">Size of the live generation's file.</param>
/// <param name="UpdatedAt">When the live generation's file last changed.</param>
/// <param name="OverBudget">Larger than even mode <c>max</c> allows: its newest entry alone is; the next append compacts it.</param>
public sealed record SessionSummary(string Id, int Generation, long Bytes, DateTimeOffset UpdatedAt, bool OverBudget = false);
