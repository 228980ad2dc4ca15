using System.Text;
using System.Text.Json;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Panes;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Providers;

namespace Colibri.UnitTests.Panes;

/// <summary>
/// A key in any string of any event of any kind: the recordings of real agents, in which each string value in turn is the key, with an escape
/// sequence in it. Neither is in what a pane shows, nor in a session, on the board or in the log.
/// </summary>
public sealed class KeyInEveryStringTests
{
    private const string Torn = $"\\u001b]0;title\\u0007{Head}\\u001b[31m{Tail}\\u202e\\u009b0m";
    private const string Head = "sk-ant-api03-Zq8vR2mWx7LbT4nKc9";
    private const string Tail = "Jd5Hf6Gs3Pa1Uy0EiOo";

    /// <summary>As the kind's documentation and source have them: there is no recording of it.</summary>
    private static readonly string[] ZotLines =
    [
        """{"type":"turn_start"}""",
        """{"type":"assistant_message","content":[{"type":"text","text":"words"}]}""",
        """{"type":"tool_use_start","id":"t","name":"bash"}""",
        """{"type":"tool_result","id":"t","is_error":false,"content":[{"type":"text","text":"hi"}]}""",
        """{"type":"usage","input":1,"output":1,"cost_usd":0.1}""",
        """{"type":"turn_end","stop":"end_turn"}""",
        """{"type":"response","id":"1","success":false,"error":"no"}""",
        """{"type":"error","message":"wrong"}""",
        """{"type":"done"}""",
    ];

    public static List<string> Kinds => ["claude", "codex", "opencode", "pi", "zot", "gemini", "qwen", "copilot"];

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public void It_is_in_nothing_that_a_pane_shows_or_hands_on(string kind)
    {
        var secrets = Keys.Of(Head + Tail);
        var fed = 0;
        foreach (var recording in RecordingsOf(kind))
        {
            foreach (var line in recording.SelectMany(Variants))
            {
                // Each line anew after all before it, as they were.
                var profile = AgentProfiles.For(kind, null);
                var pane = new AgentPane(new PaneIdentity("id-1", kind, profile.Name), profile.Dialect, new StoppedClock(), keepsWords: true, secrets: secrets);
                foreach (var before in recording.TakeWhile(whole => whole != line.Of))
                    pane.Feed(Encoding.UTF8.GetBytes(before + "\n"));
                var news = pane.Feed(Encoding.UTF8.GetBytes(line.Text + "\n"));
                var shown = new StringBuilder(Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(pane.Show(), ProtocolJson.Wire.Pane)));
                shown.Append(pane.Run);
                foreach (var usage in news.Usage)
                    shown.Append(usage.Provider).Append(usage.Model);
                foreach (var reply in news.Replies)
                    shown.Append(reply.Error);
                foreach (var entry in news.Entries)
                    shown.Append(secrets.Redact(entry)).Append(entry.Tool);
                shown.ToString().ShouldHoldNoPartOf(Head + Tail, line.Text);
                IsPlain(shown.ToString()).ShouldBeTrue($"{line.Text} shows {shown}");
                fed++;
            }
        }
        fed.ShouldBeGreaterThan(10);
    }

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task It_is_in_no_file_and_in_no_line_of_the_log(string kind)
    {
        await using var fixture = new SupervisorFixture(secrets: Keys.Of(Head + Tail));
        var lines = RecordingsOf(kind).SelectMany(recording => recording.SelectMany(line => Variants(line).Select(variant => variant.Text).Append(line))).ToList();
        using (var prints = new TemporaryFiles())
        {
            var output = prints.Write(string.Join('\n', lines) + "\n");
            var errors = prints.Write($"\e[1mcannot use {Head}\e[0m{Tail}\e[0m\n");
            var task = await fixture.Create("print it all", maxAttempts: 1);
            var agent = await fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = "sh", Runtime = kind, Arguments = ["-c", $"cat {output}; cat {errors} >&2; exit 3"], TaskId = task.Id });
            await SupervisorFixture.End(agent);
            var kept = fixture.Kept().Append(("the pane", Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(agent.ToPane(), ProtocolJson.Wire.Pane)))).ToList();
            kept.ShouldContain(file => file.Item1.EndsWith(".jsonl", StringComparison.Ordinal));
            foreach (var (where, text) in kept)
                text.ShouldHoldNoPartOf(Head + Tail, where);
            (await fixture.OnlyRun(task)).StderrTail.ShouldBe("cannot use [redacted]\n");
            foreach (var entry in fixture.Sessions.Read((await fixture.Get(task)).SessionId!, all: true)!.Entries)
                IsPlain($"{entry.Tool} {entry.Text}").ShouldBeTrue($"{entry}");
        }
    }

    private static IEnumerable<List<string>> RecordingsOf(string kind) => kind == "zot"
        ? [[.. ZotLines]]
        : Recordings.Names().Where(name => name.StartsWith(kind + "-", StringComparison.Ordinal) && !name.EndsWith(".stdin", StringComparison.Ordinal))
            .Select(name => Recordings.Lines(name).Select(line => Encoding.UTF8.GetString(line)).Distinct().ToList());

    private static bool IsPlain(string text) => !text.Any(c => (char.IsControl(c) && c is not ('\n' or '\t')) || c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069'))
        && !text.Contains("\\u001b", StringComparison.OrdinalIgnoreCase) && !text.Contains("\\u009b", StringComparison.OrdinalIgnoreCase) && !text.Contains("\\u202e", StringComparison.OrdinalIgnoreCase);

    /// <summary>The line once for each of its string values, which is the key; of many in one place of the line, once for the first few.</summary>
    private static List<(string Of, string Text)> Variants(string line)
    {
        var variants = new List<(string, string)>();
        var bytes = Encoding.UTF8.GetBytes(line);
        var seen = new Dictionary<(int, string), int>();
        var reader = new Utf8JsonReader(bytes);
        var property = "";
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName)
                property = reader.GetString()!;
            if (reader.TokenType != JsonTokenType.String)
                continue;
            var place = (reader.CurrentDepth, property);
            seen[place] = seen.GetValueOrDefault(place) + 1;
            if (seen[place] <= 4)
                variants.Add((line, Encoding.UTF8.GetString([.. bytes[..(int)reader.TokenStartIndex], .. Encoding.UTF8.GetBytes($"\"{Torn}\""), .. bytes[(int)reader.BytesConsumed..]])));
        }
        return variants;
    }

    /// <summary>Files outside of what is searched.</summary>
    private sealed class TemporaryFiles : IDisposable
    {
        private readonly string _directory = Directory.CreateTempSubdirectory("colibri-printed-").FullName;

        public string Write(string text)
        {
            var path = Path.Combine(_directory, Guid.NewGuid().ToString("N"));
            File.WriteAllText(path, text);
            return path;
        }

        public void Dispose() => Directory.Delete(_directory, recursive: true);
    }
}
