using System.Text;
using System.Text.Json;

namespace Colibri.UnitTests.Cli.PrefixCheck;

public sealed class PrefixCheckTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-prefix-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task A_conversation_that_only_grows_has_no_break()
    {
        var run = await Check(
            Body("You are careful.", "hello"), Body("You are careful.", "hello", "hi"), Body("You are careful.", "hello", "hi", "go on"));
        run.ExitCode.ShouldBe(0);
        // "m" has 3 bytes, {"role":"system","content":"You are careful."} 46, {"role":"user","content":"hello"} 33.
        run.Out.ShouldStartWith("line 2: all 82 bytes of the request before come again\nline 3: all ");
        run.Out.ShouldContain("3 requests, 0 breaks\n");
    }

    [Test]
    public async Task A_clock_in_the_system_prompt_is_found_with_its_surroundings()
    {
        var run = await Check(Body("You are careful. The time is 12:01:07. Be brief.", "hello"), Body("You are careful. The time is 12:01:59. Be brief.", "hello", "hi"));

        run.ExitCode.ShouldBe(1);
        run.Out.ShouldBe("""
            line 2: breaks after 66 of 114 bytes
                at  messages[0].content
                was …eful. The time is 12:01:07. Be brief."}
                now …eful. The time is 12:01:59. Be brief."}
            2 requests, 1 break
            25.1 % of 263 B of prompts could come from a cache

            """);
    }

    [Test]
    public async Task Tools_in_another_order_break_it_before_anything_else()
    {
        var run = await Check(
            """{"tools":[{"name":"bash"},{"name":"edit"}],"system":"s","messages":[{"role":"user","content":"a"}]}""",
            """{"messages":[{"role":"user","content":"a"}],"tools":[{"name":"edit"},{"name":"bash"}],"system":"s"}""");
        run.ExitCode.ShouldBe(1);
        run.Out.ShouldContain("at  tools[0].name\n");
    }

    [Test]
    public async Task Marks_that_move_along_and_settings_are_no_break()
    {
        var run = await Check(
            """{"model":"m","temperature":1,"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}]}""",
            """{"model":"m","temperature":0,"stream":true,"messages":[{"role":"user","content":[{"text":"a","type":"text"}]},{"role":"assistant","content":"b"}]}""",
            """{"model":"m","messages":[{"role":"user","content":[{"text":"a","type":"text"}]},{"role":"assistant","content":"b"}]}""");
        run.Out.ShouldContain("at  messages[0].content[0].text\n", Case.Sensitive, "the properties stand in another order, and so do their tokens");
        run.Out.ShouldContain("line 3: all ");
    }

    [Test]
    [Arguments("""{"model":"m1","messages":["a"]}""", """{"model":"m2","messages":["a"]}""", "model")]
    [Arguments("""{"messages":["a","b"]}""", """{"messages":["a"]}""", "messages[1]")]
    [Arguments("""{"messages":[{"content":["x","y"]}]}""", """{"messages":[{"content":["x"]}]}""", "messages[0].content[1]")]
    [Arguments("""{"system":"s","messages":["a"]}""", """{"messages":["a"]}""", "messages[0]")]
    [Arguments("""{"input":[{"a":1,"b":2}]}""", """{"input":[{"a":1}]}""", "input[0].b")]
    [Arguments("""{"input":[{"a":1}]}""", """{"input":["a"]}""", "input[0]")]
    public async Task A_break_is_named_by_its_place(string before, string after, string path) =>
        (await Check(before, after)).Out.ShouldContain($"at  {path}\n");

    [Test]
    public async Task A_broken_line_is_told_and_skipped()
    {
        var run = await Check(Body("s", "a"), "{broken", "", "[]", "{\"messages\":[\"\\ud800\"]}", Body("s", "a", "b"));
        run.ExitCode.ShouldBe(0);
        run.Out.ShouldContain("line 2: skipped");
        run.Out.ShouldContain("line 4: skipped");
        run.Out.ShouldContain("line 6: all ");
        run.Out.ShouldContain("2 requests, 0 breaks, 3 lines skipped\n");
    }

    [Test]
    public async Task Nothing_and_one_request_are_no_break()
    {
        (await Check()).Out.ShouldBe("0 requests, 0 breaks\n");
        (await Check(Body("s", "a"))).Out.ShouldBe("1 request, 0 breaks\n");
    }

    [Test]
    public async Task A_file_that_is_not_there_is_a_usage_error()
    {
        var run = await CliRun.OfAsync(["prefix-check", "--stream", Path.Combine(_directory, "none")]);
        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain("cannot read");
    }

    [Test]
    public async Task The_same_as_data()
    {
        var run = await Check(["--json"], Body("one", "a"), Body("two", "a"), "{");
        var data = JsonDocument.Parse(run.Out).RootElement;
        (data.GetProperty("requests").GetInt32(), data.GetProperty("breaks").GetInt32(), data.GetProperty("skipped_lines")[0].GetInt32()).ShouldBe((2, 1, 3));
        data.GetProperty("broken")[0].GetProperty("path").GetString().ShouldBe("messages[0].content");
    }

    /// <summary>Conversations that share a random part: the break is where they part, to the byte.</summary>
    [Test]
    public async Task The_break_is_where_two_requests_part()
    {
        var random = new Random(20261124);
        for (var round = 0; round < 50; round++)
        {
            var common = Enumerable.Range(0, random.Next(0, 6)).Select(n => $"{n} {new string('é', random.Next(0, 40))}").ToList();
            var (before, after) = (Messages([.. common, "was this", "and more"]), Messages([.. common, "was that"]));
            var data = JsonDocument.Parse((await Check(["--json"], before, after)).Out).RootElement;
            var found = data.GetProperty("broken")[0];
            found.GetProperty("path").GetString().ShouldBe($"messages[{common.Count}]");
            found.GetProperty("shared_bytes").GetInt64().ShouldBe(common.Sum(text => Encoding.UTF8.GetByteCount(Quoted(text))) + "\"was th".Length);
        }
    }

    private static string Messages(IReadOnlyList<string> messages) => $$"""{"messages":[{{string.Join(',', messages.Select(Quoted))}}]}""";

    private static string Body(string system, params string[] said)
    {
        var messages = said.Select((text, i) => Message(i % 2 == 0 ? "user" : "assistant", text)).Prepend(Message("system", system));
        return $$"""{"model":"m","messages":[{{string.Join(',', messages)}}],"max_tokens":{{said.Length}}}""";
    }

    private static string Message(string role, string content) => $$"""{"role":"{{role}}","content":{{Quoted(content)}}}""";

    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    private Task<CliRun> Check(params string[] bodies) => Check([], bodies);

    private async Task<CliRun> Check(string[] options, params string[] bodies)
    {
        var file = Path.Combine(_directory, "requests.jsonl");
        await File.WriteAllTextAsync(file, string.Concat(bodies.Select(body => body + "\n")), new UTF8Encoding(false), TestContext.Current!.Execution.CancellationToken);
        return await CliRun.OfAsync(["prefix-check", "--stream", file, .. options]);
    }
}
