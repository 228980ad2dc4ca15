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

    /// <summary>Bytes of an oversize line's end that are kept where ends are kept: 64 KiB, or the limit if that is less.</summary>
    public const int OversizeTailBytes = 64 * 1024;

    private const int SmallestTail = 256;

    private readonly int _maxLineBytes;
    private readonly LineEnds? _ends;
    private byte[]? _tail;
    private int _tailLength;
    private bool _tailIsHandedOut;
    private bool _discarding;
    private bool _pastFirstLine;
    private int _skipped;

    /// <param name="maxLineBytes">Longest line kept whole, in bytes before its newline; at least 1.</param>
    /// <param name="keepsEnds">
    /// Whether both ends of an oversize line are kept and returned as <see cref="LineKind.Ends"/> when its newline has come. Then
    /// <see cref="LineKind.Oversize"/> only announces the line, and has no bytes.
    /// </param>
    public LineFramer(int maxLineBytes, bool keepsEnds = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLineBytes, 1);
        _maxLineBytes = maxLineBytes;
        if (keepsEnds) _ends = new LineEnds(Math.Min(OversizeHeadBytes, maxLineBytes), Math.Min(OversizeTailBytes, maxLineBytes));
    }

    /// <summary>Whether an oversize line has begun whose newline has not come.</summary>
    public bool IsInOversizeLine => _discarding;

    /// <summary>The head of the oversize line that has begun, as far as it was kept; empty where none has or no ends are kept. Valid until the next call.</summary>
    public ReadOnlySpan<byte> OversizeLine => _discarding && _ends is not null ? WithoutMark(_ends.Head) : default;

    /// <summary>Bytes held for a line whose newline has not come yet.</summary>
    public int TailBytes => _tailIsHandedOut ? 0 : _tailLength;

    internal bool HoldsBuffer => _tail is not null || _ends is { HoldsBuffer: true };

    /// <summary>
    /// Joins the ends of the line that was returned as <see cref="LineKind.Ends"/>, once, before the next call on this framer. The joined line
    /// is well-formed. Containers from one level on lack the items that were left out; those around them are as they were.
    /// </summary>
    /// <param name="line">The joined line; where that cannot be, what is left of the head. Valid as the line itself.</param>
    /// <param name="look">Of a joined line: its form, and from which level on items are missing.</param>
    /// <returns>False if the ends do not belong to one well-formed object.</returns>
    public bool TryJoinEnds(out ReadOnlySpan<byte> line, out LineLook look)
    {
        line = default;
        look = default;
        if (_ends is null || !_ends.HoldsBuffer) return false;
        if (!_ends.TryJoin(_skipped, out line, out var level)) return false;
        look = LineLook.Cut(level);
        return true;
    }

    /// <summary>
    /// Takes the next line off <paramref name="input"/>. Call it until it returns false; by then it has consumed the whole input.
    /// An oversize line is returned as soon as the limit is crossed, without waiting for its newline.
    /// </summary>
    /// <param name="input">The chunk; moved past what was taken.</param>
    /// <param name="line">Valid until the next call on this framer, and no longer than the chunk.</param>
    /// <param name="kind"><see cref="LineKind.Whole"/>, <see cref="LineKind.Oversize"/> or <see cref="LineKind.Ends"/>.</param>
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
        if (!_discarding) _ends?.Release();
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
                _ends?.Add(piece);
                _discarding = newline < 0;
                if (_ends is not null && newline >= 0)
                {
                    line = CloseEnds();
                    kind = LineKind.Ends;
                    input = input[(newline + 1)..];
                    return true;
                }
            }
            else if (piece.Length > _maxLineBytes - _tailLength)
            {
                look = default;
                if (_ends is not null)
                {
                    // What has come of it is kept; this piece is taken with the next call.
                    if (_tailLength > 0) _ends.Add(_tail.AsSpan(0, _tailLength));
                    ReleaseTail();
                    line = default;
                    kind = LineKind.Oversize;
                    _discarding = true;
                    return true;
                }
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
        _ends?.Release();
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
        _ends?.Release();
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

    private ReadOnlySpan<byte> CloseEnds()
    {
        var line = _ends!.Close();
        var trimmed = TrimStart(line);
        _skipped = line.Length - trimmed.Length;
        return trimmed;
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
        return WithoutMark(line);
    }

    private static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> line) => line is [0xEF, 0xBB, 0xBF, ..] ? line[3..] : line;

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

    /// <summary>The end of an oversize line: its first and its last bytes, one after the other.</summary>
    Ends,

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
