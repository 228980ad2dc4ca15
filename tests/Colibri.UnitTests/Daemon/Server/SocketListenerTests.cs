using System.Net.Sockets;
using System.Text;
using Colibri.Core.Events;
using Colibri.Core.Settings;
using Colibri.Daemon.Server;
using Colibri.Posix.Polling;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;
using Microsoft.Extensions.Logging;

namespace Colibri.UnitTests.Daemon.Server;

// Counts the descriptors of the test process.
[NotInParallel]
public sealed class SocketListenerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-listener-").FullName;
    private readonly EventLoop _loop = new("clients", LoopPace.Attend);
    private readonly CollectingLogger _logger = new();
    private readonly ServerCounters _counters = new();
    private readonly FakeTime _time = new();
    private readonly TaskCompletionSource<Reply> _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Socket> _clients = [];

    private string SocketPath => Path.Combine(_directory, "d.sock");

    private static CancellationToken Token => TestContext.Current!.Execution.CancellationToken;

    public void Dispose()
    {
        foreach (var client in _clients)
            client.Dispose();
        _loop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public void A_path_that_cannot_be_bound_leaves_no_socket()
    {
        Directory.CreateDirectory(SocketPath);
        Leaves(() => Should.Throw<ConfigurationException>(Bind).Message.ShouldContain(SocketPath));
        Directory.Exists(SocketPath).ShouldBeTrue("it is not the listener's");
    }

    [Test]
    public void A_socket_that_cannot_be_watched_is_closed_and_its_name_removed()
    {
        _loop.Dispose();
        Leaves(() => Should.Throw<Exception>(Bind));
        File.Exists(SocketPath).ShouldBeFalse();
    }

    [Test]
    public async Task A_client_that_cannot_be_admitted_is_closed_and_takes_no_place()
    {
        var failing = new FailingLogger(_logger, 200);
        await using var listener = SocketListener.Bind(SocketPath, _loop, _counters, failing);
        listener.Serve(StubCommands.Table, new EventHub(TimeProvider.System));

        for (var client = 0; client < SocketListener.MaxConnections; client++)
        {
            using var refused = Connect();
            (await ReadAsync(refused)).ShouldBeEmpty($"client {client} is closed");
        }
        failing.Fails = false;

        using var served = Connect();
        (await AskAsync(served, "ping")).ShouldStartWith(Ok);
    }

    [Test]
    public async Task A_new_client_takes_the_place_of_the_one_that_was_idle_longest()
    {
        const int Limit = 200;
        const int New = 3;
        await using var listener = Serve(Limit);
        for (var i = 0; i < Limit; i++)
        {
            await JoinAsync(listener, idle: i + 1);
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }
        // The first is the latest now.
        (await AskAsync(_clients[0], "ping")).ShouldStartWith(Ok);
        Shell.Until(() => listener.Idle == Limit, "it is idle again");
        _time.SetClock(TimeSpan.FromDays(-1));
        _time.Advance(SocketListener.EvictableAfter);

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }

    private static async Task<string> AskAsync(Socket client, string command)
    {
        await client.SendAsync(Encoding.UTF8.GetBytes($$"""{"cmd":"{{command}}","topics":["tasks"]}{{'\n'}}"""), Token);
        return await ReadAsync(client);
    }

    /// <summary>What comes next; empty at the connection's end.</summary>
    private static async Task<string> ReadAsync(Socket client)
    {
        var buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, await client.ReceiveAsync(buffer, Token).AsTask().WaitAsync(Shell.Deadline, Token));
    }

    private static void Leaves(Action work)
    {
        const int Times = 8;
        work();
        var before = Sockets();
        for (var i = 0; i < Times; i++)
            work();
        Sockets().ShouldBeLessThan(before + Times, "each try leaves a socket");
    }

    private static int Sockets() => Directory.GetFiles("/proc/self/fd").Count(path => new FileInfo(path).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

    private sealed class FailingLogger(ILogger inner, int eventId) : ILogger
    {
        public volatile bool Fails = true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId @event, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Fails && @event.Id == eventId)
                throw new InvalidOperationException("it cannot be logged");
            inner.Log(logLevel, @event, state, exception, formatter);
        }
    }
}
