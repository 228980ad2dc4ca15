using System.Buffers;
using System.Text;

namespace Colibri.Jsonl;

/// <summary>Decodes the inside of a well-formed JSON string. A lone surrogate escape becomes U+FFFD.</summary>
public static class JsonText
{
    /// <summary>Decodes into <paramref name="destination"/>, which must be as long as <paramref name="escaped"/>; decoding never lengthens.</summary>
    /// <returns>Bytes written.</returns>
    public static int Decode(ReadOnlySpan<byte> escaped, Span<byte> destination)
    {
        var written = 0;
        while (true)
        {
            var backslash = escaped.IndexOf((byte)'\\');
            var plain = backslash < 0 ? escaped : escaped[..backslash];
            plain.CopyTo(destination[written..]);
            written += plain.Length;
            if (backslash < 0) return written;
            escaped = escaped[backslash..];
            written += DecodeEscape(ref escaped, destination[written..]);
        }
    }

    /// <param name="escaped">The bytes between the quotes.</param>
    /// <param name="hasEscapes">False promises that there is no backslash in it.</param>
    public static string ToString(ReadOnlySpan<byte> escaped, bool hasEscapes)
    {
        if (!hasEscapes) return Encoding.UTF8.GetString(escaped);
        var rented = ArrayPool<byte>.Shared.Rent(escaped.Length);
        try
        {
            return Encoding.UTF8.GetString(rented, 0, Decode(escaped, rented));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>The longest beginning of at most <paramref name="maxBytes"/> that splits neither an escape nor a UTF-8 sequence.</summary>
    public static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> escaped, int maxBytes)
    {
        if (escaped.Length <= maxBytes) return escaped;
        var cut = maxBytes;
        while (cut > 0 && (escaped[cut] & 0xC0) == 0x80) cut--;

        // The longest escape is twelve bytes, a surrogate pair. A window that far back shows whether the cut falls inside one.
        var from = cut;
        while (from > 0 && cut - from < 12 && escaped[from - 1] != '\\') from--;
        if (from == 0 || escaped[from - 1] != '\\') return escaped[..cut];
        var run = from - 1;
        while (run > 0 && escaped[run - 1] == '\\') run--;
        var opener = (from - run) % 2 == 1 ? from - 1 : -1;
        if (opener < 0) return escaped[..cut];
        var length = escaped[opener + 1] == 'u' ? 6 : 2;
        return opener + length > cut ? escaped[..opener] : escaped[..cut];
    }

    internal static bool DecodedEquals(ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> text)
    {
        // Decoding shrinks at most sixfold, so anything longer cannot be equal and the buffer stays small.
        if (escaped.Length > text.Length * 6 || text.Length > 128) return false;
        Span<byte> decoded = stackalloc byte[escaped.Length];
        return decoded[..Decode(escaped, decoded)].SequenceEqual(text);
    }

    private static int DecodeEscape(ref ReadOnlySpan<byte> escaped, Span<byte> destination)
    {
        var code = escaped[1];
        if (code != 'u')
        {
            escaped = escaped[2..];
            destination[0] = code switch
            {
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                _ => code,
            };
            return 1;
        }

        var unit = HexUnit(escaped);
        escaped = escaped[6..];
        if (char.IsHighSurrogate(unit) && escaped is [(byte)'\\', (byte)'u', ..])
        {
            var low = HexUnit(escaped);
            if (char.IsLowSurrogate(low))
            {
                escaped = escaped[6..];
                return new Rune(unit, low).EncodeToUtf8(destination);
            }
        }

        return (Rune.TryCreate(unit, out var rune) ? rune : Rune.ReplacementChar).EncodeToUtf8(destination);
    }

    private static char HexUnit(ReadOnlySpan<byte> escape)
    {
        var unit = 0;
        for (var i = 2; i < 6; i++)
        {
            var c = escape[i] | 0x20;
            unit = (unit << 4) | (c <= '9' ? c & 0x0F : c - 'a' + 10);
        }

        return (char)unit;
    }
}
