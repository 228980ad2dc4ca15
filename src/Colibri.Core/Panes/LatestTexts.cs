using Colibri.Core.Providers;
using Colibri.Jsonl;

namespace Colibri.Core.Panes;

/// <summary>
/// An agent's words as they are shown: no key stands in them, and they are cut to a limit. An agent says the same few over and over, so
/// there is one string for each of the latest.
/// </summary>
internal sealed class LatestTexts(Secrets secrets, int most, int maxChars)
{
    private readonly (ulong Hash, string? Shown)[] _known = new (ulong, string?)[most];
    private int _next;

    /// <summary>One and the same string for the same bytes while they are among the latest; null for what is no string.</summary>
    public string? Of(ReadOnlySpan<byte> line, JsonValue text)
    {
        if (!text.IsString) return null;
        var hash = RunningTools.Hash(text.Raw(line));
        foreach (var known in _known)
            if (known.Hash == hash && known.Shown is not null) return known.Shown;

        // Decoded whole: an end that was cut off before would tear a key that stands there.
        var shown = secrets.Excerpt(text.GetString(line)!, maxChars);
        _known[_next] = (hash, shown);
        _next = (_next + 1) % most;
        return shown;
    }
}
