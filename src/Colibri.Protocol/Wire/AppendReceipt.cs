namespace Colibri.Protocol.Wire;

/// <summary>What an append did.</summary>
/// <param name="SessionId">The session appended to.</param>
/// <param name="Seq">The entry's number.</param>
/// <param name="Generation">The live generation after it.</param>
/// <param name="Bytes">Size of the live generation's file after it.</param>
/// <param name="Turns">User and assistant entries since the live generation's compaction entry.</param>
public sealed record AppendReceipt(string SessionId, long Seq, int Generation, long Bytes, long Turns);
