using Colibri.Core.Agents.Transports;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Transports;

/// <summary>
/// What every recorded dialogue comes to. Tools, refusals and usage were counted out of the recordings by a script that knows nothing of this code.
/// </summary>
public sealed class DialogueTests
{
    private static readonly (string Recording, string Expected)[] Table =
    [
        ("claude-2.1-acp-allow", "Done done malformed 0 tools 1 denied [] usage 324/52/2176/0/303120 said [Running the command. | Done: it printed hi.]"),
        ("claude-2.1-acp-cancel-while-asked", "Error aborted malformed 0 tools 1 denied [] usage 176/40/1024/0/196880 said [Running the command.] confirmed cancelled"),
        ("claude-2.1-acp-load", "Done done malformed 0 tools 0 denied [] usage 148/12/1152/0/212480 said [Done: it printed hi.]"),
        ("claude-2.1-acp-reject", "Done denied malformed 0 tools 1 denied [Bash 1] usage 324/52/2176/0/303120 said [Running the command. | Done: it printed hi.]"),
        ("claude-2.1-acp-write", "Done done malformed 0 tools 1 denied [] usage 324/52/2176/0/303120 said [Running the command. | Done: it printed hi.]"),
        ("claude-2.1-duplex-allow", "Done done malformed 0 tools 1 denied [] usage 472/64/3328/0/383360 said [Running the command. | Done: it printed hi. | Done: it printed hi.]"),
        ("claude-2.1-duplex-interrupt", "Error agent-error malformed 0 tools 1 denied [] usage 176/40/1024/0/170880 said [Running the command.] confirmed interrupted"),
        ("cline-3.0-acp-allow", "Done done malformed 0 tools 1 denied [] usage 0/0/0/0/0 said [Running the command. | Done: it printed hi.]"),
        ("codex-0.171-acp-401", "Error agent-error malformed 0 tools 0 denied [] usage 0/0/0/0/0 said [Warning: Model metadata for `mock-1` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.\n\n]"),
        ("codex-0.171-acp-allow", "Done done malformed 0 tools 1 denied [] usage 324/52/2176/0/0 said [Warning: Model metadata for `mock-1` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.\n\n | Running the command. | Done: it printed hi.]"),
        ("codex-0.171-acp-load", "Done done malformed 0 tools 0 denied [] usage 148/12/1152/0/0 said [Warning: Model metadata for `mock-1` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.\n\n | Done: it printed hi.]"),
        ("codex-0.171-acp-reject", "Done denied malformed 0 tools 1 denied [execute 1] usage 176/40/1024/0/0 said [Warning: Model metadata for `mock-1` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.\n\n | Running the command.]"),
        ("copilot-1.0-acp-401", "Error agent-error malformed 0 tools 0 denied [] usage 0/0/0/0/0 said [Error: Authentication failed with provider at http://127.0.0.1:18100/v1 (HTTP 401).\n  Check your COPILOT_PROVIDER_API_KEY, COPILOT_PROVIDER_API_KEY_COMMAND, or COPILOT_PROVIDER_BEARER_TOKEN.]"),
        ("copilot-1.0-acp-allow", "Done done malformed 0 tools 1 denied [] usage 324/52/2176/0/0 said [Running the command. | Done: it printed hi.]"),
        ("copilot-1.0-acp-reject", "Done denied malformed 0 tools 1 denied [execute 1] usage 176/40/1024/0/0 said [Running the command. | Info: Operation cancelled by user]"),
        ("droid-0.225-acp-allow", "Done done malformed 0 tools 1 denied [] usage 0/0/0/0/0 said [Running the command. | Done: it printed hi.]"),
        ("droid-0.225-acp-reject", "Done denied malformed 0 tools 1 denied [execute 1] usage 0/0/0/0/0 said [Running the command.]"),
        ("gemini-0.61-acp-401", "Error agent-error malformed 0 tools 0 denied [] usage 0/0/0/0/0 said []"),
        ("gemini-0.61-acp-allow", "Done done malformed 0 tools 1 denied [] usage 2500/44/0/0/0 said [Running the command. | Done: it printed hi.]"),
        ("gemini-0.61-acp-cancel-while-asked", "Error aborted malformed 0 tools 1 denied [] usage 0/0/0/0/0 said [Running the command.] confirmed cancelled"),
        ("gemini-0.61-acp-load", "Done done malformed 0 tools 0 denied [] usage 1300/12/0/0/0 said [Done: it printed hi.]"),
        ("gemini-0.61-acp-reject", "Done denied malformed 0 tools 1 denied [execute 1] usage 2500/44/0/0/0 said [Running the command. | Done: it printed hi.]"),
        ("goose-1.34-acp-401", "Error agent-error malformed 0 tools 0 denied [] usage 0/0/0/0/0 said [Ran into this error: Authentication error: Authentication failed. Status: 401 Unauthorized. Response: invalid api key.\n\nPlease retry if you think this is a transient or recoverable error.]"),
        ("goose-1.34-acp-allow", "Done done malformed 0 tools 1 denied [] usage 1300/12/0/0/0 said [Running the command. | Done: it printed hi.]"),
        ("opencode-1.18-acp-401", "Error agent-error malformed 0 tools 0 denied [] usage 0/0/0/0/0 said []"),
        ("opencode-1.18-acp-allow", "Done done malformed 0 tools 1 denied [] usage 148/12/1152/0/240480 said [Running the command. | Done: it printed hi.]"),
        ("opencode-1.18-acp-cancel-in-tool", "Error aborted malformed 0 tools 1 denied [] usage 0/0/0/0/0 said [Running the command.] confirmed cancelled"),
        ("opencode-1.18-acp-load", "Done done malformed 0 tools 0 denied [] usage 148/12/1152/0/96960 said [Done: it printed hi.]"),
        ("opencode-1.18-acp-reject", "Done denied malformed 0 tools 1 denied [execute 1] usage 176/32/1024/0/143520 said [Running the command.]"),
        ("opencode-1.18-acp-write", "Done done malformed 0 tools 1 denied [] usage 148/12/1152/0/240480 said [Running the command. | Done: it printed hi.]"),
        ("qwen-0.24-acp-allow", "Done done malformed 0 tools 1 denied [] usage 324/52/2176/0/0 said [Running the command. | Done: it printed hi.]"),
        ("qwen-0.24-acp-reject", "Done denied malformed 0 tools 1 denied [run_shell_command 1] usage 176/40/1024/0/0 said [Running the command.]"),
        ("qwen-0.24-duplex-allow", "Done done malformed 0 tools 1 denied [] usage 620/76/4480/0/0 said [Running the command. | Done: it printed hi. | Done: it printed hi.]"),
    ];

    public static List<(string, string)> Expectations() => [.. Table];

    [Test]
    public void Every_dialogue_has_its_line_in_the_table() => Table.Select(row => row.Recording).ShouldBe(Dialogue.Names());

    [Test]
    [MethodDataSource(nameof(Expectations))]
    public async Task A_dialogue_goes_as_it_was_recorded_and_comes_to_the_same_in_any_chunks(string recording, string expected)
    {
        var whole = await PlayAsync(recording, null);
        whole.Summary.ShouldBe(expected);
        (await PlayAsync(recording, static () => 1)).ShouldBe(whole);
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            (await PlayAsync(recording, () => random.Next(1, 4_000))).ShouldBe(whole);
        }
    }

    /// <summary>What an agent says of itself is no answer of its model, which would be worth a session and let others of its provider go on.</summary>
    [Test]
    [Arguments("codex-0.171-acp-401", false)]
    [Arguments("copilot-1.0-acp-401", false)]
    [Arguments("goose-1.34-acp-401", false)]
    [Arguments("droid-0.225-acp-allow", true)]
    [Arguments("opencode-1.18-acp-load", true)]
    public async Task The_models_words_are_an_answer(string recording, bool isAnswered)
    {
        var dialogue = new Dialogue(recording[..recording.IndexOf('-', StringComparison.Ordinal)], Transport.Acp, Access.Edit, recording.EndsWith("-load", StringComparison.Ordinal) ? SessionOf(recording) : null);
        await dialogue.PlayAsync(recording);
        (dialogue.Pane.Run.Answers > 0).ShouldBe(isAnswered);
    }

    private static async Task<Played> PlayAsync(string recording, Func<int>? chunk)
    {
        var kind = recording[..recording.IndexOf('-', StringComparison.Ordinal)];
        var isAcp = recording.Contains("-acp-", StringComparison.Ordinal);
        var isLoad = recording.EndsWith("-load", StringComparison.Ordinal);
        // The recording of Claude that takes up a session was made with full access.
        var dialogue = new Dialogue(
            kind, isAcp ? Transport.Acp : Transport.Duplex, kind == "claude" && isLoad ? Access.Full : Access.Edit, isLoad ? SessionOf(recording) : null, chunk);
        var cancelled = await dialogue.PlayAsync(recording);
        var show = dialogue.Pane.Show();
        var verdict = RunVerdict.Judge(dialogue.Pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true);
        var denied = string.Join(", ", (show.Denied ?? []).Select(tool => $"{tool.Tool} {tool.Count}"));
        var words = string.Join(" | ", dialogue.Transcript.Lines.Where(line => line.StartsWith("assistant: ", StringComparison.Ordinal)).Select(line => line["assistant: ".Length..]));
        return new Played(
            $"{show.Activity} {verdict.Verdict} malformed {show.MalformedLines} tools {show.Tools} denied [{denied}] usage {show.Usage.Show()} said [{words}]{(cancelled is null ? "" : $" confirmed {cancelled}")}",
            string.Join('\n', dialogue.Transcript.Lines));
    }

    private static string SessionOf(string recording)
    {
        const string Mark = "\"sessionId\":\"";
        var text = File.ReadAllText(Path.Combine(Dialogue.Folder, recording + ".stdin.jsonl"));
        var at = text.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length;
        return text[at..text.IndexOf('"', at)];
    }

    private sealed record Played(string Summary, string Transcript);
}
