using System.Collections.Concurrent;
using System.Text;
using Colibri.Core.Agents.Transports;
using Colibri.Core.Panes;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Transports;

/// <summary>What the protocol allows and no recording shows: several permissions at once, several sessions of one agent, agents that end or hang.</summary>
public sealed class AcpTransportTests : ITransportSite
{
    private readonly ConcurrentQueue<string> _said = new();
    private readonly Lock _feeding = new();
    private readonly AcpTransport _transport;
    private readonly AgentPane _pane;

    public AcpTransportTests()
    {
        _transport = new AcpTransport(new AcpManners { TellsCost = true }, this, TimeProvider.System);
        _transport.Prepare(new ConversationWish("/work") { Access = Access.Edit });
        _pane = new AgentPane(new PaneIdentity("id-1", "acp", "acp"), _transport.Dialect, new StoppedClock(), keepsWords: true);
        _ = _transport.Input.PumpAsync(line =>
        {
            _said.Enqueue(Encoding.UTF8.GetString(line.Span).TrimEnd());
            return Task.CompletedTask;
        });
    }

    public void Poke()
    {
        lock (_feeding)
            _pane.Tell();
    }

    public Task<string?> WriteFileAsync(string path, string text) => Task.FromResult<string?>(null);

    public Task<string?> FirstOutsideAsync(IReadOnlyList<string> paths) => Task.FromResult(paths.FirstOrDefault(path => !path.StartsWith("/work/", StringComparison.Ordinal)));

    public string ClientVersion => "1.0.0";

    public string Redact(string words) => words;

    public Task Watched(string what, Task work) => work;

    [Test]
    public async Task Permissions_that_are_asked_for_at_once_are_shown_one_after_another_whatever_else_the_agent_does()
    {
        await PromptAsync("s-1");
        Ask(7, "call-a", "rm a");
        Ask(8, "call-b", "rm b");
        Say("""{"sessionUpdate":"plan","entries":[]}""");
        Say("""{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"meanwhile"}}""");
        Say("""{"sessionUpdate":"tool_call","toolCallId":"call-c","title":"read","kind":"read","status":"completed"}""");

        Shown().ShouldBe("Blocked rm a");
        Answer("Allow");
        Shown().ShouldBe("Blocked rm b");
        Sent().ShouldBe("""{"jsonrpc":"2.0","id":7,"result":{"outcome":{"outcome":"selected","optionId":"yes"}}}""");
        Answer("Reject");
        Sent().ShouldBe("""{"jsonrpc":"2.0","id":8,"result":{"outcome":{"outcome":"selected","optionId":"no"}}}""");
        Shown().ShouldBe("Working ");
        End("end_turn", null);
        _pane.Show().Denied!.Select(denied => $"{denied.Tool} {denied.Count}").ShouldBe(["execute 1"]);
    }

    [Test]
    public async Task A_permission_whose_call_the_agent_has_ended_itself_is_asked_for_no_longer()
    {
        await PromptAsync("s-1");
        Ask(7, "call-a", "rm a");
        Ask(8, "call-b", "rm b");
        Say("""{"sessionUpdate":"tool_call_update","toolCallId":"call-a","status":"failed"}""");
        Shown().ShouldBe("Blocked rm b");
    }

    [Test]
    public async Task Permissions_that_are_open_when_the_run_is_left_are_answered_as_cancelled_and_so_is_one_that_comes_later()
    {
        await PromptAsync("s-1");
        Ask(7, "call-a", "rm a");
        var cancelled = _transport.CancelAsync(TimeSpan.FromSeconds(20));
        Sent().ShouldContain("session/cancel");
        Sent().ShouldBe("""{"jsonrpc":"2.0","id":7,"result":{"outcome":{"outcome":"cancelled"}}}""");
        Ask(8, "call-b", "rm b");
        Sent().ShouldBe("""{"jsonrpc":"2.0","id":8,"result":{"outcome":{"outcome":"cancelled"}}}""");
        Feed("""{"jsonrpc":"2.0","id":3,"error":{"code":-32800,"message":"Request cancelled"}}""");
        (await cancelled).ShouldBe("cancelled");
        _pane.Run.Stop.ShouldBe(Core.Panes.Dialects.StopReason.Aborted);
    }

    [Test]
    public async Task What_a_session_has_cost_so_far_is_counted_for_each_session_of_its_own()
    {
        await PromptAsync("s-1");
        Say("""{"sessionUpdate":"usage_update","used":1,"size":2,"cost":{"amount":0.5,"currency":"USD"}}""");
        End("end_turn", """{"inputTokens":10,"outputTokens":1}""");
        var forgotten = _transport.ForgetAsync(null);
        Sent().ShouldContain("session/new");
        Feed("""{"jsonrpc":"2.0","id":4,"result":{"sessionId":"s-2"}}""");
        (await forgotten).ShouldBe(RpcReply.Taken);
        (await _transport.PromptAsync("again")).ShouldBe(RpcReply.Taken);
        Sent().ShouldContain("\"sessionId\":\"s-2\"");
        Say("""{"sessionUpdate":"usage_update","used":1,"size":2,"cost":{"amount":0.2,"currency":"USD"}}""", "s-2");
        Feed("""{"jsonrpc":"2.0","id":5,"result":{"stopReason":"end_turn","usage":{"inputTokens":20,"outputTokens":2}}}""");

        _pane.Usage.CostMicrocents.ShouldBe(70_000_000);
        (_pane.Usage.InputTokens, _pane.Usage.OutputTokens).ShouldBe((30, 3));
    }

    [Test]
    public async Task What_comes_after_the_response_and_unknown_requests_change_nothing()
    {
        await PromptAsync("s-1");
        Say("""{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"Done."}}""");
        End("end_turn", null);
        Say("""{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"late"}}""");
        Feed("""{"jsonrpc":"2.0","id":"u-1","method":"terminal/create","params":{}}""");
        Sent().ShouldBe("""{"jsonrpc":"2.0","id":"u-1","error":{"code":-32601,"message":"method not found"}}""");
        Feed("no JSON at all");
        (_pane.Show().Activity, _pane.Run.IsSettled, _pane.Show().MalformedLines).ShouldBe((Activity.Done, true, 1));
    }

    [Test]
    [Arguments("max_tokens", "token-limit")]
    [Arguments("max_turn_requests", "token-limit")]
    [Arguments("refusal", "agent-error")]
    [Arguments("cancelled", "aborted")]
    public async Task Each_reason_of_an_end_has_its_verdict(string reason, string verdict)
    {
        await PromptAsync("s-1");
        Say("""{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"So far."}}""");
        End(reason, null);
        Core.Runs.RunVerdict.Judge(_pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe(verdict);
    }

    [Test]
    public async Task An_agent_that_ends_while_a_conversation_is_opened_has_refused_nothing()
    {
        var prompted = _transport.PromptAsync("do it");
        Sent().ShouldContain("initialize");
        _transport.Input.Close();
        var reply = await prompted;
        (reply.IsTaken, reply.IsAnswered, reply.IsSent).ShouldBe((false, false, true));
    }

    [Test]
    public async Task A_sign_in_that_is_wanted_is_told_with_the_ways_to_do_it()
    {
        var opening = _transport.OpenAsync();
        Sent().ShouldContain("initialize");
        Feed("""{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1,"authMethods":[{"id":"oauth"},{"id":"api-key"}]}}""");
        Sent().ShouldContain("session/new");
        Feed("""{"jsonrpc":"2.0","id":2,"error":{"code":-32000,"message":"Authentication required"}}""");
        (await opening).Problem.ShouldBe("it wants to be signed in, and nobody can do that here: Authentication required; sign in as its user by one of: oauth, api-key");
    }

    [Test]
    public async Task Another_version_of_the_protocol_is_refused()
    {
        var opening = _transport.OpenAsync();
        Sent().ShouldContain("\"protocolVersion\":1");
        Feed("""{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":2}}""");
        (await opening).Problem.ShouldBe("it speaks version 2 of the Agent Client Protocol, and Colibri speaks 1");
    }

    private async Task PromptAsync(string session)
    {
        var opening = _transport.OpenAsync();
        Sent().ShouldContain("initialize");
        Feed("""{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1,"agentCapabilities":{"loadSession":true},"authMethods":[]}}""");
        Sent().ShouldContain("session/new");
        Feed($$"""{"jsonrpc":"2.0","id":2,"result":{"sessionId":"{{session}}"} }""");
        (await opening).Problem.ShouldBeNull();
        (await _transport.PromptAsync("do it")).ShouldBe(RpcReply.Taken);
        Sent().ShouldContain("session/prompt");
    }

    private void Ask(int id, string call, string title) => Feed($$$"""
        {"jsonrpc":"2.0","id":{{{id}}},"method":"session/request_permission","params":{"sessionId":"s-1","toolCall":{"toolCallId":"{{{call}}}","title":"{{{title}}}","kind":"execute","status":"pending","rawInput":{"command":"{{{title}}}"} },"options":[{"optionId":"yes","name":"Allow","kind":"allow_once"},{"optionId":"no","name":"Reject","kind":"reject_once"}]}}
        """);

    private void Say(string update, string session = "s-1") =>
        Feed($$"""{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"{{session}}","update":{{update}} } }""");

    private void End(string reason, string? usage) =>
        Feed($$"""{"jsonrpc":"2.0","id":3,"result":{"stopReason":"{{reason}}","usage":{{usage ?? "null"}} } }""");

    private void Answer(string option)
    {
        var question = _pane.Question!;
        _pane.TryAnswer(question.Request).ShouldBeTrue();
        _transport.TryAnswer(question, new QuestionAnswer(option, null)).ShouldBeTrue();
    }

    private string Shown() => $"{_pane.Show().Activity} {_pane.Question?.Title}";

    private string Sent()
    {
        string? line = null;
        SpinWait.SpinUntil(() => _said.TryDequeue(out line), TimeSpan.FromSeconds(20)).ShouldBeTrue("something is said");
        return line!;
    }

    private void Feed(string line)
    {
        lock (_feeding)
            _pane.Feed(Encoding.UTF8.GetBytes(line.Trim() + "\n"));
    }
}
