using System.Buffers;
using System.Net.Sockets;

namespace Colibri.Protocol.Client;

/// <summary>Lines of a socket in a pooled buffer that grows with the longest one.</summary>
internal sealed class ReplyLineReader(Socket socket, int maxLineBytes) : IDisposable
{
    private const int FirstBytes = 16 * 1024;

    // Longer replies take longer anyway, and are read asynchronously, where reading can be cancelled.
    private const int SoonBytes = 256 * 1024;

    // A long-lived client returns the buffer of one huge reply.
    private const int KeptBytes = 1024 * 1024;

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(2);

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private int _start;
    private int _end;
    private bool _disposed;

    /// <summary>
    /// The next line where it is there within some 2 ms, waited for on the caller's own thread; what is there of it by then is kept. The end of
    /// the stream and every failure are left to <see cref="ReadLineAsync"/>.
    /// </summary>
    public bool TryReadLineSoon(out ReadOnlyMemory<byte> line)
    {
        if (TryReadBuffered(out line))
            return true;
        while (_end - _start <= SoonBytes && socket.Poll(Soon, SelectMode.SelectRead))
        {
            MakeRoom();
            var searched = _end - _start;
            var read = socket.Receive(_buffer.AsSpan(_end), SocketFlags.None, out var error);
            if (read <= 0 || error != SocketError.Success)
                return false;
            _end += read;
            if (Take(searched) is not { } taken)
                continue;
            line = taken;
            return true;
        }
        return false;
    }

    /// <summary>The next line where the whole of it was read already.</summary>
    public bool TryReadBuffered(out ReadOnlyMemory<byte> line)
    {
        line = default;
        if (_end == _start || Take(0) is not { } buffered)
            return false;
        line = buffered;
        return true;
    }

    /// <summary>The next line without its newline, good until the next call; null at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">The line is beyond the limit.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadLineAsync(CancellationToken cancellation)
    {
        var searched = 0;
        while (true)
        {
            if (Take(searched) is { } line)
                return line;
            searched = _end - _start;
            if (searched > maxLineBytes)
                throw new InvalidDataException("line too long");
            MakeRoom();
            var read = await socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, cancellation).ConfigureAwait(false);
            if (read == 0)
                return null;
            _end += read;
        }
    }

    private ReadOnlyMemory<byte>? Take(int searched)
    {
        var newline = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
        if (newline < 0)
            return null;
        var line = _buffer.AsMemory(_start, searched + newline);
        _start += searched + newline + 1;
        return line;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _start = _end = 0;
    }

    private void MakeRoom()
    {
        var held = _end - _start;
        if (held == 0 && _buffer.Length > KeptBytes)
            Move(FirstBytes);
        else if (_start > 0 && held < _buffer.Length / 2)
            Slide();
        else if (_end == _buffer.Length)
            Move(_buffer.Length * 2);
    }

    private void Slide()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
    }

    private void Move(int bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(bytes);
        _buffer.AsSpan(_start, _end - _start).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
        _end -= _start;
        _start = 0;
    }
}
