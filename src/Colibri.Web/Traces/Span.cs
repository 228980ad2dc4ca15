namespace Colibri.Web.Traces;

/// <summary>One span that has ended. It has names and numbers, and nothing of what was said.</summary>
internal sealed record Span
{
    /// <summary>16 bytes.</summary>
    public required byte[] TraceId { get; init; }

    /// <summary>8 bytes.</summary>
    public required byte[] SpanId { get; init; }

    /// <summary>Null of a root.</summary>
    public byte[]? ParentId { get; init; }
    public required string Name { get; init; }
    public required DateTimeOffset Start { get; init; }
    public required DateTimeOffset End { get; init; }
    public bool IsError { get; init; }
    public IReadOnlyList<SpanAttribute> Attributes { get; init; } = [];
}

/// <param name="Name">Of the semantic conventions, or of Colibri.</param>
/// <param name="Text">Null for a number.</param>
/// <param name="Number">Only without a text.</param>
internal readonly record struct SpanAttribute(string Name, string? Text, long Number = 0);
