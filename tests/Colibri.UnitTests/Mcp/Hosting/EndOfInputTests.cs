using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Colibri.Mcp.Hosting;
using Colibri.Mcp.Tools;
using Colibri.UnitTests.Protocol.Client;
using static Colibri.UnitTests.Mcp.Hosting.ServedSession;

namespace Colibri.UnitTests.Mcp.Hosting;

/// <summary>A client that says all it has to say and closes its end, as a shell's pipe does.</summary>
public sealed class EndOfInputTests
{
    private const string Hello = """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""";
    private const string Granted = """{"ok":true,"data":{}}""";

    [Test]
    public async Task Every_request_is_answered_although_the_daemon_answers_after_the_end()
    {
        using var input = new Input(Hello, Status(2), Status(3), Status(4));
        await using var daemon = new FakeDaemon(async (_, connection) =>
        {
            await input.Ended;
            await connection.SendAsync(Granted);
        });

        var answers = await ServeAsync(input, daemon);

        answers.Keys.ShouldBe(["1", "2", "3", "4"], ignoreOrder: true);
        answers.Where(answer => answer.Key != "1").ShouldAllBe(answer => !answer.Value.GetProperty("result").GetProperty("isError").GetBoolean());
    }

    [Test]
    public async Task A_last_line_needs_no_newline()
    {
        using var input = new Input(Encoding.UTF8.GetBytes($"{Hello}\n{Status(2)}"));
        await using var daemon = FakeDaemon.Answering(Granted);

        (await ServeAsync(input, daemon)).Keys.ShouldBe(["1", "2"], ignoreOrder: true);
    }

    [Test]
    public async Task A_wait_ends_and_says_how_things_stand()
    {
        using var input = new Input(Hello, Call(2, "colibri_wait", """{"tasks":[7],"timeout_seconds":600}"""));
        await using var daemon = BoardOf([Started], []);

        var answer = (await ServeAsync(input, daemon))["2"].GetProperty("result").GetProperty("structuredContent");

        answer.GetProperty("outcome").GetString().ShouldBe("timeout");
        answer.GetProperty("tasks")[0].GetProperty("status").GetString().ShouldBe("started");
    }

    [Test]
    public async Task A_request_that_takes_longer_than_five_seconds_is_given_up_and_the_others_are_answered()
    {
        using var input = new Input(Hello, Call(2, "colibri_inbox", "{}"), Status(3));
        await using var daemon = new FakeDaemon((line, connection) => line.Contains("inbox", StringComparison.Ordinal) ? Task.CompletedTask : connection.SendAsync(Granted));

        (await ServeAsync(input, daemon)).Keys.ShouldBe(["1", "3"], ignoreOrder: true);

        // Given up means that its connection is closed too.
        await daemon.AllClosedAsync().WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Test]
    [Arguments("""{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{}}""", "")]
    [Arguments("""{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"x"}}""", """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}""")]
    public async Task What_is_never_answered_holds_nothing_up(string request, string then)
    {
        using var input = new Input(request, then);
        var since = Stopwatch.StartNew();
        await using var transport = new ClientTransport(input, Stream.Null);

        await foreach (var _ in transport.MessageReader.ReadAllAsync(TestContext.Current!.Execution.CancellationToken))
        {
        }

        since.Elapsed.ShouldBeLessThan(ClientTransport.Patience);
    }

    [Test]
    [Arguments("""{"jsonrpc":"2.0","id":7,"method":""", "7")]
    [Arguments("""{"id":"x"}""", "x")]
    public async Task A_line_that_is_no_message_is_answered_where_its_id_can_be_read(string line, string id)
    {
        using var input = new Input(Hello, "", "nonsense", "[]", line);
        await using var daemon = FakeDaemon.Answering(Granted);

        var answers = await ServeAsync(input, daemon);

        answers.Keys.ShouldBe(["1", id], ignoreOrder: true);
        answers[id].GetProperty("error").GetProperty("code").GetInt32().ShouldBe(-32700);
    }

    private static string Status(int id) => Call(id, "colibri_status", "{}");

    private static string Call(int id, string tool, string arguments) =>
        $$$"""{"jsonrpc":"2.0","id":{{{id}}},"method":"tools/call","params":{"name":"{{{tool}}}","arguments":{{{arguments}}}}}""";

    /// <summary>Serves to the end; the answers by their ids.</summary>
    private static async Task<Dictionary<string, JsonElement>> ServeAsync(Input input, FakeDaemon daemon)
    {
        using var output = new MemoryStream();
        await McpProgram.ServeAsync(input, output, daemon.SocketPath, new ToolGates(false, false), _ => null, TestContext.Current!.Execution.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30));
        return Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonElement.Parse(line))
            .Where(message => message.TryGetProperty("id", out _))
            .ToDictionary(message => message.GetProperty("id").ToString());
    }

    /// <summary>Says when its end was read.</summary>
    private sealed class Input(byte[] bytes) : MemoryStream(bytes)
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Input(params string[] lines)
            : this(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))))
        {
        }

        public Task Ended => _ended.Task;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            if (read == 0)
                _ended.TrySetResult();
            return read;
        }
    }
}
