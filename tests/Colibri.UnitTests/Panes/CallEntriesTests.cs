using Colibri.Core.Panes;
using Colibri.UnitTests.Jsonl;

namespace Colibri.UnitTests.Panes;

/// <summary>
/// The tool calls of every recording as a session gets them. Names and arguments were taken out of the recordings by a script that knows nothing of this
/// code.
/// </summary>
public sealed class CallEntriesTests
{
    private const string Hi = """bash({"command":"echo hi"})""";
    private const string CodexHi = "command_execution(/bin/bash -lc 'echo hi')";
    private const string ClaudeHi = """Bash({"command":"echo hi","description":"say hi"})""";
    private const string Removes = """({"command":"rm -rf build && touch made.txt && git status --short"})""";

    /// <summary>Calls and the ends of calls, in order.</summary>
    public static List<(string, string)> Table =>
    [
        ("claude-2.1-duplex-allow", $"Bash{Removes}|Bash"),
        ("claude-2.1-duplex-interrupt", """Bash({"command":"python3 -c \"import time; time.sleep(42)\""})|Bash!"""),
        ("claude-2.1-stream-json-background", """Bash({"command":"python3 -c \"import time; time.sleep(4)\"; echo late","description":"bg","run_in_background":true})|Bash"""),
        ("claude-2.1-stream-json-denied", $"Bash{Removes}|Bash!"),
        ("claude-2.1-stream-json-killed-by-TERM-in-tool", """Bash({"command":"python3 -c \"import time; time.sleep(42)\""})|Bash!"""),
        ("claude-2.1-stream-json-killed", """Bash({"command":"python3 -c \"import time; time.sleep(42)\""})"""),
        ("claude-2.1-stream-json-max-turns", """Bash({"command":"echo loop 1"})|Bash|Bash({"command":"echo loop 2"})|Bash"""),
        ("claude-2.1-stream-json-retry-after", """Bash({"command":"echo hi"})|Bash"""),
        ("claude-2.1-stream-json-retry", $"{ClaudeHi}|Bash"),
        ("claude-2.1-stream-json-tool", """Bash({"command":"echo hi"})|Bash"""),
        ("claude-2.1-stream-json", $"{ClaudeHi}|Bash"),
        ("cline-3.0-json-denied", """run_commands({"commands":["rm -rf build && touch made.txt && git status --short"]})|run_commands!"""),
        ("cline-3.0-json-killed-by-TERM-in-tool", """run_commands({"commands":["sleep 41 & sleep 42"]})|run_commands!"""),
        ("cline-3.0-json-retry", """run_commands({"commands":["echo hi"]})|run_commands"""),
        ("cline-3.0-json-tool", """run_commands({"commands":["echo hi"]})|run_commands"""),
        ("cline-3.0-json-two", """run_commands({"commands":["echo hi"]})|run_commands|editor({"path":"/home/operator/project/out.txt","new_text":"hello\n"})|editor"""),
        ("cline-3.0-json-unknown-tool", """no_such_tool({"a":1})|no_such_tool!"""),
        ("codex-0.169-exec-json", $"{CodexHi}|command_execution"),
        ("codex-0.171-exec-json-killed-by-TERM-in-tool", "command_execution(/bin/bash -lc 'sleep 41 & sleep 42')"),
        ("codex-0.171-exec-json-killed", "command_execution(/bin/bash -lc 'sleep 41 & sleep 42')"),
        ("codex-0.171-exec-json-retry-after", $"{CodexHi}|command_execution"),
        ("codex-0.171-exec-json-retry", $"{CodexHi}|command_execution"),
        ("codex-0.171-exec-json-think", $"{CodexHi}|command_execution"),
        ("codex-0.171-exec-json-tool-fails", "command_execution(/bin/bash -lc 'echo oops >&2; exit 3')|command_execution!"),
        ("codex-0.171-exec-json-tool", $"{CodexHi}|command_execution"),
        ("codex-0.171-exec-json-two", $"{CodexHi}|command_execution"),
        ("copilot-1.0-json-denied", """bash({"command":"rm -rf build && touch made.txt && git status --short","description":"say hi"})|bash!"""),
        ("copilot-1.0-json-killed-by-TERM-in-tool", """bash({"command":"sleep 41 & sleep 42","description":"say hi"})"""),
        ("copilot-1.0-json-killed", """bash({"command":"sleep 41 & sleep 42","description":"say hi"})"""),
        ("copilot-1.0-json-retry", """bash({"command":"echo hi","description":"say hi"})|bash"""),
        ("copilot-1.0-json-tool", """bash({"command":"echo hi","description":"say hi"})|bash"""),
        ("copilot-1.0-json-two", """bash({"command":"echo hi","description":"say hi"})|create({"path":"/home/operator/project/out.txt","file_text":"hello\n"})|create|bash"""),
        ("copilot-1.0-json-unknown-tool", """no_such_tool({"a":1})|no_such_tool!"""),
        ("droid-0.225-stream-json-default-rm", """Execute({"summary":"say hi","command":"rm -rf build && touch made.txt && git status --short","riskLevelReason":"say hi","riskLevel":"low"})|Execute"""),
        ("droid-0.225-stream-json-killed-by-TERM-in-tool", """Execute({"summary":"say hi","command":"sleep 41 & sleep 42"})|Execute!"""),
        ("droid-0.225-stream-json-killed", """Execute({"summary":"say hi","command":"sleep 41 & sleep 42"})"""),
        ("droid-0.225-stream-json-retry", """Execute({"summary":"say hi","command":"echo hi"})|Execute"""),
        ("droid-0.225-stream-json-tool", """Execute({"summary":"say hi","command":"echo hi"})|Execute"""),
        ("droid-0.225-stream-json-two", """Execute({"summary":"say hi","command":"echo hi"})|Create({"file_path":"/home/operator/project/out.txt","content":"hello\n"})|Execute|Create"""),
        ("droid-0.225-stream-json-unknown-tool", """no_such_tool({"a":1})|no_such_tool!"""),
        ("gemini-0.61-stream-json-denied", """run_shell_command({"command":"rm -rf build && touch made.txt && git status --short"})|run_shell_command!"""),
        ("gemini-0.61-stream-json-killed-by-TERM-in-tool", """run_shell_command({"command":"sleep 41 & sleep 42"})"""),
        ("gemini-0.61-stream-json-killed", """run_shell_command({"command":"sleep 41 & sleep 42"})"""),
        ("gemini-0.61-stream-json-max-turns", """run_shell_command({"command":"echo loop 1"})|run_shell_command|run_shell_command({"command":"echo loop 2"})|run_shell_command"""),
        ("gemini-0.61-stream-json-retry", """run_shell_command({"command":"echo hi"})|run_shell_command"""),
        ("gemini-0.61-stream-json-tool", """run_shell_command({"command":"echo hi"})|run_shell_command"""),
        ("gemini-0.61-stream-json-two", """run_shell_command({"command":"echo hi"})|write_file({"file_path":"/home/operator/project/out.txt","content":"hello\n"})|run_shell_command|write_file"""),
        ("gemini-0.61-stream-json-unknown-tool", """no_such_tool({"a":1})|no_such_tool!"""),
        ("goose-1.34-stream-json-denied", """shell({"command":"rm -rf build && touch made.txt && git status --short"})"""),
        ("goose-1.34-stream-json-killed-by-KILL", """shell({"command":"sleep 41 & sleep 42"})"""),
        ("goose-1.34-stream-json-killed-by-TERM-in-tool", """shell({"command":"sleep 41 & sleep 42"})"""),
        ("goose-1.34-stream-json-max-turns", """shell({"command":"echo loop 1"})|shell|shell({"command":"echo loop 2"})|shell"""),
        ("goose-1.34-stream-json-retry", """shell({"command":"echo hi"})|shell"""),
        ("goose-1.34-stream-json-tool", """shell({"command":"echo hi"})|shell"""),
        ("goose-1.34-stream-json-two", """shell({"command":"echo hi"})|write({"path":"/home/operator/project/out.txt","content":"hello\n"})|shell|write"""),
        ("goose-1.34-stream-json-unknown-tool", """no_such_tool({"a":1})|no_such_tool!"""),
        ("opencode-1.18-run-json-denied", $"bash{Removes}|bash!"),
        ("opencode-1.18-run-json-tool-fails", """bash({"command":"echo oops >&2; exit 3"})|bash"""),
        ("opencode-1.18-run-json-tool", """bash({"command":"echo hi"})|bash"""),
        ("opencode-1.18-run-json-turns", """bash({"command":"echo step 1"})|bash|bash({"command":"echo step 2"})|bash"""),
        ("opencode-1.18-run-json-two", """write({"content":"hello\n","filePath":"/home/operator/project/out.txt"})|write|bash({"command":"echo hi"})|bash"""),
        ("opencode-1.18-run-json", $"{Hi}|bash"),
        ("pi-0.73.1-json-retry", $"{Hi}|bash"),
        ("pi-0.73.1-json-tool", $"{Hi}|bash"),
        ("pi-0.87.1-json-tool", $"{Hi}|bash"),
        ("pi-1.5.2-json-killed-by-TERM", """bash({"command":"sleep 300 & echo bg=$!; sleep 300"})"""),
        ("pi-1.5.2-json-retry", $"{Hi}|bash"),
        ("pi-1.5.2-json-think", $"{Hi}|bash"),
        ("pi-1.5.2-json-tool", $"{Hi}|bash"),
        ("pi-1.5.2-json-two", Hi + """|write({"path":"out.txt","content":"hello\n"})|bash|write"""),
        ("pi-1.5.2-rpc-main", Hi + """|bash|bash({"command":"sleep 1; echo slept"})|bash|""" + $"{Hi}|bash|{Hi}|bash"),
        ("pi-1.6.0-json-killed-by-TERM-in-tool", """bash({"command":"sleep 41 & sleep 42"})"""),
        ("pi-1.6.0-json-retry", $"{Hi}|bash"),
        ("pi-1.6.0-json-think", $"{Hi}|bash"),
        ("pi-1.6.0-json-tool", $"{Hi}|bash"),
        ("pi-1.6.0-json-two", Hi + """|write({"path":"/home/operator/project/out.txt","content":"hello\n"})|bash|write"""),
        ("pi-1.6.0-json-unknown-tool", """no_such_tool({"a":1})|no_such_tool!"""),
        ("pi-1.6.0-rpc-abort", """bash({"command":"sleep 41 & sleep 42"})|bash!"""),
        ("pi-1.6.0-rpc-compact", $"{Hi}|bash"),
        ("pi-1.6.0-rpc-prompt", $"{Hi}|bash|" + """bash({"command":"echo step 1"})|bash|bash({"command":"echo step 2"})|bash"""),
        ("pi-1.6.0-rpc-question-yes", $"{Hi}|question|question|bash"),
        ("pi-1.6.0-rpc-steer", """bash({"command":"sleep 3; echo slept"})|bash"""),
        ("qwen-0.24-duplex-allow", """run_shell_command({"command":"rm -rf build && touch made.txt && git status --short"})|run_shell_command"""),
        ("qwen-0.24-stream-json-killed-by-TERM-in-tool", """run_shell_command({"command":"sleep 41 & sleep 42"})"""),
        ("qwen-0.24-stream-json-killed", """run_shell_command({"command":"sleep 41 & sleep 42"})"""),
        ("qwen-0.24-stream-json-max-turns", """run_shell_command({"command":"echo loop 1"})|run_shell_command|run_shell_command({"command":"echo loop 2"})|run_shell_command"""),
        ("qwen-0.24-stream-json-retry", """run_shell_command({"command":"echo hi"})|run_shell_command"""),
        ("qwen-0.24-stream-json-tool", """run_shell_command({"command":"echo hi"})|run_shell_command"""),
        ("qwen-0.24-stream-json-two", """run_shell_command({"command":"echo hi"})|write_file({"file_path":"/home/operator/project/out.txt","content":"hello\n"})|run_shell_command|write_file"""),
        ("qwen-0.24-stream-json-unknown-tool", """no_such_tool({"a":1})|no_such_tool!"""),
    ];

    [Test]
    [MethodDataSource(nameof(Table))]
    public void A_call_stands_with_its_arguments_before_its_result(string recording, string calls)
    {
        Calls(recording).ShouldBe(calls.Split('|'));
        // Whatever the chunks are.
        Calls(recording, chunk: 7).ShouldBe(calls.Split('|'));
    }

    [Test]
    public void Every_recording_with_a_call_is_in_the_table() =>
        Recordings.Names().Where(name => !name.EndsWith(".stdin", StringComparison.Ordinal) && Fold(name, 4_096).Pane.Show().Tools > 0).ShouldBe(Table.Select(row => row.Item1));

    public static IEnumerable<(string, string, string)> Streams()
    {
        // As the kind's documentation has them: the arguments come in parts, and whole before the tool runs.
        yield return ("zot", Lines(
            """{"type":"turn_start"}""", """{"type":"tool_use_start","id":"t1","name":"bash"}""", """{"type":"tool_use_args","id":"t1","delta":"{\"comm"}""", """{"type":"tool_use_end","id":"t1"}""",
            """{"type":"assistant_message","content":[{"type":"tool_call","id":"t1","name":"bash","args":{"command":"ls"}}]}""",
            """{"type":"tool_call","id":"t1","name":"bash","args":{"command":"ls"}}""", """{"type":"tool_result","id":"t1","is_error":false,"content":"a"}"""), """bash({"command":"ls"})|bash""");
        yield return ("zot", Lines(
            """{"type":"turn_start"}""", """{"type":"tool_use_start","id":"t1","name":"codemode"}""", """{"type":"tool_call","id":"t1","name":"codemode","args":{"script":"x"}}""",
            """{"type":"tool_call","id":"t1/1","name":"read","args":{"path":"a"}}""", """{"type":"tool_result","id":"t1/1","is_error":false,"content":"a"}""",
            """{"type":"tool_result","id":"t1","is_error":false,"content":"b"}"""), """codemode({"script":"x"})|read({"path":"a"})|*|codemode""");
        // Its arguments were not told before its end, and those of the other never.
        yield return ("zot", Lines(
            """{"type":"turn_start"}""", """{"type":"tool_use_start","id":"t1","name":"bash"}""", """{"type":"tool_use_start","id":"t2","name":"read"}""",
            """{"type":"tool_result","id":"t1","is_error":false,"content":"a"}""", """{"type":"done"}"""), "bash()|bash|read()");
        yield return ("codex", Lines(
            """{"type":"turn.started"}""", """{"type":"item.started","item":{"id":"1","type":"web_search","query":""}}""",
            """{"type":"item.completed","item":{"id":"1","type":"web_search","query":"colibri"}}""",
            """{"type":"item.started","item":{"id":"2","type":"mcp_tool_call","server":"s","tool":"search","arguments":{"q":"a"},"status":"in_progress"}}""",
            """{"type":"item.completed","item":{"id":"2","type":"mcp_tool_call","server":"s","tool":"search","arguments":{"q":"a"},"status":"completed"}}""",
            """{"type":"item.completed","item":{"id":"3","type":"file_change","changes":[{"path":"/w/a","kind":"add"}],"status":"completed"}}"""), """web_search(colibri)|web_search|search({"q":"a"})|search|file_change([{"path":"/w/a","kind":"add"}])|file_change""");
        // Told again, and ended twice.
        yield return ("opencode", Lines(
            """{"type":"step_start"}""", """{"type":"tool_use","part":{"tool":"bash","callID":"c","state":{"status":"running","input":{"command":"ls"}}}}""",
            """{"type":"tool_use","part":{"tool":"bash","callID":"c","state":{"status":"completed","input":{"command":"ls"},"output":"a"}}}"""), """bash({"command":"ls"})|bash""");
    }

    [Test]
    [MethodDataSource(nameof(Streams))]
    public void Arguments_are_taken_whole_where_they_come_in_parts_or_late(string kind, string lines, string calls)
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New(kind, transcript: transcript);
        pane.Say(lines);
        transcript.Take(pane.Complete());
        Calls(transcript).ShouldBe(calls.Replace("*", "", StringComparison.Ordinal).Split('|'));
    }

    [Test]
    public void No_more_than_sixteen_calls_wait_for_their_arguments_and_none_is_lost()
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New("zot", transcript: transcript);
        pane.Say("""{"type":"turn_start"}""");
        for (var i = 0; i < CallEntries.MaxWaiting + 3; i++) pane.Say($$"""{"type":"tool_use_start","id":"t{{i}}","name":"tool{{i}}"}""");
        transcript.Lines.ShouldBe(["tool0()", "tool1()", "tool2()"]);
        pane.Say("""{"type":"done"}""");
        transcript.Lines.ShouldBe(Enumerable.Range(0, CallEntries.MaxWaiting + 3).Select(i => $"tool{i}()"));
    }

    [Test]
    public void A_question_is_entered_once_with_all_that_is_asked()
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New(transcript: transcript);
        pane.Say("""{"type":"agent_start"}""");
        const string Asks = """{"type":"extension_ui_request","id":"q1","method":"select","title":"Which?","message":"The roof has two sides.","options":["north","south"]}""";
        pane.Say(Asks);
        pane.Say(Asks);
        pane.Say("""{"type":"extension_ui_request","id":"q2","method":"confirm","title":"Sure?"}""");
        pane.Say("""{"type":"extension_ui_request","id":"n","method":"notify","message":"nothing is asked"}""");
        transcript.Lines.ShouldBe(["question: Which?\nThe roof has two sides.\n- north\n- south", "question: Sure?"]);
    }

    [Test]
    public void A_question_of_which_only_that_it_is_asked_is_known_is_entered_once()
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New("codex", transcript: transcript);
        pane.Say("""{"type":"turn.started"}""");
        pane.Say("""{"type":"item.started","item":{"id":"1","type":"request_user_input"}}""");
        pane.Say("""{"type":"item.updated","item":{"id":"1","type":"request_user_input"}}""");
        transcript.Lines.ShouldBe(["question: the agent asks, and does not say what"]);
    }

    private static string Lines(params ReadOnlySpan<string> lines) => string.Join('\n', lines);

    private static List<string> Calls(string recording, int chunk = int.MaxValue) => Calls(Fold(recording, chunk).Transcript);

    // Calls as they are, ends by their tool.
    private static List<string> Calls(ListTranscript transcript) =>
    [
        .. transcript.Lines.Where(line => !line.StartsWith("assistant: ", StringComparison.Ordinal) && !line.StartsWith("usage: ", StringComparison.Ordinal))
            .Select(line => IsCall(line) ? line : line[..line.IndexOf(": ", StringComparison.Ordinal)]),
    ];

    private static bool IsCall(string line) => line.AsSpan().IndexOfAny('(', ':') is >= 0 and var first && line[first] == '(';

    private static (AgentPane Pane, ListTranscript Transcript) Fold(string recording, int chunk)
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New(recording[..recording.IndexOf('-', StringComparison.Ordinal)], transcript: transcript);
        var bytes = Recordings.Read(recording);
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(chunk, bytes.Length - at);
            pane.Hear(bytes.AsSpan(at, length));
            at += length;
        }
        transcript.Take(pane.Complete());
        return (pane, transcript);
    }
}
