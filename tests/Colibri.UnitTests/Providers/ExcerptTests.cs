using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Panes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Providers;

/// <summary>On every road on which text is cut, no part of a key is left, wherever the cut falls.</summary>
public sealed class ExcerptTests
{

    /// <summary>What a text becomes on its way to a reader, and where it may be cut.</summary>
    private static readonly Dictionary<string, (int[] Limits, Func<Secrets, string, IEnumerable<string?>> Shown)> Roads = new()
    {
        ["an argument"] = ([60, 61], (secrets, text) => [new AgentCommandLine([text], false).Describe("/bin/pi", secrets)]),
        ["the program"] = ([60], (secrets, text) => [new AgentCommandLine([], false).Describe(text, secrets)]),
        ["a masked argument's flag"] = ([60], (secrets, text) => [new AgentCommandLine([$"--{text}-token=x"], false).Describe("/bin/pi", secrets)]),
        ["an error"] = ([500, 2_048], (secrets, text) => Pane(
            secrets, "pi",
            """{"type":"agent_start"}""",
            $$$"""{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":{{{Json(text)}}}}}""",
            """{"type":"agent_settled"}""")),
        ["a refused prompt"] = ([500, 2_048], (secrets, text) => Pane(
            secrets, "pi", $$"""{"type":"response","id":"1","command":"prompt","success":false,"error":{{Json(text)}}}""")),
        ["a question"] = ([256, 1_000, 4_000], (secrets, text) => Pane(
            secrets, "pi",
            """{"type":"agent_start"}""",
            $$"""{"type":"extension_ui_request","id":{{Json(text)}},"method":"select","title":{{Json(text)}},"message":{{Json(text)}},"options":["a",{{Json(text)}}]}""")),
        ["a tool's name"] = ([128], (secrets, text) => Pane(
            secrets, "pi",
            """{"type":"agent_start"}""",
            $$"""{"type":"tool_execution_start","toolCallId":"1","toolName":{{Json(text)}}}""")),
        ["the name of a tool that ends unannounced"] = ([128], (secrets, text) => Pane(
            secrets, "pi", $$$"""{"type":"tool_execution_end","toolCallId":"1","toolName":{{{Json(text)}}},"result":{"content":[]}}""")),
        ["an event's name"] = ([64], (secrets, text) => Pane(secrets, "pi", $$"""{"type":{{Json(text)}}}""")),
        ["session and directory"] = ([256, 4_096], (secrets, text) => Pane(
            secrets, "pi", $$"""{"type":"session","id":{{Json(text)}},"cwd":{{Json(text)}}}""")),
        ["provider and model"] = ([128], (secrets, text) => Pane(
            secrets, "pi",
            $$$"""{"type":"message_end","message":{"role":"assistant","content":[],"usage":{"input":1,"output":1,"cost":{"total":0.1}},"provider":{{{Json(text)}}},"model":{{{Json(text)}}},"stopReason":"stop"}}""")),
        ["another kind's error"] = ([500, 2_048], (secrets, text) => Pane(
            secrets, "claude", $$"""{"type":"result","subtype":"error_during_execution","is_error":true,"result":{{Json(text)}}}""")),
        ["the last words of a process"] = ([500], (secrets, text) =>
            [RunVerdict.Judge(default, new ProcessExit(1), false, true, text, secrets).Error?.Message]),
    };

    public static List<string> Names => [.. Roads.Keys];

    [Test]
    [MethodDataSource(nameof(Names))]
    public void No_part_of_a_key_is_left_wherever_the_cut_falls(string road)
    {
        var (limits, shown) = Roads[road];
        var longest = 0;
        foreach (var key in new[] { Keys.Short, Keys.Usual, Keys.Long })
        {
            var secrets = Keys.Of(key);
            foreach (var (limit, filler) in limits.SelectMany(limit => new[] { "x", "é", "\u20AC", "\U0001F426" }.Select(filler => (limit, filler))))
            {
                foreach (var before in Offsets(limit, key, filler))
                {
                    var text = string.Concat(Enumerable.Repeat(filler, before)) + key + string.Concat(Enumerable.Repeat(filler, 80));
                    foreach (var output in shown(secrets, text))
                    {
                        output.ShouldHoldNoPartOf(key, $"{road}, {before} times '{filler}' before a key of {key.Length}");
                        output?.ShouldNotContain('\uFFFD');
                        longest = Math.Max(longest, output?.Length ?? 0);
                    }
                }
            }
        }
        longest.ShouldBeGreaterThan(limits.Min() / 2, "the text was shown at all");
    }

    [Test]
    [Arguments("", 2, "")]
    [Arguments("ab", 2, "ab")]
    [Arguments("abc", 2, "a…")]
    [Arguments("a\U0001F426b", 3, "a…")]
    [Arguments("a\U0001F426b", 4, "a\U0001F426b")]
    [Arguments("\U0001F426\U0001F426", 2, "…")]
    [Arguments("a " + Keys.Short + " b", 14, "a [redacted] b")]
    [Arguments("a " + Keys.Short + " b", 13, "a [redacted]…")]
    [Arguments("a " + Keys.Short + " b", 8, "a [reda…")]
    public void An_excerpt_is_as_long_as_allowed_and_cuts_no_character(string text, int maxChars, string excerpt) =>
        Keys.Of(Keys.Short).Excerpt(text, maxChars).ShouldBe(excerpt);

    [Test]
    public async Task A_sessions_entry_holds_no_key_before_it_is_shortened_whoever_appends_it()
    {
        using var fixture = new SessionFixture();
        var cost = new CostControl(CostMode.Fast, new EventHub(TimeProvider.System));
        var limit = (int)cost.Limits.ToolResultMaxBytes!.Value;
        var store = new SessionStore(fixture.Root, cost, fixture.Time, fixture.Logger) { Secrets = Keys.Of(Keys.Usual) };
        for (var before = limit / 2 - 150; before <= limit / 2; before += 3)
        {
            // One key across the end of the head that stays, one across the beginning of the tail.
            var text = new string('x', before) + Keys.Usual + new string('y', limit) + Keys.Usual + new string('z', before);
            await store.AppendAsync("s", new SessionEntry { Kind = SessionEntryKind.ToolResult, Tool = "t" + Keys.Usual, Text = text });
        }
        var entries = store.Read("s", all: true)!.Entries;
        entries.Count(entry => entry.Text!.Contains("bytes left out", StringComparison.Ordinal)).ShouldBeGreaterThan(10);
        foreach (var entry in entries)
        {
            entry.Text.ShouldHoldNoPartOf(Keys.Usual, "a tool result");
            entry.Tool.ShouldHoldNoPartOf(Keys.Usual, "a tool's name");
        }
    }

    [Test]
    public async Task A_compaction_cuts_no_key_that_an_older_entry_still_holds()
    {
        using var fixture = new SessionFixture();
        var older = fixture.Open();
        // 400 characters of each stay in the summary.
        for (var before = 340; before <= 410; before++)
            await older.AppendAsync("s", new SessionEntry { Kind = SessionEntryKind.User, Text = new string('x', before) + Keys.Usual + new string('y', 80) });
        var store = new SessionStore(fixture.Root, fixture.Cost, fixture.Time, fixture.Logger) { Secrets = Keys.Of(Keys.Usual) };
        (await store.CompactAsync("s")).ShouldNotBeNull();
        var summary = store.Read("s", all: false)!.Entries.Single(entry => entry.Kind == SessionEntryKind.Compaction).Text!;
        summary.Split('\n').Count(line => line.Contains("xxx", StringComparison.Ordinal)).ShouldBeGreaterThan(60);
        summary.ShouldHoldNoPartOf(Keys.Usual, "the summary");
    }

    /// <summary>How much filler puts the limit anywhere in the key, counted in UTF-16 units and in bytes of UTF-8, plain and escaped.</summary>
    private static IEnumerable<int> Offsets(int limit, string key, string filler)
    {
        int[] units = [filler.Length, Encoding.UTF8.GetByteCount(filler), 6 * filler.Length];
        var step = Math.Max(1, key.Length / 40);
        return units.SelectMany(unit => Enumerable.Range(0, key.Length / step + 3).Select(i => (limit - i * step + 2) / unit)).Where(before => before >= 0).Distinct();
    }

    private static string Json(string text) => $"\"{JsonEncodedText.Encode(text, text.Length % 2 == 0 ? JavaScriptEncoder.Default : JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    /// <summary>Everything that a pane shows and passes on once it was fed these lines, and what a run that ends then is said to have died of.</summary>
    private static List<string?> Pane(Secrets secrets, string kind, params ReadOnlySpan<string> lines)
    {
        var (transcript, heard) = (new ListTranscript(), new List<string?>());
        var profile = AgentProfiles.For(kind, null);
        var pane = new AgentPane(
            new PaneIdentity("id-1", kind, profile.Name), profile.Dialect, new StoppedClock(), keepsWords: true, secrets: secrets);
        foreach (var line in lines)
        {
            var news = pane.Feed(Encoding.UTF8.GetBytes(line + "\n"));
            transcript.Take(news);
            heard.AddRange([.. news.Usage.ToArray().SelectMany(usage => new[] { usage.Provider, usage.Model }), .. news.Replies.ToArray().Select(reply => reply.Error)]);
        }
        var shown = pane.Show();
        List<string?> all =
        [
            shown.Error, shown.Tool, shown.LastEvent, shown.HarnessSessionId, shown.Cwd,
            shown.Question?.Request, shown.Question?.Title, shown.Question?.Message, .. shown.Question?.Options ?? [],
            pane.Run.Error, pane.Run.LastEvent, pane.Run.PromptRefused, .. transcript.Lines, .. heard,
        ];
        foreach (var exit in new[] { new ProcessExit(0), new ProcessExit(1), new ProcessExit(null, 9) })
            all.Add(RunVerdict.Judge(pane.Run, exit, false, true, null, secrets).Error?.Message);
        return all;
    }
}
