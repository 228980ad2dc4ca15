namespace Colibri.Protocol.Wire;

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
