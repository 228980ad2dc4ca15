namespace Colibri.Protocol.Wire;

/// <summary>What an append did.</summary>
/// <param name="SessionId">The session appended to.</param>
/// <param name="Seq">The entry's number.</param>
/// <param name="Generation">The live generation after it.</param>
/// <param name="Bytes">Size of the live generation's file after it.</param>
/// <param name="Turns">User and assistant entries since the live generation's compaction entry.</param>
/// <remarks>
/// Entries that were written together and went beyond a limit together are compacted together: each of their receipts tells the state in
/// which they were answered.
/// </remarks>
public sealed record AppendReceipt(string SessionId, long Seq, int Generation, long Bytes, long Turns)
{
    /// <summary>The compaction that this append brought about; absent where there was none.</summary>
    public Compaction? Compacted { get; init; }

    /// <summary>The change of the cost mode that this append brought about; absent where there was none.</summary>
    public Escalation? Escalated { get; init; }

    /// <summary>True where the session is over budget in mode <c>max</c>; absent otherwise.</summary>
    public bool? OverBudget { get; init; }
}
