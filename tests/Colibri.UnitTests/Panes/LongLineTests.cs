using System.Text;
using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Panes;

/// <summary>
/// Lines beyond the limit, of every kind of agent: what stands before and after the middle counts as in a short line, and a run whose decisive
/// word is in the middle is not done.
/// </summary>
public sealed class LongLineTests
{
    /// <summary>Stands for 5 MB of text.</summary>
    private const string Long = "FILL";

    private const string PiSays = """{"type":"agent_start"}""";
    private const string PiSettles = """{"type":"agent_settled","aborted":false}""";

    private const string ClaudeWrites = """{"type":"assistant","message":{"id":"m1","content":[{"type":"tool_use","id":"t1","name":"Write","input":{}}]}}""";
    private const string ClaudeRefused = """{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"not granted"}]}}""";
    private const string ClaudeEnds = """{"type":"result","is_error":false,"result":"ok","permission_denials":[{"tool_name":"Write","tool_use_id":"t1","tool_input":{}}]}""";
    private const string CodexEnds = """{"type":"turn.completed","usage":{"input_tokens":1}}""";

    /// <summary>Looks like every field that decides something.</summary>
    private const string Decoys =
        """\",\"willRetry\":false,\"is_error\":false,\"subtype\":\"success\",\"stopReason\":\"stop\",\"type\":\"result\",\"total_cost_usd\":9,\"usage\":{\"input\":7,\"input_tokens\":7}},{\"x\":\" """;

    /// <summary>The kind, what it prints, and what a run comes to that exits 0 after that: verdict, usage as input/output/cached/written/cost.</summary>
    public static IEnumerable<(string Kind, string Lines, string Verdict, string Usage)> Streams() =>
    [
        ("pi", PiSays + "\n" + """{"type":"agent_end","messages":[{"role":"user","content":"FILL"}],"willRetry":true}""", "incomplete", "0/0/0/0/0"),
        ("pi", PiSays + "\n" + """{"type":"agent_end","messages":[{"role":"user","content":"FILL"}],"willRetry":false}""", "done", "0/0/0/0/0"),
        // Pi before 0.84 ends a run so: nothing can have stood after the messages.
        ("pi", PiSays + "\n" + """{"type":"agent_end","messages":[{"role":"user","content":"FILL"}]}""", "done", "0/0/0/0/0"),
        ("pi", PiSays + "\n" + """{"type":"agent_end","a":"FILL","willRetry":false,"b":"FILL"}""", "incomplete", "0/0/0/0/0"),
        ("pi", PiSays + "\n" + """{"type":"agent_end","a":"FILL","willRetry":false,"b":"FILL"}""" + "\n" + PiSettles, "done", "0/0/0/0/0"),
        ("pi", PiSays + "\n" + """{"messages":["FILL"],"willRetry":true,"type":"agent_end"}""", "incomplete", "0/0/0/0/0"),
        ("pi", PiSays + "\n" + """{"type":"agent_settled","x":"FILL","aborted":true}""", "aborted", "0/0/0/0/0"),
        ("pi", PiSays + "\n" + """{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"FILL"}],"usage":{"input":10,"output":5,"cacheRead":2,"cacheWrite":1,"cost":{"total":0.5}},"stopReason":"stop"}}""" + "\n" + PiSettles, "done", "10/5/2/1/50000000"),
        ("pi", PiSays + "\n" + """{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"FILL"}],"usage":{"input":10,"output":5,"cost":{"total":0.5}},"stopReason":"error","errorMessage":"no"}}""" + "\n" + PiSettles, "agent-error", "10/5/0/0/50000000"),
        ("pi", PiSays + "\n" + """{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"FILL"}],"stopReason":"length"}}""" + "\n" + PiSettles, "token-limit", "0/0/0/0/0"),
        ("pi", PiSays + "\n" + """{"type":"message_end","message":{"role":"assistant","usage":{"input":10,"output":5,"cost":{"total":0.5}},"a":"FILL","stopReason":"error","b":"FILL"}}""" + "\n" + PiSettles, "incomplete", "10/5/0/0/50000000"),
        ("pi", PiSays + "\n" + """{"type":"message_end","message":{"role":"user","a":"FILL","b":"FILL"}}""" + "\n" + PiSettles, "done", "0/0/0/0/0"),
        ("claude", """{"type":"result","subtype":"success","is_error":false,"result":"FILL","total_cost_usd":0.5,"usage":{"input_tokens":10,"output_tokens":5}}""", "done", "10/5/0/0/50000000"),
        ("claude", """{"result":"FILL","total_cost_usd":0.5,"usage":{"input_tokens":10,"output_tokens":5},"is_error":false,"subtype":"success","type":"result"}""", "done", "10/5/0/0/50000000"),
        ("claude", """{"total_cost_usd":0.5,"usage":{"input_tokens":10,"output_tokens":5},"modelUsage":{"m":{"inputTokens":90,"outputTokens":6,"costUSD":0.5}},"result":"FILL","is_error":true,"type":"result"}""", "agent-error", "90/6/0/0/50000000"),
        ("claude", """{"type":"stream_event"}""" + "\n" + """{"type":"result","a":"FILL","is_error":false,"b":"FILL","total_cost_usd":0.5,"usage":{"input_tokens":10,"output_tokens":5}}""", "incomplete", "10/5/0/0/50000000"),
        ("claude", """{"type":"stream_event"}""" + "\n" + """{"a":"FILL","type":"result","is_error":false,"b":"FILL"}""", "incomplete", "0/0/0/0/0"),
        ("claude", """{"type":"assistant","message":{"id":"m1","model":"x","content":[{"type":"text","text":"FILL"}],"usage":{"input_tokens":10,"output_tokens":5}}}""", "incomplete", "10/5/0/0/0"),
        ("claude", """{"type":"assistant","message":{"id":"m1","content":[{"type":"tool_use","id":"t","name":"Read"}]}}""" + "\n" + """{"type":"user","message":{"content":[{"tool_use_id":"t","type":"tool_result","content":"FILL"}]},"tool_use_result":{"a":"FILL"}}""" + "\n" + """{"type":"result","subtype":"success","is_error":false,"total_cost_usd":0.5,"usage":{"input_tokens":1}}""", "done", "1/0/0/0/50000000"),
        ("codex", """{"type":"turn.started"}""" + "\n" + """{"type":"item.completed","item":{"id":"i","type":"command_execution","aggregated_output":"FILL","exit_code":0,"status":"completed"}}""" + "\n" + """{"type":"turn.completed","usage":{"input_tokens":10,"output_tokens":5}}""", "done", "10/5/0/0/0"),
        ("codex", """{"type":"turn.failed","error":{"message":"FILL"}}""", "agent-error", "0/0/0/0/0"),
        ("codex", """{"type":"turn.completed","x":"FILL","usage":{"input_tokens":10,"output_tokens":5}}""", "done", "10/5/0/0/0"),
        ("opencode", """{"type":"step_finish","part":{"snapshot":"FILL","reason":"stop","tokens":{"input":10,"output":5,"cache":{"read":2,"write":1}},"cost":0.5}}""", "done", "10/5/2/1/50000000"),
        ("opencode", """{"type":"step_finish","part":{"a":"FILL","reason":"stop","b":"FILL","tokens":{"input":10,"output":5},"cost":0.5}}""", "incomplete", "10/5/0/0/50000000"),
        ("opencode", """{"type":"tool_use","part":{"tool":"bash","callID":"c","state":{"status":"completed","output":"FILL","title":"x"}}}""" + "\n" + """{"type":"step_finish","part":{"reason":"stop"}}""", "done", "0/0/0/0/0"),
        ("zot", """{"type":"turn_start"}""" + "\n" + """{"type":"turn_end","text":"FILL","stop":"length"}""" + "\n" + """{"type":"done"}""", "token-limit", "0/0/0/0/0"),
        ("zot", """{"type":"turn_start"}""" + "\n" + """{"type":"turn_end","a":"FILL","stop":"length","b":"FILL"}""" + "\n" + """{"type":"done"}""", "incomplete", "0/0/0/0/0"),
        ("zot", """{"type":"usage","x":"FILL","input":10,"output":5,"cost_usd":0.5}""" + "\n" + """{"type":"done"}""", "done", "10/5/0/0/50000000"),
    ];

    /// <summary>The same for what the run did beside its end: words, calls, refusals.</summary>
    public static IEnumerable<(string Kind, string Lines, string Verdict)> Signs() =>
    [
        ("pi", PiSays + "\n" + """{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"FILL"}],"stopReason":"stop"}}""" + "\n" + PiSettles, "done"),
        ("pi", PiSays + "\n" + """{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"thinking","thinking":"FILL"}],"stopReason":"stop"}}""" + "\n" + PiSettles, "done"),
        ("pi", PiSays + "\n" + """{"type":"message_end","message":{"role":"assistant","content":[{"type":"thinking","thinking":"FILL"}],"stopReason":"stop"}}""" + "\n" + PiSettles, "empty"),
        ("pi", PiSays + "\n" + """{"type":"message_end","message":{"role":"user","content":[{"type":"text","text":"FILL"}]}}""" + "\n" + PiSettles, "empty"),
        ("pi", PiSays + "\n" + """{"type":"agent_end","messages":[{"role":"user","content":"FILL"}],"willRetry":false}""", "empty"),
        ("pi", PiSays + "\n" + """{"type":"not known","text":"FILL"}""" + "\n" + PiSettles, "done"),
        ("pi", PiSays + "\n" + """{"type":"tool_execution_start","toolCallId":"t","toolName":"bash"}""" + "\n" + """{"type":"tool_execution_end","toolCallId":"t","result":{"content":[{"type":"text","text":"FILL"}]},"isError":false}""" + "\n" + PiSettles, "done"),
        ("pi", PiSays + "\n" + """{"type":"tool_execution_start","toolCallId":"t","toolName":"bash"}""" + "\n" + """{"type":"message_end","message":{"role":"user","content":"FILL"}}""" + "\n" + PiSettles, "incomplete"),
        ("claude", ClaudeWrites + "\n" + ClaudeRefused + "\n" + """{"type":"assistant","message":{"id":"m2","content":[{"type":"text","text":"FILL"}]}}""" + "\n" + ClaudeEnds, "denied"),
        ("claude", ClaudeWrites + "\n" + """{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"FILL"}]}}""" + "\n" + ClaudeEnds, "denied"),
        ("claude", ClaudeWrites + "\n" + ClaudeRefused + "\n" + """{"type":"user","message":{"content":[{"type":"tool_result","content":"FILL","tool_use_id":"t2"}]}}""" + "\n" + ClaudeEnds, "done"),
        ("claude", ClaudeWrites + "\n" + ClaudeRefused + "\n" + """{"type":"user","message":{"content":[{"type":"text","text":"FILL"},{"type":"text","text":"FILL"}]}}""" + "\n" + ClaudeEnds, "done"),
        ("claude", ClaudeWrites + "\n" + """{"type":"user","message":{"content":[{"type":"text","text":"FILL"},{"type":"text","text":"FILL"}]}}""" + "\n" + """{"type":"result","is_error":false,"result":"ok"}""", "done"),
        ("claude", ClaudeWrites + "\n" + ClaudeRefused + "\n" + """{"type":"result","is_error":false,"result":"FILL","permission_denials":[{"tool_name":"Write","tool_use_id":"t1","tool_input":{}}]}""", "denied"),
        ("claude", """{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"FILL"}]}}""" + "\n" + """{"type":"result","is_error":false,"result":""}""", "done"),
        ("claude", """{"type":"result","subtype":"success","is_error":false,"result":"FILL"}""", "done"),
        ("claude", """{"type":"assistant","message":{"id":"m1","content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"make","run_in_background":true,"x":"FILL"}}]}}""" + "\n" + """{"type":"result","is_error":false,"result":"ok"}""", "done"),
        ("codex", """{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"FILL"}}""" + "\n" + CodexEnds, "done"),
        ("codex", """{"type":"item.completed","item":{"id":"i","type":"reasoning","text":"FILL"}}""" + "\n" + CodexEnds, "empty"),
        ("codex", """{"type":"item.started","item":{"id":"i","type":"command_execution"}}""" + "\n" + """{"type":"item.completed","item":{"a":"FILL","id":"i","type":"command_execution","b":"FILL"}}""" + "\n" + CodexEnds, "done"),
        ("opencode", """{"type":"text","part":{"text":"FILL"}}""" + "\n" + """{"type":"step_finish","part":{"reason":"stop"}}""", "done"),
        ("zot", """{"type":"assistant_message","content":[{"type":"text","text":"FILL"}]}""" + "\n" + """{"type":"done"}""", "done"),
        ("zot", """{"type":"assistant_message","content":[]}""" + "\n" + """{"type":"user_message","text":"FILL"}""" + "\n" + """{"type":"done"}""", "empty"),
    ];

    [Test]
    [MethodDataSource(nameof(Signs))]
    public void A_long_line_shows_what_was_done_and_only_what_may_have_been_left_out_is_not_held_against_a_run(string kind, string lines, string verdict)
    {
        foreach (var piece in (string[])["A", Decoys])
        {
            var pane = Fed(kind, lines, piece, 64 * 1024);
            pane.Complete();
            RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe(verdict, piece);
        }
    }

    [Test]
    public void A_stream_that_ends_in_a_long_line_is_cut_off_or_printed_no_event()
    {
        var words = new string('x', AgentPane.MaxLineBytes);
        foreach (var (head, cut, printed) in new[] { ("{\"type\":\"", true, false), ("\uFEFF{", true, false), ("hello ", false, true) })
        {
            var pane = PaneFixture.New("pi");
            pane.Hear(Encoding.UTF8.GetBytes(head + words));
            pane.Complete();
            var signs = pane.Run.Signs;
            (signs.IsCut, signs.Unread, signs.Printed?.StartsWith("hello xxx", StringComparison.Ordinal) ?? false).ShouldBe((cut, cut ? 1 : 0, printed), head);
            (pane.Show().MalformedLines, pane.Show().OversizeLines).ShouldBe((1, 1));
        }
    }

    [Test]
    [MethodDataSource(nameof(Streams))]
    public void A_long_line_says_what_it_says_at_its_ends(string kind, string lines, string verdict, string usage)
    {
        foreach (var piece in (string[])["A", "€", "\\\"", Decoys])
        {
            var pane = Fed(kind, Words(kind) + lines, piece, 64 * 1024);
            pane.Complete();
            var shown = pane.Show();
            shown.OversizeLines.ShouldBe(lines.Split('\n').Count(line => line.Contains(Long, StringComparison.Ordinal)));
            RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe(verdict, piece);
            shown.Usage.Show().ShouldBe(usage, piece);
            shown.Tool.ShouldBeNull();
        }
    }

    [Test]
    [Arguments(1)]
    [Arguments(4_099)]
    [Arguments(5_000_000)]
    [Arguments(50_000_000)]
    public void The_chunks_make_no_difference(int chunk)
    {
        foreach (var (kind, lines, verdict, _) in Streams().Where((_, n) => chunk > 1 || n == 0))
            RunVerdict.Judge(Fed(kind, Words(kind) + lines, "x", chunk).Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe(verdict);
    }

    [Test]
    public void A_stream_that_ends_in_a_long_line_after_a_runs_end_is_not_done()
    {
        var pane = PaneFixture.Fed("pi", PiSays, """{"type":"agent_end","messages":[]}""");
        pane.Hear(Encoding.UTF8.GetBytes("""{"type":"auto_retry_start","x":" """ + new string('x', AgentPane.MaxLineBytes)));
        pane.Complete();
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("incomplete");
    }

    [Test]
    public void A_key_that_the_cut_splits_is_in_no_entry()
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New("claude", transcript: transcript);
        const string Key = "sk-ant-0123456789abcdef";
        var head = """{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":" """;
        var text = new string('x', (64 * 1024) - head.Length - (Key.Length / 2)) + Key + new string('y', 5_000_000);
        pane.Hear(Encoding.UTF8.GetBytes(head + text + "\"}]}}\n"));
        transcript.Lines.ShouldNotContain(line => line.Contains("sk-ant", StringComparison.Ordinal));
        pane.Show().Turns.ShouldBe(1);
    }

    // A run without words is empty, whatever its end says.
    private static string Words(string kind) => kind switch
    {
        "pi" => """{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"so"}]}}""",
        "claude" => """{"type":"assistant","message":{"id":"m0","content":[{"type":"text","text":"so"}]}}""",
        "codex" => """{"type":"item.completed","item":{"id":"i0","type":"agent_message","text":"so"}}""",
        "opencode" => """{"type":"text","part":{"text":"so"}}""",
        _ => """{"type":"assistant_message","content":[{"type":"text","text":"so"}]}""",
    } + "\n";

    private static AgentPane Fed(string kind, string lines, string piece, int chunk)
    {
        var filler = new StringBuilder();
        while (filler.Length < 5_000_000) filler.Append(piece);
        var bytes = Encoding.UTF8.GetBytes(lines.Replace(Long, filler.ToString(), StringComparison.Ordinal) + "\n");
        var pane = PaneFixture.New(kind);
        for (var at = 0; at < bytes.Length; at += chunk) pane.Hear(bytes.AsSpan(at, Math.Min(chunk, bytes.Length - at)));
        return pane;
    }
}
