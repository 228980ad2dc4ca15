namespace Colibri.Protocol.Wire;

/// <summary>One line of a session log.</summary>
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
    public Usage? Usage { get; init; }
}
