using System.Net.Sockets;
using System.Text.Json;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Headroom;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Sessions.Headroom;

/// <summary>A sidecar that is absent, slow, gone, confused or of no help costs nothing but its timeout, and the original text stays.</summary>
public sealed class HeadroomTests : IAsyncDisposable
{
    private static readonly string Text = new('x', 4_000);

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-headroom-").FullName;
    private readonly FakeTime _time = new();
    private readonly CollectingLogger _logger = new();
    private readonly HeadroomClient _client;
    private readonly SessionStore _sessions;
    private Sidecar? _sidecar;

    public HeadroomTests()
    {
        _client = new HeadroomClient(SocketPath, _time, _logger);
        _sessions = new SessionStore(
            Path.Combine(_directory, "sessions"), new CostControl(CostMode.Max, new EventHub(_time)), _time, _logger)
        { Headroom = _client };
    }

    private string SocketPath => Path.Combine(_directory, "h.sock");

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _sidecar?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public async Task A_shorter_answer_takes_the_texts_place_and_says_what_it_stands_for()
    {
        Serve((id, _) => [Reply(id, "in short")]);
        await _sessions.AppendAsync("s", ToolResult(Text));

        Words().ShouldHaveSingleItem().ShouldBe(
            "in short\n[... shortened by headroom from 4000 bytes; SHA-256 of the whole: "
            + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Text))) + " ...]\n");
        _client.State.ShouldBe(new StatusHeadroom(true, SocketPath, true, Requests: 1, Shortened: 1, Passed: 0, BytesSaved: Text.Length - Words()[0].Length));
        JsonDocument.Parse(_sidecar!.Requests.ShouldHaveSingleItem()).RootElement.GetProperty("role").GetString().ShouldBe("tool");
    }

    [Test]
    public async Task Only_tool_results_that_are_worth_it_are_handed_over()
    {
        Serve((id, _) => [Reply(id, "x")]);
        await _sessions.AppendAsync("s", ToolResult("short"));
        await _sessions.AppendAsync("s", new SessionEntry { Kind = SessionEntryKind.Assistant, Text = Text });

        Words().ShouldBe(["short", Text]);
        _client.State.Requests.ShouldBe(0);
    }

    [Test]
    public async Task An_absent_sidecar_costs_nothing_and_is_tried_again_with_back_off()
    {
        _client.Start();
        Shell.Until(() => _client.State.LastError is not null && _time.NextTimer is not null, "it rests");
        _time.NextTimer!.Value.ShouldBeInRange(TimeSpan.FromSeconds(0.75), TimeSpan.FromSeconds(1));
        await ShouldStayAsync();
        (_client.State.Connected, _client.State.Requests).ShouldBe((false, 0));

        for (var rest = 2; rest <= 64; rest *= 2)
        {
            _time.Advance(_time.NextTimer!.Value);
            Shell.Until(() => _time.NextTimer is not null, "it rests longer");
            _time.NextTimer!.Value.ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(Math.Min(rest, 30)));
        }
        _time.NextTimer!.Value.ShouldBeGreaterThan(TimeSpan.FromSeconds(22));
        _logger.Of(506).ShouldHaveSingleItem("it is told once");

        _sidecar = new Sidecar(SocketPath, (id, _) => [Reply(id, "in short")]);
        _time.Advance(_time.NextTimer!.Value);
        Shell.Until(() => _client.State.Connected, "it is there again");
    }

    [Test]
    public async Task A_slow_sidecar_delays_an_append_by_its_timeout_at_most_and_the_next_not_at_all()
    {
        Serve((_, _) => []);
        var append = _sessions.AppendAsync("s", ToolResult(Text));
        Shell.Until(() => _sidecar!.Requests.Count == 1, "it has the text");
        _time.Advance(HeadroomClient.Timeout - TimeSpan.FromMilliseconds(1));
        append.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await append.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);

        Words().ShouldBe([Text]);
        Shell.Until(() => !_client.State.Connected, "the connection is given up");
        await _sessions.AppendAsync("s", ToolResult(Text)).WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        (_client.State.Requests, _client.State.Passed, _client.State.LastError).ShouldBe((1, 1, "no answer within 5 s"));
    }

    [Test]
    public async Task A_sidecar_that_closes_early_leaves_the_text()
    {
        Serve((_, _) => null);
        await ShouldStayAsync();
        Shell.Until(() => !_client.State.Connected, "the connection is gone");
    }

    [Test]
    [Arguments("garbage")]
    [Arguments("[]")]
    [Arguments("{\"id\":\"1\"}")]
    [Arguments("{\"id\":\"1\",\"compressed\":7}")]
    [Arguments("{\"compressed\":\"x\"}")]
    [Arguments("{\"id\":\"1\",\"compressed\":\"x\"")]
    public async Task A_sidecar_that_answers_garbage_leaves_the_text_and_is_given_up(string answer)
    {
        Serve((_, _) => [answer]);
        await ShouldStayAsync();
        (_client.State.Passed, _client.State.LastError).ShouldBe((1, "an answer that is none"));
    }

    [Test]
    public async Task A_larger_answer_leaves_the_text()
    {
        Serve((id, raw) => [Reply(id, raw + "!")]);
        await ShouldStayAsync();
        (_client.State.Connected, _client.State.Passed, _client.State.LastError).ShouldBe((true, 1, "the answer was not shorter"));
    }

    [Test]
    public async Task Answers_find_their_text_in_any_order_and_entries_keep_theirs()
    {
        var held = new List<string>();
        Serve((id, raw) =>
        {
            held.Insert(0, Reply(id, raw[..4]));
            return held.Count < 3 ? [] : ["{\"id\":\"nobody\",\"compressed\":\"late\"}", .. held];
        });
        var appends = new[] { "aaaa", "bbbb", "cccc" }.Select(head => _sessions.AppendAsync("s", ToolResult(head + Text))).ToList();
        appends.Insert(1, _sessions.AppendAsync("s", new SessionEntry { Kind = SessionEntryKind.Note, Text = "behind them" }));
        await Task.WhenAll(appends);

        Words().Select(words => words[..4]).ShouldBe(["aaaa", "bbbb", "cccc", "behi"]);
        (_client.State.Shortened, _client.State.Connected).ShouldBe((3, true));
    }

    [Test]
    public async Task A_compaction_waits_for_the_entries_before_it()
    {
        Serve((_, _) => []);
        var append = _sessions.AppendAsync("s", ToolResult(Text));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _sessions.AppendAsync("t", ToolResult("short"))));
        Shell.Until(() => _sidecar!.Requests.Count == 1, "it has the text");
        Directory.CreateDirectory(Path.Combine(_directory, "sessions", "s"));
        await File.WriteAllTextAsync(
            Path.Combine(_directory, "sessions", "s", "0001.jsonl"), "{\"seq\":1,\"ts\":\"2026-11-22T06:07:10.893Z\",\"kind\":\"user\",\"text\":\"hello\"}\n",
            TestContext.Current!.Execution.CancellationToken);
        var compaction = _sessions.CompactAsync("s");
        compaction.IsCompleted.ShouldBeFalse();
        _time.Advance(HeadroomClient.Timeout);
        await append.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        (await compaction.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken))!.Entries.ShouldBeGreaterThan(0);
        (await _sessions.AppendAsync("s", new SessionEntry { Kind = SessionEntryKind.Note, Text = "after" })).Seq.ShouldBe(4, "hello, the text, the summary, this");
    }

    [Test]
    public async Task Texts_under_way_are_bounded()
    {
        Serve((_, _) => []);
        var asked = Enumerable.Range(0, HeadroomClient.MaxPending).Select(_ => _client.ShortenAsync(Text, (shortened, _) => shortened).AsTask()).ToList();
        (await _client.ShortenAsync(Text, (shortened, _) => shortened)).ShouldBeNull();
        _client.State.LastError.ShouldBe("64 texts are under way");
        asked.ShouldAllBe(task => !task.IsCompleted);
    }

    private static SessionEntry ToolResult(string text) => new() { Kind = SessionEntryKind.ToolResult, Tool = "bash", Text = text };

    private static string Reply(string id, string compressed) =>
        $$"""{"id":"{{JsonEncodedText.Encode(id)}}","compressed":"{{JsonEncodedText.Encode(compressed)}}","tokens_before":1000,"tokens_after":10}""";

    private IReadOnlyList<string> Words() => [.. _sessions.Read("s", all: true)!.Entries.Select(entry => entry.Text!)];

    private async Task ShouldStayAsync()
    {
        await _sessions.AppendAsync("s", ToolResult(Text)).WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        Words().ShouldBe([Text]);
    }

    private void Serve(Func<string, string, IReadOnlyList<string>?> answer)
    {
        _sidecar = new Sidecar(SocketPath, answer);
        _client.Start();
        Shell.Until(() => _client.State.Connected, "it is connected");
    }

    /// <summary>Answers each request with these lines; null closes the connection.</summary>
    private sealed class Sidecar : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _requests = new();

        public Sidecar(string path, Func<string, string, IReadOnlyList<string>?> answer)
        {
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            _listener.Listen();
            _ = AcceptAsync(answer);
        }

        public System.Collections.Concurrent.ConcurrentQueue<string> Requests => _requests;

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync(Func<string, string, IReadOnlyList<string>?> answer)
        {
            try
            {
                while (true)
                    _ = ServeAsync(await _listener.AcceptAsync(), answer);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task ServeAsync(Socket socket, Func<string, string, IReadOnlyList<string>?> answer)
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            using var reader = new StreamReader(stream);
            try
            {
                while (await reader.ReadLineAsync() is { } line)
                {
                    _requests.Enqueue(line);
                    var request = JsonDocument.Parse(line).RootElement;
                    if (answer(request.GetProperty("id").GetString()!, request.GetProperty("raw").GetString()!) is not { } lines)
                        return;
                    foreach (var reply in lines)
                        await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(reply + "\n"));
                }
            }
            catch (IOException)
            {
                // It was given up.
            }
        }
    }
}
