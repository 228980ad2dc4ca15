using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Client;

/// <summary>
/// One connection to a daemon. Not thread safe; requests may be pipelined by posting several before reading their replies, which come
/// in the same order. After an exception the connection is out of step: dispose it.
/// </summary>
public sealed class ColibriClient : IDisposable
{
    private static readonly SearchValues<char> PlainCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz-");

    /// <summary>The longest reply or event line read: a whole session can be one reply.</summary>
    public const int MaxReplyBytes = 64 * 1024 * 1024;

    private const int BacklogRetryMs = 20;
    private readonly Socket _socket;
    private readonly ReplyLineReader _lines;

    private ColibriClient(Socket socket, string socketPath)
    {
        _socket = socket;
        SocketPath = socketPath;
        _lines = new ReplyLineReader(socket, MaxReplyBytes);
    }

    /// <summary>How long a connection may take: 5 seconds.</summary>
    public static TimeSpan ConnectTimeout { get; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a reply may take unless the caller says otherwise: 30 seconds.</summary>
    public static TimeSpan ReplyTimeout { get; } = TimeSpan.FromSeconds(30);

    public string SocketPath { get; }

    /// <exception cref="DaemonUnreachableException">No daemon accepts there; the reason says why.</exception>
    public static async Task<ColibriClient> ConnectAsync(string socketPath, CancellationToken cancellation = default)
    {
        UnixDomainSocketEndPoint endPoint;
        try
        {
            endPoint = new UnixDomainSocketEndPoint(socketPath);
        }
        catch (ArgumentException e)
        {
            throw DaemonUnreachableException.BadPath(socketPath, e);
        }
        CancellationTokenSource? deadline = null;
        try
        {
            while (true)
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    // A Unix socket connects at once or not at all. Synchronous calls here and below need neither a timer nor a poller, which saves three threads
                    // in a program that sends one request.
                    socket.Blocking = false;
                    socket.Connect(endPoint);
                    return new ColibriClient(socket, socketPath);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.TryAgain)
                {
                    // Linux answers EAGAIN when the backlog is full: a busy daemon, not a missing one.
                    socket.Dispose();
                    if (deadline is null)
                    {
                        deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                        deadline.CancelAfter(ConnectTimeout);
                    }
                    await Task.Delay(BacklogRetryMs, deadline.Token).ConfigureAwait(false);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            }
        }
        catch (SocketException e)
        {
            throw Explain(e, socketPath);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw DaemonUnreachableException.NotAccepting(socketPath, ConnectTimeout);
        }
        finally
        {
            deadline?.Dispose();
        }
    }

    /// <summary>Sends one request and reads its reply.</summary>
    /// <param name="timeout">From sending to the whole reply; <see cref="ReplyTimeout"/> where null.</param>
    /// <exception cref="DaemonUnreachableException">No reply came; one that says no is a <see cref="Reply"/>.</exception>
    public async Task<Reply> SendAsync(CommandRequest request, TimeSpan? timeout = null, CancellationToken cancellation = default)
    {
        await PostAsync(request, timeout, cancellation).ConfigureAwait(false);
        return await ReadReplyAsync(timeout, cancellation).ConfigureAwait(false);
    }

    /// <summary>Sends one request without waiting for its reply.</summary>
    /// <exception cref="DaemonUnreachableException">The daemon takes nothing more in time.</exception>
    public async Task PostAsync(CommandRequest request, TimeSpan? timeout = null, CancellationToken cancellation = default)
    {
        var line = LineOf(request);
        var sent = _socket.Send(line, SocketFlags.None, out _);
        if (sent == line.Length)
            return;
        await WithDeadline(async token =>
        {
            try
            {
                while (sent < line.Length)
                    sent += await _socket.SendAsync(line.AsMemory(sent), SocketFlags.None, token).ConfigureAwait(false);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset)
            {
                // A daemon that refuses a line (too-large, denied) answers and closes while we still write. Its answer can be read, and reading reports the
                // closed connection too.
            }
            return true;
        }, timeout ?? ReplyTimeout, cancellation).ConfigureAwait(false);
    }

    /// <summary>Reads the reply to the oldest request not yet answered.</summary>
    /// <exception cref="DaemonUnreachableException">No reply came.</exception>
    public async Task<Reply> ReadReplyAsync(TimeSpan? timeout = null, CancellationToken cancellation = default)
    {
        var line = _lines.TryReadLineSoon(out var soon)
            ? soon
            : await WithDeadline(ReadLineAsync, timeout ?? ReplyTimeout, cancellation).ConfigureAwait(false);
        try
        {
            return Reply.Parse(line.Span);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw DaemonUnreachableException.NotTheProtocol(SocketPath, "a line that is no reply", e);
        }
    }

    /// <summary>Turns the connection into a stream of events; from an <c>ok</c> reply on, nothing of those topics is missed unsaid.</summary>
    /// <param name="topics"><c>tasks</c>, <c>panes</c>, <c>cost</c>; all of them where null.</param>
    /// <exception cref="DaemonUnreachableException">No reply came.</exception>
    public Task<Reply> SubscribeAsync(IReadOnlyList<string>? topics = null, CancellationToken cancellation = default) =>
        SendAsync(new CommandRequest { Cmd = WireCommand.Subscribe.Name, Topics = topics }, null, cancellation);

    /// <summary>The events of a subscription, without end.</summary>
    /// <exception cref="DaemonUnreachableException">The daemon ended the stream.</exception>
    public IAsyncEnumerable<Event> ReadEventsAsync(CancellationToken cancellation = default) => ReadEventsAsync(TimeSpan.Zero, TimeProvider.System, cancellation);

    /// <summary>The same for a reader that shows many events at once and need not wake for each.</summary>
    /// <param name="pace">
    /// The least time between two looks at the socket. The first event after a quiet time comes at once. The daemon keeps 1,024 events and 4 MiB for a
    /// reader; what 100 ms bring is far from that.
    /// </param>
    /// <param name="time">The clock of the pace.</param>
    /// <param name="cancellation">Ends the stream.</param>
    /// <exception cref="DaemonUnreachableException">The daemon ended the stream.</exception>
    public async IAsyncEnumerable<Event> ReadEventsAsync(TimeSpan pace, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        long? looked = null;
        while (true)
        {
            if (!_lines.TryReadBuffered(out var line))
            {
                if (looked is { } then && pace - time.GetElapsedTime(then) is { Ticks: > 0 } rest)
                    await Task.Delay(rest, time, cancellation).ConfigureAwait(false);
                line = await ReadLineAsync(cancellation).ConfigureAwait(false);
                looked = time.GetTimestamp();
            }
            yield return ParseEvent(line.Span);
        }
    }

    /// <summary>The events of a subscription, each line raw and without its newline, good until the next one is asked for.</summary>
    /// <exception cref="DaemonUnreachableException">The daemon ended the stream.</exception>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadEventLinesAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (true)
            yield return await ReadLineAsync(cancellation).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _lines.Dispose();
    }

    /// <summary>The request with its newline.</summary>
    internal static byte[] LineOf(CommandRequest request)
    {
        // A command without fields, such as ping, needs none of the metadata, whose making takes a fifth of a whole `colibri ping`.
        if (!request.Cmd.AsSpan().ContainsAnyExcept(PlainCharacters) && request == new CommandRequest { Cmd = request.Cmd })
            return [.. "{\"cmd\":\""u8, .. Encoding.ASCII.GetBytes(request.Cmd), .. "\"}\n"u8];
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Wire.CommandRequest);
        var line = new byte[json.Length + 1];
        json.CopyTo(line, 0);
        line[^1] = (byte)'\n';
        return line;
    }

    private Event ParseEvent(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ProtocolJson.Wire.Event) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw DaemonUnreachableException.NotTheProtocol(SocketPath, "a line that is no event", e);
        }
    }

    private async Task<ReadOnlyMemory<byte>> ReadLineAsync(CancellationToken cancellation)
    {
        try
        {
            return await _lines.ReadLineAsync(cancellation).ConfigureAwait(false)
                ?? throw DaemonUnreachableException.Closed(SocketPath);
        }
        catch (InvalidDataException)
        {
            throw DaemonUnreachableException.TooLarge(SocketPath, MaxReplyBytes);
        }
        catch (SocketException e)
        {
            throw Explain(e, SocketPath);
        }
    }

    private async Task<T> WithDeadline<T>(Func<CancellationToken, Task<T>> work, TimeSpan timeout, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(timeout);
        try
        {
            return await work(deadline.Token).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw Explain(e, SocketPath);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw DaemonUnreachableException.Silent(SocketPath, timeout);
        }
    }

    private static DaemonUnreachableException Explain(SocketException e, string path) => e.SocketErrorCode switch
    {
        SocketError.AccessDenied => DaemonUnreachableException.PermissionDenied(path, e),
        SocketError.ConnectionRefused => DaemonUnreachableException.Stale(path, e),
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => DaemonUnreachableException.Closed(path, e),
        // ENOENT and ENOTDIR have no socket error of their own.
        _ when !File.Exists(path) => DaemonUnreachableException.NoSocket(path, e),
        _ => DaemonUnreachableException.Failed(path, e),
    };
}
