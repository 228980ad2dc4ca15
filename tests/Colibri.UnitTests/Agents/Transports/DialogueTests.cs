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
        ("claude-2.1-acp-allow", ""),
        ("claude-2.1-acp-cancel-while-asked", ""),
        ("claude-2.1-acp-load", ""),
        ("claude-2.1-acp-reject", ""),
        ("claude-2.1-acp-write", ""),
        ("claude-2.1-duplex-allow", ""),
        ("claude-2.1-duplex-interrupt", ""),
        ("cline-3.0-acp-allow", ""),
        ("codex-0.171-acp-401", ""),
        ("codex-0.171-acp-allow", ""),
        ("codex-0.171-acp-load", ""),
        ("codex-0.171-acp-reject", ""),
        ("copilot-1.0-acp-401", ""),
        ("copilot-1.0-acp-allow", ""),
        ("copilot-1.0-acp-reject", ""),
        ("droid-0.225-acp-allow", ""),
        ("droid-0.225-acp-reject", ""),
        ("gemini-0.61-acp-401", ""),
        ("gemini-0.61-acp-allow", ""),
        ("gemini-0.61-acp-cancel-while-asked", ""),
        ("gemini-0.61-acp-load", ""),
        ("gemini-0.61-acp-reject", ""),
        ("goose-1.34-acp-401", ""),
        ("goose-1.34-acp-allow", ""),
        ("opencode-1.18-acp-401", ""),
        ("opencode-1.18-acp-allow", ""),
        ("opencode-1.18-acp-cancel-in-tool", ""),
        ("opencode-1.18-acp-load", ""),
        ("opencode-1.18-acp-reject", ""),
        ("opencode-1.18-acp-write", ""),
        ("qwen-0.24-acp-allow", ""),
        ("qwen-0.24-acp-reject", ""),
        ("qwen-0.24-duplex-allow", ""),
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
