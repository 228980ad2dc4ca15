using System.Text;

namespace Colibri.Core.Board;

internal static class Utf8Head
{
    /// <summary>The longest beginning of the text that fits into so many bytes of UTF-8 and ends at a character.</summary>
    public static string Of(string text, int maxBytes)
    {
        // No code unit takes more than three bytes.
        if (text.Length * 3L <= maxBytes)
            return text;
        var (end, bytes) = (0, 0);
        while (end < text.Length)
        {
            Rune.DecodeFromUtf16(text.AsSpan(end), out var rune, out var units);
            bytes += rune.Utf8SequenceLength;
            if (bytes > maxBytes)
                return text[..end];
            end += units;
        }
        return text;
    }
}
