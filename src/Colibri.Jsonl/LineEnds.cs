using System.Buffers;

namespace Colibri.Jsonl;

/// <summary>
/// The first and the last bytes of a line that is too long to be kept whole. What is left out between them is passed through a
/// <see cref="JsonPlace"/>, so that both ends can be joined to one well-formed line that lacks the items in the middle.
/// </summary>
/// <remarks>The buffer comes from the pool with the line's first bytes and goes back with its end. Not thread-safe.</remarks>
internal sealed class LineEnds(int headBytes, int tailBytes)
{
    private static readonly SearchValues<byte> Items = SearchValues.Create("\"{}[],"u8);

    // The head, then a window of up to two tails: when it is full its older half is passed, so each byte is moved once.
    private byte[]? _buffer;
    private int _head;
    private int _window;
    private JsonPlace _place;

    public bool HoldsBuffer => _buffer is not null;

    /// <summary>The first bytes, cut between two characters.</summary>
    public ReadOnlySpan<byte> Head => WithoutTornCharacter(_buffer.AsSpan(0, _head));

    /// <summary>Bytes of the head.</summary>
    public int Cut => _head;

    /// <summary>Takes the line's next bytes.</summary>
    public void Add(ReadOnlySpan<byte> piece)
    {
        _buffer ??= ArrayPool<byte>.Shared.Rent(headBytes + (2 * tailBytes) + JsonLineReader.MaxDepth);
        if (_head < headBytes)
        {
            var taken = Math.Min(piece.Length, headBytes - _head);
            piece[..taken].CopyTo(_buffer.AsSpan(_head));
            _head += taken;
            piece = piece[taken..];
            if (_head == headBytes)
            {
                _place.Pass(_buffer.AsSpan(0, _head));
                _place.Rest();
            }
        }

        while (!piece.IsEmpty)
        {
            if (_window == 2 * tailBytes) PassFirst(tailBytes);
            var taken = Math.Min(piece.Length, (2 * tailBytes) - _window);
            piece[..taken].CopyTo(_buffer.AsSpan(headBytes + _window));
            _window += taken;
            piece = piece[taken..];
        }
    }

    /// <summary>Ends the line: its head and its tail, one after the other, without a carriage return at the end.</summary>
    public ReadOnlySpan<byte> Close()
    {
        if (_window > tailBytes) PassFirst(_window - tailBytes);
        if (_window > 0 && _buffer![_head + _window - 1] == '\r') _window--;
        return _buffer.AsSpan(0, _head + _window);
    }

    /// <summary>
    /// Joins both ends, once, after <see cref="Close"/>. They are joined in the deepest container that is open over all that was left out: it
    /// keeps its items before and after, and what the head has begun inside of it ends at the cut. Every container around it is whole.
    /// </summary>
    /// <param name="skipped">Bytes before the line's first one, such as a byte order mark.</param>
    /// <param name="line">The joined line; where they cannot be joined, what is left of the head.</param>
    /// <param name="level">The level from which on containers lack items; the outermost is 1.</param>
    /// <returns>False unless the joined line is one well-formed object.</returns>
    public bool TryJoin(int skipped, out ReadOnlySpan<byte> line, out int level)
    {
        var buffer = _buffer.AsSpan();
        Span<byte> closers = stackalloc byte[JsonLineReader.MaxDepth];
        line = WithoutTornCharacter(buffer[skipped.._head]);
        level = (int)Math.Min(_place.Lowest, closers.Length + 1);
        if (level < 1 || level > closers.Length || !FindEnd(buffer.Slice(_head, _window), level, out var from)
            || !FindStart(buffer[.._head], closers, out var keeps, out var depth)) return false;
        var open = depth - level;
        if (open == 0 && buffer[keeps - 1] is (byte)'{' or (byte)'[' && buffer[_head + from] == ',') from++;
        var tail = buffer[(_head + from)..(_head + _window)];
        tail.CopyTo(buffer[(keeps + open)..]);
        closers[level..depth].Reverse();
        closers[level..depth].CopyTo(buffer[keeps..]);
        var joined = buffer[skipped..(keeps + open + tail.Length)];
        line = buffer[skipped..keeps];
        if (!JsonLine.IsWellFormedObject(joined)) return false;
        line = joined;
        return true;
    }

    /// <summary>Forgets the line.</summary>
    public void Release()
    {
        if (_buffer is null) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        (_head, _window, _place) = (0, 0, default);
    }

    private void PassFirst(int bytes)
    {
        var window = _buffer.AsSpan(headBytes, _window);
        _place.Pass(window[..bytes]);
        window[bytes..].CopyTo(window);
        _window -= bytes;
    }

    // Where in the tail the first whole item of the container begins, at its comma, or the container ends.
    private bool FindEnd(ReadOnlySpan<byte> tail, int level, out int from)
    {
        var place = _place;
        for (from = 0; place.Next(tail[from..], Items) is >= 0 and var at; from++)
        {
            from += at;
            if (place.Depth == level - 1 || (place.Depth == level && tail[from] == ',')) return true;
        }

        return false;
    }

    // The head's last whole item, or the opening bracket of a container that has none, and the brackets that close what is open there.
    private static bool FindStart(ReadOnlySpan<byte> head, Span<byte> closers, out int keeps, out int depth)
    {
        JsonPlace place = default;
        var passed = 0;
        (keeps, depth) = (0, 0);
        while (place.Next(head[passed..], Items) is >= 0 and var at)
        {
            passed += at + 1;
            if (place.Depth < 0 || place.Depth > closers.Length) return false;
            depth = (int)place.Depth;
            keeps = head[passed - 1] == ',' ? passed - 1 : passed;
            if (head[passed - 1] is (byte)'{' or (byte)'[') closers[depth - 1] = head[passed - 1] == '{' ? (byte)'}' : (byte)']';
        }

        return keeps > 0;
    }

    private static ReadOnlySpan<byte> WithoutTornCharacter(ReadOnlySpan<byte> head)
    {
        while (head is [.., >= 0x80]) head = head[..^1];
        return head;
    }
}
