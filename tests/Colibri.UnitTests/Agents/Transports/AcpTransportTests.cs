using System.Collections.Concurrent;
using System.Text;
using Colibri.Core.Agents.Transports;
using Colibri.Core.Panes;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Agents.Transports;

/// <summary>What the protocol allows and no recording shows: several permissions at once, several sessions of one agent, agents that end or hang.</summary>
public sealed class AcpTransportTests : ITransportSite
{
    private readonly ConcurrentQueue<string> _said = new();
    private readonly List<SessionEntry> _entries = [];
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

    public string Redact(string words) => words.Replace("sk-secret", "[redacted]", StringComparison.Ordinal);

    private List<string> Unread { get; } = [];

    public void EndUnread(string why) => Unread.Add(why);

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

    /// <summary>The form of an update is that of the protocol's documents: no recorded agent tells a plan.</summary>
    [Test]
    public async Task A_plan_shows_how_far_it_has_come_and_is_that_of_its_run()
    {
        await PromptAsync("s-1");
        Say("""{"sessionUpdate":"plan","entries":[{"content":"read","priority":"high","status":"completed"},{"content":"use sk-\u0073ecret","priority":"low","status":"in_progress"},{"content":"tell","priority":"low","status":"pending"}]}""");
        (_pane.Show().Plan!.Done, _pane.Show().Plan!.Total).ShouldBe((1, 3));
        _pane.Show().Plan!.Current.ShouldNotBeNull();
        Say("""{"sessionUpdate":"plan","entries":"none"}""");
        _pane.Show().Plan!.Total.ShouldBe(3, "what is no plan changes none");
        Say("""{"sessionUpdate":"plan","entries":[{"content":"read","status":"completed"},7]}""");
        _pane.Show().Plan.ShouldBe(new PlanProgress(1, 2));
        End("end_turn", null);
        (await _transport.PromptAsync("again")).ShouldBe(RpcReply.Taken);
        Say("""{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"again"}}""");
        _pane.Show().Plan.ShouldBeNull();
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
    public async Task What_an_agent_calls_its_ways_to_sign_in_is_shown_as_all_that_it_says()
    {
        var opening = _transport.OpenAsync();
        Sent().ShouldContain("initialize");
        Feed("""{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1,"authMethods":[{"id":"with sk-secret"}]}}""");
        Sent().ShouldContain("session/new");
        Feed("""{"jsonrpc":"2.0","id":2,"error":{"code":-32000,"message":"Authentication required"}}""");
        (await opening).Problem!.ShouldEndWith("sign in as its user by one of: with [redacted]");
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task An_agent_that_ends_before_its_session_is_there_is_judged_by_its_exit(bool isInitialized)
    {
        var prompted = _transport.PromptAsync("do it");
        Sent().ShouldContain("initialize");
        if (isInitialized)
        {
            Feed("""{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}""");
            Sent().ShouldContain("session/new");
        }
        _transport.Input.Close();
        (await _transport.OpenAsync()).HasEnded.ShouldBeTrue();
        var reply = await prompted;
        (reply.IsTaken, reply.IsAnswered, reply.IsSent, reply.HasEnded).ShouldBe((false, false, true, true));
        (await _transport.ForgetAsync(null)).HasEnded.ShouldBeTrue();
    }

    [Test]
    public async Task A_prompt_that_is_answered_with_an_error_before_anything_is_refused_and_the_session_says_so()
    {
        await PromptAsync("s-1");
        Feed("""{"jsonrpc":"2.0","id":3,"error":{"code":-32603,"message":"no such model"}}""");
        _entries.Select(entry => (entry.Kind, entry.Text)).ShouldBe([(SessionEntryKind.Note, "the agent refused the prompt: no such model")]);
    }

    [Test]
    public async Task An_error_after_the_first_words_refuses_nothing()
    {
        await PromptAsync("s-1");
        Say("""{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"So far."}}""");
        Feed("""{"jsonrpc":"2.0","id":3,"error":{"code":-32603,"message":"it broke"}}""");
        _entries.ShouldNotContain(entry => entry.Kind == SessionEntryKind.Note);
    }

    [Test]
    [Arguments("""{"kind":"edit","locations":[{"path":"/work/a"}],"content":[{"type":"diff","path":"/etc/passwd","newText":""}]}""", "no")]
    [Arguments("""{"kind":"edit","locations":[{"path":"/work/a"}],"content":[{"type":"diff","path":"/work/a","newText":""},{"type":"content","content":{"type":"text","text":"/etc"}}]}""", "yes")]
    [Arguments("""{"kind":"edit","content":[{"type":"diff","path":"/etc/passwd","newText":""}]}""", "no")]
    [Arguments("""{"kind":"edit","locations":[{"path":"/work/a"}],"rawInput":{"file_path":"/etc/passwd"}}""", "no")]
    [Arguments("""{"kind":"move","locations":[{"path":"/work/a"}],"rawInput":{"from":"/work/a","to":"/etc/a"}}""", "no")]
    [Arguments("""{"kind":"move","locations":[{"path":"/work/a"},{"path":"/etc/a"}]}""", "no")]
    [Arguments("""{"kind":"move","locations":[{"path":"/work/a"}],"rawInput":{"source_path":"/work/a","destinationPath":"/work/b"}}""", "yes")]
    [Arguments("""{"kind":"move","locations":[{"path":"/work/a"}]}""", "asked")]
    [Arguments("""{"kind":"edit","locations":[{"path":"/work/a"}],"content":[{"type":"diff","newText":""}]}""", "asked")]
    [Arguments("""{"kind":"edit","locations":[{"path":"file:///etc/passwd"}]}""", "asked")]
    [Arguments("""{"kind":"edit","locations":[{"path":"~/.profile"}]}""", "asked")]
    [Arguments("""{"kind":"edit","locations":[{"path":"/work/a"}],"rawInput":{"to":"/etc is written here as words"}}""", "yes")]
    public async Task Every_file_that_a_call_writes_decides_whether_it_may(string call, string expected)
    {
        await PromptAsync("s-1");
        Feed($$$"""
            {"jsonrpc":"2.0","id":7,"method":"session/request_permission","params":{"sessionId":"s-1","toolCall":{"toolCallId":"c-1","title":"change","status":"pending",{{{call[1..]}}},"options":[{"optionId":"yes","name":"Allow","kind":"allow_once"},{"optionId":"no","name":"Reject","kind":"reject_once"}]}}
            """);
        if (expected == "asked")
        {
            Shown().ShouldBe("Blocked change");
            return;
        }
        Sent().ShouldBe("""{"jsonrpc":"2.0","id":7,"result":{"outcome":{"outcome":"selected","optionId":"@"}}}""".Replace("@", expected, StringComparison.Ordinal));
    }

    [Test]
    public void Answers_that_an_access_decides_wait_until_the_agent_reads_them()
    {
        var (transport, pane) = Unpumped();
        for (var n = 0; n < AgentInput.MaxAnswers; n++)
            pane.Feed(Encoding.UTF8.GetBytes(AskOf(n, $"call-{n}", "ls") + "\n"));
        Unread.ShouldBeEmpty();

        var read = new ConcurrentQueue<string>();
        _ = transport.Input.PumpAsync(line =>
        {
            read.Enqueue(Encoding.UTF8.GetString(line.Span));
            return Task.CompletedTask;
        });
        SpinWait.SpinUntil(() => read.Count == AgentInput.MaxAnswers, TimeSpan.FromSeconds(20)).ShouldBeTrue("every answer is written");
    }

    [Test]
    public void An_agent_that_reads_no_answers_is_ended_with_that_cause_and_commands_have_a_bound_of_their_own()
    {
        var (transport, pane) = Unpumped();
        for (var n = 0; n <= AgentInput.MaxAnswers; n++)
            pane.Feed(Encoding.UTF8.GetBytes(AskOf(n, $"call-{n}", "ls") + "\n"));
        Unread.ShouldBe(["it does not read its standard input: 1024 answers to what it has asked wait there"]);
        Enumerable.Range(0, 1_000).Count(_ => transport.Input.TrySend(static _ => { })).ShouldBe(AgentInput.MaxPending);
        transport.Input.TryReply(static writer => writer.WriteString("long", new string('x', AgentInput.MaxAnswerBytes))).ShouldBeFalse();
    }

    [Test]
    public async Task A_history_that_comes_late_swallows_no_run_where_nothing_says_that_it_is_over()
    {
        var time = new FakeTime();
        var (transport, pane) = Unpumped(new AcpManners { ReplaysLate = true }, time, "s-1");
        void Hear(string line) => pane.Feed(Encoding.UTF8.GetBytes(line + "\n"));
        string Words(string text) => $$"""{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"{{text}}"} } } }""";
        var opening = transport.OpenAsync();
        Hear("""{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1,"agentCapabilities":{"loadSession":true}}}""");
        SpinWait.SpinUntil(() => transport.Step == "session/load", TimeSpan.FromSeconds(20)).ShouldBeTrue();
        Hear("""{"jsonrpc":"2.0","id":2,"result":{}}""");
        (await opening).IsResumed.ShouldBeTrue();
        (await transport.PromptAsync("do it")).ShouldBe(RpcReply.Taken);
        Hear(Words("an earlier answer"));
        pane.Run.Answers.ShouldBe(0);
        time.Advance(AcpDialect.LateReplay + TimeSpan.FromMilliseconds(1));
        Hear(Words("Done."));
        Hear("""{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn"}}""");
        Core.Runs.RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("done");
    }

    [Test]
    public async Task Another_version_of_the_protocol_is_refused()
    {
        var opening = _transport.OpenAsync();
        Sent().ShouldContain("\"protocolVersion\":1");
        Feed("""{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":2}}""");
        (await opening).Problem.ShouldBe("it speaks version 2 of the Agent Client Protocol, and Colibri speaks 1; acp_version = 2 in its profile tries version 2");
    }

    [Test]
    public async Task Version_2_is_spoken_where_it_is_asked_for_and_the_agent_agrees()
    {
        _transport.Prepare(new ConversationWish("/work") { AcpVersion = 2 });
        var opening = _transport.OpenAsync();
        var initialize = Sent();
        initialize.ShouldContain("\"protocolVersion\":2");
        initialize.ShouldContain("\"info\":{\"name\":\"colibri\"");
        Feed("""{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":2,"capabilities":{},"info":{"name":"draft"}}}""");
        Sent().ShouldContain("session/new");
        Feed("""{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1"}}""");
        (await opening).Problem.ShouldBeNull();
        (await _transport.PromptAsync("do it")).ShouldBe(RpcReply.Taken);
        Say("""{"sessionUpdate":"state_update","state":"idle"}""");
        _pane.Run.IsSettled.ShouldBeFalse("it has not taken the prompt");
        Feed("""{"jsonrpc":"2.0","id":3,"result":{}}""");
        Say("""{"sessionUpdate":"state_update","state":"running"}""");
        Say("""{"sessionUpdate":"agent_message_chunk","messageId":"m-1","content":{"type":"text","text":"Done."}}""");
        _pane.Run.IsSettled.ShouldBeFalse("the response takes the prompt, and ends nothing");
        Say("""{"sessionUpdate":"state_update","state":"idle","stopReason":"end_turn"}""");
        (_pane.Run.IsSettled, Core.Runs.RunVerdict.Judge(_pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict).ShouldBe((true, "done"));
    }

    [Test]
    public async Task An_agent_that_is_offered_version_2_may_speak_version_1()
    {
        _transport.Prepare(new ConversationWish("/work") { AcpVersion = 2 });
        await PromptAsync("s-1");
        Say("""{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"Done."}}""");
        End("end_turn", null);
        _pane.Run.IsSettled.ShouldBeTrue();
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

    private (AcpTransport Transport, AgentPane Pane) Unpumped(AcpManners? manners = null, TimeProvider? time = null, string? earlier = null)
    {
        var transport = new AcpTransport(manners ?? new AcpManners(), this, time ?? TimeProvider.System);
        transport.Prepare(new ConversationWish("/work") { Access = Access.Full, Earlier = earlier });
        return (transport, new AgentPane(new PaneIdentity("id-2", "acp", "acp"), transport.Dialect, new StoppedClock(), keepsWords: true));
    }

    private void Ask(int id, string call, string title) => Feed(AskOf(id, call, title));

    private static string AskOf(int id, string call, string title) => $$$"""
        {"jsonrpc":"2.0","id":{{{id}}},"method":"session/request_permission","params":{"sessionId":"s-1","toolCall":{"toolCallId":"{{{call}}}","title":"{{{title}}}","kind":"execute","status":"pending","rawInput":{"command":"{{{title}}}"} },"options":[{"optionId":"yes","name":"Allow","kind":"allow_once"},{"optionId":"no","name":"Reject","kind":"reject_once"}]}}
        """.Trim();

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
            _entries.AddRange(_pane.Feed(Encoding.UTF8.GetBytes(line.Trim() + "\n")).Entries);
    }
}
