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
        var digits = DigitCount(text[at..]);
        if (digits == 0 || (digits > 1 && text[at] == '0')) return 0;
        at += digits;
        if (at < text.Length && text[at] == '.')
        {
            digits = DigitCount(text[(at + 1)..]);
            if (digits == 0) return 0;
            at += 1 + digits;
        }

        if (at < text.Length && (text[at] | 0x20) == 'e')
        {
            at++;
            if (at < text.Length && text[at] is (byte)'+' or (byte)'-') at++;
            digits = DigitCount(text[at..]);
            if (digits == 0) return 0;
            at += digits;
        }

        return at;
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
                return at + 4 < line.Length && IsHex(line[at + 1]) && IsHex(line[at + 2]) && IsHex(line[at + 3]) && IsHex(line[at + 4]) ? 5 : 0;
            default:
                return 0;
        }
    }

    // The next quote, backslash or control byte. Avx2 by name: native code built for any x86-64 then still uses it where the machine has it.
    private static int NextSpecial(ReadOnlySpan<byte> line, int at)
    {
        ref var start = ref MemoryMarshal.GetReference(line);
        if (Avx2.IsSupported)
        {
            while (at + 32 <= line.Length)
            {
                var v = Unsafe.ReadUnaligned<Vector256<byte>>(ref Unsafe.Add(ref start, at));
                var hits = Avx2.Or(
                    Avx2.Or(Avx2.CompareEqual(v, Vector256.Create((byte)'"')), Avx2.CompareEqual(v, Vector256.Create((byte)'\\'))),
                    Avx2.CompareEqual(Avx2.Min(v, Vector256.Create((byte)0x1F)), v));
                var mask = (uint)Avx2.MoveMask(hits);
                if (mask != 0) return at + BitOperations.TrailingZeroCount(mask);
                at += 32;
            }
        }

        while (at + 16 <= line.Length)
        {
            var v = Unsafe.ReadUnaligned<Vector128<byte>>(ref Unsafe.Add(ref start, at));
            var hits = Vector128.Equals(v, Vector128.Create((byte)'"'))
                | Vector128.Equals(v, Vector128.Create((byte)'\\'))
                | Vector128.LessThan(v, Vector128.Create((byte)0x20));
            var mask = hits.ExtractMostSignificantBits();
            if (mask != 0) return at + BitOperations.TrailingZeroCount(mask);
            at += 16;
        }

        while (at < line.Length && line[at] >= 0x20 && line[at] is not ((byte)'"' or (byte)'\\')) at++;
        return at;
    }

    private static int DigitCount(ReadOnlySpan<byte> text)
    {
        var count = 0;
        while (count < text.Length && (uint)(text[count] - '0') <= 9) count++;
        return count;
    }

    private static bool IsHex(byte c) => (uint)(c - '0') <= 9 || (uint)((c | 0x20) - 'a') <= 5;
}
