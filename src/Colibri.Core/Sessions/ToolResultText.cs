using System.Globalization;
using System.Text;

namespace Colibri.Core.Sessions;

/// <summary>
/// Shortens a tool's result, or the arguments of its call: head and tail stay, and a line between them says what is missing. The head says what ran and the tail
/// how it went; the hash tells whether two results were the same.
/// </summary>
internal static class ToolResultText
{
    /// <summary>
    /// The text itself if its UTF-8 form has at most <paramref name="maxBytes"/>. Otherwise a text of that size: as much head as tail, and
    /// between them the number of bytes left out and the SHA-256 of the whole text's UTF-8 form. No character is cut in two.
    /// </summary>
    /// <param name="text">The tool's result, or its arguments.</param>
    /// <param name="maxBytes">At least 512, so that the marker fits.</param>
    public static string Shorten(string text, long maxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 512);
        // A character has at most three bytes for each UTF-16 unit.
        if (text.Length * 3L <= maxBytes || Encoding.UTF8.GetByteCount(text) <= maxBytes)
            return text;
        var whole = Encoding.UTF8.GetBytes(text);
        var hash = Sha256.HexOf(whole);
        var longestMarker = Marker(whole.Length, hash);
        var room = (int)maxBytes - longestMarker.Length;
        var head = CharacterStart(whole, room / 2);
        var tail = whole.Length - (room - room / 2);
        while (tail < whole.Length && IsContinuation(whole[tail]))
            tail++;
        return string.Concat(
            Encoding.UTF8.GetString(whole, 0, head), Marker(tail - head, hash), Encoding.UTF8.GetString(whole, tail, whole.Length - tail));
    }

    /// <summary>A text that the sidecar has shortened, with a last line that says what it replaces; null if that makes it no shorter than the whole.</summary>
    public static string? Mark(string shortened, string whole)
    {
        var bytes = Encoding.UTF8.GetBytes(whole);
        var marked = string.Create(
            CultureInfo.InvariantCulture, $"{shortened}\n[... shortened by headroom from {bytes.Length} bytes; SHA-256 of the whole: {Sha256.HexOf(bytes)} ...]\n");
        return Encoding.UTF8.GetByteCount(marked) < bytes.Length ? marked : null;
    }

    private static string Marker(int leftOut, string hash) =>
        string.Create(CultureInfo.InvariantCulture, $"\n[... {leftOut} bytes left out; SHA-256 of the whole: {hash} ...]\n");

    private static int CharacterStart(byte[] text, int index)
    {
        while (index > 0 && IsContinuation(text[index]))
            index--;
        return index;
    }

    private static bool IsContinuation(byte value) => (value & 0xC0) == 0x80;
}
