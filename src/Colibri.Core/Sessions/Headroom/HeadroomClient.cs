using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Colibri.Core.Logging;
using Colibri.Jsonl;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Sessions.Headroom;

/// <summary>
/// The client of a sidecar that shortens tool results, over one lasting Unix connection. The worst that the sidecar can cost is time: unless
/// it answers with a shorter text in time, the original is used. After a failed connection the client rests before it connects again, and
/// texts pass straight through meanwhile.
/// </summary>
/// <param name="socketPath">The sidecar's socket.</param>
/// <param name="time">Measures the timeout and the rests.</param>
/// <param name="logger">Logs when the connection is made and lost.</param>
public sealed class HeadroomClient(string socketPath, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>How long one text waits for its answer, from when it was queued.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Texts under way; a further one passes straight through.</summary>
    public const int MaxPending = 64;

    /// <summary>Shorter texts, in UTF-16 units, are not worth a request.</summary>
    public const int LeastLength = 512;

    /// <summary>Longer texts, in UTF-16 units, pass straight through.</summary>
    public const int MaxLength = 4 * 1024 * 1024;

    private const int MaxReplyBytes = 8 * 1024 * 1024;

    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private Connection? _connection;
    private StatusHeadroom _counts = new(Enabled: true, socketPath, Connected: false);

    /// <summary>What <c>status</c> shows.</summary>
    public StatusHeadroom State
    {
        get
        {
            lock (_gate) return _counts with { Connected = _connection is not null };
        }
    }

    /// <summary>Connects, and connects again whenever the connection is lost, until disposed.</summary>
    public void Start() => _running = RunAsync();

    /// <summary>The text as the sidecar shortened it, marked as such; null where the original is to be used.</summary>
    /// <param name="text">The original.</param>
    /// <param name="mark">Marks the shortened text (first argument) with what it replaces (second); null if the marked text is no shorter.</param>
    public ValueTask<string?> ShortenAsync(string text, Func<string, string, string?> mark)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(mark);
        Connection? connection;
        lock (_gate) connection = _connection;
        return text.Length is < LeastLength or > MaxLength || connection is null ? new((string?)null) : new(AskAsync(connection, text, mark));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task<string?> AskAsync(Connection connection, string text, Func<string, string, string?> mark)
    {
        Count(counts => counts with { Requests = counts.Requests + 1 });
        using var late = new CancellationTokenSource(Timeout, time);
        var answer = connection.AskAsync(text);
        if (answer is null)
            return Pass("64 texts are under way");
        using var expiry = late.Token.Register(() => connection.Fail($"no answer within {Timeout.TotalSeconds:0} s"));
        if (await answer.ConfigureAwait(false) is not { } answered)
            return Pass(connection.Failure);
        if (mark(answered, text) is not { } shortened)
            return Pass("the answer was not shorter");
        var saved = Encoding.UTF8.GetByteCount(text) - Encoding.UTF8.GetByteCount(shortened);
        Count(counts => counts with { Shortened = counts.Shortened + 1, BytesSaved = counts.BytesSaved + saved });
        return shortened;
    }

    private string? Pass(string? why)
    {
        Count(counts => counts with { Passed = counts.Passed + 1, LastError = why ?? counts.LastError });
        return null;
    }

    private void Count(Func<StatusHeadroom, StatusHeadroom> change)
    {
        lock (_gate) _counts = change(_counts);
    }

    private async Task RunAsync()
    {
        var rest = ShortestRest;
        while (!_stop.IsCancellationRequested)
        {
            var served = await ConnectAndServeAsync().ConfigureAwait(false);
            rest = served ? ShortestRest : rest;
            // A quarter of jitter, so that the attempts do not fall in step with the sidecar's restarts.
            var jittered = rest * (0.75 + (Random.Shared.NextDouble() / 4));
            await Task.Delay(jittered, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            rest = rest * 2 < LongestRest ? rest * 2 : LongestRest;
        }
    }

    /// <returns>Whether the sidecar gave a usable answer before the connection was lost.</returns>
    private async Task<bool> ConnectAndServeAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var shortenedBefore = State.Shortened;
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            var problem = File.Exists(socketPath) ? $"cannot connect: {e.Message}" : "there is no such socket";
            if (State.LastError != problem)
                logger.HeadroomLost(socketPath, problem);
            Count(counts => counts with { LastError = problem });
            return false;
        }
        var connection = new Connection(socket);
        lock (_gate) _connection = connection;
        logger.HeadroomConnected(socketPath);
        using (_stop.Token.Register(() => connection.Fail("the daemon stops")))
            await connection.ServeAsync().ConfigureAwait(false);
        lock (_gate) _connection = null;
        if (!_stop.IsCancellationRequested)
        {
            logger.HeadroomLost(socketPath, connection.Failure ?? "");
            Count(counts => counts with { LastError = connection.Failure });
        }
        return State.Shortened > shortenedBefore;
    }

    /// <summary>One connection, until it is lost.</summary>
    private sealed class Connection(Socket socket)
    {
        private static readonly JsonFields Fields = new("id", "compressed");

        private readonly ConcurrentDictionary<string, TaskCompletionSource<string?>> _pending = new(StringComparer.Ordinal);
        private readonly System.Threading.Channels.Channel<byte[]> _lines =
            System.Threading.Channels.Channel.CreateBounded<byte[]>(new System.Threading.Channels.BoundedChannelOptions(MaxPending) { SingleReader = true });

        private string? _failure;
        private long _requests;
        private int _underWay;

        public string? Failure => Volatile.Read(ref _failure);

        /// <summary>Null where too many are under way; the task's result is null when the connection was lost.</summary>
        public Task<string?>? AskAsync(string text)
        {
            var id = Interlocked.Increment(ref _requests).ToString(CultureInfo.InvariantCulture);
            var answer = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
            // Counted apart: the dictionary's own count takes all its locks.
            if (Interlocked.Increment(ref _underWay) > MaxPending)
            {
                Interlocked.Decrement(ref _underWay);
                return null;
            }
            _pending[id] = answer;
            if (Failure is not null || !_lines.Writer.TryWrite(Line(id, text)))
                Complete(id, null);
            // If the connection was lost before this request was entered, Fail did not see it, so complete it here.
            if (Failure is not null)
                Complete(id, null);
            return answer.Task;
        }

        /// <summary>
        /// Gives the connection up; the first reason counts. After a late, garbled or oversized answer no later one can be matched safely, so the
        /// whole connection is given up.
        /// </summary>
        public void Fail(string reason)
        {
            if (Interlocked.CompareExchange(ref _failure, reason, null) is not null)
                return;
            _lines.Writer.TryComplete();
            socket.Dispose();
            foreach (var id in _pending.Keys)
                Complete(id, null);
        }

        /// <summary>Writes and reads until the connection is lost.</summary>
        public async Task ServeAsync()
        {
            var writing = WriteAsync();
            try
            {
                await ReadAsync().ConfigureAwait(false);
                Fail("it closed the connection");
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                Fail(e.Message);
            }
            await writing.ConfigureAwait(false);
        }

        private async Task WriteAsync()
        {
            try
            {
                await foreach (var line in _lines.Reader.ReadAllAsync().ConfigureAwait(false))
                {
                    for (ReadOnlyMemory<byte> rest = line; !rest.IsEmpty;)
                        rest = rest[await socket.SendAsync(rest).ConfigureAwait(false)..];
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                Fail(e.Message);
            }
        }

        private async Task ReadAsync()
        {
            var framer = new LineFramer(MaxReplyBytes);
            var buffer = new byte[16 * 1024];
            while (true)
            {
                // With a single connection it is not worth waiting without a buffer.
                var received = await socket.ReceiveAsync(buffer.AsMemory()).ConfigureAwait(false);
                if (received == 0)
                    return;
                if (Take(framer, buffer.AsSpan(0, received)) is { } problem)
                {
                    Fail(problem);
                    return;
                }
            }
        }

        /// <returns>What is wrong with the received bytes; null if they are well-formed.</returns>
        private string? Take(LineFramer framer, ReadOnlySpan<byte> received)
        {
            Span<JsonValue> values = stackalloc JsonValue[2];
            while (framer.TryRead(ref received, out var line, out var kind))
            {
                if (kind == LineKind.Oversize)
                    return $"an answer of more than {MaxReplyBytes} bytes";
                if (!JsonLine.IsWellFormedObject(line) || !Fields.TryRead(line, values) || !values[1].IsString
                    || values[0].Kind is not (ValueKind.String or ValueKind.Number))
                    return "an answer that is none";
                var id = values[0].IsString ? values[0].GetString(line, 64) : Encoding.UTF8.GetString(values[0].Raw(line));
                // An answer without a pending request may be late; it does not hold up the pending ones.
                if (id is not null)
                    Complete(id, values[1].GetString(line, MaxReplyBytes));
            }
            return null;
        }

        private void Complete(string id, string? answer)
        {
            if (!_pending.TryRemove(id, out var waiting))
                return;
            Interlocked.Decrement(ref _underWay);
            waiting.TrySetResult(answer);
        }

        private static byte[] Line(string id, string text)
        {
            var line = new ArrayBufferWriter<byte>(text.Length + 64);
            using (var writer = new Utf8JsonWriter(line))
            {
                writer.WriteStartObject();
                writer.WriteString("id"u8, id);
                writer.WriteString("raw"u8, text);
                writer.WriteString("role"u8, "tool"u8);
                writer.WriteEndObject();
            }
            line.Write("\n"u8);
            return line.WrittenSpan.ToArray();
        }
    }
}
