using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Polling;

/// <summary>
/// A socket or pipe that an <see cref="EventLoop"/> watches. Continuations run on the loop's thread, so they must not block (see
/// <see cref="EventLoop"/>). One reader and one writer at a time; <see cref="Dispose"/> from any thread.
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

    /// <summary>Completes when there may be something to read; then call <see cref="TryRead"/>.</summary>
    /// <exception cref="ObjectDisposedException">It is closed, or is meanwhile.</exception>
    public ValueTask WaitReadableAsync() => _readable.WaitAsync();

    /// <summary>Reads the data that is there, without waiting.</summary>
    /// <param name="buffer">Not empty.</param>
    /// <param name="count">Bytes read; 0 is the end of the stream or a connection that was reset.</param>
    /// <returns>False while there is no data yet.</returns>
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
    /// Passes every chunk to <paramref name="take"/>, and completes at the end of the stream or when this is disposed. Call it once, and none of
    /// the two methods above. <paramref name="take"/> runs on the loop's thread, with two exceptions: the first chunk, if data is already waiting,
    /// runs on the caller's thread; after a chunk that completed asynchronously, reading continues on the thread pool.
    /// </summary>
    public Task ReadToEndAsync(ChunkReader take)
    {
        var pump = new ReadPump(this, _loop, take);
        _pump = pump;
        // An event from before the pump existed was reported already and does not come again.
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
        // The kernel reports each change once. A short read has emptied the buffer, unless the end came with the data. Two exceptions leave data
        // behind that is read at the next change: a pipe in packet mode (pipe(2)) and a passed descriptor (unix(7)).
        mayHaveMore = count == buffer.Length || count == 0 || _isHungUp;
        return got >= 0 || error != AbiConstants.Current.EAGAIN;
    }

    /// <summary>Whether data, or the stream's end, waits to be read; false once it is closed.</summary>
    public unsafe bool HasWaiting()
    {
        var held = false;
        try
        {
            _handle.DangerousAddRef(ref held);
            var asked = new PollFd { fd = (int)_handle.DangerousGetHandle(), events = PollFd.POLLIN };
            return Libc.poll(&asked, 1, 0) > 0 && (asked.revents & PollFd.POLLIN) != 0;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            if (held)
                _handle.DangerousRelease();
        }
    }

    /// <summary>Sends all bytes, and waits for room where there is none. For sockets.</summary>
    /// <exception cref="IOException">The peer is gone.</exception>
    /// <exception cref="ObjectDisposedException">It is closed, or is meanwhile.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        var sent = Send(bytes.Span);
        return sent == bytes.Length ? ValueTask.CompletedTask : SendRestAsync(bytes[sent..]);
    }

    /// <summary>Closes the descriptor; waits under way end with <see cref="ObjectDisposedException"/>.</summary>
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
            // The fence orders this write before the read of _pump. ReadToEndAsync writes _pump before the pump reads _isHungUp, so at least one
            // side sees the other's write.
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
            // A peer that drains the socket as fast as we fill it would keep the loop busy. The rest, and the caller's continuation, run on the pool.
            await EventLoop.LeaveAsync();
            rest = rest[Send(rest.Span)..];
        }
        _loop.WatchRoom(_handle, Token, wanted: false);
    }

    // Returns how many bytes there was room for.
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
