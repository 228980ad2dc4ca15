namespace Colibri.Protocol.Wire;

/// <summary>What a compaction did.</summary>
/// <param name="SessionId">The session.</param>
/// <param name="Generation">The live generation after it.</param>
/// <param name="Seq">Number of the compaction entry; absent where there was nothing to compact.</param>
/// <param name="Entries">Entries that the compaction entry stands for, an earlier compaction entry among them.</param>
/// <param name="Turns">User and assistant entries among those.</param>
/// <param name="BytesBefore">Size of the generation that was live before.</param>
/// <param name="BytesAfter">Size of the live generation after it.</param>
public sealed record Compaction(string SessionId, int Generation, long? Seq, int Entries, int Turns, long BytesBefore, long BytesAfter);
