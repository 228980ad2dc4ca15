using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

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

    /// <summary>Only of a tool call and a tool result: the tool's name.</summary>
    public string? Tool { get; init; }
    public bool? IsError { get; init; }

    /// <summary>Of a compaction entry, the sum over the entries that it stands for.</summary>
    public Usage? Usage { get; init; }
}

[JsonConverter(typeof(SnakeEnumConverter<SessionEntryKind>))]
public enum SessionEntryKind
{
    User,
    Assistant,
    ToolResult,
    Usage,
    Compaction,
    Escalation,
    Note,

    /// <summary>What a tool was called with: its arguments as JSON, or the command line.</summary>
    ToolCall,

    /// <summary>What an agent has asked.</summary>
    Question,

    /// <summary>What it was answered.</summary>
    Answer,
}

/// <summary>A session, without its entries.</summary>
/// <param name="Id">The session's id.</param>
/// <param name="Generation">Number of the live generation, from 1.</param>
/// <param name="Bytes">Size of the live generation's file.</param>
/// <param name="UpdatedAt">When the live generation's file last changed.</param>
/// <param name="OverBudget">Larger than even mode <c>max</c> allows: its newest entry alone is; the next append compacts it.</param>
public sealed record SessionSummary(string Id, int Generation, long Bytes, DateTimeOffset UpdatedAt, bool OverBudget = false);

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

    /// <summary>Entries that were answered before and are gone from the disk, as this append found out; absent where none are.</summary>
    public long? EntriesGone { get; init; }
}

/// <summary>What a compaction did.</summary>
/// <param name="SessionId">The session.</param>
/// <param name="Generation">The live generation after it.</param>
/// <param name="Seq">Number of the compaction entry; absent where there was nothing to compact.</param>
/// <param name="Entries">Entries that the compaction entry stands for, an earlier compaction entry among them.</param>
/// <param name="Turns">User and assistant entries among those.</param>
/// <param name="BytesBefore">Size of the generation that was live before.</param>
/// <param name="BytesAfter">Size of the live generation after it.</param>
public sealed record Compaction(string SessionId, int Generation, long? Seq, int Entries, int Turns, long BytesBefore, long BytesAfter);

/// <summary>The prompt that a session makes now.</summary>
public sealed record AssembledPrompt
{
    public required string SessionId { get; init; }

    /// <summary>The prefix, the log's entries that have words, the scratch: in this order.</summary>
    public required IReadOnlyList<PromptMessage> Messages { get; init; }

    /// <summary>SHA-256 of the prefix's UTF-8 bytes, in lower-case hexadecimal.</summary>
    public required string PrefixSha256 { get; init; }

    /// <summary>Bytes of <see cref="Messages"/> in canonical form: the JSON array as it stands in the reply.</summary>
    public required long TotalBytes { get; init; }

    /// <summary><see cref="TotalBytes"/> divided by four, rounded up: a rule of thumb that no tokenizer is asked about.</summary>
    public required long EstimatedTokens { get; init; }

    /// <summary>Messages left out to keep within the cost mode's session bytes: the scratch first, then the oldest of the log.</summary>
    public required int Trimmed { get; init; }
}

/// <summary>One message of a prompt.</summary>
/// <param name="Role"><c>system</c> (the prefix), <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">Its words.</param>
public sealed record PromptMessage(string Role, string Content);
