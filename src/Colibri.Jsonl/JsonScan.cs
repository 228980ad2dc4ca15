using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Colibri.Jsonl;

/// <summary>Finds the extents of JSON's scalars. Offsets are relative to the span given.</summary>
internal static class JsonScan
{
    /// <summary>Length of the number at the start, by RFC 8259's grammar; 0 if there is none.</summary>
    public static int NumberLength(ReadOnlySpan<byte> text)
    {
        var at = text is [(byte)'-', ..] ? 1 : 0;
        var end = DigitsEnd(text, at);
        if (end == at || (end > at + 1 && text[at] == '0')) return 0;
        if (end >= text.Length) return end;
        if (text[end] == '.')
        {
            at = end + 1;
            end = DigitsEnd(text, at);
            if (end == at) return 0;
        }

        if (end >= text.Length || (text[end] | 0x20) != 'e') return end;
        at = end + 1;
        if (at < text.Length && text[at] is (byte)'+' or (byte)'-') at++;
        end = DigitsEnd(text, at);
        return end == at ? 0 : end;
    }

    /// <summary>
    /// Offset of the quote that closes the string whose first byte is at <paramref name="at"/>; -1 if a control byte, a broken escape or the
    /// end comes first.
    /// </summary>
    public static int StringEnd(ReadOnlySpan<byte> line, int at, out bool hasEscapes)
    {
        hasEscapes = false;
        while (true)
        {
            at = NextSpecial(line, at);
            if (at >= line.Length) return -1;
            var c = line[at];
            if (c == '"') return at;
            if (c != '\\') return -1;
            hasEscapes = true;
            var length = EscapeLength(line, at + 1);
            if (length == 0) return -1;
            at += 1 + length;
        }
    }

    /// <summary>Bytes of the escape after its backslash, 1 or 5; 0 if it is none of JSON's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int EscapeLength(ReadOnlySpan<byte> line, int at)
    {
        if ((uint)at >= (uint)line.Length) return 0;
        switch (line[at])
        {
            case (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                return 1;
            case (byte)'u':
                return at + 4 < line.Length && AreFourHex(ref Unsafe.AsRef(in line[at + 1])) ? 5 : 0;
            default:
                return 0;
        }
    }

    /// <summary>The index of the lowest set bit, by way of PopCount; the bits are not all zero.</summary>
    /// <remarks>
    /// TrailingZeroCount needs an instruction that the ahead-of-time compiler neither assumes nor checks for at run time. It does check for the
    /// instruction of PopCount.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PlaceOfLowest(ulong bits) =>
        Popcnt.X64.IsSupported ? (int)Popcnt.X64.PopCount((bits - 1) & ~bits) : BitOperations.TrailingZeroCount(bits);

    // The next quote, backslash or control byte; the line's length where none comes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int NextSpecial(ReadOnlySpan<byte> line, int at)
    {
        ref var start = ref MemoryMarshal.GetReference(line);
        for (; at <= line.Length - 16; at += 16)
        {
            var v = Vector128.LoadUnsafe(ref start, (nuint)at);
            var hits = Vector128.Equals(v, Vector128.Create((byte)'"'))
                | Vector128.Equals(v, Vector128.Create((byte)'\\'))
                | Vector128.Equals(Vector128.Min(v, Vector128.Create((byte)0x1F)), v);
            var mask = hits.ExtractMostSignificantBits();
            if (mask != 0) return at + PlaceOfLowest(mask);
        }

        while (at < line.Length && line[at] >= 0x20 && line[at] is not ((byte)'"' or (byte)'\\')) at++;
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int DigitsEnd(ReadOnlySpan<byte> text, int at)
    {
        while ((uint)at < (uint)text.Length && (uint)(text[at] - '0') <= 9) at++;
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreFourHex(ref byte first) =>
        IsHex(first) & IsHex(Unsafe.Add(ref first, 1)) & IsHex(Unsafe.Add(ref first, 2)) & IsHex(Unsafe.Add(ref first, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsHex(byte c) => (uint)(c - '0') <= 9 || (uint)((c | 0x20) - 'a') <= 5;
}
