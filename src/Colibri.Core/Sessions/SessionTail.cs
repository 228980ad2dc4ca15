namespace Colibri.Core.Sessions;

/// <summary>Where a session's live generation ends.</summary>
/// <param name="Seq">The highest number given; 0 in an empty file.</param>
/// <param name="Turns">User and assistant entries since the generation's compaction entry.</param>
/// <param name="Bytes">Bytes of whole, well-formed lines.</param>
/// <param name="TornBytes">Bytes after them that are no whole entry: what a kill in mid-write left.</param>
internal readonly record struct SessionTail(long Seq, long Turns, long Bytes, long TornBytes);
