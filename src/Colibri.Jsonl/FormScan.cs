using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text.Unicode;

namespace Colibri.Jsonl;

/// <summary>Finds the end of a line and judges its form in the same pass, 64 bytes at a time.</summary>
/// <remarks>
/// Vectors have 128 bits throughout: code that is compiled ahead of time for any x86-64 gets no wider ones, even behind a run-time check.
/// The hot loop keeps all its state in numbers, because rare bytes need calls, and a call spills every vector register.
/// </remarks>
internal static class FormScan
{
    private const int Block = 64;

    /// <summary>Looks at the line at the start of <paramref name="text"/>, up to its newline.</summary>
    /// <param name="text">Any bytes.</param>
    /// <param name="marks">Receives the places of the quotes that open and close strings, a word for 64 bytes. Its length is a power of two.</param>
    /// <param name="length">The line's length without its newline; all of the text where there is none.</param>
    /// <param name="escapesFrom">No escape begins before this offset.</param>
    /// <param name="escapesTo">No escape begins at or after this offset.</param>
    /// <remarks>If the line is longer than the marks reach, they wrap around and hold its end; they are then of no use.</remarks>
    [SkipLocalsInit]
    public static LineForm Scan(ReadOnlySpan<byte> text, Span<ulong> marks, out int length, out int escapesFrom, out int escapesTo)
    {
        escapesFrom = escapesTo = 0;
        if (text.IsEmpty || text[0] != '{')
        {
            length = LengthFrom(text, 0);
            return LineForm.Unseen;
        }

        State state = default;
        state.Brackets.Begin();
        // Checked once here: at each use the compiler would emit the check again.
        var at = Popcnt.X64.IsSupported && Pclmulqdq.IsSupported
            ? PassBlocks<FastBits>(text, marks, ref state)
            : PassBlocks<AnyBits>(text, marks, ref state);
        scoped ref var block = ref Unsafe.Add(ref MemoryMarshal.GetReference(text), at);
        Unsafe.SkipInit(out Padded padded);
        if (at > text.Length - Block) block = ref padded.Fill(text[at..]);

        // The line's last block, or one with a byte that takes an exact reading to judge.
        var a = Vector128.LoadUnsafe(ref block);
        var b = Vector128.LoadUnsafe(ref block, 16);
        var c = Vector128.LoadUnsafe(ref block, 32);
        var d = Vector128.LoadUnsafe(ref block, 48);
        var end = JsonScan.PlaceOfLowest(ControlsOf(a, b, c, d));
        if (Unsafe.Add(ref block, end) != '\n')
        {
            length = LengthFrom(text, at);
            return LineForm.Unseen;
        }

        length = at + end;
        var line = (1UL << end) - 1;
        state.NonAscii |= (a | b | (c | d)).ExtractMostSignificantBits();
        var quotes = Equal(a, b, c, d, Vector128.Create((byte)'"')) & line;
        var backslashes = Equal(a, b, c, d, Vector128.Create((byte)'\\')) & line;
        var brackets = BracketsOf(a, b, c, d) & line;
        if ((backslashes | state.EscapeCarry) != 0 && !TakeEscapes<AnyBits>(ref block, backslashes, ref quotes, ref state)) return LineForm.Fault;
        if (backslashes != 0) state.NoteEscapes(at);
        (escapesFrom, escapesTo) = (state.EscapesFrom, state.EscapesTo);
        Mark(marks, at) = quotes;
        var within = AnyBits.PrefixXor(quotes) ^ state.Inside;
        if ((long)within < 0) return LineForm.Fault;
        state.Brackets.Take<AnyBits>(ref block, brackets & ~within);
        var form = state.Brackets.Judge(text[..length]);
        if (form != LineForm.Object) return form;
        if (state.CutEscapes != 0 && !EscapesAreKnown(text[..length])) return LineForm.Fault;
        return state.NonAscii == 0 || Utf8.IsValid(text[..length]) ? form : LineForm.Fault;
    }

    // Passes blocks up to the one with the first control byte, or to the last one, which the text does not fill. In a line that agents print
    // the first control byte is the newline. The loop makes no calls, because a call spills every vector register. If the control byte is a
    // fault, the reading of the rest of the line finds it.
    private static int PassBlocks<TBits>(ReadOnlySpan<byte> text, Span<ulong> marks, ref State passed)
        where TBits : struct, IBits
    {
        var state = passed;
        var at = 0;
        for (; at <= text.Length - Block; at += Block)
        {
            ref var block = ref Unsafe.Add(ref MemoryMarshal.GetReference(text), at);
            var a = Vector128.LoadUnsafe(ref block);
            var b = Vector128.LoadUnsafe(ref block, 16);
            var c = Vector128.LoadUnsafe(ref block, 32);
            var d = Vector128.LoadUnsafe(ref block, 48);
            var least = Vector128.Min(Vector128.Min(a, b), Vector128.Min(c, d));
            var all = a | b | (c | d);
            if (((least - Vector128.Create((byte)0x20)) | all).ExtractMostSignificantBits() != 0)
            {
                if (Vector128.Equals(Vector128.Min(least, Vector128.Create((byte)0x1F)), least).ExtractMostSignificantBits() != 0) break;
                state.NonAscii = 1;
            }

            var quotes = Equal(a, b, c, d, Vector128.Create((byte)'"'));
            var slash = Vector128.Create((byte)'\\');
            var slashes = Vector128.Equals(a, slash) | Vector128.Equals(b, slash) | (Vector128.Equals(c, slash) | Vector128.Equals(d, slash));
            if ((slashes.ExtractMostSignificantBits() | state.EscapeCarry) != 0)
            {
                var backslashes = Equal(a, b, c, d, slash);
                state.NoteEscapes(at);
                if (!TakeEscapes<TBits>(ref block, backslashes, ref quotes, ref state)) state.Brackets.Spoil();
            }

            Mark(marks, at) = quotes;

            // The commonest block of a long text: it lies wholly inside a string.
            if (quotes == 0 && state.Inside != 0) continue;
            var within = TBits.PrefixXor(quotes) ^ state.Inside;
            state.Inside = (ulong)((long)within >> 63);
            state.Brackets.Take<TBits>(ref block, BracketsOf(a, b, c, d) & ~within);
        }

        passed = state;
        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref ulong Mark(Span<ulong> marks, int at) => ref Unsafe.Add(ref MemoryMarshal.GetReference(marks), (nint)(uint)(((uint)at / Block) & (uint)(marks.Length - 1)));

    // Removes the escaped quotes from the quotes. False for a backslash outside a string, which is a fault and would hide the quote after it,
    // and for a byte that may not follow a backslash.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TakeEscapes<TBits>(ref byte block, ulong backslashes, ref ulong quotes, ref State state)
        where TBits : struct, IBits
    {
        const ulong Low = (1UL << '"') | (1UL << '/');
        const ulong High = (1UL << ('\\' - 64)) | (1UL << ('b' - 64)) | (1UL << ('f' - 64)) | (1UL << ('n' - 64)) | (1UL << ('r' - 64))
            | (1UL << ('t' - 64)) | (1UL << ('u' - 64));
        var escaped = Escaped(backslashes, ref state.EscapeCarry);
        quotes &= ~escaped;
        var isKnown = (backslashes & ~(TBits.PrefixXor(quotes) ^ state.Inside)) == 0;
        for (; escaped != 0; escaped &= escaped - 1)
        {
            var place = TBits.PlaceOfLowest(escaped);
            uint c = Unsafe.Add(ref block, place);
            isKnown &= c < 128 && (((c < 64 ? Low : High) >> (int)(c & 63)) & 1) != 0;
            if (c != 'u') continue;
            if (place < Block - 4) isKnown &= JsonScan.AreFourHex(ref Unsafe.Add(ref block, place + 1));
            else state.CutEscapes = 1;
        }

        return isKnown;
    }

    // Called only if an escape lies across two blocks, for a line whose backslashes are all in strings.
    private static bool EscapesAreKnown(ReadOnlySpan<byte> line)
    {
        while (true)
        {
            var backslash = line.IndexOf((byte)'\\');
            if (backslash < 0) return true;
            var length = JsonScan.EscapeLength(line, backslash + 1);
            if (length == 0) return false;
            line = line[(backslash + 1 + length)..];
        }
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

    private static ulong ControlsOf(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d)
    {
        var limit = Vector128.Create((byte)0x1F);
        return Mask(
            Vector128.Equals(Vector128.Min(a, limit), a),
            Vector128.Equals(Vector128.Min(b, limit), b),
            Vector128.Equals(Vector128.Min(c, limit), c),
            Vector128.Equals(Vector128.Min(d, limit), d));
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

    private interface IBits
    {
        static abstract int PlaceOfLowest(ulong bits);

        /// <summary>Sets the bits from each odd quote, that one included, to the next quote.</summary>
        static abstract ulong PrefixXor(ulong bits);
    }

    private struct FastBits : IBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static int PlaceOfLowest(ulong bits) => (int)Popcnt.X64.PopCount((bits - 1) & ~bits);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong PrefixXor(ulong bits) =>
            Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(bits), Vector128.Create(ulong.MaxValue), 0).ToScalar();
    }

    private struct AnyBits : IBits
    {
        public static int PlaceOfLowest(ulong bits) => JsonScan.PlaceOfLowest(bits);

        public static ulong PrefixXor(ulong bits)
        {
            bits ^= bits << 1;
            bits ^= bits << 2;
            bits ^= bits << 4;
            bits ^= bits << 8;
            bits ^= bits << 16;
            return bits ^ (bits << 32);
        }
    }

    // What the rest of the line depends on.
    private struct State
    {
        public Brackets Brackets;
        public ulong Inside;
        public ulong EscapeCarry;
        public uint NonAscii;
        public uint CutEscapes;
        public int EscapesFrom;
        public int EscapesTo;

        public void NoteEscapes(int at)
        {
            if (EscapesTo == 0) EscapesFrom = at;
            EscapesTo = at + Block;
        }
    }

    /// <summary>Checks that brackets close as they were opened. Faults are accumulated and judged once, at the end.</summary>
    private struct Brackets
    {
        private const int MaxDepth = 62;

        // One bit for each level, the innermost lowest, below a one that marks the bottom.
        private ulong _open;
        private ulong _deepest;
        private uint _openers;
        private uint _closers;
        private uint _mismatch;
        private uint _timesClosed;

        public void Begin()
        {
            _open = 1;
            _closers = 0x04;
        }

        /// <summary>Records another fault: the line is malformed, whatever its brackets.</summary>
        public void Spoil() => _mismatch |= 1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Take<TBits>(ref byte block, ulong found)
            where TBits : struct, IBits
        {
            while (found != 0)
            {
                uint bracket = Unsafe.Add(ref block, TBits.PlaceOfLowest(found));
                found &= found - 1;

                // { and [ have 0x02, } and ] have 0x04; y, Y, _ and DEL have both or neither; { and } have 0x20.
                if ((bracket & 0x02) != 0)
                {
                    _openers |= bracket;
                    _open = (_open << 1) | (bracket >> 5 & 1);
                    _deepest |= _open;
                    continue;
                }

                _closers &= bracket;
                _mismatch |= (uint)_open ^ (bracket >> 5);
                _open >>= 1;
                if (_open <= 1) _timesClosed++;
            }
        }

        // Closed once, with the last byte, and never below the bottom: from there no sequence leads back to having closed once.
        public readonly LineForm Judge(ReadOnlySpan<byte> line)
        {
            if (_deepest >> MaxDepth != 0) return LineForm.Unseen;
            if (((_mismatch & 1) | (_openers & 0x04)) != 0 || (_closers & 0x04) == 0 || _open != 1 || _timesClosed != 1) return LineForm.Fault;
            return line[^1] == '}' ? LineForm.Object : LineForm.Unseen;
        }
    }

    [InlineArray(Block)]
    private struct Padded
    {
        private byte _first;

        // The last bytes of the text, padded with newlines, so that the text's end ends the line.
        [UnscopedRef]
        public ref byte Fill(ReadOnlySpan<byte> rest)
        {
            Span<byte> block = this;
            block.Fill((byte)'\n');
            rest.CopyTo(block);
            return ref block[0];
        }
    }
}
