using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Panes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Providers;

namespace Colibri.UnitTests.Panes;

/// <summary>
/// What every recording comes to. The numbers were counted out of the recordings by a script that knows nothing of this code; the exits are
/// those in the recordings' README, a signal as a number below 0.
/// </summary>
public sealed class RecordingFoldTests
{
    private const string Kept = "usage 324/52/2176/0/240480";

    /// <summary>The exit is a code, or the number of a signal below zero.</summary>
    private static readonly (string Recording, int Exit, string Expected)[] Table =
    [
        ("claude-2.1-duplex-allow", 0, "Done done events 10 malformed 0 turns 3 tools 1 usage 472/64/3328/0/383360"),
        ("claude-2.1-duplex-interrupt", 1, "Error agent-error events 8 malformed 0 turns 1 tools 1 usage 176/40/1024/0/170880"),
        ("claude-2.1-stream-json-auth", 1, "Error agent-error events 4 malformed 0 turns 0 tools 0 usage 0/0/0/0/0"),
        ("claude-2.1-stream-json-background", 0, "Done done events 14 malformed 0 turns 3 tools 1 usage 472/64/3328/0/383360"),
        ("claude-2.1-stream-json-denied", 0, "Done denied events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/277120 denied 1"),
        ("claude-2.1-stream-json-killed-by-TERM-in-tool", 143, "Working exit-code events 6 malformed 0 turns 1 tools 1 usage 176/1/1024/0/0"),
        ("claude-2.1-stream-json-killed", -9, "Working killed events 4 malformed 0 turns 1 tools 1 usage 176/1/1024/0/0"),
        ("claude-2.1-stream-json-length", 1, "Error token-limit events 10 malformed 0 turns 4 tools 0 usage 40/4/0/0/24000"),
        ("claude-2.1-stream-json-limit", 1, "Error agent-error events 4 malformed 0 turns 0 tools 0 usage 0/0/0/0/0"),
        ("claude-2.1-stream-json-max-turns", 1, "Error agent-error events 8 malformed 0 turns 2 tools 2 usage 352/80/2048/0/341760"),
        ("claude-2.1-stream-json-partial", 0, "Done done events 10 malformed 0 turns 1 tools 0 usage 148/12/1152/0/96960"),
        ("claude-2.1-stream-json-resumed-again", 0, "Done done events 3 malformed 0 turns 1 tools 0 usage 148/12/1152/0/96960"),
        ("claude-2.1-stream-json-resumed", 0, "Done done events 3 malformed 0 turns 1 tools 0 usage 148/12/1152/0/106240"),
        ("claude-2.1-stream-json-retry-after", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/277120"),
        ("claude-2.1-stream-json-retry", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 352/80/2048/0/341760"),
        ("claude-2.1-stream-json-tool", 0, "Done done events 6 malformed 0 turns 2 tools 1 usage 324/52/2176/0/277120"),
        ("claude-2.1-stream-json", 0, "Done done events 23 malformed 0 turns 2 tools 1 usage 352/80/2048/0/341760"),
        ("cline-3.0-json-400", 1, "Error agent-error events 5 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("cline-3.0-json-401", 1, "Error agent-error events 5 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("cline-3.0-json-denied", 0, "Done denied events 22 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0 denied 1"),
        ("cline-3.0-json-killed-by-TERM-in-tool", 0, "Done done events 24 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("cline-3.0-json-length", 1, "Error token-limit events 33 malformed 0 turns 4 tools 0 usage 40/4/0/0/0"),
        ("cline-3.0-json-retry", 0, "Done done events 23 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("cline-3.0-json-tool", 0, "Done done events 23 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("cline-3.0-json-two", 0, "Done done events 27 malformed 0 turns 2 tools 2 usage 324/52/2176/0/0"),
        ("cline-3.0-json-unknown-tool", 0, "Done done events 20 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("codex-0.169-exec-json-auth", 1, "Error agent-error events 10 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("codex-0.169-exec-json", 0, "Done done events 8 malformed 0 turns 1 tools 1 usage 352/80/2048/0/0"),
        ("codex-0.171-exec-json-400", 1, "Error agent-error events 5 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("codex-0.171-exec-json-401", 1, "Error agent-error events 6 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("codex-0.171-exec-json-429", 143, "Error agent-error events 4 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("codex-0.171-exec-json-killed-by-TERM-in-tool", -15, "Working killed events 5 malformed 0 turns 1 tools 1 usage 0/0/0/0/0"),
        ("codex-0.171-exec-json-killed", -9, "Working killed events 5 malformed 0 turns 1 tools 1 usage 0/0/0/0/0"),
        ("codex-0.171-exec-json-length", 1, "Error token-limit events 6 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("codex-0.171-exec-json-resumed", 0, "Done done events 5 malformed 0 turns 1 tools 0 usage 472/64/3328/0/0"),
        ("codex-0.171-exec-json-retry-after", 0, "Done done events 9 malformed 0 turns 1 tools 1 usage 324/52/2176/0/0"),
        ("codex-0.171-exec-json-retry", 0, "Done done events 8 malformed 0 turns 1 tools 1 usage 324/52/2176/0/0"),
        ("codex-0.171-exec-json-think", 0, "Done done events 9 malformed 0 turns 1 tools 1 usage 324/52/2176/0/0"),
        ("codex-0.171-exec-json-tool-fails", 0, "Done done events 8 malformed 0 turns 1 tools 1 usage 324/52/2176/0/0"),
        ("codex-0.171-exec-json-tool", 0, "Done done events 8 malformed 0 turns 1 tools 1 usage 324/52/2176/0/0"),
        ("codex-0.171-exec-json-two", 0, "Done done events 8 malformed 0 turns 1 tools 1 usage 324/52/2176/0/0"),
        ("copilot-1.0-json-401", 1, "Error agent-error events 23 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("copilot-1.0-json-503", 1, "Error agent-error events 38 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("copilot-1.0-json-denied", 0, "Done denied events 37 malformed 0 turns 2 tools 1 usage 0/0/0/0/0 denied 1"),
        ("copilot-1.0-json-killed-by-TERM-in-tool", 0, "Error aborted events 40 malformed 0 turns 1 tools 1 usage 0/0/0/0/0"),
        ("copilot-1.0-json-killed", -9, "Working killed events 24 malformed 0 turns 1 tools 1 usage 0/0/0/0/0"),
        ("copilot-1.0-json-length", 0, "Done done events 28 malformed 0 turns 3 tools 0 usage 0/0/0/0/0"),
        ("copilot-1.0-json-resumed", 0, "Done done events 18 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("copilot-1.0-json-retry", 0, "Done done events 59 malformed 0 turns 2 tools 1 usage 0/0/0/0/0"),
        ("copilot-1.0-json-tool", 0, "Done done events 61 malformed 0 turns 2 tools 1 usage 0/0/0/0/0"),
        ("copilot-1.0-json-two", 0, "Done done events 57 malformed 0 turns 2 tools 2 usage 0/0/0/0/0"),
        ("copilot-1.0-json-unknown-tool", 0, "Done done events 29 malformed 0 turns 2 tools 1 usage 0/0/0/0/0"),
        ("droid-0.225-stream-json-401", 1, "Error agent-error events 4 malformed 0 turns 0 tools 0 usage 0/0/0/0/0"),
        ("droid-0.225-stream-json-default-rm", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("droid-0.225-stream-json-killed-by-TERM-in-text", 0, "Working incomplete events 3 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("droid-0.225-stream-json-killed-by-TERM-in-tool", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("droid-0.225-stream-json-killed", -9, "Working killed events 4 malformed 0 turns 1 tools 1 usage 0/0/0/0/0"),
        ("droid-0.225-stream-json-resumed", 0, "Done done events 4 malformed 0 turns 1 tools 0 usage 324/52/2176/0/0"),
        ("droid-0.225-stream-json-retry", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("droid-0.225-stream-json-tool", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("droid-0.225-stream-json-two", 0, "Done done events 9 malformed 0 turns 2 tools 2 usage 324/52/2176/0/0"),
        ("droid-0.225-stream-json-unknown-tool", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("gemini-0.61-stream-json-400", 144, "Error agent-error events 3 malformed 0 turns 0 tools 0 usage 50/3/0/0/0"),
        ("gemini-0.61-stream-json-401", 145, "Error agent-error events 3 malformed 0 turns 0 tools 0 usage 0/0/0/0/0"),
        ("gemini-0.61-stream-json-denied", 0, "Done denied events 10 malformed 0 turns 0 tools 1 usage 374/55/2176/0/0 denied 1"),
        ("gemini-0.61-stream-json-killed-by-TERM-in-tool", 0, "Working incomplete events 5 malformed 0 turns 0 tools 1 usage 0/0/0/0/0"),
        ("gemini-0.61-stream-json-killed", -9, "Working killed events 5 malformed 0 turns 0 tools 1 usage 0/0/0/0/0"),
        ("gemini-0.61-stream-json-length", 0, "Done done events 4 malformed 0 turns 0 tools 0 usage 20/2/0/0/0"),
        ("gemini-0.61-stream-json-max-turns", 53, "Error agent-error events 11 malformed 0 turns 0 tools 2 usage 402/83/2048/0/0"),
        ("gemini-0.61-stream-json-not-offered", 0, "Done done events 5 malformed 0 turns 0 tools 0 usage 226/43/1024/0/0"),
        ("gemini-0.61-stream-json-resumed", 0, "Done done events 6 malformed 0 turns 0 tools 0 usage 296/24/2304/0/0"),
        ("gemini-0.61-stream-json-retry", 0, "Done done events 10 malformed 0 turns 0 tools 1 usage 374/55/2176/0/0"),
        ("gemini-0.61-stream-json-tool", 0, "Done done events 10 malformed 0 turns 0 tools 1 usage 374/55/2176/0/0"),
        ("gemini-0.61-stream-json-two", 0, "Done done events 12 malformed 0 turns 0 tools 2 usage 374/55/2176/0/0"),
        ("gemini-0.61-stream-json-unknown-tool", 0, "Done done events 10 malformed 0 turns 0 tools 1 usage 374/55/2176/0/0"),
        ("goose-1.34-stream-json-401", 0, "Error agent-error events 2 malformed 3 turns 0 tools 0 usage 0/0/0/0/0"),
        ("goose-1.34-stream-json-denied", 1, "Working exit-code events 3 malformed 3 turns 1 tools 1 usage 0/0/0/0/0"),
        ("goose-1.34-stream-json-killed-by-KILL", -9, "Working killed events 3 malformed 3 turns 1 tools 1 usage 0/0/0/0/0"),
        ("goose-1.34-stream-json-killed-by-TERM-in-tool", -15, "Working killed events 3 malformed 3 turns 1 tools 1 usage 0/0/0/0/0"),
        ("goose-1.34-stream-json-length", 0, "Done done events 2 malformed 3 turns 1 tools 0 usage 10/1/0/0/0"),
        ("goose-1.34-stream-json-max-turns", 0, "Error agent-error events 10 malformed 3 turns 2 tools 2 usage 2400/80/0/0/0"),
        ("goose-1.34-stream-json-retry", 0, "Done done events 8 malformed 3 turns 2 tools 1 usage 2500/52/0/0/0"),
        ("goose-1.34-stream-json-tool", 0, "Done done events 8 malformed 3 turns 2 tools 1 usage 2500/52/0/0/0"),
        ("goose-1.34-stream-json-two", 0, "Done done events 9 malformed 3 turns 2 tools 2 usage 2500/52/0/0/0"),
        ("goose-1.34-stream-json-unknown-tool", 0, "Done done events 8 malformed 3 turns 2 tools 1 usage 2500/52/0/0/0"),
        ("opencode-1.18-run-json-auth", 1, "Error agent-error events 1 malformed 0 turns 0 tools 0 usage 0/0/0/0/0"),
        ("opencode-1.18-run-json-denied", 0, "Working incomplete events 4 malformed 0 turns 1 tools 1 usage 176/40/1024/0/143520 denied 1"),
        ("opencode-1.18-run-json-killed", -9, "Working killed events 2 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("opencode-1.18-run-json-limit", 1, "Error agent-error events 1 malformed 0 turns 0 tools 0 usage 0/0/0/0/0"),
        ("opencode-1.18-run-json-resumed", 0, "Done done events 3 malformed 0 turns 1 tools 0 usage 148/12/1152/0/96960"),
        ("opencode-1.18-run-json-tool-fails", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/240480"),
        ("opencode-1.18-run-json-tool", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/240480"),
        ("opencode-1.18-run-json-turns", 0, "Done done events 11 malformed 0 turns 3 tools 2 usage 500/92/3200/0/384000"),
        ("opencode-1.18-run-json-two", 0, "Done done events 8 malformed 0 turns 2 tools 2 usage 324/52/2176/0/240480"),
        ("opencode-1.18-run-json", 0, "Done done events 7 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-0.73.1-json-retry", 0, "Done done events 34 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-0.73.1-json-tool", 0, "Done done events 34 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-0.87.1-json-tool", 0, "Done done events 37 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-1.5.2-json-auth", 0, "Error agent-error events 12 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("pi-1.5.2-json-fail", 0, "Error agent-error events 37 malformed 0 turns 4 tools 0 usage 0/0/0/0/0"),
        ("pi-1.5.2-json-killed-by-TERM", 143, "Working exit-code events 21 malformed 0 turns 1 tools 1 usage 176/40/1024/0/143520"),
        ("pi-1.5.2-json-length", 0, "Error token-limit events 16 malformed 0 turns 1 tools 0 usage 10/1/0/0/4500"),
        ("pi-1.5.2-json-retry", 0, "Done done events 46 malformed 0 turns 3 tools 1 " + Kept),
        ("pi-1.5.2-json-think", 0, "Done done events 41 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-1.5.2-json-tool", 0, "Done done events 37 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-1.5.2-json-two", 0, "Done done events 46 malformed 0 turns 2 tools 2 " + Kept),
        ("pi-1.5.2-rpc-main", 0, "Done done events 220 malformed 0 turns 11 tools 4 usage 1444/220/9856/0/1058880"),
        // What a client said to Pi, not what Pi said: names nobody knows, and one line that is no JSON.
        ("pi-1.5.2-rpc-main.stdin", 0, "Idle no-result events 23 malformed 1 turns 0 tools 0 usage 0/0/0/0/0"),
        ("pi-1.6.0-json-400", 0, "Error agent-error events 12 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("pi-1.6.0-json-401", 0, "Error agent-error events 12 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("pi-1.6.0-json-killed-by-TERM-in-text", 143, "Working exit-code events 53 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("pi-1.6.0-json-killed-by-TERM-in-tool", 143, "Working exit-code events 20 malformed 0 turns 1 tools 1 usage 176/40/1024/0/143520"),
        ("pi-1.6.0-json-length", 0, "Error token-limit events 16 malformed 0 turns 1 tools 0 usage 10/1/0/0/4500"),
        ("pi-1.6.0-json-retry", 0, "Done done events 45 malformed 0 turns 3 tools 1 " + Kept),
        ("pi-1.6.0-json-think", 0, "Done done events 40 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-1.6.0-json-tool", 0, "Done done events 36 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-1.6.0-json-two", 0, "Done done events 45 malformed 0 turns 2 tools 2 " + Kept),
        ("pi-1.6.0-json-unknown-tool", 0, "Done done events 34 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-1.6.0-rpc-abort", 0, "Done done events 46 malformed 0 turns 3 tools 1 " + Kept),
        ("pi-1.6.0-rpc-compact", 0, "Done done events 57 malformed 0 turns 3 tools 1 usage 472/64/3328/0/337440"),
        ("pi-1.6.0-rpc-prompt", 0, "Done done events 91 malformed 0 turns 5 tools 3 usage 824/144/5376/0/624480"),
        ("pi-1.6.0-rpc-question-yes", 0, "Done done events 42 malformed 0 turns 2 tools 1 " + Kept),
        ("pi-1.6.0-rpc-steer", 0, "Done done events 56 malformed 0 turns 3 tools 1 usage 472/64/3328/0/337440"),
        ("qwen-0.24-duplex-allow", 0, "Done done events 12 malformed 0 turns 3 tools 1 usage 620/76/4480/0/0"),
        ("qwen-0.24-stream-json-400", 1, "Error agent-error events 4 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("qwen-0.24-stream-json-401", 1, "Error agent-error events 4 malformed 0 turns 1 tools 0 usage 0/0/0/0/0"),
        ("qwen-0.24-stream-json-killed-by-TERM-in-tool", -15, "Working killed events 4 malformed 0 turns 0 tools 1 usage 0/0/0/0/0"),
        ("qwen-0.24-stream-json-killed", -9, "Working killed events 4 malformed 0 turns 0 tools 1 usage 0/0/0/0/0"),
        ("qwen-0.24-stream-json-length", 0, "Done done events 9 malformed 0 turns 1 tools 0 usage 100/10/0/0/0"),
        ("qwen-0.24-stream-json-max-turns", 53, "Working exit-code events 8 malformed 0 turns 0 tools 2 usage 0/0/0/0/0"),
        ("qwen-0.24-stream-json-not-offered", 0, "Done done events 4 malformed 0 turns 1 tools 0 usage 500/92/3200/0/0"),
        ("qwen-0.24-stream-json-resumed", 0, "Done done events 4 malformed 0 turns 1 tools 0 usage 472/64/3328/0/0"),
        ("qwen-0.24-stream-json-retry", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("qwen-0.24-stream-json-tool", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
        ("qwen-0.24-stream-json-two", 0, "Done done events 8 malformed 0 turns 2 tools 2 usage 324/52/2176/0/0"),
        ("qwen-0.24-stream-json-unknown-tool", 0, "Done done events 7 malformed 0 turns 2 tools 1 usage 324/52/2176/0/0"),
    ];

    /// <summary>The tool that was at work when a recording breaks off.</summary>
    private static readonly Dictionary<string, string> AtWork = new()
    {
        ["claude-2.1-stream-json-killed"] = "Bash",
        ["codex-0.171-exec-json-killed"] = "command_execution",
        ["codex-0.171-exec-json-killed-by-TERM-in-tool"] = "command_execution",
        ["copilot-1.0-json-killed"] = "bash",
        ["droid-0.225-stream-json-killed"] = "Execute",
        ["gemini-0.61-stream-json-killed"] = "run_shell_command",
        ["gemini-0.61-stream-json-killed-by-TERM-in-tool"] = "run_shell_command",
        ["goose-1.34-stream-json-denied"] = "shell",
        ["goose-1.34-stream-json-killed-by-KILL"] = "shell",
        ["goose-1.34-stream-json-killed-by-TERM-in-tool"] = "shell",
        ["pi-1.5.2-json-killed-by-TERM"] = "bash",
        ["pi-1.6.0-json-killed-by-TERM-in-tool"] = "bash",
        ["qwen-0.24-stream-json-killed"] = "run_shell_command",
        ["qwen-0.24-stream-json-killed-by-TERM-in-tool"] = "run_shell_command",
    };

    public static List<(string, int, string)> Expectations() => [.. Table];

    [Test]
    public void Every_recording_has_its_line_in_the_table() =>
        Table.Select(row => row.Recording).ShouldBe(Recordings.Names());

    [Test]
    [MethodDataSource(nameof(Expectations))]
    public void A_recording_comes_to_the_same_whole_byte_by_byte_and_in_random_chunks(string recording, int exit, string expected)
    {
        var bytes = Recordings.Read(recording);
        var whole = Fold(recording, bytes, bytes.Length, null);
        Summary(whole, exit).ShouldBe(expected);
        var details = whole.Show();
        details.OversizeLines.ShouldBe(0);
        details.Tool.ShouldBe(AtWork.GetValueOrDefault(recording));

        Same(Fold(recording, bytes, 1, null).Show(), details);
        for (var seed = 0; seed < 200; seed++) Same(Fold(recording, bytes, seed % 3 == 0 ? 20 : 9000, new Random(seed)).Show(), details);
    }

    [Test]
    [Arguments("claude-2.1-stream-json-denied", "Bash 1 This Bash command contains multiple operations. The following parts require approval: rm -rf build, touch made.txt")]
    [Arguments("opencode-1.18-run-json-denied", "bash 1 The user rejected permission to use this specific tool call.")]
    [Arguments("gemini-0.61-stream-json-denied", "run_shell_command 1 Tool execution for \"Shell\" requires user confirmation, which is not supported in non-interactive mode.")]
    [Arguments("copilot-1.0-json-denied", "bash 1 Permission denied because no interactive user response was available. Retry in an interactive session so the user can approve it, or try an alternative that does not require this permission.")]
    [Arguments("cline-3.0-json-denied", "run_commands 1 Tool \"run_commands\" requires approval in a TTY session -- NOT a tool or system failure. Clarify with user before proceeding.")]
    [Arguments("codex-0.171-exec-json-tool-fails", "")]
    [Arguments("cline-3.0-json-unknown-tool", "")]
    [Arguments("droid-0.225-stream-json-unknown-tool", "")]
    [Arguments("claude-2.1-duplex-interrupt", "")]
    public void Refused_calls_are_told_once_each(string recording, string denied)
    {
        var bytes = Recordings.Read(recording);
        Denied(Fold(recording, bytes, bytes.Length, null).Show()).ShouldBe(denied);
    }

    [Test]
    [Arguments("pi-1.5.2-json-tool", "01a201dd-9e2c-7489-9c6b-b90dc9b73446", "/home/op/work", "agent_settled")]
    [Arguments("pi-0.73.1-json-tool", "01a201dd-9477-73cc-8885-c5cb7fa69372", "/home/op/work", "agent_end")]
    [Arguments("claude-2.1-stream-json", "a4220ee0-7c5c-432e-8849-b80a1dcd7d8b", "/home/op/work", "result")]
    [Arguments("codex-0.169-exec-json", "01a201e9-c4cd-7a12-9970-010ecffc4f0c", "/start", "turn.completed")]
    [Arguments("opencode-1.18-run-json", "ses_dfe157149ffePwVcZKly5pGctU", "/start", "step_finish")]
    [Arguments("gemini-0.61-stream-json-tool", "fe91c28e-840a-49a5-9444-ba923bdc480c", "/start", "result")]
    [Arguments("qwen-0.24-stream-json-resumed", "dafbdd77-0d85-4027-829c-00eb77eef576", "/home/operator/project", "result")]
    [Arguments("copilot-1.0-json-tool", "10237767-e935-4945-94db-0723b78fbe1a", "/start", "result")]
    [Arguments("droid-0.225-stream-json-tool", "816ae0b8-0bb2-4335-a129-47c8d9959364", "/home/operator/project", "completion")]
    public void The_agents_own_session_and_last_event_are_shown(string recording, string session, string cwd, string lastEvent)
    {
        var bytes = Recordings.Read(recording);
        var pane = Fold(recording, bytes, bytes.Length, null).Show();
        pane.HarnessSessionId.ShouldBe(session);
        pane.Cwd.ShouldBe(cwd);
        pane.LastEvent.ShouldBe(lastEvent);
        pane.Error.ShouldBeNull();
    }

    [Test]
    [Arguments("pi-1.5.2-json-auth", "401: {\"message\":\"invalid api key\",\"type\":\"mock_error\",\"code\":401}")]
    [Arguments("pi-1.5.2-json-fail", "503: {\"message\":\"service unavailable\",\"type\":\"mock_error\",\"code\":503}")]
    [Arguments("pi-1.5.2-json-length", "answer cut by the token limit")]
    [Arguments("claude-2.1-stream-json-auth", "Failed to authenticate. API Error: 401 invalid api key")]
    [Arguments("claude-2.1-stream-json-limit", "You've hit your 5-hour limit · resets 5:57pm (UTC)")]
    [Arguments("claude-2.1-stream-json-length", "API Error: Claude's response exceeded the 128000 output token maximum. To configure this behavior, set the CLAUDE_CODE_MAX_OUTPUT_TOKENS environment variable.")]
    [Arguments("codex-0.171-exec-json-length", "Incomplete response returned, reason: max_output_tokens")]
    [Arguments("codex-0.169-exec-json-auth", "unexpected status 401 Unauthorized: invalid api key, url: http://127.0.0.1:18231/v1/responses")]
    [Arguments("opencode-1.18-run-json-auth", "invalid api key")]
    [Arguments("opencode-1.18-run-json-limit", "rate limited")]
    [Arguments("gemini-0.61-stream-json-401", "[API Error: {\"error\":{\"code\":401,\"message\":\"invalid api key\",\"status\":\"UNAUTHENTICATED\"}}]")]
    [Arguments("gemini-0.61-stream-json-max-turns", "Reached max session turns for this session. Increase the number of turns by specifying maxSessionTurns in settings.json.")]
    [Arguments("qwen-0.24-stream-json-401", "[API Error: 401 invalid api key]")]
    [Arguments("copilot-1.0-json-401", "Authentication failed with provider at http://127.0.0.1:18100/v1 (HTTP 401).\n  Check your COPILOT_PROVIDER_API_KEY, COPILOT_PROVIDER_API_KEY_COMMAND, or COPILOT_PROVIDER_BEARER_TOKEN.")]
    [Arguments("copilot-1.0-json-503", "Failed to get response from the AI model; retried 5 times (total retry wait time: 16.57 seconds) Last error: 503 service unavailable")]
    [Arguments("cline-3.0-json-401", "invalid api key")]
    [Arguments("cline-3.0-json-length", "Model reached the maximum output token limit before completing the turn")]
    [Arguments("droid-0.225-stream-json-401", "401 invalid api key")]
    [Arguments("goose-1.34-stream-json-401", "Ran into this error: Authentication error: Authentication failed. Status: 401 Unauthorized. Response: invalid api key.\n\nPlease retry if you think this is a transient or recoverable error.")]
    [Arguments("goose-1.34-stream-json-max-turns", "I've reached the maximum number of actions I can do without user input. Would you like me to continue?")]
    public void A_failed_run_says_why_in_the_agents_own_words(string recording, string error)
    {
        var bytes = Recordings.Read(recording);
        var pane = Fold(recording, bytes, bytes.Length, null);
        pane.Show().Error.ShouldBe(error);
        pane.Show().NeedsAttention.ShouldBeTrue();
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Error!.Message.ShouldBe(error.ReplaceLineEndings(" "));
    }

    /// <summary>The numbers are HTTP statuses in fields, or in the provider's own answer.</summary>
    [Test]
    [Arguments("gemini-0.61-stream-json-401", 401)]
    [Arguments("gemini-0.61-stream-json-400", 400)]
    [Arguments("copilot-1.0-json-401", 401)]
    [Arguments("copilot-1.0-json-503", 503)]
    [Arguments("copilot-1.0-json-retry", 0)]
    public void A_refusal_of_the_provider_is_known_by_its_status(string recording, int status)
    {
        var bytes = Recordings.Read(recording);
        Fold(recording, bytes, bytes.Length, null).Run.ProviderStatus.ShouldBe(status);
    }

    /// <summary>Of every recording in which the agent said something: what a session has as its last message is the beginning of what the pane shows.</summary>
    [Test]
    public void The_last_words_are_those_of_the_last_message()
    {
        var spoken = 0;
        foreach (var (recording, _, _) in Table)
        {
            var pane = PaneFixture.New(recording[..recording.IndexOf('-', StringComparison.Ordinal)], transcript: new ListTranscript());
            string? said = null;
            foreach (var line in Recordings.Lines(recording))
                said = pane.Feed([.. line, (byte)'\n']).Words ?? said;
            said = pane.Complete().Words ?? said;
            spoken += said is null ? 0 : 1;
            var shown = pane.Show().LastWords;
            (shown ?? "").ShouldBe(said is null ? "" : Secrets.None.Name(said.Trim(), 200), recording);
        }
        spoken.ShouldBeGreaterThan(Table.Length / 2);
    }

    [Test]
    public void The_last_words_are_of_this_run_and_without_keys()
    {
        var key = "sk-ant-api03-Zq8vR2mWx7LbT4nKc9Jd5Hf6Gs3Pa1Uy0EiOo";
        var profile = AgentProfiles.For("pi", null);
        var pane = new AgentPane(new PaneIdentity("id-1", "pi", profile.Name), profile.Dialect, new StoppedClock(), keepsWords: true, secrets: Keys.Of(key));
        void Say(string line) => pane.Feed(Encoding.UTF8.GetBytes(line + "\n"));

        Say("""{"type":"agent_start"}""");
        Say($$$"""{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"{{{new string('x', 190)}}} {{{key}}}\nand more"}],"stopReason":"stop"}}""");
        pane.Show().LastWords.ShouldBe($"{new string('x', 190)} [redacted] and more"[..199] + "…");
        Say("""{"type":"agent_end","messages":[]}""");
        pane.Show().LastWords.ShouldNotBeNull("its run is over, and nothing was said since");
        Say("""{"type":"agent_start"}""");
        pane.Show().LastWords.ShouldBeNull();
    }

    [Test]
    public void A_stream_cut_anywhere_is_never_judged_done_before_its_run_has_ended()
    {
        var bytes = Recordings.Read("pi-1.5.2-json-retry");
        var end = bytes.AsSpan().LastIndexOf("{\"type\":\"agent_end\""u8);
        var settled = bytes.AsSpan().LastIndexOf("{\"type\":\"agent_settled\""u8);
        for (var length = 0; length <= bytes.Length; length += length < end ? 37 : 1)
        {
            var pane = Fold("pi-1.5.2-json-retry", bytes[..length], 1 << 20, null);
            var verdict = RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict;

            // A whole object is an event, its newline or not; between two lines after the run's end nothing is torn.
            var isDone = length >= bytes.Length - 1 || length == settled || length == settled - 1;
            (verdict == RunVerdict.Done).ShouldBe(isDone, $"cut at {length}: {verdict}");
        }
    }

    private static AgentPane Fold(string recording, byte[] bytes, int chunk, Random? random)
    {
        var pane = PaneFixture.New(recording[..recording.IndexOf('-', StringComparison.Ordinal)]);
        for (var at = 0; at < bytes.Length;)
        {
            var size = Math.Min(random?.Next(1, chunk) ?? chunk, bytes.Length - at);
            pane.Feed(bytes.AsSpan(at, size));
            at += size;
        }

        pane.Complete();
        return pane;
    }

    private static string Summary(AgentPane pane, int exit)
    {
        var show = pane.Show();
        var verdict = RunVerdict.Judge(pane.Run, exit < 0 ? new ProcessExit(null, -exit) : new ProcessExit(exit), stopRequested: false, printsEvents: true);
        var denied = (show.Denied ?? []).Sum(tool => tool.Count);
        return $"{show.Activity} {verdict.Verdict} events {show.Events} malformed {show.MalformedLines} turns {show.Turns} tools {show.Tools} "
            + $"usage {show.Usage.Show()}{(denied > 0 ? $" denied {denied}" : "")}";
    }

    private static string Denied(Pane pane) => string.Join(", ", (pane.Denied ?? []).Select(tool => $"{tool.Tool} {tool.Count} {tool.Reason}"));

    private static void Same(Pane pane, Pane expected)
    {
        // A list is not equal to another with the same items.
        Denied(pane).ShouldBe(Denied(expected));
        pane = pane with { Denied = expected.Denied };
        if (pane != expected) pane.ShouldBe(expected);
    }
}
