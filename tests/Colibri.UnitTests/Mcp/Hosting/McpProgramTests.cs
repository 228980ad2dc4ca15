using System.Text.Json;
using System.Text.Json.Nodes;
using Colibri.Mcp.Tools;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using static Colibri.UnitTests.Cli.Output.Samples;
using static Colibri.UnitTests.Mcp.Hosting.ServedSession;

namespace Colibri.UnitTests.Mcp.Hosting;

/// <summary>The whole server but for its process, with the SDK's own client of both revisions.</summary>
public sealed class McpProgramTests
{
    [Test]
    [Arguments(Old)]
    [Arguments(New)]
    public async Task Both_revisions_list_the_same_tools_in_the_tables_order(string revision)
    {
        await using var session = await ServedSession.StartAsync(FakeDaemon.Granting("{}"), revision);

        session.Client.NegotiatedProtocolVersion.ShouldBe(revision);
        (await session.Client.ListToolsAsync()).Select(tool => tool.Name).ShouldBe(ToolTable.All.Where(tool => tool.Gate != ToolGate.External).Select(tool => tool.Name));
    }

    [Test]
    [Arguments(Old)]
    [Arguments(New)]
    public async Task A_wait_ends_with_the_task_and_its_result(string revision)
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], []), revision);

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
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], [Asking]), revision, (question, _) =>
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
        await using var session = await ServedSession.StartAsync(BoardOf([Started], [Asking]), Old, (_, _) => ValueTask.FromResult(new ElicitResult { Action = action }));

        var result = await session.WaitAsync("""{"tasks":[7]}""");

        result.GetProperty("outcome").GetString().ShouldBe("question");
        session.Daemon.Requests.ShouldNotContain(line => line.Contains("\"answer\"", StringComparison.Ordinal));
    }

    [Test]
    [Arguments(true, false)]
    [Arguments(false, true)]
    public async Task Without_elicitation_or_write_gate_the_question_ends_the_wait_and_is_in_its_result(bool mayWrite, bool canElicit)
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started], [Asking]), Old, canElicit ? (_, _) => throw new InvalidOperationException("asked") : null, mayWrite);

        var question = (await session.WaitAsync("""{"tasks":[7]}""")).GetProperty("questions")[0];

        question.GetProperty("agent_id").GetString().ShouldBe(AgentId);
        question.GetProperty("question").GetProperty("request").GetString().ShouldBe("q1");
    }

    [Test]
    public async Task A_wait_that_is_told_to_goes_through_a_question()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], [Asking], goesOn: true), Old);

        (await session.WaitAsync("""{"tasks":[7],"through_questions":true}""")).GetProperty("outcome").GetString().ShouldBe("over");
    }

    [Test]
    public async Task A_wait_whose_time_is_up_says_how_things_stand()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started], []), Old);

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
        var board = BoardOf([Started], [], subscribed);
        await using var session = await ServedSession.StartAsync(board, revision);
        using var cancelled = new CancellationTokenSource();

        var wait = session.Client.CallToolAsync(new CallToolRequestParams { Name = "colibri_wait", Arguments = Arguments("""{"tasks":[7],"timeout_seconds":600}""") }, cancelled.Token).AsTask();
        await subscribed.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await cancelled.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => wait);
        await board.AllClosedAsync().WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Test]
    public async Task A_wait_tells_its_progress()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], []), Old);
        var told = new TaskCompletionSource<string?>();

        await session.Client.CallToolAsync("colibri_wait", new Dictionary<string, object?> { ["tasks"] = JsonElement.Parse("[7]") }, new Progress(value => told.TrySetResult(value.Message)));

        (await told.Task.WaitAsync(TimeSpan.FromSeconds(20)))!.ShouldStartWith("task 7 is ");
    }

    [Test]
    [Arguments(Old)]
    [Arguments(New)]
    public async Task Resources_are_listed_read_and_missed(string revision)
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Done], []), revision);

        (await session.Client.ListResourcesAsync()).Select(resource => resource.Uri).ShouldBe(["colibri://snapshot", "colibri://inbox", "colibri://task/7"]);
        (await session.Client.ListResourceTemplatesAsync()).Count.ShouldBe(2);
        var read = await session.Client.ReadResourceAsync("colibri://task/7");
        read.Contents.OfType<TextResourceContents>().Single().Text.ShouldContain("result:\nit is fixed");
        await Should.ThrowAsync<McpException>(async () => await session.Client.ReadResourceAsync("colibri://nothing/7"));
    }

    [Test]
    public async Task A_subscribed_task_is_told_of()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], []), Old);
        var told = new TaskCompletionSource<string>();

        await using var subscription = await session.Client.SubscribeToResourceAsync("colibri://task/7", (changed, _) =>
        {
            told.TrySetResult(changed.Uri);
            return ValueTask.CompletedTask;
        });

        (await told.Task.WaitAsync(TimeSpan.FromSeconds(20))).ShouldBe("colibri://task/7");
    }

    [Test]
    public async Task A_listener_is_told_what_it_is_granted_and_then_of_each_change_with_its_own_id()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], []), New);
        var granted = new TaskCompletionSource<JsonNode>();
        var told = new TaskCompletionSource<JsonNode>();
        await using var acknowledgements = session.Client.RegisterNotificationHandler(NotificationMethods.SubscriptionsAcknowledgedNotification, (sent, _) => Set(granted, sent));
        await using var updates = session.Client.RegisterNotificationHandler(NotificationMethods.ResourceUpdatedNotification, (sent, _) => Set(told, sent));
        using var enough = new CancellationTokenSource();

        var request = new JsonRpcRequest
        {
            Id = new RequestId("listen"),
            Method = "subscriptions/listen",
            Params = JsonNode.Parse("""{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["colibri://task/7","colibri://nothing/7"]}}"""),
        };
        var listening = session.Client.SendRequestAsync(request, enough.Token);

        var first = await granted.Task.WaitAsync(TimeSpan.FromSeconds(20));
        (first["notifications"]!.ToJsonString(), Subscription(first)).ShouldBe(("""{"resourceSubscriptions":["colibri://task/7"]}""", "listen"));
        var change = await told.Task.WaitAsync(TimeSpan.FromSeconds(20));
        ((string?)change["uri"], Subscription(change)).ShouldBe(("colibri://task/7", "listen"));
        await enough.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => listening);

        static string? Subscription(JsonNode sent) => (string?)sent["_meta"]!["io.modelcontextprotocol/subscriptionId"];

        static ValueTask Set(TaskCompletionSource<JsonNode> seen, JsonRpcNotification sent)
        {
            seen.TrySetResult(sent.Params!);
            return ValueTask.CompletedTask;
        }
    }

    [Test]
    [Arguments("tools/list", 3_600_000)]
    [Arguments("resources/templates/list", 3_600_000)]
    [Arguments("resources/list", 0)]
    public async Task The_later_revision_says_how_long_a_list_may_be_kept_and_for_whom(string method, int ms)
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started], []), New);

        var list = await session.RequestAsync(method, "{}");

        ((int)list["ttlMs"]!, (string?)list["cacheScope"]).ShouldBe((ms, "private"));
    }

    [Test]
    public async Task The_earlier_revision_has_no_word_for_it()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started], []), Old);

        (await session.RequestAsync("tools/list", "{}")).ContainsKey("ttlMs").ShouldBeFalse();
    }

    private sealed class Progress(Action<ProgressNotificationValue> report) : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) => report(value);
    }
}
