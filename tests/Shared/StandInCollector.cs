using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Colibri.Tests;

/// <summary>A collector on a port of its own that takes requests, refuses them, or takes a connection and never answers.</summary>
internal sealed class StandInCollector : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stopped = new();
    private readonly ConcurrentQueue<(string Head, byte[] Body)> _requests = new();
    private readonly Task _accepting;

    /// <param name="port">A port that it had before; 0 for a new one.</param>
    public StandInCollector(int port = 0)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The status of the answers; null never answers.</summary>
    public int? Status { get; set; } = 200;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>All requests so far, whatever they were answered.</summary>
    public IReadOnlyList<(string Head, byte[] Body)> Requests => [.. _requests];

    /// <summary>The spans of all requests so far.</summary>
    public IReadOnlyList<OtlpSpan> Spans => [.. _requests.SelectMany(request => OtlpSpan.Read(request.Body))];

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopped.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> served = [];
        try
        {
            while (true)
                served.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopped.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
        await Task.WhenAll(served);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var owned = client;
        try
        {
            var stream = client.GetStream();
            var bytes = new List<byte>();
            var buffer = new byte[16 * 1024];
            while (true)
            {
                var read = await stream.ReadAsync(buffer, _stopped.Token);
                if (read == 0)
                    return;
                bytes.AddRange(buffer.AsSpan(0, read));
                var all = bytes.ToArray();
                var end = all.AsSpan().IndexOf("\r\n\r\n"u8);
                if (end < 0)
                    continue;
                var head = Encoding.ASCII.GetString(all, 0, end);
                var length = int.Parse(head.Split("\r\n").Single(line => line.StartsWith("Content-Length: ", StringComparison.Ordinal)).AsSpan(16), System.Globalization.CultureInfo.InvariantCulture);
                if (all.Length < end + 4 + length)
                    continue;
                _requests.Enqueue((head, all[(end + 4)..(end + 4 + length)]));
                break;
            }
            if (Status is not { } status)
                await Task.Delay(Timeout.Infinite, _stopped.Token);
            else
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} Word\r\nContent-Length: 0\r\n\r\n"), _stopped.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
        }
    }
}
