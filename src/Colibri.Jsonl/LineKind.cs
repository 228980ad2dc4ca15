namespace Colibri.Jsonl;

/// <summary>How a line came out of a <see cref="LineFramer"/>.</summary>
public enum LineKind
{
    /// <summary>Everything between two newlines.</summary>
    Whole,

    /// <summary>Beyond the limit: only its head, handed out once; the rest is discarded up to its newline.</summary>
    Oversize,

    /// <summary>The stream ended before its newline came.</summary>
    Torn,
}
