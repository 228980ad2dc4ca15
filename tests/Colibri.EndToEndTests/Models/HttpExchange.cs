using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Colibri.EndToEndTests.Models;

/// <summary>One request and its answer over HTTP/1.1, one a connection.</summary>
internal sealed class HttpExchange(NetworkStream stream, CancellationToken stop)
{
    private const int MaxRequestBytes = 8 * 1024 * 1024;

    /// <summary>One request, or null when the connection closed before there was one.</summary>
    public static async Task<HttpRequest?> ReadAsync(NetworkStream stream, CancellationToken stop)
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
        var line = Encoding.ASCII.GetString(received, 0, received.AsSpan(0, length).IndexOf("\r\n"u8)).Split(' ');
        return new HttpRequest(line[0], line[1], received.AsMemory(body, length - body));
    }

    /// <param name="status">The HTTP status.</param>
    /// <param name="body">As the API has it, in JSON.</param>
    /// <param name="headers">Added to the usual ones.</param>
    public async Task RefuseAsync(int status, string body, params (string Name, string Value)[] headers)
    {
        var added = string.Concat(headers.Select(header => $"{header.Name}: {header.Value}\r\n"));
        await WriteAsync(
            $"HTTP/1.1 {status} Refused\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{added}Connection: close\r\n\r\n{body}");
    }

    /// <summary>An answer from its beginning on. Left without its end it can be continued, or breaks off as the connection closes.</summary>
    public async Task StreamAsync(IEnumerable<ServerEvent> events, bool complete = true)
    {
        // Chunked, because without a length or chunks a broken connection looks like a good end.
        await WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
        await ContinueAsync(events, complete);
    }

    public async Task ContinueAsync(IEnumerable<ServerEvent> events, bool complete = true)
    {
        foreach (var one in events)
            await SendAsync(one);
        if (complete)
            await WriteAsync("0\r\n\r\n");
    }

    private Task SendAsync(ServerEvent one)
    {
        var lines = one.Name is null ? $"data: {one.Data}\n\n" : $"event: {one.Name}\ndata: {one.Data}\n\n";
        return WriteAsync($"{Encoding.UTF8.GetByteCount(lines).ToString("x", CultureInfo.InvariantCulture)}\r\n{lines}\r\n");
    }

    private async Task WriteAsync(string text) => await stream.WriteAsync(Encoding.UTF8.GetBytes(text), stop);

    private static int ContentLength(string headers)
    {
        const string Name = "content-length:";
        var line = headers.Split("\r\n").FirstOrDefault(line => line.StartsWith(Name, StringComparison.OrdinalIgnoreCase));
        return line is null ? 0 : int.Parse(line[Name.Length..], CultureInfo.InvariantCulture);
    }
}
