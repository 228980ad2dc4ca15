using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace Colibri.UnitTests.Protocol.Client;

/// <summary>A listener on a socket of its own that does with each request line what the test says.</summary>
internal sealed class FakeDaemon : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cf");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _stopped = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly ConcurrentBag<Socket> _connections = [];
    private readonly Func<string, FakeConnection, Task> _answer;
    private readonly ConcurrentQueue<Task> _served = new();
    private readonly Task _accepting;

    public FakeDaemon(Func<string, FakeConnection, Task> answer)
    {
        _answer = answer;
        SocketPath = Path.Combine(_directory.FullName, "s");
        _listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        _listener.Listen(16);
        _accepting = AcceptAsync();
    }

    public string SocketPath { get; }

    /// <summary>Ends once every connection that was made by now is closed by its client.</summary>
    public Task AllClosedAsync() => Task.WhenAll(_served);

    /// <summary>Request lines, in the order they came.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>One that gives the same answer to everything.</summary>
    public static FakeDaemon Answering(string reply) => new((_, connection) => connection.SendAsync(reply));

    /// <summary>One that grants everything, with this data.</summary>
    public static FakeDaemon Granting(string data) => Answering($$"""{"ok":true,"data":{{data}}}""");

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listener.Dispose();
        foreach (var connection in _connections)
            connection.Dispose();
        await _accepting;
        _stopped.Dispose();
        _directory.Delete(recursive: true);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var connection = await _listener.AcceptAsync(_stopped.Token);
                _connections.Add(connection);
                _served.Enqueue(ServeAsync(connection));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
        await Task.WhenAll(_served);
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using var reader = new StreamReader(new NetworkStream(socket), Encoding.UTF8);
            var connection = new FakeConnection(socket);
            while (await reader.ReadLineAsync(_stopped.Token) is { } line)
            {
                _requests.Enqueue(line);
                await _answer(line, connection);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
        }
    }
}
