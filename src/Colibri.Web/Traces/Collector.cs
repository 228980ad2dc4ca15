using System.Net.Sockets;
using System.Text;

namespace Colibri.Web.Traces;

/// <summary>Posts to a collector over plain HTTP/1.1, a connection for each request. The class library's client would bring TLS into the executable, which no request here uses.</summary>
internal sealed class Collector(TraceOptions options, string version)
{
    private const int LongestHead = 8 * 1024;

    /// <summary>For connection, request and answer together.</summary>
    public static TimeSpan Deadline { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Sends one request.</summary>
    /// <param name="body">Its body.</param>
    /// <param name="deadline">How long it may take.</param>
    /// <param name="cancellation">Ends it sooner.</param>
    public async Task<PostOutcome> PostAsync(byte[] body, TimeSpan deadline, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ending.CancelAfter(deadline);
        using var socket = new Socket(options.Collector.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var isConnected = false;
        try
        {
            await socket.ConnectAsync(options.Collector, ending.Token).ConfigureAwait(false);
            isConnected = true;
            await SendAsync(socket, Head(body.Length), ending.Token).ConfigureAwait(false);
            await SendAsync(socket, body, ending.Token).ConfigureAwait(false);
            return OfStatus(await StatusAsync(socket, ending.Token).ConfigureAwait(false));
        }
        catch (SocketException e)
        {
            return isConnected ? new PostOutcome(PostResult.Unanswered, "the connection broke") : new PostOutcome(PostResult.Later, e.Message);
        }
        catch (OperationCanceledException)
        {
            var why = $"no answer in {deadline.TotalSeconds:0} s";
            return isConnected ? new PostOutcome(PostResult.Unanswered, why) : new PostOutcome(PostResult.Later, why);
        }
    }

    private byte[] Head(int length)
    {
        var head = new StringBuilder($"POST {options.Path} HTTP/1.1\r\nHost: {options.Collector}\r\nUser-Agent: colibri-web/{version}\r\n");
        foreach (var (name, value) in options.Headers)
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        head.Append("Content-Type: application/x-protobuf\r\nContent-Length: ").Append(length).Append("\r\nConnection: close\r\n\r\n");
        return Encoding.ASCII.GetBytes(head.ToString());
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes, cancellation).ConfigureAwait(false)..];
    }

    // HTTP/1.1 200 OK: nothing behind the status counts here, and the connection is closed with it.
    private static async Task<int?> StatusAsync(Socket socket, CancellationToken cancellation)
    {
        var head = new byte[LongestHead];
        var filled = 0;
        while (filled < head.Length)
        {
            var read = await socket.ReceiveAsync(head.AsMemory(filled), cancellation).ConfigureAwait(false);
            if (read == 0)
                return null;
            filled += read;
            var line = head.AsSpan(0, filled).IndexOf("\r\n"u8);
            if (line < 0)
                continue;
            return line >= 12 && head.AsSpan(0, 7).SequenceEqual("HTTP/1."u8) && int.TryParse(head.AsSpan(9, 3), out var status) ? status : null;
        }
        return null;
    }

    // The statuses to try again are those of the OTLP specification.
    private static PostOutcome OfStatus(int? status) => status switch
    {
        >= 200 and < 300 => new(PostResult.Taken, ""),
        429 or 502 or 503 or 504 => new(PostResult.Later, $"status {status}"),
        { } other => new(PostResult.Refused, $"status {other}"),
        null => new(PostResult.Unanswered, "no answer of HTTP"),
    };
}

/// <param name="Result">What became of the request.</param>
/// <param name="Why">In a few words where it was not taken.</param>
internal readonly record struct PostOutcome(PostResult Result, string Why);

internal enum PostResult
{
    Taken,

    /// <summary>The collector has not got it, and may take it later.</summary>
    Later,
    Refused,

    /// <summary>Whether the collector has it is not known.</summary>
    Unanswered,
}
