using System.Buffers;

namespace Colibri.Jsonl;

/// <summary>
/// Cuts a byte stream into lines at <c>\n</c> alone. The lines do not depend on how the stream is cut into chunks.
/// </summary>
/// <remarks>
/// <para>One carriage return before the newline, a byte order mark at the start of the stream, and lines of nothing but spaces, tabs and
/// carriage returns are left out. U+2028 and U+2029 end no line: agents print them raw inside strings.</para>
/// <para>A line that lies wholly inside the chunk is returned as a slice of it. Only an unfinished tail is copied, into a pooled buffer
/// that goes back to the pool as soon as there is no tail, so an idle stream holds no buffer. Not thread-safe.</para>
/// </remarks>
public sealed class LineFramer
{
    /// <summary>Bytes of an oversize line that are handed out: 64 KiB, or the limit if that is less.</summary>
    public const int OversizeHeadBytes = 64 * 1024;

    private const int SmallestTail = 256;

    private readonly int _maxLineBytes;
    private byte[]? _tail;
    private int _tailLength;
    private bool _tailIsHandedOut;
    private bool _discarding;
    private bool _pastFirstLine;

    /// <param name="maxLineBytes">Longest line kept whole, in bytes before its newline; at least 1.</param>
    public LineFramer(int maxLineBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLineBytes, 1);
        _maxLineBytes = maxLineBytes;
    }

    /// <summary>Bytes held for a line whose newline has not come yet.</summary>
    public int TailBytes => _tailIsHandedOut ? 0 : _tailLength;

    internal bool HoldsBuffer => _tail is not null;

    /// <summary>
    /// Takes the next line off <paramref name="input"/>. Call it until it returns false; by then it has consumed the whole input.
    /// An oversize line is returned as soon as the limit is crossed, without waiting for its newline.
    /// </summary>
    /// <param name="input">The chunk; moved past what was taken.</param>
    /// <param name="line">Valid until the next call on this framer, and no longer than the chunk.</param>
    /// <param name="kind"><see cref="LineKind.Whole"/> or <see cref="LineKind.Oversize"/>.</param>
    public bool TryRead(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> line, out LineKind kind) =>
        TryRead(ref input, out line, out kind, default, out _);

    /// <summary>The same, and judges the line's form on the way: one pass over the bytes instead of two.</summary>
    /// <param name="input">As in the overload above.</param>
    /// <param name="line">As in the overload above.</param>
    /// <param name="kind">As in the overload above.</param>
    /// <param name="marks">Room for the places of the quotes; its length is a power of two (<see cref="LineLook.MarkWords"/>).</param>
    /// <param name="look">What was learned of a whole line that lies in the chunk, valid until the marks are used again; default for any other line.</param>
    public bool TryRead(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> line, out LineKind kind, Span<ulong> marks, out LineLook look)
    {
        look = default;
        if (_tailIsHandedOut) ReleaseTail();
        while (!input.IsEmpty)
        {
            int newline;
            if (!marks.IsEmpty && _tailLength == 0 && !_discarding)
            {
                look = new LineLook(input, marks, out newline);
                if (newline == input.Length) newline = -1;
            }
            else
            {
                newline = input.IndexOf((byte)'\n');
            }

            var piece = newline < 0 ? input : input[..newline];
            if (_discarding)
            {
                _discarding = newline < 0;
            }
            else if (piece.Length > _maxLineBytes - _tailLength)
            {
                look = default;
                line = TrimStart(OversizeHead(piece));
                kind = LineKind.Oversize;
                _discarding = newline < 0;
                input = newline < 0 ? default : input[(newline + 1)..];
                return true;
            }
            else if (newline < 0)
            {
                AppendToTail(piece);
            }
            else if (look.Form == LineForm.Object)
            {
                // The line runs from bracket to bracket, so there is nothing to trim.
                _pastFirstLine = true;
                line = piece;
                kind = LineKind.Whole;
                input = input[(newline + 1)..];
                return true;
            }
            else
            {
                line = Trim(WithTail(piece));
                input = input[(newline + 1)..];
                if (!IsBlank(line))
                {
                    kind = LineKind.Whole;
                    return true;
                }

                if (_tailIsHandedOut) ReleaseTail();
                continue;
            }

            input = newline < 0 ? default : input[(newline + 1)..];
        }

        line = default;
        kind = default;
        return false;
    }

    /// <summary>
    /// Ends the stream: returns the rest without a newline, if there is any, and makes the framer ready for a new stream.
    /// </summary>
    /// <param name="line">Valid until the next call on this framer.</param>
    public bool Complete(out ReadOnlySpan<byte> line)
    {
        if (_tailIsHandedOut) ReleaseTail();
        line = _tailLength == 0 ? default : Trim(WithTail(default));
        _discarding = false;
        _pastFirstLine = false;
        if (!IsBlank(line)) return true;
        line = default;
        ReleaseTail();
        return false;
    }

    /// <summary>Forgets what it holds and makes ready for a new stream.</summary>
    public void Reset()
    {
        ReleaseTail();
        _discarding = false;
        _pastFirstLine = false;
    }

    private ReadOnlySpan<byte> WithTail(ReadOnlySpan<byte> piece)
    {
        if (_tailLength == 0) return piece;
        AppendToTail(piece);
        _tailIsHandedOut = true;
        return _tail.AsSpan(0, _tailLength);
    }

    private ReadOnlySpan<byte> OversizeHead(ReadOnlySpan<byte> piece)
    {
        var head = Math.Min(OversizeHeadBytes, _maxLineBytes);
        if (_tailLength == 0) return piece[..head];
        if (_tailLength < head) AppendToTail(piece[..(head - _tailLength)]);
        _tailIsHandedOut = true;
        return _tail.AsSpan(0, head);
    }

    private ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> line)
    {
        line = TrimStart(line);
        return line is [.., (byte)'\r'] ? line[..^1] : line;
    }

    private ReadOnlySpan<byte> TrimStart(ReadOnlySpan<byte> line)
    {
        if (_pastFirstLine) return line;
        _pastFirstLine = true;
        return line is [0xEF, 0xBB, 0xBF, ..] ? line[3..] : line;
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) =>
        line.IsEmpty || (line[0] <= ' ' && line.IndexOfAnyExcept((byte)' ', (byte)'\t', (byte)'\r') < 0);

    private void AppendToTail(ReadOnlySpan<byte> piece)
    {
        var needed = _tailLength + piece.Length;
        if (_tail is null || needed > _tail.Length) Grow(needed);
        piece.CopyTo(_tail.AsSpan(_tailLength));
        _tailLength = needed;
    }

    private void Grow(int needed)
    {
        var doubled = (int)Math.Min(2L * _tailLength, _maxLineBytes);
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(needed, doubled), SmallestTail));
        if (_tail is not null)
        {
            _tail.AsSpan(0, _tailLength).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_tail);
        }

        _tail = larger;
    }

    private void ReleaseTail()
    {
        if (_tail is not null) ArrayPool<byte>.Shared.Return(_tail);
        _tail = null;
        _tailLength = 0;
        _tailIsHandedOut = false;
    }
}

/// <summary>How a line came out of a <see cref="LineFramer"/>.</summary>
public enum LineKind
{
    /// <summary>Everything between two newlines.</summary>
    Whole,

    /// <summary>Longer than the limit: its head is returned once; the rest is discarded up to its newline.</summary>
    Oversize,

    /// <summary>The stream ended before its newline came.</summary>
    Torn,
}

/// <summary>What is known of a line's outer form; <see cref="JsonLine.HasObjectForm"/> says what that form is.</summary>
public enum LineForm : byte
{
    /// <summary>The form was not checked, or the check did not decide it.</summary>
    Unseen,

    /// <summary>The line has the form of one JSON object.</summary>
    Object,

    /// <summary>The line is no well-formed JSON object.</summary>
    Fault,
}
