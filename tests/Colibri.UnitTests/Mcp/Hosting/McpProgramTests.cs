using System.Diagnostics;
using System.IO.Pipelines;
using System.Text.Json;
using Colibri.Mcp.Hosting;
using Colibri.Mcp.Tools;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Mcp.Hosting;

/// <summary>The whole server but for its process, with the SDK's own client of both revisions.</summary>
public sealed class McpProgramTests
{
    private const string Old = "2025-11-25";
    private const string New = "2026-07-28";
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;
    private static readonly BoardTask Started = Queued with { Number = 7, Status = TaskState.Started };
    private static readonly BoardTask Done = Started with { Status = TaskState.Done, Result = new TaskResult("it is fixed") };
    private static readonly Pane Asking = Working with { TaskNumber = 7, Label = "a1", Question = new AgentQuestion("q1", AgentQuestion.Permission, "Run rm?", Options: ["Allow", "Reject"]) };

    [Test]
    [Arguments(Old)]
    [Arguments(New)]
    public async Task Both_revisions_list_the_same_tools_in_the_tables_order(string revision)
    {
        await using var session = await Session.StartAsync(FakeDaemon.Granting("{}"), revision);

        session.Client.NegotiatedProtocolVersion.ShouldBe(revision);
        (await session.Client.ListToolsAsync()).Select(tool => tool.Name).ShouldBe(ToolTable.All.Where(tool => tool.Gate != ToolGate.External).Select(tool => tool.Name));
    }

    [Test]
    [Arguments(Old)]
    [Arguments(New)]
    public async Task A_wait_ends_with_the_task_and_its_result(string revision)
    {
        await using var session = await Session.StartAsync(Board([Started, Done], []), revision);

        var result = await session.WaitAsync("""{"tasks":[7]}""");

        result.GetProperty("outcome").GetString().ShouldBe("over");
        result.GetProperty("tasks")[0].GetProperty("result").GetProperty("text").GetString().ShouldBe("it is fixed");
    }

    [Test]
    [Arguments(Old)]
    [Arguments(New)]
    public async Task A_question_is_asked_of_the_person_and_the_wait_goes_on(string revision)
    {
        var asked = new List<ElicitRequestParams>();
        await using var session = await Session.StartAsync(Board([Started, Done], [Asking]), revision, (question, _) =>
        {
            asked.Add(question!);
            return ValueTask.FromResult(new ElicitResult { Action = "accept", Content = new Dictionary<string, JsonElement> { ["value"] = JsonElement.Parse("\"Allow\"") } });
        });

        var result = await session.WaitAsync("""{"tasks":[7]}""");

        result.GetProperty("outcome").GetString().ShouldBe("over", result.ToString());
        asked.ShouldHaveSingleItem().Message.ShouldBe("Agent a1 (pi), at work on task 7, asks:\nRun rm?\n- Allow\n- Reject");
        session.Daemon.Requests.ShouldContain($$"""{"cmd":"answer","agent_id":"{{AgentId}}","request":"q1","value":"Allow"}""");
    }

    [Test]
    [Arguments("decline")]
    [Arguments("cancel")]
    public async Task A_question_that_the_person_dismisses_stays_open_and_ends_the_wait(string action)
    {
        await using var session = await Session.StartAsync(Board([Started], [Asking]), Old, (_, _) => ValueTask.FromResult(new ElicitResult { Action = action }));

        var result = await session.WaitAsync("""{"tasks":[7]}""");

        result.GetProperty("outcome").GetString().ShouldBe("question");
        session.Daemon.Requests.ShouldNotContain(line => line.Contains("\"answer\"", StringComparison.Ordinal));
    }

    [Test]
    [Arguments(true, false)]
    [Arguments(false, true)]
    public async Task Without_elicitation_or_write_gate_the_question_ends_the_wait_and_is_in_its_result(bool mayWrite, bool canElicit)
    {
        await using var session = await Session.StartAsync(Board([Started], [Asking]), Old, canElicit ? (_, _) => throw new InvalidOperationException("asked") : null, mayWrite);

        var question = (await session.WaitAsync("""{"tasks":[7]}""")).GetProperty("questions")[0];

        question.GetProperty("agent_id").GetString().ShouldBe(AgentId);
        question.GetProperty("question").GetProperty("request").GetString().ShouldBe("q1");
    }

    [Test]
    public async Task A_wait_that_is_told_to_goes_through_a_question()
    {
        await using var session = await Session.StartAsync(Board([Started, Done], [Asking], goesOn: true), Old);

        (await session.WaitAsync("""{"tasks":[7],"through_questions":true}""")).GetProperty("outcome").GetString().ShouldBe("over");
    }

    [Test]
    public async Task A_wait_whose_time_is_up_says_how_things_stand()
    {
        await using var session = await Session.StartAsync(Board([Started], []), Old);

        var result = await session.WaitAsync("""{"tasks":[7],"timeout_seconds":1}""");

        result.GetProperty("outcome").GetString().ShouldBe("timeout");
        result.GetProperty("tasks")[0].GetProperty("status").GetString().ShouldBe("started");
    }

    [Test]
    [Arguments(Old)]
    [Arguments(New)]
    public async Task A_cancelled_wait_closes_its_connection_to_the_daemon(string revision)
    {
        var subscribed = new TaskCompletionSource();
        var board = Board([Started], [], subscribed);
        await using var session = await Session.StartAsync(board, revision);
        using var cancelled = new CancellationTokenSource();

        var wait = session.Client.CallToolAsync(new CallToolRequestParams { Name = "colibri_wait", Arguments = Arguments("""{"tasks":[7],"timeout_seconds":600}""") }, cancelled.Token).AsTask();
        await subscribed.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await cancelled.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => wait);
        for (var since = Stopwatch.StartNew(); board.Open > 0; await Task.Delay(10))
            since.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20));
    }

    [Test]
    public async Task A_wait_tells_its_progress()
    {
        await using var session = await Session.StartAsync(Board([Started, Done], []), Old);
        var told = new TaskCompletionSource<string?>();

        await session.Client.CallToolAsync("colibri_wait", new Dictionary<string, object?> { ["tasks"] = JsonElement.Parse("[7]") }, new Progress(value => told.TrySetResult(value.Message)));

        (await told.Task.WaitAsync(TimeSpan.FromSeconds(20)))!.ShouldStartWith("task 7 is ");
    }

    [Test]
    [Arguments(Old)]
    [Arguments(New)]
    public async Task Resources_are_listed_read_and_missed(string revision)
    {
        await using var session = await Session.StartAsync(Board([Done], []), revision);

        (await session.Client.ListResourcesAsync()).Select(resource => resource.Uri).ShouldBe(["colibri://snapshot", "colibri://inbox", "colibri://task/7"]);
        (await session.Client.ListResourceTemplatesAsync()).Count.ShouldBe(2);
        var read = await session.Client.ReadResourceAsync("colibri://task/7");
        read.Contents.OfType<TextResourceContents>().Single().Text.ShouldContain("result:\nit is fixed");
        await Should.ThrowAsync<McpException>(async () => await session.Client.ReadResourceAsync("colibri://nothing/7"));
    }

    [Test]
    public async Task A_subscribed_task_is_told_of()
    {
        await using var session = await Session.StartAsync(Board([Started, Done], []), Old);
        var told = new TaskCompletionSource<string>();

        await using var subscription = await session.Client.SubscribeToResourceAsync("colibri://task/7", (changed, _) =>
        {
            told.TrySetResult(changed.Uri);
            return ValueTask.CompletedTask;
        });

        (await told.Task.WaitAsync(TimeSpan.FromSeconds(20))).ShouldBe("colibri://task/7");
    }

    private static Dictionary<string, JsonElement> Arguments(string json) => JsonElement.Parse(json).EnumerateObject().ToDictionary(member => member.Name, member => member.Value);

    /// <summary>
    /// A board with one task, which goes through these states: the next one comes when someone has subscribed and read it, and while an agent asks
    /// only after its answer, unless it goes on without.
    /// </summary>
    private static FakeDaemon Board(BoardTask[] states, Pane[] panes, TaskCompletionSource? subscribed = null, bool goesOn = false)
    {
        var (state, subscriber, isAnswered) = (0, (FakeConnection?)null, panes.Length == 0);
        return new FakeDaemon(async (line, connection) =>
        {
            var command = JsonElement.Parse(line).GetProperty("cmd").GetString();
            await connection.SendAsync($$"""{"ok":true,"data":{{command switch
            {
                "subscribe" => """{"topics":["tasks","panes"]}""",
                "list-tasks" => $$"""{"tasks":[{{Json(states[state], Wire.BoardTask)}}]}""",
                "snapshot" => Json(new Snapshot(Snapshot.CurrentSchema, "here", Now, isAnswered ? [] : panes), Wire.Snapshot),
                "answer" => "{}",
                _ => Json(states[state], Wire.BoardTask),
            }}}}""");
            isAnswered |= command == "answer";
            if (command == "subscribe")
            {
                subscriber = connection;
                subscribed?.TrySetResult();
            }
            else if (command is "snapshot" or "get-task" && subscriber is not null && state + 1 < states.Length && (isAnswered || goesOn))
            {
                await subscriber.SendAsync(Json(new Event { Kind = "task", Topic = "tasks", At = Now, Task = states[++state] }, Wire.Event));
            }
        });
    }

    private sealed class Progress(Action<ProgressNotificationValue> report) : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) => report(value);
    }

    private sealed class Session : IAsyncDisposable
    {
        private readonly CancellationTokenSource _over = new();
        private Task _serving = Task.CompletedTask;

        public required FakeDaemon Daemon { get; init; }
        public McpClient Client { get; private set; } = null!;

        public static async Task<Session> StartAsync(
            FakeDaemon daemon, string revision, Func<ElicitRequestParams?, CancellationToken, ValueTask<ElicitResult>>? elicit = null, bool mayWrite = true)
        {
            var session = new Session { Daemon = daemon };
            var (toServer, toClient) = (new Pipe(), new Pipe());
            session._serving = McpProgram.ServeAsync(
                toServer.Reader.AsStream(), toClient.Writer.AsStream(), daemon.SocketPath, new ToolGates(mayWrite, External: false), _ => null, session._over.Token);
            var options = new McpClientOptions { ProtocolVersion = revision, Handlers = new McpClientHandlers { ElicitationHandler = elicit } };
            session.Client = await McpClient.CreateAsync(new StreamClientTransport(toServer.Writer.AsStream(), toClient.Reader.AsStream()), options);
            return session;
        }

        public async Task<JsonElement> WaitAsync(string arguments)
        {
            var result = await Client.CallToolAsync(new CallToolRequestParams { Name = "colibri_wait", Arguments = Arguments(arguments) }, TestContext.Current!.Execution.CancellationToken);
            return result.StructuredContent ?? throw new ShouldAssertException(result.Content.OfType<TextContentBlock>().Single().Text);
        }

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await _over.CancelAsync();
            try
            {
                await _serving.WaitAsync(TimeSpan.FromSeconds(20));
            }
            catch (OperationCanceledException)
            {
            }
            _over.Dispose();
            await Daemon.DisposeAsync();
        }
    }
}
