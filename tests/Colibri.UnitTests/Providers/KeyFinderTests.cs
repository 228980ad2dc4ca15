using System.Text;
using System.Text.Json;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Panes;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Sessions;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Providers;

/// <summary>A key that is split is as unreadable as a whole one, on every road, in whatever way and wherever it is split.</summary>
public sealed class KeyFinderTests
{
    private const string OnlyPart = "[redacted]";

    private const string ClaudeInit = """{"type":"system","subtype":"init","session_id":"s","cwd":"/w"}""";

    /// <summary>Ways in which two parts of a key leave an agent. Each gives all that is shown and kept of them.</summary>
    private static readonly Dictionary<string, Func<Secrets, string, string, IEnumerable<string?>>> Roads = new()
    {
        ["two blocks of one message"] = (secrets, a, b) => Lines(secrets, "claude", ClaudeInit, Message(Block(a), Block(b))),
        ["blocks with words around"] = (secrets, a, b) => Lines(secrets, "claude", ClaudeInit, Message(Block($"it is {a}"), Block($"{b} and that is it"))),
        ["two messages"] = (secrets, a, b) => Lines(secrets, "claude", ClaudeInit, Message(Block(a)), Message(Block(b))),
        ["a tool's answer and the words after it"] = (secrets, a, b) => Lines(
            secrets, "claude", ClaudeInit, Message("""{"type":"tool_use","id":"t","name":"Bash"}"""), Answer("t", a), Message(Block(b))),
        ["two tools' answers"] = (secrets, a, b) => Lines(
            secrets, "claude", ClaudeInit,
            Message("""{"type":"tool_use","id":"t","name":"Bash"}""", """{"type":"tool_use","id":"u","name":"Bash"}"""), Answer("t", a), Answer("u", b)),
        ["messages with a report of usage between"] = (secrets, a, b) => Lines(
            secrets, "pi", """{"type":"agent_start"}""", PiMessage(a, """{"input":1,"output":1,"cost":{"total":0.1}}"""), PiMessage(b, """{"input":1,"output":1,"cost":{"total":0.1}}""")),
        ["two lines of one message"] = (secrets, a, b) => Lines(secrets, "pi", """{"type":"agent_start"}""", PiMessage($"{a}\n{b}")),
        ["lines that end as on a teletype"] = (secrets, a, b) => Lines(secrets, "pi", """{"type":"agent_start"}""", PiMessage($"{a}\r\n{b}\r\n")),
        ["a colour in the middle"] = (secrets, a, b) => Lines(secrets, "pi", """{"type":"agent_start"}""", PiMessage($"my key is {a}\e[1;31m{b}\e[0m.")),
        ["a link in the middle"] = (secrets, a, b) => Lines(secrets, "pi", """{"type":"agent_start"}""", PiMessage($"my key is {a}\e]8;;http://there/\a{b}.")),
        ["one control character in the middle"] = (secrets, a, b) => Lines(secrets, "pi", """{"type":"agent_start"}""", PiMessage($"my key is {a}\u009b0m{b}\0, \u202e{a}\u202c{b}, {a}\b{b}.")),
        ["an error and the next"] = (secrets, a, b) => Lines(
            secrets, "claude", ClaudeInit,
            $$"""{"type":"result","subtype":"error","is_error":true,"result":{{Json(a)}}}""", $$"""{"type":"result","subtype":"error","is_error":true,"result":{{Json(b)}}}"""),
        ["an error with a colour in it"] = (secrets, a, b) => Lines(
            secrets, "claude", ClaudeInit, $$"""{"type":"result","subtype":"error","is_error":true,"result":{{Json($"401 {a}\e[1m{b}\e[0m")}}}"""),
        ["the title and the words of a question"] = (secrets, a, b) => Lines(
            secrets, "pi", """{"type":"agent_start"}""",
            $$"""{"type":"extension_ui_request","id":{{Json(a)}},"method":"select","title":{{Json(a)}},"message":{{Json(b)}},"options":[{{Json(a)}},{{Json(b)}}]}"""),
        ["the names of two tools"] = (secrets, a, b) => Lines(
            secrets, "pi", """{"type":"agent_start"}""",
            $$"""{"type":"tool_execution_start","toolCallId":"1","toolName":{{Json(a)}}}""", $$"""{"type":"tool_execution_start","toolCallId":"2","toolName":{{Json(b)}}}"""),
        ["a session's name and its directory"] = (secrets, a, b) => Lines(secrets, "pi", $$"""{"type":"session","id":{{Json(a)}},"cwd":{{Json(b)}}}"""),
        ["provider and model"] = (secrets, a, b) => Lines(
            secrets, "pi", """{"type":"agent_start"}""",
            $$$"""{"type":"message_end","message":{"role":"assistant","content":[],"usage":{"input":1,"output":1,"cost":{"total":0.1}},"provider":{{{Json(a)}}},"model":{{{Json(b)}}},"stopReason":"stop"}}"""),
        ["the names of two events"] = (secrets, a, b) => Lines(secrets, "pi", $$"""{"type":{{Json(a)}}}""", $$"""{"type":{{Json(b)}}}"""),
        ["two reads of standard error"] = (secrets, a, b) => Stderr(secrets, $"the key {a}", $"{b} is refused\n"),
        ["two lines of standard error"] = (secrets, a, b) => Stderr(secrets, $"the key {a}\n", $"{b} is refused\n"),
        ["a colour in standard error, split with it"] = (secrets, a, b) => Stderr(secrets, $"the key {a}\e[3", $"1m{b} is refused\n"),
        ["two arguments"] = (secrets, a, b) => [new AgentCommandLine([a, b, "-x", $"--name={a}", b], false).Describe("/bin/pi", secrets)],
        ["two entries of a client"] = (secrets, a, b) => Session(secrets, Entry(a), Entry(b)),
        ["two entries of a client, with words around"] = (secrets, a, b) => Session(secrets, Entry($"first {a}"), Entry($"{b}, and more")),
    };

    public static List<string> Names => [.. Roads.Keys];

    [Test]
    [MethodDataSource(nameof(Names))]
    public void Neither_half_is_readable_wherever_a_key_is_split(string road)
    {
        var blotted = 0;
        foreach (var key in new[] { Keys.Short, Keys.Usual })
        {
            var secrets = Keys.Of(key, "another-key-0123456789-of-the-house");
            for (var at = 1; at < key.Length; at++)
            {
                foreach (var shown in Roads[road](secrets, key[..at], key[at..]))
                {
                    shown.ShouldHoldNoPartOf(key, $"{road}, split at {at} of {key.Length}");
                    blotted += shown?.Contains(OnlyPart, StringComparison.Ordinal) is true ? 1 : 0;
                }
            }
        }
        blotted.ShouldBeGreaterThan(50, "it was shown at all");
    }

    [Test]
    public void Nor_is_a_part_of_one_that_is_split_in_three_over_entries_blocks_or_lines()
    {
        var secrets = Keys.Of(Keys.Short);
        var key = Keys.Short;
        for (var first = 1; first < key.Length - 1; first++)
        {
            for (var second = first + 1; second < key.Length; second++)
            {
                var (a, b, c) = (key[..first], key[first..second], key[second..]);
                string?[] all =
                [
                    .. Session(secrets, Entry(a), Entry(b), Entry(c)),
                    .. Session(secrets, Entry($"it is {a}\n{b}"), Entry($"{c}.")),
                    secrets.Redact($"{a}\n{b}\n{c}"), secrets.Redact($"x {a}\e[0m{b}\e[1m{c} y"),
                ];
                foreach (var shown in all)
                    shown.ShouldHoldNoPartOf(key, $"split at {first} and {second}");
            }
        }
    }

    [Test]
    public void A_key_that_comes_character_by_character_is_not_readable_beyond_its_first_few()
    {
        var kept = Session(Keys.Of(Keys.Usual), [.. Keys.Usual.Select(c => Entry(c.ToString()))]).Single()!;
        var texts = kept.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line).GetProperty("text").GetString()!).ToList();
        texts.Count.ShouldBe(Keys.Usual.Length);
        string.Concat(texts.TakeWhile(text => text != OnlyPart)).ShouldBe(Keys.Usual[..(KeyFinder.ShortestPart - 1)]);
        texts.Skip(KeyFinder.ShortestPart - 1).ShouldAllBe(text => text == OnlyPart);
    }

    [Test]
    public void A_session_that_was_read_anew_and_other_sessions_between_make_no_difference_to_long_parts()
    {
        using var fixture = new SessionFixture();
        var (secrets, key) = (Keys.Of(Keys.Usual), Keys.Usual);
        foreach (var text in new[] { $"it begins {key[..20]}", $"{key[20..35]}", $"{key[35..]} is its end" })
            new SessionStore(fixture.Root, fixture.Cost, fixture.Time, fixture.Logger) { Secrets = secrets }.AppendAsync("s", Entry(text)).GetAwaiter().GetResult();
        fixture.LinesOf("s").Length.ShouldBe(3);
        string.Join('\n', fixture.LinesOf("s")).ShouldHoldNoPartOf(key, "three daemons, one after another");
    }

    [Test]
    [Arguments("\e")]
    [Arguments("\e[")]
    [Arguments("\e[1")]
    [Arguments("\e(")]
    [Arguments("\u009b")]
    [Arguments("\u009b12;")]
    public void An_escape_that_takes_a_keys_first_characters_with_it_does_not_show_the_rest(string escape)
    {
        foreach (var key in new[] { Keys.Short, Keys.Usual, "0123456789-abcdefghijkl" })
        {
            Keys.Of(key).Redact($"so {escape}{key} it is").ShouldHoldNoPartOf(key, $"after {JsonSerializer.Serialize(escape, ProtocolJson.Wire.String)}");
            for (var at = 1; at < key.Length; at++)
                Keys.Of(key).Redact($"so {key[..at]}{escape}{key[at..]} it is").ShouldHoldNoPartOf(key, $"at {at}");
        }
    }

    [Test]
    public void Keys_that_overlap_are_blotted_out_together()
    {
        var secrets = Keys.Of("abcdefghijklm", "hijklmnopqrst", "defghijk");
        secrets.Redact("x abcdefghijklmnopqrst y").ShouldBe("x [redacted] y");
        secrets.Redact("abcdefghijklmabcdefghijklm").ShouldBe("[redacted][redacted]");
        secrets.Redact("abcdefghijklm\nhijklmnopqrst").ShouldBe("[redacted]\n[redacted]");
        secrets.Redact("abcdefghij\n\nklmnopqrst").ShouldBe("[redacted]\n\n[redacted]");
        secrets.Redact("hijklmnopqrs").ShouldBe("[redacted]", "the beginning of one, and a part of it");
        secrets.Redact("a hijklmnopqrs.").ShouldBe("a hijklmnopqrs.", "neither end of it is an end of the text or of a line");
    }

    [Test]
    public void Keys_of_every_length_are_found_whole_and_in_halves()
    {
        for (var length = 8; length <= 40; length++)
        {
            var key = string.Concat(Enumerable.Range(0, length).Select(i => (char)('!' + (i * 7 + length) % 90)));
            var secrets = Keys.Of(key);
            secrets.Redact($"<{key}>").ShouldBe("<[redacted]>");
            var half = Math.Min(8, (length + 1) / 2);
            secrets.Redact($"<{key[..half]}").ShouldBe("<[redacted]");
            secrets.Redact($"{key[^half..]}>").ShouldBe("[redacted]>");
            secrets.Redact($"<{key[..(half - 1)]}").ShouldBe($"<{key[..(half - 1)]}");
            secrets.Redact($"{key[^(half - 1)..]}>").ShouldBe($"{key[^(half - 1)..]}>");
        }
    }

    [Test]
    public void A_long_part_is_blotted_out_wherever_it_stands()
    {
        foreach (var key in new[] { Keys.Short, Keys.Usual, Keys.Long[..500] })
        {
            var secrets = Keys.Of(key);
            for (var from = 0; from + KeyFinder.LongPart <= key.Length; from++)
            {
                foreach (var length in new[] { KeyFinder.LongPart, key.Length - from })
                    secrets.Redact($"bad key '{key.Substring(from, length)}...' in line 1").ShouldBe("bad key '[redacted]...' in line 1", $"{length} from {from}");
            }
        }
        // What many keys begin with is no part of one.
        Keys.Of(Keys.Usual).Redact("keys begin with sk-ant-api03- and go on").ShouldBe("keys begin with sk-ant-api03- and go on");
    }

    [Test]
    public void An_address_among_the_keys_is_blotted_out_as_a_whole_alone()
    {
        var secrets = Keys.Of("https://models.example.org/v1/chat", Keys.Usual);
        secrets.Redact("at https://models.example.org/v1/chat or https://models.example.org/v2\nhttps://models.example.org").ShouldBe("at [redacted] or https://models.example.org/v2\nhttps://models.example.org");
    }

    [Test]
    public void A_hundred_keys_and_a_text_that_is_full_of_their_beginnings_take_no_more_than_a_moment()
    {
        var keys = Enumerable.Range(0, 100).Select(i => $"sk-ant-api03-{new string((char)('A' + i % 26), 20)}{i:d4}").ToArray();
        var secrets = Keys.Of(keys);
        var text = string.Concat(Enumerable.Repeat("sk-ant-api0\n", 100_000)) + keys[7];
        var since = System.Diagnostics.Stopwatch.GetTimestamp();
        secrets.Redact(text).ShouldEndWith("\n[redacted]");
        System.Diagnostics.Stopwatch.GetElapsedTime(since).ShouldBeLessThan(TimeSpan.FromSeconds(20));
    }

    [Test]
    public void A_key_of_several_lines_is_found_however_its_lines_are_broken()
    {
        var key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAo\n-----END KEY-----";
        var secrets = Keys.Of(key);
        secrets.Redact($"a\n{key}\nb").ShouldBe("a\n[redacted]\n[redacted]\n[redacted]\n[redacted]\nb");
        secrets.Redact($"a {key.Replace("\n", "\r\n", StringComparison.Ordinal)} b").ShouldBe("a [redacted]\n[redacted]\n[redacted]\n[redacted] b");
        secrets.Redact($"a {key.Replace("\n", "", StringComparison.Ordinal)} b").ShouldBe("a [redacted] b");
    }

    [Test]
    public void A_text_without_a_key_is_the_same_object_and_lines_stay_where_they_are()
    {
        var secrets = Keys.Of(Keys.Usual);
        foreach (var text in new[] { "", "\n", "one\n\ntwo\n", "\tsk-ant is how they begin", new string('x', 100_000) })
            secrets.Redact(text).ShouldBeSameAs(text);
        secrets.Redact($"\n{Keys.Usual}\n\n{Keys.Usual}\n").ShouldBe("\n[redacted]\n\n[redacted]\n");
        Secrets.None.Redact("\e[1mbold").ShouldBe("bold", "a daemon without keys is no terminal either");
    }

    [Test]
    public void A_name_is_one_line_and_an_excerpt_keeps_its_lines()
    {
        var secrets = Keys.Of(Keys.Usual);
        secrets.Name($"\e[1mba\r\nsh\t{Keys.Usual}", 100).ShouldBe("ba sh [redacted]");
        secrets.Excerpt("one\r\n\ttwo", 100).ShouldBe("one\n\ttwo");
    }

    [Test]
    public void Random_texts_hold_no_part_of_a_key_that_stood_in_them_and_all_else()
    {
        var secrets = Keys.Of(Keys.Short, Keys.Usual);
        for (var seed = 0; seed < 3_000; seed++)
        {
            var random = new Random(seed);
            var (text, rest) = (new StringBuilder(), new StringBuilder());
            for (var part = random.Next(1, 8); part > 0; part--)
            {
                var word = random.Next(6) switch { 0 => "\n", 1 => "\e[3m", 2 => " é", 3 => "..", _ => "" };
                text.Append(word);
                rest.Append(word == "\e[3m" ? "" : word);
                if (random.Next(2) == 0)
                    continue;
                text.Append(random.Next(2) == 0 ? Keys.Short : Keys.Usual);
                rest.Append(OnlyPart);
            }
            secrets.Redact(text.ToString()).ShouldBe(rest.ToString(), $"seed {seed}");
        }
    }

    private static string Block(string text) => $$"""{"type":"text","text":{{Json(text)}}}""";

    private static string Message(params string[] blocks) =>
        $$$"""{"type":"assistant","message":{"id":"m","content":[{{{string.Join(',', blocks)}}}]}}""";

    private static string Answer(string id, string text) =>
        $$$"""{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":{{{Json(id)}}},"content":{{{Json(text)}}}}]}}""";

    private static string PiMessage(string text, string usage = "null") =>
        $$$"""{"type":"message_end","message":{"role":"assistant","content":[{{{Block(text)}}}],"usage":{{{usage}}},"stopReason":"stop"}}""";

    private static string Json(string text) => JsonSerializer.Serialize(text, ProtocolJson.Wire.String);

    private static SessionEntry Entry(string text) => new() { Kind = SessionEntryKind.User, Text = text };

    /// <summary>All that a pane shows, after each line, and what is written into its session. Fed in chunks that split the lines as well.</summary>
    private static List<string?> Lines(Secrets secrets, string kind, params string[] lines)
    {
        var (all, entries) = (new List<string?>(), new List<SessionEntry>());
        var profile = AgentProfiles.For(kind, null);
        var pane = new AgentPane(new PaneIdentity("id-1", kind, profile.Name), profile.Dialect, new StoppedClock(), keepsWords: true, secrets: secrets);
        foreach (var chunk in lines.SelectMany(line => Encoding.UTF8.GetBytes(line + "\n").Chunk(61)))
        {
            var news = pane.Feed(chunk);
            entries.AddRange(news.Entries);
            all.AddRange(news.Usage.ToArray().SelectMany(usage => new[] { usage.Provider, usage.Model }));
            if (chunk[^1] == '\n')
                all.AddRange(Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(pane.Show(), ProtocolJson.Wire.Pane)), RunVerdict.Judge(pane.Run, new ProcessExit(1), false, true, null, secrets).Error?.Message);
        }
        return [.. all, .. Session(secrets, [.. entries])];
    }

    private static List<string?> Session(Secrets secrets, params SessionEntry[] entries)
    {
        if (entries.Length == 0)
            return [];
        using var fixture = new SessionFixture();
        var store = new SessionStore(fixture.Root, fixture.Cost, fixture.Time, fixture.Logger) { Secrets = secrets };
        foreach (var entry in entries)
            store.AppendAsync("s", entry).GetAwaiter().GetResult();
        return [string.Join('\n', fixture.LinesOf("s"))];
    }

    private static List<string?> Stderr(Secrets secrets, params string[] reads)
    {
        var tail = new StderrTail();
        foreach (var read in reads)
            tail.Add(Encoding.UTF8.GetBytes(read));
        return [tail.Text(secrets), tail.LastLine(secrets), RunVerdict.Judge(default, new ProcessExit(1), false, true, tail.LastLine(secrets), secrets).Error?.Message];
    }
}
