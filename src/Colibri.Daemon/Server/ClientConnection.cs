using System.Buffers;
using System.Net.Sockets;
using Colibri.Core.Events;
using Colibri.Core.Logging;
using Colibri.Daemon.Commands;
using Colibri.Jsonl;
using Colibri.Posix.Polling;
using Colibri.Protocol;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Server;

/// <summary>
/// One client, served by one loop: read the requests that have arrived, answer them in order, read on. Back-pressure is per client: if it does
/// not read its replies, only its own requests stop. An idle client holds no buffer.
/// </summary>
/// <remarks>
/// It runs on the clients' loop, where most commands are answered at once. Commands that may wait for a disk are answered on the pool.
/// </remarks>
internal sealed class ClientConnection(
    Socket socket, PolledDescriptor stream, CommandTable commands, EventHub events, ServerCounters counters, TimeProvider time, ILogger logger) : IDisposable
{
    // What stands where an idle connection has the time since when it is.
    private const long Busy = -1;
    private const long Evicted = -2;

    private const int ReceiveBytes = 32 * 1024;
    private const int FlushBytes = 64 * 1024;

    /// <summary>The most requests of one connection under way; the next one waits.</summary>
    private const int MaxOverlapping = 512;

    private static readonly TimeSpan DiscardDeadline = TimeSpan.FromSeconds(2);

    private readonly LineFramer _framer = new(ProtocolLimits.MaxLineBytes);
    private readonly Queue<(byte[] Id, string Command, Task<Reply> Reply)> _underWay = new();
    private ArrayBufferWriter<byte>? _output;
    private ILineSource? _subscriber;
    private long _idleSince = time.GetTimestamp();

    /// <summary>Its place is another client's.</summary>
    public bool IsEvicted => Volatile.Read(ref _idleSince) == Evicted;

    /// <summary>When the client was last heard or answered, where it has no request under way and no subscription; else null.</summary>
    public long? IdleSince => Volatile.Read(ref _idleSince) is var since and not (Busy or Evicted) ? since : null;

    /// <summary>Closes the connection if it has been idle since that instant; false where a request came meanwhile.</summary>
    public bool TryEvict(long idleSince)
    {
        if (Interlocked.CompareExchange(ref _idleSince, Evicted, idleSince) != idleSince)
            return false;
        stream.Dispose();
        return true;
    }

    public async Task ServeAsync(CancellationToken stopping)
    {
        using var stop = stopping.UnsafeRegister(static stream => ((PolledDescriptor)stream!).Dispose(), stream);
        try
        {
            while (_subscriber is null)
            {
                // Wait without a buffer, so that an idle client costs only its descriptor.
                await stream.WaitReadableAsync().ConfigureAwait(false);
                if (!TryBegin() || !await ReceiveAsync(stopping).ConfigureAwait(false))
                    return;
                if (_subscriber is null)
                    Volatile.Write(ref _idleSince, time.GetTimestamp());
            }
            await StreamEventsAsync(_subscriber).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOrdinaryEnd(e))
        {
            // The client is gone or the daemon ends.
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _subscriber?.Dispose();
        _framer.Reset();
        stream.Dispose();
        socket.Dispose();
    }

    private bool TryBegin()
    {
        var since = Volatile.Read(ref _idleSince);
        return since != Evicted && Interlocked.CompareExchange(ref _idleSince, Busy, since) == since;
    }

    private static bool IsOrdinaryEnd(Exception e) => e is IOException or SocketException or OperationCanceledException or ObjectDisposedException;

    /// <summary>Reads and answers the requests that have arrived; false at the connection's end.</summary>
    private async ValueTask<bool> ReceiveAsync(CancellationToken stopping)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReceiveBytes);
        try
        {
            if (!stream.TryRead(buffer, out var received))
                return true;
            // Long lines take milliseconds to parse, so leave the loop on which all other clients wait.
            if (received >= ReceiveBytes || _framer.TailBytes > 0)
                await EventLoop.LeaveAsync();
            var alive = received > 0
                ? await AnswerAsync(buffer.AsMemory(0, received)).ConfigureAwait(false)
                : await AnswerLastLineAsync().ConfigureAwait(false);
            await FinishUnderWayAsync().ConfigureAwait(false);
            await FlushAsync().ConfigureAwait(false);
            if (!alive && received > 0)
                await DiscardRestAsync(buffer, stopping).ConfigureAwait(false);
            return alive;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<bool> AnswerAsync(ReadOnlyMemory<byte> input)
    {
        while (TakeRequest(ref input, out var request))
        {
            if (request.TooLarge)
            {
                counters.RequestTooLarge();
                await FinishUnderWayAsync().ConfigureAwait(false);
                Write(Reply.Error(ErrorCodes.TooLarge, $"a request line is longer than {ProtocolLimits.MaxLineBytes} bytes; the connection is closed"), []);
                return false;
            }
            await StartAsync(request).ConfigureAwait(false);
            if (_subscriber is not null)
                return true;
            if (_output?.WrittenCount > FlushBytes)
                await FlushAsync().ConfigureAwait(false);
        }
        return true;
    }

    /// <summary>A client may end its last line by closing its side instead of with a newline: <c>printf '{"cmd":"ping"}' | nc -N -U …</c>.</summary>
    private async ValueTask<bool> AnswerLastLineAsync()
    {
        if (TakeLastRequest(out var request))
            await StartAsync(request).ConfigureAwait(false);
        return false;
    }

    private bool TakeRequest(ref ReadOnlyMemory<byte> input, out ParsedRequest request)
    {
        var rest = input.Span;
        if (!_framer.TryRead(ref rest, out var line, out var kind))
        {
            request = default;
            return false;
        }
        request = kind == LineKind.Oversize ? ParsedRequest.Oversize : ParsedRequest.Parse(line, commands);
        input = input[^rest.Length..];
        return true;
    }

    private bool TakeLastRequest(out ParsedRequest request)
    {
        request = _framer.Complete(out var line) ? ParsedRequest.Parse(line, commands) : default;
        return !line.IsEmpty;
    }

    private async ValueTask StartAsync(ParsedRequest request)
    {
        var overlaps = request.Handler is { Command.MayOverlap: true } && _underWay.Count < MaxOverlapping;
        if (!overlaps)
            await FinishUnderWayAsync().ConfigureAwait(false);
        var reply = RunAsync(request);
        if (overlaps && !reply.IsCompleted)
            _underWay.Enqueue((request.Id, request.Command, reply.AsTask()));
        else if (_underWay.Count > 0)
            _underWay.Enqueue((request.Id, request.Command, reply.AsTask()));
        else
            Write(await reply.ConfigureAwait(false), request.Id);
    }

    private async ValueTask<Reply> RunAsync(ParsedRequest request)
    {
        if (request.Failure is { } failure)
            return failure;
        if (request.Handler is null)
            return Subscribe(request.Context!);
        try
        {
            if (!request.Handler.NeverBlocks)
                await EventLoop.LeaveAsync();
            var reply = await request.Handler.AnswerAsync(request.Context!).ConfigureAwait(false);
            _subscriber = reply.Lines;
            return reply;
        }
        catch (RequestException e)
        {
            return Reply.Error(e.Code, e.Message);
        }
        catch (Exception e) when (CommandFailures.Explain(e) is { } explained)
        {
            return explained;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            logger.RequestFailed(request.Command, e);
            return Reply.Error(ErrorCodes.Internal, $"{request.Command} failed inside the daemon; its log says how");
        }
    }

    private Reply Subscribe(CommandContext context)
    {
        try
        {
            var topics = SubscriptionTopics.Parse(context.Request.Topics);
            // Subscribe before the answer is sent, so that no event after the answer is missed.
            _subscriber = events.Subscribe(topics);
            return SubscriptionTopics.Confirm(topics);
        }
        catch (RequestException e)
        {
            return Reply.Error(e.Code, e.Message);
        }
    }

    private async ValueTask FinishUnderWayAsync()
    {
        while (_underWay.TryDequeue(out var request))
        {
            Write(await request.Reply.ConfigureAwait(false), request.Id);
            if (_output?.WrittenCount > FlushBytes)
                await FlushAsync().ConfigureAwait(false);
        }
    }

    private void Write(Reply reply, ReadOnlySpan<byte> id) => reply.WriteLine(_output ??= new ArrayBufferWriter<byte>(512), id);

    private ValueTask FlushAsync() => _output is { WrittenCount: > 0 } output ? SendAsync(output) : ValueTask.CompletedTask;

    private async ValueTask SendAsync(ArrayBufferWriter<byte> output)
    {
        await stream.SendAsync(output.WrittenMemory).ConfigureAwait(false);
        output.ResetWrittenCount();
        // An idle connection keeps at most a small buffer.
        if (output.Capacity > FlushBytes)
            _output = null;
    }

    /// <summary>Closing with input unread would reset the connection under the answer just sent.</summary>
    private async Task DiscardRestAsync(byte[] buffer, CancellationToken stopping)
    {
        socket.Shutdown(SocketShutdown.Send);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var end = deadline.Token.UnsafeRegister(static stream => ((PolledDescriptor)stream!).Dispose(), stream);
        deadline.CancelAfter(DiscardDeadline);
        int discarded;
        do
        {
            await stream.WaitReadableAsync().ConfigureAwait(false);
        }
        while (!stream.TryRead(buffer, out discarded) || discarded > 0);
    }

    private async Task StreamEventsAsync(ILineSource subscriber)
    {
        using var ended = new CancellationTokenSource();
        var closed = WatchForCloseAsync(ended);
        try
        {
            while (true)
            {
                var line = await subscriber.ReadAsync(ended.Token).ConfigureAwait(false);
                // Fetched each time, because sending drops a buffer that a large event has grown.
                var output = _output ??= new ArrayBufferWriter<byte>(512);
                // Events that are queued by now are sent in the same batch.
                do
                {
                    output.Write(line);
                    output.Write("\n"u8);
                }
                while (output.WrittenCount < FlushBytes && subscriber.TryRead(out line));
                await SendAsync(output).ConfigureAwait(false);
            }
        }
        finally
        {
            stream.Dispose();
            await closed.ConfigureAwait(false);
        }
    }

    /// <summary>Reads and drops further input of a subscriber, so that its close is seen.</summary>
    private async Task WatchForCloseAsync(CancellationTokenSource ended)
    {
        var buffer = new byte[256];
        try
        {
            int discarded;
            do
            {
                await stream.WaitReadableAsync().ConfigureAwait(false);
            }
            while (!stream.TryRead(buffer, out discarded) || discarded > 0);
        }
        catch (Exception e) when (IsOrdinaryEnd(e))
        {
            // Ends the same way as a close.
        }
        await ended.CancelAsync().ConfigureAwait(false);
    }
}
