using System.Text;
using Colibri.Core.Providers;

namespace Colibri.Core.Panes;

/// <summary>The message of an agent that tells it in pieces, each in a line of its own, until it is whole. Words behind its limit are left out.</summary>
/// <param name="secrets">The keys to redact in a message that is cut.</param>
internal sealed class MessagePieces(Secrets secrets)
{
    /// <summary>The most characters of a message: as many as a line that is too long keeps at its two ends together.</summary>
    public const int MaxChars = 128 * 1024;

    // As long as the longest key by which a cut one is known: one that the limit cuts is kept whole until it was redacted.
    private const int Margin = 4_096;

    private readonly StringBuilder _words = new();
    private bool _isNested;
    private bool _isCut;

    /// <summary>Adds a piece.</summary>
    /// <param name="words">Its words, decoded.</param>
    /// <param name="isNested">They are a sub-agent's.</param>
    /// <returns>False once for a message of which words are left out.</returns>
    public bool Add(string words, bool isNested)
    {
        _isNested = isNested;
        var room = MaxChars + Margin - _words.Length;
        _words.Append(words.AsSpan(0, Math.Min(room, words.Length)));
        if (_isCut || _words.Length <= MaxChars) return true;
        _isCut = true;
        return false;
    }

    /// <summary>The message so far, which ends it; null where there is none.</summary>
    public (string Words, bool IsNested)? Take()
    {
        if (_words.Length == 0) return null;
        var words = _words.ToString();
        if (_isCut)
        {
            words = secrets.Redact(words);
            var end = Math.Min(MaxChars, words.Length);
            // No character is cut in two.
            words = words[..(char.IsHighSurrogate(words[end - 1]) ? end - 1 : end)];
        }

        _words.Clear();
        _isCut = false;
        // A message of megabytes should not be kept in memory for the rest of the agent's life.
        if (_words.Capacity > MaxChars / 4) _words.Capacity = 256;
        return (words, _isNested);
    }
}
