using System.Diagnostics;
using System.Threading.Channels;
using Colibri.Cli;
using Colibri.Cli.Output;
using Colibri.Cli.Top;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Cli.Output.Samples;
using static Colibri.UnitTests.Cli.Top.TopSamples;

namespace Colibri.UnitTests.Cli.Top;

/// <summary>The loop with a stand-in for the terminal and one for the daemon.</summary>
public sealed class TopLoopTests
{
    private static string Said(Pane pane) => Json(new Event { Kind = "pane", Topic = "panes", At = Now, Pane = pane }, ProtocolJson.Wire.Event);

    [Test]
    public async Task An_event_is_on_the_screen_without_a_further_request()
    {
        FakeConnection? subscriber = null;
        await using var daemon = TopDaemon.Of(Morning(), (line, connection) =>
        {
            if (line.Contains("subscribe", StringComparison.Ordinal))
                subscriber = connection;
            return Task.CompletedTask;
        });
        await using var top = Running.On(daemon.SocketPath);
        await top.ShowsAsync("a1    working");
        var asked = daemon.Requests.Count;

        await subscriber!.SendAsync(Said(Agent(1) with { Tool = "grep", LastEvent = "x" }));
        await top.ShowsAsync("a1    working  grep");

        daemon.Requests.Count.ShouldBe(asked);
        (await top.QuitAsync()).ShouldBe("Enter Leave");
    }

    [Test]
    public async Task A_notice_asks_for_what_waits()
    {
        FakeConnection? subscriber = null;
        var model = Morning();
        await using var daemon = TopDaemon.Of(model, (line, connection) =>
        {
            if (line.Contains("subscribe", StringComparison.Ordinal))
                subscriber = connection;
            return Task.CompletedTask;
        });
        await using var top = Running.On(daemon.SocketPath);
        await top.ShowsAsync("ATTENTION 5");

        model.Take(new InboxReport([Item(InboxKind.Failed, 44, "a new failure")]));
        await subscriber!.SendAsync("""{"kind":"notice","topic":"notices","at":"2026-11-28T00:00:00.000Z","notice":{"id":1,"kind":"failed","message":"x"}}""");
        await top.ShowsAsync("a new failure");
    }

    [Test]
    public async Task After_missed_events_everything_is_asked_anew()
    {
        FakeConnection? subscriber = null;
        var model = Morning();
        await using var daemon = TopDaemon.Of(model, (line, connection) =>
        {
            if (line.Contains("subscribe", StringComparison.Ordinal))
                subscriber = connection;
            return Task.CompletedTask;
        });
        await using var top = Running.On(daemon.SocketPath);
        await top.ShowsAsync("AGENTS 4");

        model.TakeAll([Agent(77)]);
        await subscriber!.SendAsync("""{"kind":"missed","at":"2026-11-28T00:00:00.000Z","missed":3}""");
        await top.ShowsAsync("a77   working");
    }

    [Test]
    public async Task An_action_is_sent_and_its_outcome_is_said()
    {
        await using var daemon = TopDaemon.Of(Morning());
        await using var top = Running.On(daemon.SocketPath);
        await top.ShowsAsync("a1    working");

        top.Type("na1");

        await top.ShowsAsync("agent a2 has its answer   (colibri answer a2 --value 'postgres')");
        daemon.Requests.ShouldContain("""{"cmd":"answer","agent_id":"agent-2","request":"q1","value":"postgres"}""");
    }

    [Test]
    public async Task A_refusal_is_said_on_the_line_of_status()
    {
        await using var daemon = TopDaemon.Of(Morning(), (line, connection) => line.Contains("pause-queue", StringComparison.Ordinal)
            ? connection.SendAsync("""{"ok":false,"error":{"code":"conflict","message":"64 things are paused"}}""")
            : Task.CompletedTask);
        await using var top = Running.On(daemon.SocketPath);
        await top.ShowsAsync("a1    working");
        top.Type("p");
        await top.ShowsAsync("! 64 things are paused (conflict)");
    }

    [Test]
    public async Task A_daemon_that_goes_away_is_said_and_taken_up_again()
    {
        FakeConnection? subscriber = null;
        var isAway = false;
        await using var daemon = TopDaemon.Of(Morning(), (line, connection) =>
        {
            if (line.Contains("subscribe", StringComparison.Ordinal))
                subscriber = connection;
            if (Volatile.Read(ref isAway))
                connection.Close();
            return Task.CompletedTask;
        });
        await using var top = Running.On(daemon.SocketPath);
        await top.ShowsAsync("paused: provider deepseek");

        Volatile.Write(ref isAway, true);
        subscriber!.Close();
        await top.ShowsAsync("closed the connection");
        Volatile.Write(ref isAway, false);
        await top.ShowsAsync("paused: provider deepseek");
    }

    [Test]
    public async Task A_stop_leaves_the_terminal_clean_and_going_on_draws_all_of_it()
    {
        await using var daemon = TopDaemon.Of(Morning());
        await using var top = Running.On(daemon.SocketPath);
        await top.ShowsAsync("a1    working");
        top.Send(new TopItem.Suspend());
        await top.ShowsAsync("a1    working");
        (await top.QuitAsync()).ShouldBe("Enter Leave Stop Enter Leave");
    }

    [Test]
    public async Task A_terminal_that_is_gone_ends_it()
    {
        await using var daemon = TopDaemon.Of(Morning());
        await using var top = Running.On(daemon.SocketPath);
        await top.ShowsAsync("a1    working");
        top.Terminal.IsGone = true;
        top.Type("j");
        (await top.EndAsync()).ShouldBe("Enter Leave");
    }

    [Test]
    public async Task Another_size_is_drawn_whole()
    {
        await using var daemon = TopDaemon.Of(Morning());
        await using var top = Running.On(daemon.SocketPath);
        await top.ShowsAsync("a1    working");
        top.Terminal.Resize(40, 10);
        top.Send(new TopItem.Redraw(Anew: false));
        await top.ShowsAsync("colibri top needs 60x14");
    }

    /// <summary>A loop under way on a terminal of 80 columns and 24 rows.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
        private readonly Channel<TopItem> _items = TopLoop.NewItems();
        private readonly TopLoop _loop;
        private readonly Task _running;

        private Running(string socketPath)
        {
            var host = new CliHost { Stdin = TextReader.Null, Stdout = Stream.Null, Stderr = TextWriter.Null, Environment = _ => null };
            _loop = new TopLoop(new CliSession(host, new Screen(host), socketPath, json: false, TestContext.Current!.Execution.CancellationToken), _items, Terminal, colour: true, TimeProvider.System);
            _running = _loop.RunAsync(CancellationToken.None);
        }

        public FakeTerminal Terminal { get; } = new();

        public static Running On(string socketPath) => new(socketPath);

        public void Send(TopItem item) => _items.Writer.TryWrite(item).ShouldBeTrue();

        public void Type(string letters)
        {
            foreach (var letter in letters)
                Send(new TopItem.Typed(Key.Of(letter)));
        }

        public Task ShowsAsync(string text) => UntilAsync(() => Terminal.Text.Contains(text, StringComparison.Ordinal), text);

        public Task<string> QuitAsync()
        {
            Type("q");
            return EndAsync();
        }

        public async Task<string> EndAsync()
        {
            await _running.WaitAsync(Deadline);
            return Terminal.Calls;
        }

        public async ValueTask DisposeAsync()
        {
            _items.Writer.TryWrite(new TopItem.End());
            await _running.WaitAsync(Deadline);
            _loop.Dispose();
        }

        private async Task UntilAsync(Func<bool> holds, string what)
        {
            for (var clock = Stopwatch.StartNew(); !holds(); await Task.WhenAny(Terminal.NextAsync(), _running, Task.Delay(50)))
            {
                if (_running.IsFaulted)
                    await _running;
                clock.Elapsed.ShouldBeLessThan(Deadline, $"{what} is not on:\n{Terminal.Text}");
            }
        }
    }

    private sealed class FakeTerminal : ITopTerminal
    {
        private readonly Lock _turn = new();
        private readonly List<string> _calls = [];
        private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private ShownScreen _screen = new(80, 24);

        public (int Width, int Height) Size { get; private set; } = (80, 24);
        public bool IsGone { get; set; }

        public string Calls
        {
            get
            {
                lock (_turn)
                    return string.Join(' ', _calls);
            }
        }

        public string Text
        {
            get
            {
                lock (_turn)
                    return _screen.Text;
            }
        }

        public Task NextAsync()
        {
            lock (_turn)
                return _next.Task;
        }

        public void Resize(int width, int height)
        {
            lock (_turn)
                (Size, _screen) = ((width, height), new ShownScreen(width, height));
        }

        public void Enter() => Called("Enter");

        public void Leave() => Called("Leave");

        public void Stop() => Called("Stop");

        public void Write(ReadOnlyMemory<byte> bytes)
        {
            if (IsGone)
                throw new IOException("EIO");
            lock (_turn)
            {
                _screen.Write(bytes.Span);
                _next.TrySetResult();
                _next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        private void Called(string call)
        {
            lock (_turn)
            {
                // What another program has written meanwhile is not known.
                _screen = new ShownScreen(Size.Width, Size.Height);
                _calls.Add(call);
            }
        }
    }
}
