using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Polling;

/// <summary>
/// A socket or pipe that an <see cref="EventLoop"/> watches. Whoever awaited it goes on on the loop's thread, see there what that asks of
/// him. One reader and one writer at a time; <see cref="Dispose"/> from any thread.
/// </summary>
public sealed class PolledDescriptor : IDisposable
{
    private readonly EventLoop _loop;
    private readonly SafeHandle _handle;
    private readonly ReadySignal _readable;
    private readonly ReadySignal _writable;
    private volatile ReadPump? _pump;
    private volatile bool _isHungUp;
    private int _disposed;

    internal PolledDescriptor(EventLoop loop, SafeHandle handle)
    {
        (_loop, _handle) = (loop, handle);
        _readable = new ReadySignal(loop);
        _writable = new ReadySignal(loop);
    }

    internal long Token { get; set; }

    /// <summary>Completes when there may be something to read: then <see cref="TryRead"/>.</summary>
    /// <exception cref="ObjectDisposedException">It is closed, or is meanwhile.</exception>
    public ValueTask WaitReadableAsync() => _readable.WaitAsync();

    /// <summary>Reads what is there; never waits.</summary>
    /// <param name="buffer">Not empty.</param>
    /// <param name="count">Bytes read; 0 is the end, as is a connection that was reset.</param>
    /// <returns>False where nothing is there yet.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public bool TryRead(Span<byte> buffer, out int count)
    {
        if (!TryRead(buffer, out count, out var mayHaveMore))
            return false;
        if (mayHaveMore)
            _readable.Raise();
        return true;
    }

    /// <summary>
    /// Hands all that comes to <paramref name="take"/>, and completes at the end: of the stream, or of this. On the loop's thread; what is there
    /// already on this one, one chunk of it, and what follows a chunk that took its time on the pool. Once, instead of the two above.
    /// </summary>
    public Task ReadToEndAsync(ChunkReader take)
    {
        var pump = new ReadPump(this, _loop, take);
        _pump = pump;
        // What came before it was there has been told already.
        pump.Wake();
        return pump.Ended;
    }

    internal unsafe bool TryRead(Span<byte> buffer, out int count, out bool mayHaveMore)
    {
        nint got;
        var error = 0;
        var held = false;
        _handle.DangerousAddRef(ref held);
        try
        {
            fixed (byte* start = buffer)
            {
                do
                    got = Libc.read((int)_handle.DangerousGetHandle(), start, (nuint)buffer.Length);
                while (got < 0 && (error = Marshal.GetLastPInvokeError()) == AbiConstants.EINTR);
            }
        }
        finally
        {
            _handle.DangerousRelease();
        }
        count = Math.Max(0, (int)got);
        // The kernel tells of each change once. A short read has taken all there was, unless the end came with it: not so from a pipe in packet
        // mode or behind a passed descriptor (pipe(2), unix(7)), where the rest is read at the next change.
        mayHaveMore = count == buffer.Length || count == 0 || _isHungUp;
        return got >= 0 || error != AbiConstants.Current.EAGAIN;
    }

    /// <summary>Sends all of it, waiting where there is no room. For sockets.</summary>
    /// <exception cref="IOException">The other side is gone.</exception>
    /// <exception cref="ObjectDisposedException">It is closed, or is meanwhile.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        var sent = Send(bytes.Span);
        return sent == bytes.Length ? ValueTask.CompletedTask : SendRestAsync(bytes[sent..]);
    }

    /// <summary>Closes it; waits under way end with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _loop.Forget(this);
        _handle.Dispose();
        _readable.Close();
        _writable.Close();
        _pump?.Wake();
    }

    internal void Raise(in Readiness readiness)
    {
        if (readiness.IsHungUp)
        {
            _isHungUp = true;
            // Before the pump is looked for, as a pump is set before it looks at this: one of the two sees the other.
            Interlocked.MemoryBarrier();
        }
        if (readiness.CanWrite)
            _writable.Raise();
        if (!readiness.CanRead)
            return;
        if (_pump is { } pump)
            pump.Wake();
        else
            _readable.Raise();
    }

    private async ValueTask SendRestAsync(ReadOnlyMemory<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            _loop.WatchRoom(_handle, Token, wanted: true);
            await _writable.WaitAsync().ConfigureAwait(false);
            // Whoever reads as fast as this writes must not keep the loop: the rest, and what its sender does then, is the pool's.
            await EventLoop.LeaveAsync();
            rest = rest[Send(rest.Span)..];
        }
        _loop.WatchRoom(_handle, Token, wanted: false);
    }

    // How much there was room for.
    private unsafe int Send(ReadOnlySpan<byte> bytes)
    {
        var held = false;
        _handle.DangerousAddRef(ref held);
        try
        {
            var sent = 0;
            fixed (byte* start = bytes)
            {
                while (sent < bytes.Length)
                {
                    var count = Libc.send((int)_handle.DangerousGetHandle(), start + sent, (nuint)(bytes.Length - sent), AbiConstants.Current.MSG_NOSIGNAL);
                    if (count >= 0)
                    {
                        sent += (int)count;
                        continue;
                    }
                    var error = Marshal.GetLastPInvokeError();
                    if (error == AbiConstants.Current.EAGAIN)
                        break;
                    if (error != AbiConstants.EINTR)
                        throw new IOException($"send: {Errno.Describe(error)}");
                }
            }
            return sent;
        }
        finally
        {
            _handle.DangerousRelease();
        }
    }
}
