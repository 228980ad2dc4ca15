using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Colibri.Mcp.Waiting;
using Colibri.UnitTests.Mcp.Hosting;
using Colibri.UnitTests.Protocol.Client;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using static Colibri.UnitTests.Mcp.Hosting.ServedSession;

namespace Colibri.UnitTests.Mcp.Waiting;

/// <summary><c>colibri_wait</c> as a task of the client, in both revisions, through the whole server.</summary>
public sealed class TaskMethodsTests
{
    private const string Wait = """{"name":"colibri_wait","arguments":{"tasks":[7]},"task":{}}""";
    private static readonly ClientCapabilities Extended = new() { Extensions = new Dictionary<string, object> { [TaskMethods.Extension] = new JsonObject() } };

    [Test]
    public async Task The_result_of_a_task_comes_with_the_end_of_its_call()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], []), Old);
        var id = Id(await session.RequestAsync("tools/call", Wait));

        var result = await session.RequestAsync("tasks/result", Named(id));

        ((string?)result["structuredContent"]!["outcome"]).ShouldBe("over");
        RelatedTo(result["_meta"]).ShouldBe(id);
        var after = await session.RequestAsync("tasks/get", Named(id));
        ((string?)after["status"], (string?)after["statusMessage"]).ShouldBe(("completed", "task 7 is done"));
        (await session.RequestAsync("tasks/list", "{}"))["tasks"]!.AsArray().Single()!["taskId"]!.ToString().ShouldBe(id);
    }

    [Test]
    [Arguments("""{}""", 4_200_000)]
    [Arguments("""{"ttl":60000}""", 4_200_000)]
    [Arguments("""{"ttl":7200000}""", 7_200_000)]
    [Arguments("""{"ttl":1e300}""", 90_000_000)]
    [Arguments("""{"ttl":"long"}""", 4_200_000)]
    public async Task It_is_kept_for_longer_than_its_wait_lasts_and_as_long_as_its_client_asks(string asked, int ms)
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started], []), Old);

        var task = (await session.RequestAsync("tools/call", $$$"""{"name":"colibri_wait","arguments":{"tasks":[7]},"task":{{{asked}}}}"""))["task"]!.AsObject();

        task.Select(member => member.Key).ShouldBe(["taskId", "status", "createdAt", "lastUpdatedAt", "ttl", "pollInterval"], ignoreOrder: true);
        ((string?)task["status"], (int)task["ttl"]!).ShouldBe(("working", ms));
    }

    [Test]
    public async Task A_cancelled_task_ends_its_call_and_has_no_result()
    {
        var subscribed = new TaskCompletionSource();
        var board = BoardOf([Started], [], subscribed);
        await using var session = await ServedSession.StartAsync(board, Old);
        var id = Id(await session.RequestAsync("tools/call", Wait));
        await subscribed.Task.WaitAsync(TimeSpan.FromSeconds(20));

        var cancelled = await session.RequestAsync("tasks/cancel", Named(id));

        ((string?)cancelled["status"]).ShouldBe("cancelled");
        await board.AllClosedAsync().WaitAsync(TimeSpan.FromSeconds(20));
        (await Refused(session, "tasks/result", Named(id))).Message.ShouldContain("cancelled");
        (await Refused(session, "tasks/cancel", Named(id))).ErrorCode.ShouldBe(McpErrorCode.InvalidParams);
    }

    [Test]
    public async Task A_call_that_the_daemon_refuses_is_a_failed_task_with_the_answer_of_the_tool()
    {
        await using var session = await ServedSession.StartAsync(FakeDaemon.Answering("""{"ok":false,"error":{"code":"not-found","message":"there is no task 7"}}"""), Old);
        var id = Id(await session.RequestAsync("tools/call", Wait));

        var result = await session.RequestAsync("tasks/result", Named(id));

        ((bool)result["isError"]!, (string?)result["content"]![0]!["text"]).ShouldBe((true, "not-found: there is no task 7"));
        ((string?)(await session.RequestAsync("tasks/get", Named(id)))["status"]).ShouldBe("failed");
    }

    [Test]
    public async Task While_the_person_is_asked_the_task_needs_input_and_the_form_names_it()
    {
        var asked = new TaskCompletionSource<ElicitRequestParams>();
        var answer = new TaskCompletionSource<ElicitResult>();
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], [Asking]), Old, (form, _) =>
        {
            asked.TrySetResult(form!);
            return new ValueTask<ElicitResult>(answer.Task);
        });
        var id = Id(await session.RequestAsync("tools/call", Wait));

        var form = await asked.Task.WaitAsync(TimeSpan.FromSeconds(20));
        var status = (string?)(await session.RequestAsync("tasks/get", Named(id)))["status"];
        answer.SetResult(new ElicitResult { Action = "accept", Content = new Dictionary<string, JsonElement> { ["value"] = JsonElement.Parse("\"Allow\"") } });
        var result = await session.RequestAsync("tasks/result", Named(id));

        RelatedTo(form.Meta).ShouldBe(id);
        status.ShouldBe("input_required");
        ((string?)result["structuredContent"]!["outcome"]).ShouldBe("over");
    }

    [Test]
    [Arguments("tools/call", """{"name":"colibri_status","arguments":{},"task":{}}""", McpErrorCode.MethodNotFound)]
    [Arguments("tasks/get", """{"taskId":"nothing"}""", McpErrorCode.InvalidParams)]
    [Arguments("tasks/result", """{}""", McpErrorCode.InvalidParams)]
    [Arguments("tasks/cancel", """{"taskId":7}""", McpErrorCode.InvalidParams)]
    [Arguments("tasks/update", """{"taskId":"nothing"}""", McpErrorCode.MethodNotFound)]
    public async Task What_is_no_task_is_refused(string method, string parameters, McpErrorCode code)
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started], []), Old);

        (await Refused(session, method, parameters)).ErrorCode.ShouldBe(code);
    }

    [Test]
    public async Task The_earlier_revision_says_that_there_are_tasks_and_which_tool_can_be_one()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started], []), Old);

        var tools = (await session.RequestAsync("tools/list", "{}"))["tools"]!.AsArray();

        tools.Where(tool => tool!["execution"] is not null).Select(tool => $"{tool!["name"]} {tool["execution"]!.ToJsonString()}").ShouldBe(["""colibri_wait {"taskSupport":"optional"}"""]);
        session.Client.ServerCapabilities.Extensions.ShouldBeNull();
    }

    [Test]
    public async Task The_later_revision_gives_a_task_to_a_client_that_can_take_one()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], []), New, capabilities: Extended);
        session.Client.ServerCapabilities.Extensions!.Keys.ShouldBe([TaskMethods.Extension]);

        var made = await session.RequestAsync("tools/call", """{"name":"colibri_wait","arguments":{"tasks":[7],"timeout_seconds":60}}""");

        ((string?)made["resultType"], (int)made["ttlMs"]!).ShouldBe(("task", 660_000));
        var id = (string)made["taskId"]!;
        var task = await TaskWhereAsync(session, id, task => (string?)task["status"] != "working");
        ((string?)task["status"], (string?)task["resultType"], (string?)task["result"]!["structuredContent"]!["outcome"]).ShouldBe(("completed", "complete", "over"));
        ((string?)(await session.RequestAsync("tasks/cancel", Named(id)))["resultType"]).ShouldBe("complete");
        foreach (var method in (string[])["tasks/result", "tasks/list"])
            (await Refused(session, method, Named(id))).ErrorCode.ShouldBe(McpErrorCode.MethodNotFound);
    }

    [Test]
    public async Task In_the_later_revision_a_question_stands_in_the_task_until_it_is_answered()
    {
        var elicits = new ClientCapabilities { Extensions = Extended.Extensions, Elicitation = new ElicitationCapability { Form = new FormElicitationCapability() } };
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], [Asking]), New, capabilities: elicits);
        var id = (string)(await session.RequestAsync("tools/call", """{"name":"colibri_wait","arguments":{"tasks":[7]}}"""))["taskId"]!;

        var asking = await TaskWhereAsync(session, id, task => (string?)task["status"] == "input_required");
        var (key, asked) = asking["inputRequests"]!.AsObject().Single();
        await session.RequestAsync("tasks/update", $$$$"""{"taskId":"{{{{id}}}}","inputResponses":{"another":{"action":"cancel"}}}""");
        await session.RequestAsync("tasks/update", $$$$$"""{"taskId":"{{{{{id}}}}}","inputResponses":{"{{{{{key}}}}}":{"action":"accept","content":{"value":"Allow"}}}}""");
        var over = await TaskWhereAsync(session, id, task => task["result"] is not null);

        ((string?)asked!["method"], (string?)asked["params"]!["message"]).ShouldBe(("elicitation/create", "Agent a1 (pi), at work on task 7, asks:\nRun rm?\n- Allow\n- Reject"));
        ((string?)over["result"]!["structuredContent"]!["outcome"]).ShouldBe("over");
        session.Daemon.Requests.Count(line => line.Contains("\"value\":\"Allow\"", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Test]
    public async Task The_later_revision_gives_none_to_another_client()
    {
        await using var session = await ServedSession.StartAsync(BoardOf([Started, Done], []), New);

        (await session.WaitAsync("""{"tasks":[7]}""")).GetProperty("outcome").GetString().ShouldBe("over");
    }

    /// <summary>That revision has no request that waits, so a client asks again and again.</summary>
    private static async Task<JsonObject> TaskWhereAsync(ServedSession session, string id, Predicate<JsonObject> holds)
    {
        for (var since = Stopwatch.StartNew(); since.Elapsed < TimeSpan.FromSeconds(20);)
        {
            var task = await session.RequestAsync("tasks/get", Named(id));
            if (holds(task))
                return task;
        }
        throw new TimeoutException("the task is not as it should be");
    }

    private static string Id(JsonObject made) => (string)made["task"]!["taskId"]!;

    private static string? RelatedTo(JsonNode? meta) => (string?)meta!["io.modelcontextprotocol/related-task"]!["taskId"];

    private static string Named(string id) => $$"""{"taskId":"{{id}}"}""";

    private static Task<McpProtocolException> Refused(ServedSession session, string method, string parameters) =>
        Should.ThrowAsync<McpProtocolException>(() => session.RequestAsync(method, parameters));
}
