using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text.Unicode;

namespace Colibri.Jsonl;

/// <summary>Answers about a whole line that are much cheaper than reading it.</summary>
public static class JsonLine
{
    private const int Block = 64;
    private const int Undecided = -1;

    private static readonly SearchValues<byte> StringSpecials = SearchValues.Create(
        [(byte)'"', (byte)'\\', .. Enumerable.Range(0, 0x20).Select(c => (byte)c)]);

    /// <summary>
    /// The string under <c>type</c> where that is the object's first key, read without looking at the rest of the line. False where another key
    /// comes first, the string has escapes, or white space stands in between: then only a whole reading tells.
    /// </summary>
    public static bool TryReadFirstType(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> type)
    {
        type = default;
        var prefix = "{\"type\":\""u8;
        if (!line.StartsWith(prefix)) return false;
        var rest = line[prefix.Length..];
        var end = rest.IndexOfAny(StringSpecials);
        if (end < 0 || rest[end] != '"') return false;
        type = rest[..end];
        return true;
    }

    /// <summary>Whether the whole line is one well-formed JSON object, exactly.</summary>
    public static bool IsWellFormedObject(ReadOnlySpan<byte> line)
    {
        var reader = new JsonLineReader(line);
        return reader.Value.Kind == ValueKind.Object && reader.Finish();
    }

    /// <summary>
    /// Whether the line has the outer form of one JSON object, 64 bytes at a time. Never false for a well-formed object.
    /// </summary>
    /// <remarks>
    /// <para>Caught as exactly as by a whole reading: invalid UTF-8; strings left open, with control bytes or with broken escapes; brackets that
    /// do not close in the order they opened, or are never closed, or nest deeper than <see cref="JsonLineReader.MaxDepth"/>; anything after
    /// the object, such as a second one without a newline between; a line cut off anywhere.</para>
    /// <para>Not caught: what stands between the strings and the brackets of a line that keeps all that, such as a missing comma or colon, a
    /// misspelt literal, a broken number, a name that is no string.</para>
    /// </remarks>
    public static bool HasObjectForm(ReadOnlySpan<byte> line)
    {
        if (line.Length < 2 || line[0] != '{' || line[^1] != '}') return IsWellFormedObject(line);
        var seen = Skim(line);
        return seen == Undecided ? IsWellFormedObject(line) : seen != 0;
    }

    // 1 for the form of an object, 0 for a fault, Undecided where only white space or depth makes the line unusual.
    [SkipLocalsInit]
    private static int Skim(ReadOnlySpan<byte> line)
    {
        ref var start = ref MemoryMarshal.GetReference(line);
        var kinds = 0UL;
        var depth = 0;
        var insideCarry = 0UL;
        var escapeCarry = 0UL;
        var nonAscii = 0UL;
        Unsafe.SkipInit(out Padded padded);
        for (var at = 0; at < line.Length; at += Block)
        {
            scoped ref var block = ref Unsafe.Add(ref start, at);
            var left = line.Length - at;
            if (left < Block)
            {
                block = ref Unsafe.As<Padded, byte>(ref padded);
                var tail = MemoryMarshal.CreateSpan(ref block, Block);
                line[at..].CopyTo(tail);
                tail[left..].Fill((byte)' ');
            }

            Classify(ref block, out var quotes, out var backslashes, out var opens, out var closes, out var controls, out var high);
            nonAscii |= high;
            if ((backslashes | escapeCarry) != 0)
            {
                var escaped = Escaped(backslashes, ref escapeCarry);
                quotes &= ~escaped;
                if (!EscapesAreKnown(line, at, escaped)) return 0;
            }

            var inside = PrefixXor(quotes) ^ insideCarry;
            insideCarry = (ulong)((long)inside >> 63);
            if (controls != 0) return (controls & inside) != 0 ? 0 : Undecided;

            // A backslash outside a string is a fault too, and would hide the quote after it.
            if ((backslashes & ~inside) != 0) return 0;
            var brackets = (opens | closes) & ~inside;
            for (; brackets != 0; brackets &= brackets - 1)
            {
                var bit = BitOperations.TrailingZeroCount(brackets);
                var bracket = Unsafe.Add(ref block, bit);
                if ((opens >> bit & 1) != 0)
                {
                    if (depth == 64) return Undecided;
                    kinds = (kinds << 1) | ((ulong)bracket >> 5 & 1);
                    depth++;
                }
                else
                {
                    if (depth == 0 || (kinds & 1) != ((ulong)bracket >> 5 & 1)) return 0;
                    kinds >>= 1;
                    depth--;
                    if (depth == 0 && at + bit != line.Length - 1) return 0;
                }
            }
        }

        if ((insideCarry | escapeCarry) != 0 || depth != 0) return 0;
        return nonAscii == 0 || Utf8.IsValid(line) ? 1 : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Classify(
        ref byte block, out ulong quotes, out ulong backslashes, out ulong opens, out ulong closes, out ulong controls, out ulong high)
    {
        if (Avx2.IsSupported)
        {
            var a = Unsafe.ReadUnaligned<Vector256<byte>>(ref block);
            var b = Unsafe.ReadUnaligned<Vector256<byte>>(ref Unsafe.Add(ref block, 32));
            quotes = Equal(a, b, (byte)'"');
            backslashes = Equal(a, b, (byte)'\\');
            var limit = Vector256.Create((byte)0x1F);
            controls = Mask(Avx2.CompareEqual(Avx2.Min(a, limit), a), Avx2.CompareEqual(Avx2.Min(b, limit), b));
            high = Mask(a, b);

            // The two kinds of bracket differ in this one bit alone.
            var fold = Vector256.Create((byte)0x20);
            a = Avx2.Or(a, fold);
            b = Avx2.Or(b, fold);
            opens = Equal(a, b, (byte)'{');
            closes = Equal(a, b, (byte)'}');
            return;
        }

        quotes = backslashes = opens = closes = controls = high = 0;
        for (var i = 0; i < Block; i += 16)
        {
            var v = Unsafe.ReadUnaligned<Vector128<byte>>(ref Unsafe.Add(ref block, i));
            quotes |= (ulong)Vector128.Equals(v, Vector128.Create((byte)'"')).ExtractMostSignificantBits() << i;
            backslashes |= (ulong)Vector128.Equals(v, Vector128.Create((byte)'\\')).ExtractMostSignificantBits() << i;
            controls |= (ulong)Vector128.LessThan(v, Vector128.Create((byte)0x20)).ExtractMostSignificantBits() << i;
            high |= (ulong)v.ExtractMostSignificantBits() << i;
            v |= Vector128.Create((byte)0x20);
            opens |= (ulong)Vector128.Equals(v, Vector128.Create((byte)'{')).ExtractMostSignificantBits() << i;
            closes |= (ulong)Vector128.Equals(v, Vector128.Create((byte)'}')).ExtractMostSignificantBits() << i;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Equal(Vector256<byte> a, Vector256<byte> b, byte c) =>
        Mask(Avx2.CompareEqual(a, Vector256.Create(c)), Avx2.CompareEqual(b, Vector256.Create(c)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mask(Vector256<byte> a, Vector256<byte> b) =>
        (uint)Avx2.MoveMask(a) | ((ulong)(uint)Avx2.MoveMask(b) << 32);

    // Bits of the bytes that an odd run of backslashes right before them escapes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Escaped(ulong backslashes, ref ulong carry)
    {
        const ulong OddBits = 0xAAAA_AAAA_AAAA_AAAA;
        backslashes &= ~carry;
        var follows = (backslashes << 1) | carry;
        var oddStarts = backslashes & OddBits & ~follows;
        var fromEven = oddStarts + backslashes;
        carry = fromEven < backslashes ? 1UL : 0;
        var invert = fromEven << 1;
        return (~OddBits ^ invert) & follows;
    }

    private static bool EscapesAreKnown(ReadOnlySpan<byte> line, int at, ulong escaped)
    {
        for (; escaped != 0; escaped &= escaped - 1)
            if (JsonScan.EscapeLength(line, at + BitOperations.TrailingZeroCount(escaped)) == 0) return false;

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong PrefixXor(ulong bits)
    {
        if (Pclmulqdq.IsSupported)
        {
            return Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(bits), Vector128.Create(ulong.MaxValue), 0).ToScalar();
        }

        bits ^= bits << 1;
        bits ^= bits << 2;
        bits ^= bits << 4;
        bits ^= bits << 8;
        bits ^= bits << 16;
        return bits ^ (bits << 32);
    }

    [InlineArray(Block)]
    private struct Padded
    {
        private byte _first;
    }
}
