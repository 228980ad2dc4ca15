using System.Net.Sockets;
using System.Text;
using Colibri.Core.Events;
using Colibri.Core.Settings;
using Colibri.Daemon.Commands;
using Colibri.Daemon.Server;
using Colibri.Posix.Polling;
using Colibri.Protocol;
using Colibri.Protocol.Wire;
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
        await using var listener = SocketListener.Bind(SocketPath, _loop, _counters, _time, failing);
        listener.Serve(Commands(), new EventHub(TimeProvider.System));

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

        for (var i = 1; i <= New; i++)
        {
            var added = Connect();
            _clients.Add(added);
            (await AskAsync(added, "ping")).ShouldStartWith(Ok);
            (await ReadAsync(_clients[i])).ShouldBeEmpty($"client {i} has been idle longest");
        }

        foreach (var kept in (int[])[0, New + 1, Limit - 1, Limit + New - 1])
            (await AskAsync(_clients[kept], "ping")).ShouldStartWith(Ok, customMessage: $"client {kept} is served");
        (_counters.Evicted, _counters.Refused, _counters.Accepted).ShouldBe((New, 0, Limit + New));
        _logger.Of(206).ShouldHaveSingleItem("it is told once a minute").ShouldStartWith("closed 1 connections that had been idle for 60 s or more");

        _time.Advance(TimeSpan.FromMinutes(1));
        using var last = Connect();
        (await AskAsync(last, "ping")).ShouldStartWith(Ok);
        _logger.Of(206)[^1].ShouldStartWith($"closed {New} connections", customMessage: "those that were not told of, and this one");
    }

    [Test]
    public async Task Where_no_client_has_been_idle_for_a_minute_a_new_one_is_refused()
    {
        const int Limit = 8;
        await using var listener = Serve(Limit);
        for (var i = 0; i < Limit; i++)
            await JoinAsync(listener, idle: i + 1);
        _time.Advance(SocketListener.EvictableAfter - TimeSpan.FromTicks(1));

        using var refused = Connect();
        (await ReadAsync(refused)).ShouldContain("8 connections are open; close some and try again");
        (await ReadAsync(refused)).ShouldBeEmpty();

        (_counters.Evicted, _counters.Refused).ShouldBe((0, 1));
        foreach (var client in _clients)
            (await AskAsync(client, "ping")).ShouldStartWith(Ok);
    }

    [Test]
    public async Task A_subscriber_and_a_client_with_a_request_under_way_are_not_idle_and_half_a_line_is()
    {
        const int Limit = 3;
        await using var listener = Serve(Limit);
        var subscriber = await JoinAsync(listener, idle: 1);
        (await AskAsync(subscriber, "subscribe")).ShouldStartWith(Ok);
        var waiting = await JoinAsync(listener, idle: 1);
        await waiting.SendAsync("""{"cmd":"status"}"""u8.ToArray().Append((byte)'\n').ToArray(), Token);
        Shell.Until(() => listener.Idle == 0, "its request is under way");
        var half = await JoinAsync(listener, idle: 1);
        _time.Advance(TimeSpan.FromMinutes(10));
        await half.SendAsync("""{"cmd":"pi"""u8.ToArray(), Token);
        Shell.Until(() => listener.Longest == TimeSpan.Zero, "it was heard");
        _time.Advance(TimeSpan.FromMinutes(10));

        try
        {
            using var added = Connect();
            (await AskAsync(added, "ping")).ShouldStartWith(Ok);
            (await ReadAsync(half)).ShouldBeEmpty("it has asked nothing yet");

            using var refused = Connect();
            (await ReadAsync(refused)).ShouldContain("3 connections are open");
        }
        finally
        {
            // The listener's end waits for it.
            _held.SetResult(Reply.Empty);
        }
        (await ReadAsync(waiting)).ShouldStartWith(Ok);
        (_counters.Evicted, _counters.Refused).ShouldBe((1, 1));
    }

    [Test]
    public async Task A_socket_that_is_removed_is_bound_anew_and_no_connection_is_dropped()
    {
        await using var listener = Serve(8);
        var kept = await JoinAsync(listener, idle: 1);
        File.SetUnixFileMode(SocketPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Look().ShouldBeNull();

        for (var i = 2; i <= 4; i++)
        {
            File.Delete(SocketPath);
            listener.Look().ShouldBeNull();

            (await AskAsync(kept, "ping")).ShouldStartWith(Ok);
            await JoinAsync(listener, idle: i);
        }

        File.GetUnixFileMode(SocketPath).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, "as an operator had made it");
        _logger.Of(207).Count.ShouldBe(3);
    }

    [Test]
    public async Task A_directory_that_is_removed_is_made_anew()
    {
        var path = Path.Combine(_directory, "run", "d.sock");
        await using var listener = SocketListener.Bind(path, _loop, _counters, _time, _logger);
        listener.Serve(Commands(), new EventHub(_time));
        Directory.Delete(Path.Combine(_directory, "run"), recursive: true);

        listener.Look().ShouldBeNull();

        File.Exists(path).ShouldBeTrue();
    }

    [Test]
    public async Task A_living_daemon_s_socket_is_told_and_never_touched_and_a_dead_one_s_is_replaced()
    {
        var listener = Serve(8);
        File.Delete(SocketPath);
        using (var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            other.Bind(new Colibri.Posix.Sockets.UnixListenerEndPoint(SocketPath));
            other.Listen(1);

            var told = listener.Look().ShouldNotBeNull();
            told.State.ShouldBe(StatusFile.Taken);
            told.Reason.ShouldContain($"pid {Environment.ProcessId}");
            await listener.DisposeAsync();
            File.Exists(SocketPath).ShouldBeTrue("it is the other one's");
        }

        File.Delete(SocketPath);
        await using var next = Serve(8);
        File.Delete(SocketPath);
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            dead.Bind(new Colibri.Posix.Sockets.UnixListenerEndPoint(SocketPath));
        next.Look().ShouldBeNull();
        using var client = Connect();
        (await AskAsync(client, "ping")).ShouldStartWith(Ok);
    }

    [Test]
    public async Task What_is_no_socket_is_told_and_the_socket_comes_back_when_it_is_gone()
    {
        await using var listener = Serve(8);
        File.Delete(SocketPath);
        Directory.CreateDirectory(SocketPath);
        listener.Look().ShouldNotBeNull().State.ShouldBe(StatusFile.Replaced);
        Directory.Delete(SocketPath);
        File.CreateSymbolicLink(SocketPath, "/nowhere/at-all");
        listener.Look().ShouldNotBeNull().Reason.ShouldContain("leads nowhere");
        File.Delete(SocketPath);
        await File.WriteAllTextAsync(SocketPath, "", Token);
        listener.Look().ShouldNotBeNull().Reason.ShouldContain("is no socket");
        File.Delete(SocketPath);

        listener.Look().ShouldBeNull();

        using var client = Connect();
        (await AskAsync(client, "ping")).ShouldStartWith(Ok);
    }

    [Test]
    public void A_daemon_that_accepts_nobody_is_a_living_one()
    {
        using var hung = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        hung.Bind(new Colibri.Posix.Sockets.UnixListenerEndPoint(SocketPath));
        hung.Listen(1);
        while (true)
        {
            var waiting = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            _clients.Add(waiting);
            try
            {
                waiting.Connect(new UnixDomainSocketEndPoint(SocketPath));
            }
            catch (SocketException)
            {
                break;
            }
        }

        Should.Throw<ConfigurationException>(Bind).Message.ShouldContain("accepts nobody");
    }

    private const string Ok = """{"ok":true""";

    private SocketListener Serve(int limit)
    {
        var listener = SocketListener.Bind(SocketPath, _loop, _counters, _time, _logger, limit);
        listener.Serve(Commands(), new EventHub(_time));
        return listener;
    }

    /// <summary>Connects, and returns when the listener has the client among so many idle ones.</summary>
    private async Task<Socket> JoinAsync(SocketListener listener, int idle)
    {
        var client = Connect();
        _clients.Add(client);
        (await AskAsync(client, "ping")).ShouldStartWith(Ok);
        Shell.Until(() => listener.Idle == idle, $"{idle} clients are idle");
        return client;
    }

    private SocketListener Bind() => SocketListener.Bind(SocketPath, _loop, _counters, _time, _logger);

    private CommandTable Commands() => StubCommands.With(WireCommand.Status, _ => new ValueTask<Reply>(_held.Task));

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
