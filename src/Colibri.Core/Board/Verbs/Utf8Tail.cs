using System.Text;

namespace Colibri.Core.Board.Verbs;

internal static class Utf8Tail
{
    /// <summary>The longest end of the text that fits into so many bytes of UTF-8 and begins at a character.</summary>
    public static string? Of(string? text, int maxBytes)
    {
        if (text is null || Encoding.UTF8.GetByteCount(text) <= maxBytes)
            return text;
        var start = text.Length;
        var bytes = 0;
        while (start > 0)
        {
            var width = start > 1 && char.IsSurrogatePair(text[start - 2], text[start - 1]) ? 2 : 1;
            bytes += Encoding.UTF8.GetByteCount(text.AsSpan(start - width, width));
            if (bytes > maxBytes)
                break;
            start -= width;
        }
        return text[start..];
    }
}
