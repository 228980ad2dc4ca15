using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Kinds;

public sealed class PiDialectTests
{
    private const string Ended = """{"type":"message_end","message":{"role":"assistant","content":[],"usage":{"input":1,"output":2,"cacheRead":3,"cacheWrite":4,"cost":{"total":0.5}},"stopReason":"stop"}}""";
    internal const string Failed = """{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"529: busy"}}""";
    private const string Refusal = """{"id":"1","type":"response","command":"prompt","success":false,"error":"No API key found"}""";
    internal const string RunEnd = """{"type":"agent_end","messages":[],"willRetry":false}""";

    [Test]
    [Arguments("""{"type":"session","id":"s","cwd":"/w"}""", Activity.Idle)]
    [Arguments("""{"type":"agent_start"}""", Activity.Working)]
    [Arguments("""{"type":"turn_end","message":{}}""", Activity.Working)]
    [Arguments("""{"type":"queue_update","steering":["x"],"followUp":[]}""", Activity.Working)]
    [Arguments("""{"type":"tool_execution_update","toolCallId":"a"}""", Activity.Working)]
    [Arguments("""{"type":"extension_ui_request","id":"1","method":"confirm"}""", Activity.Blocked)]
    [Arguments("""{"type":"extension_ui_request","id":"1","method":"select"}""", Activity.Blocked)]
    [Arguments("""{"type":"extension_ui_request","id":"1","method":"input"}""", Activity.Blocked)]
    [Arguments("""{"type":"extension_ui_request","id":"1","method":"editor"}""", Activity.Blocked)]
    [Arguments("""{"type":"extension_ui_request","id":"1","method":"notify"}""", Activity.Working)]
    [Arguments("""{"type":"extension_ui_request","id":"1","method":"setStatus"}""", Activity.Working)]
    [Arguments("""{"type":"extension_ui_request","id":"1","method":"setWidget"}""", Activity.Working)]
    [Arguments("""{"type":"extension_ui_request","id":"1","method":"setTitle"}""", Activity.Working)]
    [Arguments("""{"type":"agent_end","messages":[]}""", Activity.Done)]
    [Arguments("""{"type":"agent_end","messages":[],"willRetry":true}""", Activity.Working)]
    [Arguments("""{"willRetry":true,"messages":[],"type":"agent_end"}""", Activity.Working)]
    [Arguments("""{"type":"agent_end","messages":["x,\"willRetry\":true}"]}""", Activity.Done)]
    [Arguments("""{"type":"agent_end","messages":[{"a":1,"willRetry":true}]}""", Activity.Done)]
    [Arguments("""{"type":"agent_settled"}""", Activity.Done)]
    [Arguments("""{"type":"agent_settled","aborted":true}""", Activity.Error)]
    [Arguments("""{"type":"auto_retry_end","success":false,"attempt":3,"finalError":"gone"}""", Activity.Error)]
    [Arguments("""{"type":"auto_retry_end","success":true,"attempt":1}""", Activity.Working)]
    [Arguments("""{"id":"3","type":"response","command":"x","success":false,"error":"no"}""", Activity.Working)]
    [Arguments("""{"type":"never_heard_of","type":"agent_settled"}""", Activity.Working)]
    [Arguments("""{"no":"type"}""", Activity.Working)]
    [Arguments("""{"type":7}""", Activity.Working)]
    public void An_event_in_a_run_leads_to_its_activity(string line, Activity expected) =>
        PaneFixture.Fed("pi", """{"type":"agent_start"}""", line).Show().Activity.ShouldBe(expected);

    [Test]
    public void The_type_is_found_wherever_it_stands()
    {
        var pane = PaneFixture.Fed("pi", """ {"messages":[{"type":"agent_settled"}],"willRetry":false,"ty\u0070e":"agent_end"} """);
        pane.Show().Activity.ShouldBe(Activity.Done);
        pane.Show().LastEvent.ShouldBe("agent_end");
    }

    [Test]
    [Arguments("""{"type":"auto_retry_start","attempt":1}""")]
    [Arguments("""{"type":"compaction_start","reason":"overflow"}""")]
    public void A_run_that_had_ended_goes_on_when_it_says_so(string resume)
    {
        var pane = PaneFixture.Fed("pi", """{"type":"agent_start"}""", Failed, RunEnd);
        pane.Show().Activity.ShouldBe(Activity.Error);
        pane.Run.Outcome.ShouldBe(RunOutcome.Failed);
        pane.Run.IsSettled.ShouldBeFalse();
        pane.Say(resume);
        pane.Show().Activity.ShouldBe(Activity.Working);
        pane.Say("""{"type":"agent_start"}""");
        pane.Say(Ended);
        pane.Say(RunEnd);
        pane.Say("""{"type":"agent_settled","aborted":false}""");
        pane.Show().Activity.ShouldBe(Activity.Done);
        pane.Show().Error.ShouldBeNull();
        pane.Run.IsSettled.ShouldBeTrue();
    }

    [Test]
    [Arguments(RunEnd, Activity.Done)]
    [Arguments("""{"type":"session","id":"s"}""", Activity.Idle)]
    [Arguments("""{"type":"auto_retry_end","success":false,"finalError":"gone"}""", Activity.Error)]
    public void A_compaction_outside_a_run_returns_to_what_was_before(string before, Activity expected)
    {
        var pane = PaneFixture.Fed("pi", before, """{"type":"compaction_start","reason":"manual"}""");
        pane.Show().Activity.ShouldBe(Activity.Working);
        pane.Run.Outcome.ShouldNotBe(RunOutcome.Working);
        pane.Say("""{"id":"17","type":"response","command":"compact","success":true}""");
        pane.Say("""{"type":"compaction_end","reason":"manual","aborted":false,"willRetry":false}""");
        pane.Show().Activity.ShouldBe(expected);
    }

    [Test]
    public void A_compaction_that_retries_leaves_a_run_going_on() =>
        PaneFixture.Fed("pi", RunEnd, """{"type":"compaction_start"}""", """{"type":"compaction_end","willRetry":true}""")
            .Show().Activity.ShouldBe(Activity.Working);

    [Test]
    public void A_compaction_inside_a_run_leaves_it_working() =>
        PaneFixture.Fed("pi", """{"type":"agent_start"}""", """{"type":"compaction_start"}""", """{"type":"compaction_end","willRetry":false}""")
            .Show().Activity.ShouldBe(Activity.Working);

    [Test]
    [Arguments("""{"type":"message_start","message":{"role":"custom","content":"x"}}""")]
    [Arguments("""{"type":"message_end","message":{"role":"custom","content":"x"}}""")]
    [Arguments("""{"type":"message_end","message":{"content":"x","role":"user"}}""")]
    [Arguments("""{"type":"queue_update","steering":[],"followUp":[]}""")]
    [Arguments("""{"type":"tool_execution_update","toolCallId":"a"}""")]
    [Arguments("""{"type":"entry_appended","entry":{}}""")]
    [Arguments("""{"type":"bash_execution_update","id":"6","delta":"x"}""")]
    public void What_happens_after_a_run_does_not_hang_it_in_working(string line) =>
        PaneFixture.Fed("pi", """{"type":"agent_settled"}""", line).Show().Activity.ShouldBe(Activity.Done);

    [Test]
    public void The_next_event_of_work_unblocks()
    {
        var pane = PaneFixture.Fed("pi", """{"type":"agent_start"}""", """{"type":"extension_ui_request","id":"1","method":"confirm","title":"sure?"}""");
        pane.Show().NeedsAttention.ShouldBeTrue();
        pane.Say("""{"type":"extension_ui_request","id":"2","method":"notify"}""");
        pane.Show().Activity.ShouldBe(Activity.Blocked);
        pane.Say("""{"type":"tool_execution_end","toolCallId":"a","toolName":"bash","isError":false}""");
        pane.Show().Activity.ShouldBe(Activity.Working);
        pane.Show().NeedsAttention.ShouldBeFalse();
    }

    [Test]
    public void Steering_an_agent_at_work_blocks_nothing()
    {
        var pane = PaneFixture.New("pi");
        foreach (var line in Recordings.Lines("pi-1.6.0-rpc-steer"))
        {
            pane.Hear([.. line, (byte)'\n']);
            (pane.Show().Activity, pane.Show().NeedsAttention).ShouldNotBe((Activity.Blocked, true), System.Text.Encoding.UTF8.GetString(line));
        }
        pane.Show().Activity.ShouldBe(Activity.Done);
    }

    [Test]
    public void A_tool_at_work_beside_the_one_that_asks_answers_no_question()
    {
        var pane = PaneFixture.Fed("pi", """{"type":"agent_start"}""", """{"type":"extension_ui_request","id":"1","method":"confirm","title":"sure?"}""");
        pane.Say("""{"type":"tool_execution_update","toolCallId":"b"}""");
        pane.Say("""{"type":"queue_update","steering":["x"],"followUp":[]}""");
        (pane.Show().Activity, pane.Question?.Request).ShouldBe((Activity.Blocked, "1"));

        pane.TryAnswer("1").ShouldBeTrue();
        pane.Say("""{"type":"tool_execution_update","toolCallId":"a"}""");
        pane.Show().Activity.ShouldBe(Activity.Working);
    }

    [Test]
    public void Usage_is_that_of_the_assistants_finished_messages_alone()
    {
        const string Update = """{"type":"message_update","usage":{"input":9,"output":9,"cacheRead":9,"cacheWrite":9,"cost":{"total":9}}}""";
        var pane = PaneFixture.Fed("pi", Update, Ended, Update, Ended, """{"type":"turn_end","message":{"role":"assistant","usage":{"input":7}}}""");
        pane.Show().Usage.Show().ShouldBe("2/4/6/8/100000000");
    }

    [Test]
    [Arguments("1e400", "1e400", "0/0")]
    [Arguments("-5", "-5", "0/0")]
    [Arguments("\"x\"", "null", "0/0")]
    [Arguments("9000000000000000000", "90000000000", "1000000000000000/1000000000000000")]
    [Arguments("9223372036854775807", "10000000.1", "1000000000000000/1000000000000000")]
    public void Numbers_that_make_no_sense_count_as_none_or_as_the_bound(string tokens, string cost, string expected)
    {
        var line = $$"""{"type":"message_end","message":{"role":"assistant","usage":{"input":{{tokens}} ,"cost":{"total":{{cost}} } } } }""";
        var usage = PaneFixture.Fed("pi", line).Show().Usage;
        $"{usage.InputTokens}/{usage.CostMicrocents}".ShouldBe(expected);
        var many = PaneFixture.New();
        for (var n = 0; n < 10; n++) many.Say(line);
        many.Show().Usage.InputTokens.ShouldBe(Math.Min(10 * usage.InputTokens, 9_000_000_000_000_000));
    }

    [Test]
    public void The_current_tool_is_the_latest_still_running()
    {
        var pane = PaneFixture.New();
        var shown = new List<string?>();
        foreach (var line in new[]
        {
            """{"type":"tool_execution_start","toolCallId":"a","toolName":"bash","args":{}}""",
            """{"type":"tool_execution_start","toolCallId":"b","toolName":"write","args":{}}""",
            """{"type":"tool_execution_start","toolCallId":"c","toolName":"read","args":{}}""",
            """{"type":"tool_execution_end","toolCallId":"b","toolName":"write","isError":false}""",
            """{"type":"tool_execution_end","toolCallId":"c","toolName":"read","isError":false}""",
            """{"type":"tool_execution_end","toolCallId":"zz","toolName":"other","isError":false}""",
            """{"type":"tool_execution_end","toolCallId":"a","toolName":"bash","isError":false}""",
        })
        {
            pane.Say(line);
            shown.Add(pane.Show().Tool);
        }

        shown.ShouldBe(["bash", "write", "read", "read", "bash", "bash", null]);
        pane.Show().Tools.ShouldBe(3);
    }

    [Test]
    public void A_thousand_tools_that_never_end_stay_bounded()
    {
        var pane = PaneFixture.New();
        for (var i = 0; i < 1000; i++) pane.Say($$"""{"type":"tool_execution_start","toolCallId":"c{{i}}","toolName":"t{{i}}"}""");
        pane.Show().Tools.ShouldBe(1000);
        pane.Show().Tool.ShouldBe("t999");
        pane.Say(RunEnd);
        pane.Show().Tool.ShouldBeNull();
    }

    [Test]
    public void A_failed_response_is_shown_and_is_not_the_runs_failure()
    {
        var pane = PaneFixture.Fed("pi", Ended, RunEnd, """{"id":"20","type":"response","command":"nonsense","success":false,"error":"Unknown command: nonsense"}""");
        pane.Show().Error.ShouldBe("Unknown command: nonsense");
        pane.Show().Activity.ShouldBe(Activity.Done);
        (pane.Run.Outcome, pane.Run.Error).ShouldBe((RunOutcome.Done, null));
    }

    [Test]
    public void A_refused_prompt_is_no_run_until_one_begins()
    {
        var heard = 0;
        var pane = PaneFixture.New();
        heard += pane.Say("""{"id":"0","type":"response","command":"get_state","success":true,"data":{}}""") ? 1 : 0;
        pane.Run.PromptRefused.ShouldBeNull();
        heard += pane.Say(Refusal) ? 1 : 0;
        pane.Run.PromptRefused.ShouldBe("No API key found");
        (pane.Run.Outcome, pane.Events, heard).ShouldBe((RunOutcome.Idle, 2, 1));
        pane.Say("""{"type":"session","id":"s","cwd":"/w"}""");
        pane.Say("""{"type":"compaction_start"}""");
        pane.Say("""{"type":"compaction_end"}""");
        pane.Run.PromptRefused.ShouldBe("No API key found");

        foreach (var stopRequested in new[] { false, true })
        {
            foreach (var exit in new[] { new ProcessExit(0), new ProcessExit(143), new ProcessExit(Signal: 15) })
            {
                RunVerdict.Judge(pane.Run, exit, stopRequested, printsEvents: true, "last words").ShouldBe(
                    new RunVerdict("agent-error", new TaskError("agent-error", "No API key found")));
            }
        }

        pane.Say("""{"type":"agent_start"}""");
        pane.Run.PromptRefused.ShouldBeNull();
        pane.Events.ShouldBe(6);
    }

    [Test]
    [Arguments("""{"type":"agent_start"}""", RunOutcome.Working)]
    [Arguments("""{"type":"agent_settled"}""", RunOutcome.Done)]
    [Arguments(Failed, RunOutcome.Working)]
    public void A_prompt_refused_beside_a_run_says_nothing_about_it(string run, RunOutcome outcome)
    {
        var pane = PaneFixture.Fed("pi", run, Refusal);
        (pane.Run.PromptRefused, pane.Run.Outcome, pane.Show().Error).ShouldBe((null, outcome, "No API key found"));
    }

    [Test]
    [Arguments("""{"id":"1","type":"response","command":"set_model","success":false,"error":"No such model"}""", null)]
    [Arguments("""{"id":"1","type":"response","success":false,"error":"No"}""", null)]
    [Arguments("""{"id":"1","type":"response","command":"prompt","success":true}""", null)]
    [Arguments("""{"id":"1","type":"response","command":"prompt","success":false}""", "the agent refused the prompt without saying why")]
    [Arguments("""{"command":"prompt","error":"x","success":false,"type":"response"}""", "x")]
    public void Only_a_refused_prompt_is_one(string response, string? refused) =>
        PaneFixture.Fed("pi", response).Run.PromptRefused.ShouldBe(refused);

    [Test]
    public void An_abort_while_a_tool_runs_is_an_error_of_its_own()
    {
        var pane = PaneFixture.Fed("pi", """{"type":"message_end","message":{"role":"assistant","stopReason":"toolUse"}}""", """{"type":"agent_settled","aborted":true}""");
        RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Error.ShouldBe(new TaskError("aborted", "the run was aborted"));
    }
}
