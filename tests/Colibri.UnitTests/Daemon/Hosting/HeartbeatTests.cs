using Colibri.Daemon.Hosting;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Daemon.Hosting;

public sealed class HeartbeatTests : IAsyncDisposable
{
    private const int NotAlive = 108;

    // Short enough to wait for, long enough that a busy machine answers within a third of it.
    private const string Watchdog = "1500000";

    private readonly CollectingLogger _logger = new();
    private readonly NotifySocket _socket = new();
    private readonly CancellationTokenSource _stop = new();
    private volatile TaskCompletionSource _client = new();
    private volatile Task _part = Task.CompletedTask;
    private volatile string _status = "all quiet";
    private volatile int _asked;
    private Task _running = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        _socket.Dispose();
    }

    [Test]
    public void Ready_is_said_once_a_client_is_answered()
    {
        Start(watchdog: null);
        Shell.Until(() => _asked > 0, "a client asks");
        _socket.IsEmpty.ShouldBeTrue();

        _client.SetResult();

        _socket.Next().ShouldBe(["READY=1", "STATUS=all quiet"]);
    }

    [Test]
    public void A_client_that_is_refused_at_first_asks_again()
    {
        _client.SetException(new IOException("nobody listens"));
        Start(watchdog: null);
        Shell.Until(() => _asked > 1, "it asks again");
        _socket.IsEmpty.ShouldBeTrue();

        _client = Answered();

        _socket.Next()[0].ShouldBe("READY=1");
    }

    [Test]
    public void It_lives_as_long_as_every_part_answers()
    {
        _client = Answered();
        Start(Watchdog);
        _socket.Next()[0].ShouldBe("READY=1");
        _socket.Next()[0].ShouldBe("WATCHDOG=1");
        _status = "1 of 4 agents running";
        Shell.Until(() => _socket.Next() is ["WATCHDOG=1", "STATUS=1 of 4 agents running"], "it lives, and says what it does");

        var hung = new TaskCompletionSource();
        _part = hung.Task;
        Shell.Until(() => _logger.Of(NotAlive).Count == 1, "the part is missed");
        _logger.Of(NotAlive)[0].ShouldContain("the scheduler");
        Shell.Until(() => _socket.Next() is ["STATUS=the scheduler does not answer"], "people are told");
        var asked = _asked;
        Shell.Until(() => _asked > asked + 1, "it has looked again");
        _socket.IsEmpty.ShouldBeTrue();

        _part = Task.CompletedTask;
        _socket.Next()[0].ShouldBe("WATCHDOG=1");
        _logger.Of(NotAlive).Count.ShouldBe(1);
    }

    [Test]
    public void It_is_not_alive_when_no_client_is_answered()
    {
        _client = Answered();
        Start(Watchdog);
        _socket.Next()[0].ShouldBe("READY=1");

        _client = new TaskCompletionSource();
        _client.SetException(new IOException("its socket is gone"));

        Shell.Until(() => _logger.Of(NotAlive).Count == 1, "the socket is missed");
        _logger.Of(NotAlive)[0].ShouldContain("the socket");
    }

    private static TaskCompletionSource Answered()
    {
        var answered = new TaskCompletionSource();
        answered.SetResult();
        return answered;
    }

    private void Start(string? watchdog)
    {
        var manager = ServiceManager.Find(
            name => name switch { "NOTIFY_SOCKET" => _socket.Address, "WATCHDOG_USEC" => watchdog, _ => null }, Environment.ProcessId, _logger)!;
        var heartbeat = new Heartbeat(
            manager,
            _ =>
            {
                _asked++;
                return _client.Task;
            },
            [("the board's writer", _ => Task.CompletedTask), ("the scheduler", _ => _part)],
            () => _status,
            TimeProvider.System,
            _logger);
        _running = Task.Run(async () =>
        {
            using (manager)
                await heartbeat.RunAsync(_stop.Token);
        });
    }
}
