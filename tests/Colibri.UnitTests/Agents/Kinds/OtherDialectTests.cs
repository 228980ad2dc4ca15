using Colibri.Core.Agents.Kinds;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Kinds;

public sealed class OtherDialectTests
{
    [Test]
    public void Codex_words_are_an_answer_before_its_turn_is_over() =>
        PaneFixture.Fed("codex", """{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"Running the command."}}""").Run.Answers.ShouldBe(1);

    /// <summary>Of kinds that tell what they have used at their end, the model's words show that it has answered; a failure in its place does not.</summary>
    [Test]
    [Arguments("gemini-0.61-stream-json-length", true)]
    [Arguments("qwen-0.24-stream-json-length", true)]
    [Arguments("copilot-1.0-json-length", true)]
    [Arguments("droid-0.225-stream-json-killed-by-TERM-in-text", true)]
    [Arguments("goose-1.34-stream-json-length", true)]
    [Arguments("gemini-0.61-stream-json-401", false)]
    [Arguments("qwen-0.24-stream-json-401", false)]
    [Arguments("copilot-1.0-json-401", false)]
    [Arguments("droid-0.225-stream-json-401", false)]
    [Arguments("goose-1.34-stream-json-401", false)]
    public void The_models_words_are_an_answer(string recording, bool isAnswered)
    {
        // Without the last word of those that are whole, in which the usage is.
        var lines = Recordings.Lines(recording).SkipLast(recording.Contains("killed", StringComparison.Ordinal) ? 0 : 1).Select(line => System.Text.Encoding.UTF8.GetString(line)).ToArray();
        (PaneFixture.Fed(recording[..recording.IndexOf('-', StringComparison.Ordinal)], lines).Run.Answers > 0).ShouldBe(isAnswered);
    }

    [Test]
    [Arguments("codex", """{"type":"request_user_input"}""", Activity.Blocked)]
    [Arguments("codex", """{"type":"item.started","item":{"id":"1","type":"request_user_input"}}""", Activity.Blocked)]
    [Arguments("codex", """{"type":"item.started","item":{"id":"1","type":"reasoning"}}""", Activity.Working)]
    [Arguments("codex", """{"type":"turn.failed","error":{"message":"no"}}""", Activity.Error)]
    [Arguments("codex", """{"type":"error","message":"Reconnecting... 1/5"}""", Activity.Error)]
    [Arguments("claude", """{"type":"system","subtype":"api_retry"}""", Activity.Working)]
    [Arguments("claude", """{"subtype":"success","is_error":true,"result":"Invalid API key","type":"result"}""", Activity.Error)]
    [Arguments("claude", """{"type":"result","subtype":"error_max_turns","is_error":false}""", Activity.Error)]
    [Arguments("claude", """{"type":"result","subtype":"success","is_error":false,"stop_reason":"max_tokens"}""", Activity.Error)]
    [Arguments("claude", """{"type":"result","subtype":"success","is_error":false}""", Activity.Done)]
    [Arguments("opencode", """{"type":"step_finish","part":{"reason":"tool-calls"}}""", Activity.Working)]
    [Arguments("opencode", """{"type":"step_finish","part":{"reason":"stop"}}""", Activity.Done)]
    [Arguments("opencode", """{"type":"step_finish","part":{"reason":"length"}}""", Activity.Error)]
    [Arguments("opencode", """{"type":"error","error":{"name":"APIError","data":{"message":"bad key"}}}""", Activity.Error)]
    public void An_event_in_a_run_leads_to_its_activity(string dialect, string line, Activity expected)
    {
        var start = dialect switch { "codex" => "turn.started", "opencode" => "step_start", _ => "stream_event" };
        PaneFixture.Fed(dialect, $$"""{"type":"{{start}}"}""", line).Show().Activity.ShouldBe(expected);
    }

    [Test]
    [Arguments("codex", """{"type":"turn.failed","error":{"message":"no"}}""", "agent-error", "no")]
    [Arguments("codex", """{"type":"error","message":"Reconnecting... 1/5"}""", "agent-error", "Reconnecting... 1/5")]
    [Arguments("claude", """{"is_error":true,"subtype":"success","result":"Invalid API key","type":"result"}""", "agent-error", "Invalid API key")]
    [Arguments("claude", """{"type":"result","subtype":"error_during_execution","is_error":true,"errors":["first","second"]}""", "agent-error", "first")]
    [Arguments("claude", """{"type":"result","subtype":"error_max_turns","is_error":false}""", "agent-error", "error_max_turns")]
    [Arguments("claude", """{"type":"result","subtype":"success","is_error":false,"stop_reason":"max_tokens"}""", "token-limit", "answer cut by the token limit")]
    [Arguments("opencode", """{"type":"error","error":{"name":"APIError","data":{"message":"bad key"}}}""", "agent-error", "bad key")]
    [Arguments("opencode", """{"type":"error","error":{"name":"UnknownError"}}""", "agent-error", "UnknownError")]
    [Arguments("opencode", """{"type":"error"}""", "agent-error", "the agent reported an error without saying which")]
    public void A_failed_run_is_judged_by_its_own_words(string dialect, string line, string code, string message) =>
        RunVerdict.Judge(PaneFixture.Fed(dialect, line).Run, new ProcessExit(0), false, true).Error.ShouldBe(new TaskError(code, message));

    [Test]
    public void A_codex_run_that_reconnects_is_not_failed()
    {
        var pane = PaneFixture.Fed(
            "codex",
            """{"type":"turn.started"}""",
            """{"type":"error","message":"Reconnecting... 1/5"}""",
            """{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"hi"}}""");
        pane.Show().Activity.ShouldBe(Activity.Working);
        pane.Say("""{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":4,"output_tokens":3}}""");
        RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Verdict.ShouldBe("done");
        pane.Show().Usage.Show().ShouldBe("6/3/4/0/0");
    }

    [Test]
    public void A_codex_item_that_was_never_announced_is_a_tool_call_all_the_same()
    {
        var pane = PaneFixture.Fed(
            "codex",
            """{"type":"item.started","item":{"id":"1","type":"command_execution","status":"in_progress"}}""",
            """{"type":"item.completed","item":{"id":"1","type":"command_execution","status":"completed"}}""",
            """{"type":"item.completed","item":{"id":"2","type":"file_change","status":"completed"}}""",
            """{"type":"item.started","item":{"id":"3","type":"mcp_tool_call","tool":"search","status":"in_progress"}}""");
        pane.Show().Tools.ShouldBe(3);
        pane.Show().Tool.ShouldBe("search");
    }

    [Test]
    public void A_subagents_messages_are_no_turns_of_claude()
    {
        var pane = PaneFixture.Fed(
            "claude",
            """{"type":"assistant","message":{"id":"m1","content":[{"type":"tool_use","id":"t1","name":"Task"},{"type":"tool_use","id":"t2","name":"Bash"}]},"parent_tool_use_id":null}""",
            """{"type":"assistant","message":{"id":"s1","content":[]},"parent_tool_use_id":"t1"}""",
            """{"type":"assistant","message":{"id":"m1","content":[]},"parent_tool_use_id":null}""");
        pane.Show().Turns.ShouldBe(1);
        pane.Show().Tools.ShouldBe(2);
        pane.Show().Tool.ShouldBe("Bash");
    }

    [Test]
    [Arguments("claude-2.1-stream-json-background")]
    [Arguments("claude-2.1-duplex-allow")]
    public void A_second_result_of_claude_tells_its_own_tokens_and_the_cost_of_the_whole_session(string recording)
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New("claude", transcript: transcript);
        pane.Hear(Recordings.Read(recording));
        pane.Show().Usage.Show().ShouldBe("472/64/3328/0/383360");
        transcript.Lines.Where(line => line.StartsWith("usage", StringComparison.Ordinal))
            .ShouldBe(["usage: 324/52/2176/0/277120", "usage: 148/12/1152/0/106240"]);
    }

    [Test]
    [Arguments("pi", null, "pi")]
    [Arguments("zot", "pi", "zot")]
    [Arguments("local", "claude", "local")]
    [Arguments(null, "claude", "claude")]
    [Arguments("", "codex", "codex")]
    [Arguments("unheard-of", "opencode", "opencode")]
    [Arguments(null, "colibri-test-agent", "pi")]
    [Arguments(null, null, "pi")]
    public void The_dialect_follows_the_runtime_then_the_binary_then_pi(string? runtime, string? binary, string name)
    {
        var profile = AgentProfiles.For(runtime, binary);
        profile.Name.ShouldBe(name);
        profile.Dialect.ShouldBeSameAs(AgentProfiles.For(null, name == "local" ? "pi" : name).Dialect);
    }
}
