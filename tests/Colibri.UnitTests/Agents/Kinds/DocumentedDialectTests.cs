using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Kinds;

/// <summary>Cursor's agent and Amp, which nobody has seen run here: the lines were written after what their makers' documents say of them.</summary>
public sealed class DocumentedDialectTests
{
    private const string CursorOpens = """{"type":"system","subtype":"init","apiKeySource":"env","cwd":"/work","session_id":"s-1","model":"M","permissionMode":"default"}""";

    [Test]
    public void A_run_of_cursors_with_a_call()
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New("cursor", transcript: transcript);
        foreach (var line in (string[])
        [
            CursorOpens,
            """{"type":"user","message":{"role":"user","content":[{"type":"text","text":"say hi"}]},"session_id":"s-1"}""",
            """{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"Running."}]},"session_id":"s-1"}""",
            """{"type":"tool_call","subtype":"started","call_id":"c-1","tool_call":{"shellToolCall":{"args":{"command":"echo hi"}}},"session_id":"s-1"}""",
            """{"type":"tool_call","subtype":"completed","call_id":"c-1","tool_call":{"shellToolCall":{"args":{"command":"echo hi"},"result":{"success":{"exitCode":0,"stdout":"hi"}}}},"session_id":"s-1"}""",
            """{"type":"result","subtype":"success","duration_ms":5,"is_error":false,"result":"Done.","session_id":"s-1"}""",
        ])
            transcript.Take(pane.Feed(System.Text.Encoding.UTF8.GetBytes(line + "\n")));

        var shown = pane.Show();
        (shown.HarnessSessionId, shown.Cwd, shown.Tools, shown.Activity, shown.Denied).ShouldBe(("s-1", "/work", 1, Activity.Done, null));
        transcript.Lines.ShouldBe(["assistant: Running.", """shell({"command":"echo hi"})""", """shell: {"exitCode":0,"stdout":"hi"}"""]);
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("done");
    }

    [Test]
    public void A_call_that_cursor_rejects_is_a_refusal()
    {
        var pane = PaneFixture.Fed(
            "cursor",
            CursorOpens,
            """{"type":"tool_call","subtype":"started","call_id":"c-1","tool_call":{"shellToolCall":{"args":{"command":"rm x"}}},"session_id":"s-1"}""",
            """{"type":"tool_call","subtype":"completed","call_id":"c-1","tool_call":{"shellToolCall":{"args":{"command":"rm x"},"result":{"rejected":{"command":"rm x","reason":"not on the list"}}}},"session_id":"s-1"}""",
            """{"type":"result","subtype":"success","is_error":false,"result":"It was refused.","session_id":"s-1"}""");
        var denied = pane.Show().Denied!.ShouldHaveSingleItem();
        (denied.Tool, denied.Count, denied.Reason).ShouldBe(("shell", 1, "not on the list"));
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("denied");
    }

    [Test]
    [Arguments("cursor", """{"type":"result","subtype":"error","is_error":true,"result":"no such model","session_id":"s-1"}""", "no such model")]
    [Arguments("amp", """{"type":"result","subtype":"error_during_execution","is_error":true,"error":"out of credits","session_id":"T-1"}""", "out of credits")]
    [Arguments("amp", """{"type":"result","subtype":"error_max_turns","is_error":true,"session_id":"T-1"}""", "error_max_turns")]
    public void A_failed_result_fails_the_run_with_its_words(string kind, string line, string error) =>
        RunVerdict.Judge(PaneFixture.Fed(kind, line).Run, new ProcessExit(1), stopRequested: false, printsEvents: true).Error.ShouldBe(new TaskError("agent-error", error));

    [Test]
    public void Amp_tells_usage_with_each_message_and_counts_what_was_cached_in()
    {
        var pane = PaneFixture.Fed(
            "amp",
            """{"type":"system","subtype":"init","cwd":"/work","session_id":"T-1","tools":["Bash"],"mcp_servers":[]}""",
            """{"type":"user","message":{"role":"user","content":[{"type":"text","text":"say hi"}]},"parent_tool_use_id":null,"session_id":"T-1"}""",
            """{"type":"assistant","message":{"type":"message","role":"assistant","content":[{"type":"text","text":"Running."},{"type":"tool_use","id":"t1","name":"Bash","input":{"cmd":"echo hi"}}],"stop_reason":"tool_use","usage":{"input_tokens":12783,"cache_creation_input_tokens":367,"cache_read_input_tokens":12416,"output_tokens":8}},"parent_tool_use_id":null,"session_id":"T-1"}""",
            """{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"hi","is_error":false}]},"parent_tool_use_id":null,"session_id":"T-1"}""",
            """{"type":"assistant","message":{"type":"message","role":"assistant","content":[{"type":"text","text":"Done."}],"stop_reason":"end_turn","usage":{"input_tokens":12900,"cache_creation_input_tokens":0,"cache_read_input_tokens":12800,"output_tokens":4}},"parent_tool_use_id":null,"session_id":"T-1"}""",
            """{"type":"result","subtype":"success","duration_ms":2906,"is_error":false,"num_turns":2,"result":"Done.","session_id":"T-1"}""");
        var shown = pane.Show();
        (shown.HarnessSessionId, shown.Tools, shown.Activity, shown.Usage.Show()).ShouldBe(("T-1", 1, Activity.Done, "100/12/25216/367/0"));
    }
}
