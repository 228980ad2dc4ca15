using System.Text.Json;

namespace Colibri.UnitTests.TestAgent;

public sealed class LifeCycleTests
{
    [Test]
    public void A_run_prints_the_event_types_of_the_recorded_Pi_run_in_its_order() =>
        TypesOf(Play("run echo")).ShouldBe(RecordedTypes("pi-1.5.2-json-tool.jsonl"));

    [Test]
    public void A_retried_run_prints_the_event_types_of_the_recorded_one_but_for_the_session_file() =>
        TypesOf(Play("--retry", "run echo")).ShouldBe(RecordedTypes("pi-1.5.2-json-retry.jsonl").Where(type => type != "entry_appended"));

    [Test]
    public void A_failed_run_prints_the_event_types_of_the_recorded_one() =>
        TypesOf(Play("--fail", "--turns", "1", "hello")).ShouldBe(RecordedTypes("pi-1.5.2-json-auth.jsonl"));

    [Test]
    public void A_retry_that_fails_too_says_so_after_the_end_of_the_run() =>
        TypesOf(Play("--retry", "--fail", "--turns", "1", "hello"))[^3..].ShouldBe(["agent_end", "auto_retry_end", "agent_settled"]);

    [Test]
    [Arguments(1)]
    [Arguments(2)]
    [Arguments(7)]
    public void Every_turn_but_the_last_runs_one_tool(int turns)
    {
        var types = Play("--turns", $"{turns}", "x").Select(TypeOf).ToList();

        types.Count(type => type == "turn_end").ShouldBe(turns);
        types.Count(type => type == "tool_execution_end").ShouldBe(turns - 1);
    }

    [Test]
    public void Events_carry_the_members_that_Pi_s_carry()
    {
        var recorded = ShapesOf(RecordedLines("pi-1.5.2-json-tool.jsonl").Select(line => JsonDocument.Parse(line).RootElement));

        foreach (var (type, members) in ShapesOf(Play("--emit-usage", "x")))
            members.ShouldBeSubsetOf(recorded[type], type);
    }

    [Test]
    public void Every_assistant_message_reports_the_usage_asked_for_at_its_end()
    {
        var ends = Play("--usage", "7,5,3,2,0.25", "x").Where(IsAssistantEnd).ToList();

        ends.Count.ShouldBe(2);
        foreach (var end in ends)
        {
            var usage = end.GetProperty("message").GetProperty("usage");
            usage.GetProperty("input").GetInt64().ShouldBe(7);
            usage.GetProperty("output").GetInt64().ShouldBe(5);
            usage.GetProperty("cacheRead").GetInt64().ShouldBe(3);
            usage.GetProperty("cacheWrite").GetInt64().ShouldBe(2);
            usage.GetProperty("cost").GetProperty("total").GetDecimal().ShouldBe(0.25m);
        }
    }

    [Test]
    public void Usage_is_zero_unless_asked_for()
    {
        Play("x").Where(IsAssistantEnd).Select(InputOf).ShouldBe([0, 0]);
        Play("--emit-usage", "x").Where(IsAssistantEnd).Select(InputOf).ShouldBe([1200, 1200]);

        static long InputOf(JsonElement end) => end.GetProperty("message").GetProperty("usage").GetProperty("input").GetInt64();
    }

    [Test]
    public void The_prompt_is_the_user_s_message_and_quoted_by_the_assistant()
    {
        var events = Play("say", "\"hi\"", "\u2028 🐦");
        var texts = events.Where(e => TypeOf(e) == "message_end").Select(e => e.GetProperty("message"))
            .Where(m => m.GetProperty("content").ValueKind == JsonValueKind.Array)
            .ToLookup(m => m.GetProperty("role").GetString()!, m => m.GetProperty("content")[0].GetProperty("text").GetString()!);

        texts["user"].ShouldBe(["say \"hi\" \u2028 🐦"]);
        texts["assistant"].ShouldAllBe(text => text.Contains("say \"hi\" \u2028 🐦", StringComparison.Ordinal));
    }

    [Test]
    public void A_failed_run_ends_in_an_error_message_and_settles_without_abort()
    {
        var events = Play("--fail", "x");

        var last = events.Last(IsAssistantEnd).GetProperty("message");
        last.GetProperty("stopReason").GetString().ShouldBe("error");
        last.GetProperty("errorMessage").GetString().ShouldNotBeNullOrEmpty();
        events[^1].GetProperty("aborted").GetBoolean().ShouldBeFalse();
    }

    [Test]
    public void A_stalled_run_says_nothing_after_the_assistant_began()
    {
        var interlude = new ScriptedInterlude();

        var types = AgentStage.Play(interlude, "--stall", "x").Select(TypeOf).ToList();

        types[^1].ShouldBe("message_start");
        interlude.Stalls.ShouldBe(1);
    }

    [Test]
    [Arguments(true, false)]
    [Arguments(false, true)]
    public void The_answer_to_a_question_decides_how_the_tool_ends(bool confirmed, bool isError)
    {
        var interlude = new ScriptedInterlude { Answer = confirmed };

        var events = AgentStage.Play(interlude, "--ask", "x");

        var asked = events.Single(e => TypeOf(e) == "extension_ui_request");
        asked.GetProperty("method").GetString().ShouldBe("confirm");
        interlude.Questions.ShouldBe(1);
        events.Single(e => TypeOf(e) == "tool_execution_end").GetProperty("isError").GetBoolean().ShouldBe(isError);
    }

    [Test]
    public void An_abort_at_any_moment_closes_what_was_open_and_settles()
    {
        var undisturbed = new ScriptedInterlude();
        AgentStage.Play(undisturbed, "x");
        undisturbed.Waits.Count.ShouldBeGreaterThan(20);

        for (var moment = 1; moment <= undisturbed.Waits.Count; moment++)
        {
            var events = AgentStage.Play(new ScriptedInterlude { AbortAfter = moment }, "x");
            var types = events.Select(TypeOf).ToList();

            types.Count(type => type == "agent_settled").ShouldBe(1, $"aborted at {moment}");
            events[^1].GetProperty("aborted").GetBoolean().ShouldBeTrue($"aborted at {moment}");
            foreach (var kind in (string[])["turn", "message", "tool_execution"])
                types.Count(type => type == kind + "_start").ShouldBe(types.Count(type => type == kind + "_end"), $"{kind}, aborted at {moment}");
        }
    }

    [Test]
    public void A_hold_comes_after_the_last_turn_and_before_the_end()
    {
        var interlude = new ScriptedInterlude();

        AgentStage.Play(interlude, "--hold-secs", "9", "x");

        // After turn_end only agent_end is followed by a pause; nothing follows agent_settled.
        interlude.Waits[^2].ShouldBe(TimeSpan.FromSeconds(9));
        interlude.Waits.Count(wait => wait > TimeSpan.Zero).ShouldBe(1);
    }

    private static List<JsonElement> Play(params string[] args) => AgentStage.Play(new ScriptedInterlude(), args);

    private static string TypeOf(JsonElement e) => e.GetProperty("type").GetString()!;

    private static bool IsAssistantEnd(JsonElement e) =>
        TypeOf(e) == "message_end" && e.GetProperty("message").GetProperty("role").GetString() == "assistant";

    private static List<string> TypesOf(IEnumerable<JsonElement> events) => Collapse(events.Select(TypeOf));

    private static string[] RecordedLines(string name) =>
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "recordings", name)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static List<string> RecordedTypes(string name) =>
        Collapse(RecordedLines(name).Select(line => TypeOf(JsonDocument.Parse(line).RootElement)));

    // How many updates a message or a tool has depends on what was said.
    private static List<string> Collapse(IEnumerable<string> types)
    {
        var collapsed = new List<string>();
        foreach (var type in types)
        {
            if (!type.EndsWith("_update", StringComparison.Ordinal) || collapsed[^1] != type)
                collapsed.Add(type);
        }
        return collapsed;
    }

    private static Dictionary<string, HashSet<string>> ShapesOf(IEnumerable<JsonElement> events) =>
        events.GroupBy(Shape).ToDictionary(group => group.Key, group => group.SelectMany(e => Members(e)).ToHashSet());

    private static string Shape(JsonElement e) =>
        e.TryGetProperty("message", out var message) ? $"{TypeOf(e)}/{message.GetProperty("role").GetString()}" : TypeOf(e);

    private static IEnumerable<string> Members(JsonElement e, string path = "") => e.ValueKind switch
    {
        JsonValueKind.Object => e.EnumerateObject().SelectMany(p => Members(p.Value, $"{path}.{p.Name}").Prepend($"{path}.{p.Name}")),
        JsonValueKind.Array => e.EnumerateArray().SelectMany(item => Members(item, path + "[]")),
        _ => [],
    };
}
