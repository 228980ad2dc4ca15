using Colibri.Jsonl;

namespace Colibri.Core.Panes;

/// <summary>
/// An agent's short texts as they are shown: redacted, then cut to a limit. An agent repeats the same few, so the strings of the latest ones
/// are cached.
/// </summary>
/// <param name="excerpt">Makes a text safe to show, and no longer than a limit.</param>
/// <param name="most">How many are cached.</param>
/// <param name="maxChars">The limit.</param>
internal sealed class LatestTexts(Func<string, int, string> excerpt, int most, int maxChars)
{
    private readonly (ulong Hash, string? Shown)[] _known = new (ulong, string?)[most];
    private int _next;

    /// <summary>The same string object for the same bytes while they are among the latest; null for a value that is no string.</summary>
    public string? Of(ReadOnlySpan<byte> line, JsonValue text)
    {
        if (!text.IsString) return null;
        var hash = RunningTools.Hash(text.Raw(line));
        foreach (var known in _known)
            if (known.Hash == hash && known.Shown is not null) return known.Shown;

        // Decode the whole text before it is redacted: a cut before that may tear a key, which redaction then misses.
        var shown = excerpt(text.GetString(line)!, maxChars);
        _known[_next] = (hash, shown);
        _next = (_next + 1) % most;
        return shown;
    }
}
