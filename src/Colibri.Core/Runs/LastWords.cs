using Colibri.Core.Board;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Runs;

/// <summary>
/// What the agent said last in a run: its message whole, or the beginning of a long one, where an answer stands. Kept until the run's end, so a long one is cut
/// at once, and cut to its size once it was redacted.
/// </summary>
internal sealed class LastWords
{
    /// <summary>The most bytes of UTF-8.</summary>
    public const int MaxBytes = 64 * 1024;

    // As long as the longest key by which a cut one is known: one that the limit cuts is kept whole until it was redacted.
    private const int Margin = 4_096;

    private readonly string _words;
    private readonly bool _isCut;

    public LastWords(string words)
    {
        // A character is at least one byte.
        _isCut = words.Length > MaxBytes + Margin;
        _words = _isCut ? words[..(MaxBytes + Margin)] : words;
    }

    /// <summary>The words without keys and within the limit.</summary>
    public TaskResult Result(Secrets secrets)
    {
        var clean = secrets.Redact(_words);
        var words = Utf8Head.Of(clean, MaxBytes);
        return new TaskResult(words, _isCut || words.Length < clean.Length ? true : null);
    }
}
