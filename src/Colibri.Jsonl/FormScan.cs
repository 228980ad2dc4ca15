using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text.Unicode;

namespace Colibri.Jsonl;

/// <summary>Finds the end of a line and judges its form in the same pass, 64 bytes at a time.</summary>
/// <remarks>
/// Vectors of 128 bits throughout: code that is compiled ahead of time for any x86-64 has no wider ones, however a wider path is guarded.
/// What most blocks need comes first; control bytes, and so the line's end, and all that is rare are seen to in <see cref="Special"/>.
/// </remarks>
internal static class FormScan
{
    private const int Block = 64;
    private const int IsFault = -1;
    private const int IsUndecided = -2;

    /// <summary>Looks at the line at the start of <paramref name="text"/>, up to its newline.</summary>
    /// <param name="text">Any bytes.</param>
    /// <param name="length">The line's, without its newline; all of the text where there is none.</param>
    [SkipLocalsInit]
    public static LineForm Scan(ReadOnlySpan<byte> text, out int length)
    {
        if (text.IsEmpty || text[0] != '{')
        {
            length = LengthFrom(text, 0);
            return LineForm.Unseen;
        }

        ref var start = ref MemoryMarshal.GetReference(text);
        Unsafe.SkipInit(out Padded padded);
        State state = default;
        state.Brackets.Begin();
        while (true)
        {
            PassPlainBlocks(ref start, text.Length, ref state);
            scoped ref var block = ref Unsafe.Add(ref start, state.At);
            if (state.At > text.Length - Block)
            {
                // Filled up with newlines, so that the text's end ends the line.
                block = ref Unsafe.As<Padded, byte>(ref padded);
                var tail = MemoryMarshal.CreateSpan(ref block, Block);
                tail.Fill((byte)'\n');
                text[state.At..].CopyTo(tail);
            }

            var end = Special(ref block, text[state.At..], ref state);
            if (end == Block) continue;
            if (end < 0)
            {
                length = LengthFrom(text, state.At);
                return end == IsFault ? LineForm.Fault : LineForm.Unseen;
            }

            length = state.At + end;
            var form = state.Brackets.Judge(length);
            return form != LineForm.Object || state.IsAscii || Utf8.IsValid(text[..length]) ? form : LineForm.Fault;
        }
    }

    // As far as there is no control byte and no rare escape. No calls in it: across a call no vector stays in its register.
    private static void PassPlainBlocks(ref byte start, int length, ref State state)
    {
        var high = state.High;
        var inside = state.Inside;
        var escapeCarry = state.EscapeCarry;
        var brackets = state.Brackets;
        var at = state.At;
        for (; at <= length - Block; at += Block)
        {
            ref var block = ref Unsafe.Add(ref start, at);
            var a = Vector128.LoadUnsafe(ref block);
            var b = Vector128.LoadUnsafe(ref block, 16);
            var c = Vector128.LoadUnsafe(ref block, 32);
            var d = Vector128.LoadUnsafe(ref block, 48);
            var least = Vector128.Min(Vector128.Min(a, b), Vector128.Min(c, d));
            if (Vector128.Equals(Vector128.Min(least, Vector128.Create((byte)0x1F)), least).ExtractMostSignificantBits() != 0) break;
            var quotes = Equal(a, b, c, d, Vector128.Create((byte)'"'));
            var backslashes = Equal(a, b, c, d, Vector128.Create((byte)'\\'));
            if ((backslashes | escapeCarry) != 0)
            {
                var carry = escapeCarry;
                var escaped = Escaped(backslashes, ref carry);
                if (!AreShortEscapes(ref block, escaped)) break;
                quotes &= ~escaped;
                var around = PrefixXor(quotes) ^ inside;
                if ((backslashes & ~around) != 0) break;
                escapeCarry = carry;
            }

            high |= a | b | (c | d);
            var within = PrefixXor(quotes) ^ inside;
            inside = (ulong)((long)within >> 63);
            brackets.Take(ref block, BracketsOf(a, b, c, d) & ~within, at);
        }

        state.High = high;
        state.Inside = inside;
        state.EscapeCarry = escapeCarry;
        state.Brackets = brackets;
        state.At = at;
    }

    // Whether all of the bytes are such as stand alone after a backslash.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreShortEscapes(ref byte block, ulong escaped)
    {
        const ulong Low = (1UL << '"') | (1UL << '/');
        const ulong High = (1UL << ('\\' - 64)) | (1UL << ('b' - 64)) | (1UL << ('f' - 64)) | (1UL << ('n' - 64)) | (1UL << ('r' - 64)) | (1UL << ('t' - 64));
        for (; escaped != 0; escaped &= escaped - 1)
        {
            var c = Unsafe.Add(ref block, JsonScan.PlaceOfLowest(escaped));
            if (c >= 128 || (((c < 64 ? Low : High) >> (c & 63)) & 1) == 0) return false;
        }

        return true;
    }

    // The first newline's place in the block, 64 where there is none; negative where the line's form is already lost or unclear.
    private static int Special(ref byte block, ReadOnlySpan<byte> rest, ref State state)
    {
        var a = Vector128.LoadUnsafe(ref block);
        var b = Vector128.LoadUnsafe(ref block, 16);
        var c = Vector128.LoadUnsafe(ref block, 32);
        var d = Vector128.LoadUnsafe(ref block, 48);
        var limit = Vector128.Create((byte)0x1F);
        var controls = Mask(
            Vector128.Equals(Vector128.Min(a, limit), a),
            Vector128.Equals(Vector128.Min(b, limit), b),
            Vector128.Equals(Vector128.Min(c, limit), c),
            Vector128.Equals(Vector128.Min(d, limit), d));
        var backslashes = Equal(a, b, c, d, Vector128.Create((byte)'\\'));
        var quotes = Equal(a, b, c, d, Vector128.Create((byte)'"'));
        var newlines = controls == 0 ? 0 : Equal(a, b, c, d, Vector128.Create((byte)'\n'));
        var end = newlines == 0 ? Block : BitOperations.TrailingZeroCount(newlines);
        var line = newlines == 0 ? ulong.MaxValue : (newlines & (0UL - newlines)) - 1;
        state.High |= a | b | (c | d);
        controls &= line;
        backslashes &= line;
        quotes &= line;
        if ((backslashes | state.EscapeCarry) != 0)
        {
            var escaped = Escaped(backslashes, ref state.EscapeCarry);
            quotes &= ~escaped;
            if (!EscapesAreKnown(rest, escaped)) return IsFault;
        }

        var inside = PrefixXor(quotes) ^ state.Inside;
        if (controls != 0) return (controls & inside) != 0 ? IsFault : IsUndecided;

        // A backslash outside a string is a fault too, and would hide the quote after it.
        if ((backslashes & ~inside) != 0) return IsFault;
        state.Inside = (ulong)((long)inside >> 63);
        state.Brackets.Take(ref block, BracketsOf(a, b, c, d) & ~inside & line, state.At);
        if (end == Block) state.At += Block;
        else if (state.Inside != 0) return IsFault;
        return end;
    }

    private static int LengthFrom(ReadOnlySpan<byte> text, int at)
    {
        var newline = text[at..].IndexOf((byte)'\n');
        return newline < 0 ? text.Length : at + newline;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Equal(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d, Vector128<byte> to) =>
        Mask(Vector128.Equals(a, to), Vector128.Equals(b, to), Vector128.Equals(c, to), Vector128.Equals(d, to));

    // The four brackets, and y, Y, _ and DEL, which have no place outside a string either.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong BracketsOf(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d)
    {
        var fold = Vector128.Create((byte)0x26);
        return Equal(a | fold, b | fold, c | fold, d | fold, Vector128.Create((byte)0x7F));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mask(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d) =>
        (a.ExtractMostSignificantBits() | (b.ExtractMostSignificantBits() << 16))
        | ((ulong)(c.ExtractMostSignificantBits() | (d.ExtractMostSignificantBits() << 16)) << 32);

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

    private static bool EscapesAreKnown(ReadOnlySpan<byte> rest, ulong escaped)
    {
        for (; escaped != 0; escaped &= escaped - 1)
            if (JsonScan.EscapeLength(rest, BitOperations.TrailingZeroCount(escaped)) == 0) return false;

        return true;
    }

    // Of the bytes between an odd quote and the next, the odd one included.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong PrefixXor(ulong bits)
    {
        if (Pclmulqdq.IsSupported)
            return Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(bits), Vector128.Create(ulong.MaxValue), 0).ToScalar();

        bits ^= bits << 1;
        bits ^= bits << 2;
        bits ^= bits << 4;
        bits ^= bits << 8;
        bits ^= bits << 16;
        return bits ^ (bits << 32);
    }

    // How far the line has been seen, and what of its beginning matters for the rest.
    private struct State
    {
        public Vector128<byte> High;
        public Brackets Brackets;
        public ulong Inside;
        public ulong EscapeCarry;
        public int At;

        public readonly bool IsAscii => High.ExtractMostSignificantBits() == 0;
    }

    /// <summary>
    /// Whether brackets close as they were opened; only at the end is it asked what went wrong.
    /// </summary>
    private struct Brackets
    {
        private const int MaxDepth = 62;

        // One bit a level, the innermost lowest, under a one that marks the bottom.
        private ulong _open;
        private ulong _deepest;
        private uint _looksRight;
        private uint _mismatch;
        private uint _timesClosed;
        private int _last;

        public void Begin()
        {
            _open = 1;
            _looksRight = 0x02;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Take(ref byte block, ulong found, int at)
        {
            while (found != 0)
            {
                var bit = JsonScan.PlaceOfLowest(found);
                uint bracket = Unsafe.Add(ref block, bit);
                found &= found - 1;

                // { and [ have 0x02, } and ] have 0x04, what only looks like them has both or neither; { and } have 0x20.
                _looksRight &= bracket ^ (bracket >> 1);
                if ((bracket & 0x02) != 0)
                {
                    _open = (_open << 1) | (bracket >> 5 & 1);
                    _deepest |= _open;
                    continue;
                }

                _mismatch |= (uint)_open ^ (bracket >> 5);
                _open >>= 1;
                if (_open > 1) continue;
                _timesClosed++;
                _last = at + bit;
            }
        }

        // Closed once, at the last byte, and never below the bottom: from there no sequence leads back to having closed once.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly LineForm Judge(int length)
        {
            if (_deepest >> MaxDepth != 0) return LineForm.Unseen;
            if ((_mismatch & 1) != 0 || (_looksRight & 0x02) == 0 || _open != 1 || _timesClosed != 1) return LineForm.Fault;
            return _last == length - 1 ? LineForm.Object : LineForm.Unseen;
        }
    }

    [InlineArray(Block)]
    private struct Padded
    {
        private byte _first;
    }
}
