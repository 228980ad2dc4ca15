using System.Text.Json;
using Colibri.Mcp.Daemon;
using Colibri.Mcp.Tools;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol.Client;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using static Colibri.UnitTests.Cli.Output.Samples;

namespace Colibri.UnitTests.Mcp.Tools;

/// <summary>Calls of tools against a daemon that answers what the test says.</summary>
public sealed class ToolDispatchTests
{
    private static readonly ToolGates ReadOnly = new(Write: false, External: true);
    private static readonly ToolGates Open = new(Write: true, External: true);

    [Test]
    public async Task Without_the_write_gate_what_changes_something_is_not_listed_and_says_how_to_open_it()
    {
        await using var daemon = FakeDaemon.Granting("{}");
        using var dispatch = new ToolDispatch(new DaemonCalls(daemon.SocketPath), ReadOnly, null);

        dispatch.Listed.Where(tool => tool.Gate != ToolGate.None).ShouldBeEmpty();
        foreach (var tool in ToolTable.All.Where(tool => tool.Gate != ToolGate.None))
        {
            var result = await Call(dispatch, tool.Name, "{}");
            result.IsError.ShouldBe(true);
            Text(result).ShouldContain("--write");
        }
        daemon.Requests.ShouldBeEmpty();
    }

    [Test]
    public async Task The_external_tools_have_a_gate_of_their_own_besides()
    {
        using var dispatch = new ToolDispatch(new DaemonCalls("/nowhere/s"), new ToolGates(Write: true, External: false), null);

        dispatch.Listed.Where(tool => tool.Gate == ToolGate.External).ShouldBeEmpty();
        Text(await Call(dispatch, "colibri_external_mcp_list", "{}")).ShouldContain("--external");
    }

    [Test]
    public async Task A_call_is_a_request_with_the_arguments_as_they_are()
    {
        await using var daemon = FakeDaemon.Granting(Json(Queued with { Number = 3 }, ProtocolJson.Wire.BoardTask));
        using var dispatch = Dispatch(daemon);

        var result = await Call(dispatch, "colibri_create_task", """{"title":"Fix é","priority":5,"after":[1,"t2"],"tags":["a","b"],"hold":true,"model":null}""");

        result.IsError.ShouldNotBe(true, Text(result));
        daemon.Requests.ShouldHaveSingleItem().ShouldBe("""{"cmd":"create-task","title":"Fix é","priority":5,"hold":true,"after":["1","t2"],"tags":["a","b"]}""");
        result.StructuredContent!.Value.GetProperty("number").GetInt64().ShouldBe(3);
        JsonElement.Parse(Text(result)).GetProperty("title").GetString().ShouldBe(Queued.Title);
    }

    [Test]
    [Arguments("colibri_get_task", """{"task_id":12}""", """{"cmd":"get-task","task_id":"12"}""")]
    [Arguments("colibri_lift_budget", "{}", """{"cmd":"budget","action":"lift"}""")]
    [Arguments("colibri_budget", "{}", """{"cmd":"budget"}""")]
    [Arguments("colibri_answer", """{"agent_id":"a1","request":"q","confirmed":true}""", """{"cmd":"answer","agent_id":"a1","request":"q","confirmed":true}""")]
    [Arguments("colibri_transition_task", """{"task_id":"t","status":"failed","error":"no luck"}""", """{"cmd":"transition-task","task_id":"t","status":"failed","error":{"code":"failed","message":"no luck"}}""")]
    public async Task A_number_a_preset_and_a_short_form_reach_the_daemon_as_it_takes_them(string tool, string arguments, string request)
    {
        await using var daemon = FakeDaemon.Granting("{}");
        using var dispatch = Dispatch(daemon);

        await Call(dispatch, tool, arguments);

        daemon.Requests.ShouldBe([request]);
    }

    [Test]
    [Arguments("""{}""", "needs the argument 'title'")]
    [Arguments("""{"title":"t","titel":"t"}""", "takes no argument 'titel'")]
    [Arguments("""{"title":7}""", "'title' is a text")]
    [Arguments("""{"title":"t","priority":"high"}""", "'priority' is a whole number")]
    [Arguments("""{"title":"t","max_attempts":101}""", "'max_attempts' is a whole number from 1 to 100")]
    [Arguments("""{"title":"t","hold":"yes"}""", "'hold' is true or false")]
    [Arguments("""{"title":"t","tags":"a"}""", "'tags' is a list of texts")]
    [Arguments("""{"title":"t","not_before":"soon"}""", "not_before")]
    public async Task A_wrong_argument_is_answered_with_its_name_and_asks_nobody(string arguments, string words)
    {
        await using var daemon = FakeDaemon.Granting("{}");
        using var dispatch = Dispatch(daemon);

        var result = await Call(dispatch, "colibri_create_task", arguments);

        result.IsError.ShouldBe(true);
        Text(result).ShouldContain(words);
        daemon.Requests.ShouldBeEmpty();
    }

    [Test]
    public async Task A_refusal_comes_with_its_code()
    {
        await using var daemon = FakeDaemon.Answering("""{"ok":false,"error":{"code":"not-found","message":"there is no task 9"}}""");
        using var dispatch = Dispatch(daemon);

        var result = await Call(dispatch, "colibri_get_task", """{"task_id":9}""");

        (result.IsError, Text(result)).ShouldBe((true, "not-found: there is no task 9"));
    }

    [Test]
    public async Task A_daemon_that_is_away_is_said_in_words()
    {
        using var dispatch = new ToolDispatch(new DaemonCalls("/nowhere/s"), Open, null);

        Text(await Call(dispatch, "colibri_status", "{}")).ShouldStartWith("no daemon at /nowhere/s");
    }

    [Test]
    public async Task An_unknown_tool_is_an_error_of_the_protocol()
    {
        using var dispatch = new ToolDispatch(new DaemonCalls("/nowhere/s"), Open, null);

        (await Should.ThrowAsync<McpProtocolException>(() => Call(dispatch, "colibri_rm", "{}"))).ErrorCode.ShouldBe(McpErrorCode.InvalidParams);
    }

    [Test]
    public async Task A_long_answer_is_shortened_and_says_so()
    {
        await using var daemon = FakeDaemon.Granting($$"""{"tasks":[{"title":"{{new string('x', 100_000)}}"}]}""");
        using var dispatch = Dispatch(daemon);

        var result = await Call(dispatch, "colibri_list_tasks", "{}");

        Text(result).Length.ShouldBeLessThanOrEqualTo(65_536);
        result.StructuredContent!.Value.GetProperty("left_out").GetString()!.ShouldContain("1 texts were cut");
    }

    [Test]
    public async Task Ready_tasks_are_those_that_wait_for_nothing()
    {
        await using var daemon = FakeDaemon.Granting("""{"tasks":[{"number":1,"blocked_by":[{"code":"held","message":"m"}]},{"number":2}]}""");
        using var dispatch = Dispatch(daemon);

        var result = await Call(dispatch, "colibri_ready_tasks", """{"workspace":"site"}""");

        result.StructuredContent!.Value.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("number").GetInt32()).ShouldBe([2]);
        daemon.Requests.ShouldBe(["""{"cmd":"list-tasks","status":"queued","limit":1000,"workspace":"site"}"""]);
    }

    [Test]
    public async Task A_session_is_a_transcript_of_its_latest_entries()
    {
        await using var daemon = FakeDaemon.Granting("""
            {"session_id":"s","generation":1,"entries":[{"seq":1,"ts":"2026-11-22T06:07:10.893Z","kind":"user","text":"go"},{"seq":2,"ts":"2026-11-22T06:07:11.893Z","kind":"tool_result","tool":"bash","is_error":true,"text":"no"}]}
            """.Trim());
        using var dispatch = Dispatch(daemon);

        var result = await Call(dispatch, "colibri_session", """{"session_id":12,"tail":1}""");

        Text(result).ShouldBe("[1 earlier entries left out]\n#2 2026-11-22 06:07:11 tool result bash (failed)\nno\n");
        result.StructuredContent!.Value.GetProperty("earlier").GetInt32().ShouldBe(1);
        daemon.Requests.ShouldBe(["""{"cmd":"get-session","session_id":"12","all":false}"""]);
    }

    [Test]
    public async Task A_call_beyond_the_bound_is_refused_and_the_next_one_is_not()
    {
        var answered = new TaskCompletionSource();
        await using var daemon = new FakeDaemon(async (_, connection) =>
        {
            await answered.Task;
            await connection.SendAsync("""{"ok":true,"data":{}}""");
        });
        using var dispatch = Dispatch(daemon);

        var calls = Enumerable.Range(0, ToolDispatch.MaxCalls).Select(_ => Call(dispatch, "colibri_status", "{}")).ToList();
        Text(await Call(dispatch, "colibri_status", "{}")).ShouldStartWith("64 calls are under way");
        answered.SetResult();
        await Task.WhenAll(calls);

        (await Call(dispatch, "colibri_status", "{}")).IsError.ShouldNotBe(true);
    }

    private static ToolDispatch Dispatch(FakeDaemon daemon) => new(new DaemonCalls(daemon.SocketPath), Open, null);

    private static Task<CallToolResult> Call(ToolDispatch dispatch, string tool, string arguments) => dispatch.CallAsync(
        new CallToolRequestParams { Name = tool, Arguments = JsonElement.Parse(arguments).EnumerateObject().ToDictionary(member => member.Name, member => member.Value) },
        null, TestContext.Current!.Execution.CancellationToken);

    private static string Text(CallToolResult result) => result.Content.OfType<TextContentBlock>().Single().Text;
}
