namespace Colibri.Protocol.Wire;

/// <summary>One line of a session log.</summary>
/// <remarks>
/// A <c>compaction</c> entry takes the next number like any other, and stands first in the generation that it opens; the kept entries
/// follow it with the numbers they have. So read over all generations, each entry at its first occurrence, the numbers go 1, 2, 3, …
/// </remarks>
public sealed record SessionEntry
{
    /// <summary>From 1, without a gap over all generations of the session; assigned by the daemon.</summary>
    public long Seq { get; init; }

    /// <summary>When the daemon wrote it.</summary>
    public DateTimeOffset Ts { get; init; }
    public required SessionEntryKind Kind { get; init; }
    public string? Text { get; init; }

    /// <summary>Only of a tool result: the tool's name.</summary>
    public string? Tool { get; init; }
    public bool? IsError { get; init; }

    /// <summary>Of a compaction entry, the sum over the entries that it stands for.</summary>
    public Usage? Usage { get; init; }
}
