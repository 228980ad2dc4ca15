using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Colibri.EndToEndTests.Pi;

/// <summary>One request and its answer over HTTP/1.1, one a connection.</summary>
internal sealed class HttpExchange(NetworkStream stream, CancellationToken stop)
{
    private const int MaxRequestBytes = 8 * 1024 * 1024;

    /// <summary>The body of one request, or null when the connection closed before there was one.</summary>
    public static async Task<byte[]?> ReadBodyAsync(NetworkStream stream, CancellationToken stop)
    {
        var received = new byte[64 * 1024];
        var length = 0;
        for (var needed = int.MaxValue; length < needed;)
        {
            if (length == received.Length)
                Array.Resize(ref received, received.Length * 2);
            var read = await stream.ReadAsync(received.AsMemory(length), stop);
            if (read == 0 || length > MaxRequestBytes)
                return null;
            length += read;
            var headers = received.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (headers >= 0)
                needed = headers + 4 + ContentLength(Encoding.ASCII.GetString(received, 0, headers));
        }
        var body = received.AsSpan(0, length).IndexOf("\r\n\r\n"u8) + 4;
        return received[body..length];
    }

    public async Task RefuseAsync(int status, string message)
    {
        var body = JsonSerializer.Serialize(new { error = new { message, type = "mock_error", code = status } });
        await WriteAsync($"HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}");
    }

    /// <param name="chunks">The data of each event.</param>
    /// <param name="complete">Whether the stream is ended as it should be; an incomplete one can be continued, or breaks off as the connection closes.</param>
    public async Task StreamAsync(IEnumerable<string> chunks, bool complete = true)
    {
        // Chunked, because without a length or chunks a broken connection looks like a good end.
        await WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        await SendAsync(chunks, complete);
    }

    public Task ContinueAsync(IEnumerable<string> chunks) => SendAsync(chunks, complete: true);

    private async Task SendAsync(IEnumerable<string> chunks, bool complete)
    {
        foreach (var chunk in chunks)
            await SendEventAsync(chunk);
        if (!complete)
            return;
        await SendEventAsync("[DONE]");
        await WriteAsync("0\r\n\r\n");
    }

    private Task SendEventAsync(string data)
    {
        var line = $"data: {data}\n\n";
        return WriteAsync($"{Encoding.UTF8.GetByteCount(line).ToString("x", CultureInfo.InvariantCulture)}\r\n{line}\r\n");
    }

    private async Task WriteAsync(string text) => await stream.WriteAsync(Encoding.UTF8.GetBytes(text), stop);

    private static int ContentLength(string headers)
    {
        const string Name = "content-length:";
        var line = headers.Split("\r\n").FirstOrDefault(line => line.StartsWith(Name, StringComparison.OrdinalIgnoreCase));
        return line is null ? 0 : int.Parse(line[Name.Length..], CultureInfo.InvariantCulture);
    }
}
