using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.Hosting;

/// <summary>
/// The client on two streams, one message a line. What the client asked before its end of input is still answered, for up to <see cref="Patience"/>:
/// the SDK's own transport drops an answer that is ready after the end.
/// </summary>
internal sealed class ClientTransport : TransportBase
{
    /// <summary>How long after the end of input the answers of earlier requests are waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int ReadBytes = 64 * 1024;

    private static readonly JsonTypeInfo<JsonRpcMessage> Message = (JsonTypeInfo<JsonRpcMessage>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(JsonRpcMessage));
    private static readonly JsonTypeInfo<RequestId> Id = (JsonTypeInfo<RequestId>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(RequestId));

    private readonly Stream _input;
    private readonly Stream _output;
    private readonly SemaphoreSlim _writes = new(1, 1);
    private readonly CancellationTokenSource _closed = new();
    private readonly CancellationTokenSource _inputEnded = new();
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _gate = new();
    private readonly HashSet<RequestId> _unanswered = [];
    private readonly TaskCompletionSource _allAnswered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;

    /// <param name="input">What the client sends.</param>
    /// <param name="output">What the client reads.</param>
    public ClientTransport(Stream input, Stream output)
        : base("colibri-mcp", loggerFactory: null)
    {
        (_input, _output) = (new LineLimit(input), output);
        SetConnected();
        _reading = ReadAsync();
    }

    /// <summary>The client has closed its end: no request will come any more, and no answer to a question.</summary>
    public CancellationToken InputEnded => _inputEnded.Token;

    /// <summary>Nothing is sent any more: what is still under way is in vain. The SDK would wait for its end.</summary>
    public CancellationToken Over => _over.Token;

    /// <exception cref="IOException">The client does not read any more.</exception>
    public override async Task SendMessageAsync(JsonRpcMessage message, CancellationToken cancellationToken = default)
    {
        if (!IsConnected)
            return;
        // The line is written whole, or a later one would begin in its middle; who gives up does not wait for its end.
        var writing = WriteAsync([.. JsonSerializer.SerializeToUtf8Bytes(message, Message), (byte)'\n']);
        try
        {
            await writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!writing.IsCompleted)
                Observe(writing);
        }
        if (message is JsonRpcResponse or JsonRpcError)
            Settle(((JsonRpcMessageWithId)message).Id);
    }

    public override async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        await _input.DisposeAsync().ConfigureAwait(false);
        await _output.DisposeAsync().ConfigureAwait(false);
        SetDisconnected();
        _inputEnded.Dispose();
        _over.Dispose();
        _closed.Dispose();
    }

    private async Task WriteAsync(byte[] line)
    {
        await _writes.WaitAsync().ConfigureAwait(false);
        try
        {
            await _output.WriteAsync(line).ConfigureAwait(false);
            await _output.FlushAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException)
        {
            throw new IOException("the client does not read any more", e);
        }
        finally
        {
            _writes.Release();
        }
    }

    private static void Observe(Task left) =>
        left.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private async Task ReadAsync()
    {
        Exception? failure = null;
        try
        {
            await ReadLinesAsync().ConfigureAwait(false);
            await _inputEnded.CancelAsync().ConfigureAwait(false);
            await AllAnsweredAsync().WaitAsync(Patience, _closed.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            // The program ends, or a request takes longer than its client can be expected to listen.
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            failure = e;
        }
        finally
        {
            SetDisconnected(failure);
            await _over.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task ReadLinesAsync()
    {
        var lines = PipeReader.Create(_input, new StreamPipeReaderOptions(bufferSize: ReadBytes, leaveOpen: true));
        for (var isOver = false; !isOver;)
        {
            // A read of standard input cannot be cancelled. At the end of the program it is left behind.
            var reading = lines.ReadAsync(CancellationToken.None).AsTask();
            if (!reading.IsCompleted)
                Observe(reading);
            var read = await reading.WaitAsync(_closed.Token).ConfigureAwait(false);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                await TakeAsync(rest.Slice(0, end)).ConfigureAwait(false);
                rest = rest.Slice(rest.GetPosition(1, end));
            }
            isOver = read.IsCompleted;
            if (isOver && !rest.IsEmpty)
                await TakeAsync(rest).ConfigureAwait(false);
            lines.AdvanceTo(isOver ? rest.End : rest.Start, rest.End);
        }
    }

    private async Task TakeAsync(ReadOnlySequence<byte> line)
    {
        if (line.IsEmpty)
            return;
        if (Parse(line) is not { } message)
        {
            if (IdIn(line) is { } id)
            {
                var error = new JsonRpcErrorDetail { Code = (int)McpErrorCode.ParseError, Message = "the line is no message of JSON-RPC" };
                await SendMessageAsync(new JsonRpcError { Id = id, Error = error }, _closed.Token).ConfigureAwait(false);
            }
            return;
        }
        if (message is JsonRpcRequest { Method: not RequestMethods.SubscriptionsListen } request)
        {
            lock (_gate)
                _unanswered.Add(request.Id);
        }
        // A cancelled request is not answered.
        else if (message is JsonRpcNotification { Method: NotificationMethods.CancelledNotification, Params: { } told })
        {
            Settle(told);
        }
        await WriteMessageAsync(message, _closed.Token).ConfigureAwait(false);
    }

    private static JsonRpcMessage? Parse(ReadOnlySequence<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            return JsonSerializer.Deserialize(ref reader, Message);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The id of a line that is no message, as far as it can be read.</summary>
    private static RequestId? IdIn(ReadOnlySequence<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            while (reader.Read())
            {
                if (reader is not { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 } || !reader.ValueTextEquals("id"u8))
                    continue;
                return JsonSerializer.Deserialize(ref reader, Id);
            }
        }
        catch (JsonException)
        {
        }
        return null;
    }

    private void Settle(JsonNode cancelled)
    {
        try
        {
            if (cancelled["requestId"] is { } id)
                Settle(id.Deserialize(Id));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // It names no request.
        }
    }

    private void Settle(RequestId id)
    {
        lock (_gate)
        {
            if (_unanswered.Remove(id) && _unanswered.Count == 0 && _inputEnded.IsCancellationRequested)
                _allAnswered.TrySetResult();
        }
    }

    private Task AllAnsweredAsync()
    {
        lock (_gate)
            return _unanswered.Count == 0 ? Task.CompletedTask : _allAnswered.Task;
    }
}
