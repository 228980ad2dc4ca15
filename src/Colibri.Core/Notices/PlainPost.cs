using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Colibri.Core.Notices;

/// <summary>
/// One POST over HTTP/1.1 to loopback or a Unix socket, without TLS, redirects, or a second request on the connection. Of the answer the status line counts
/// and nothing else is read.
/// </summary>
internal sealed class PlainPost(TimeProvider time)
{
    private const int MostStatusLine = 1_024;

    /// <summary>Posts a body.</summary>
    /// <returns>Null where the answer is 2xx; else what is wrong, in one line.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="stopping"/> was cancelled.</exception>
    public async Task<string?> SendAsync(
        Uri url, string? socketPath, IEnumerable<(string Name, string Value)> headers, ReadOnlyMemory<byte> body, TimeSpan timeout, CancellationToken stopping)
    {
        using var late = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
        try
        {
            using var socket = await ConnectAsync(url, socketPath, either.Token).ConfigureAwait(false);
            await SendAllAsync(socket, Encoding.ASCII.GetBytes(Head(url, headers, body.Length)), either.Token).ConfigureAwait(false);
            await SendAllAsync(socket, body, either.Token).ConfigureAwait(false);
            return Problem(await ReadStatusLineAsync(socket, either.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"no answer within {timeout.TotalSeconds:0} s");
        }
    }

    private static async Task<Socket> ConnectAsync(Uri url, string? socketPath, CancellationToken cancellation)
    {
        // localhost is not looked up: that would need a resolver, which static executables do without.
        EndPoint end = socketPath is not null ? new UnixDomainSocketEndPoint(socketPath)
            : new IPEndPoint(IPAddress.TryParse(url.DnsSafeHost, out var address) ? address : IPAddress.Loopback, url.Port);
        var socket = new Socket(end.AddressFamily, SocketType.Stream, socketPath is null ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(end, cancellation).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string Head(Uri url, IEnumerable<(string Name, string Value)> headers, int length)
    {
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"POST {url.PathAndQuery} HTTP/1.1\r\nhost: {url.Authority}\r\nuser-agent: colibri\r\ncontent-type: application/json\r\n");
        head.Append(CultureInfo.InvariantCulture, $"content-length: {length}\r\nconnection: close\r\n");
        foreach (var (name, value) in headers)
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        return head.Append("\r\n").ToString();
    }

    private static async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes, cancellation).ConfigureAwait(false)..];
    }

    private static async Task<string> ReadStatusLineAsync(Socket socket, CancellationToken cancellation)
    {
        var (answer, read) = (new byte[MostStatusLine], 0);
        while (read < answer.Length && await socket.ReceiveAsync(answer.AsMemory(read), cancellation).ConfigureAwait(false) is > 0 and var received)
        {
            read += received;
            if (answer.AsSpan(0, read).IndexOf((byte)'\n') is >= 0 and var end)
                return Encoding.ASCII.GetString(answer, 0, end).Trim();
        }
        return "";
    }

    private static string? Problem(string statusLine) =>
        statusLine.Split(' ', 3) is not [var version, { Length: 3 } status, ..] || !version.StartsWith("HTTP/1.", StringComparison.Ordinal) || !int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? "the answer is not HTTP"
            : code is >= 200 and < 300 ? null : $"the answer is {code}";
}
