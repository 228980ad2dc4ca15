using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Colibri.EndToEndTests.Harness;

/// <summary>Newline-delimited JSON over any pair of streams, every wait with a deadline.</summary>
internal sealed class WireClient(Stream input, Stream output, IDisposable? owned = null) : IAsyncDisposable
{
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>Is told each request line that is asked, and its reply.</summary>
    public Action<string, JsonElement>? Heard { get; set; }

    public static async Task<WireClient> ConnectAsync(string socketPath)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), TestContext.Current!.Execution.CancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        var stream = new NetworkStream(socket, ownsSocket: true);
        return new WireClient(stream, stream, socket);
    }

    public static string Line(object request) => request as string ?? JsonSerializer.Serialize(request);

    /// <param name="request">A line as it is, or an object to serialise.</param>
    public Task SendAsync(object request) => SendBytesAsync(Encoding.UTF8.GetBytes(Line(request) + "\n"));

    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken? until = null)
    {
        if (until is { } token)
        {
            await input.WriteAsync(bytes, token);
            await input.FlushAsync(token);
            return;
        }
        using var deadline = Deadline();
        await input.WriteAsync(bytes, deadline.Token);
        await input.FlushAsync(deadline.Token);
    }

    /// <summary>The next line without its newline, or null when the other end has closed.</summary>
    public async Task<string?> ReadLineAsync()
    {
        using var deadline = Deadline();
        for (var searched = _start; ;)
        {
            var newline = Array.IndexOf(_buffer, (byte)'\n', searched, _end - searched);
            if (newline >= 0)
            {
                var line = Encoding.UTF8.GetString(_buffer, _start, newline - _start);
                _start = newline + 1;
                return line;
            }
            if (_start > 0)
            {
                Buffer.BlockCopy(_buffer, _start, _buffer, 0, _end - _start);
                (_start, _end) = (0, _end - _start);
            }
            searched = _end;
            if (_end == _buffer.Length)
                Array.Resize(ref _buffer, _buffer.Length * 2);
            var read = await ReadSomeAsync(deadline.Token);
            if (read == 0)
                return null;
            _end += read;
        }
    }

    public async Task<JsonElement> ReadAsync()
    {
        var line = await ReadLineAsync() ?? throw new EndOfStreamException("the daemon closed the connection where a line was due");
        try
        {
            return JsonElement.Parse(line);
        }
        catch (JsonException wrong)
        {
            throw new InvalidDataException($"not a JSON line: {line[..Math.Min(line.Length, 500)]}", wrong);
        }
    }

    public async Task<Reply> AskAsync(object request)
    {
        await SendAsync(request);
        var reply = await ReadAsync();
        Heard?.Invoke(Line(request), reply);
        return new Reply(reply);
    }

    /// <summary>Asks and gives the <c>data</c> of an <c>ok</c> reply; anything else fails the test with the reply in its message.</summary>
    public async Task<JsonElement> DataAsync(object request)
    {
        var reply = await AskAsync(request);
        return reply.Ok ? reply.Data : throw new InvalidOperationException($"{Line(request)} was answered {reply}");
    }

    /// <summary>Asks and gives the <c>error</c> code.</summary>
    public async Task<string> RefusalAsync(object request)
    {
        var reply = await AskAsync(request);
        return reply.Ok ? throw new InvalidOperationException($"{Line(request)} was answered {reply}") : reply.ErrorCode;
    }

    public ValueTask DisposeAsync()
    {
        input.Dispose();
        output.Dispose();
        owned?.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<int> ReadSomeAsync(CancellationToken deadline)
    {
        try
        {
            return await output.ReadAsync(_buffer.AsMemory(_end), deadline);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"no line from the daemon within {Eventually.Deadline.TotalSeconds:0} s");
        }
        catch (IOException reset) when (reset.InnerException is SocketException)
        {
            // Closing with unread input resets the connection: to a reader that is an end like any other.
            return 0;
        }
    }

    private static CancellationTokenSource Deadline()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current!.Execution.CancellationToken);
        source.CancelAfter(Eventually.Deadline);
        return source;
    }
}
