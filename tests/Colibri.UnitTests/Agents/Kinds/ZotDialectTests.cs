using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Kinds;

/// <summary>
/// There is no recording of zot. These lines are written after the table of zot's events that the project keeps beside its recordings, which
/// comes from zot's documentation and source; names of fields that the table does not give are in none of them but <c>name</c> and
/// <c>text</c>, which are guesses.
/// </summary>
public sealed class ZotDialectTests
{
    private static readonly string[] Run =
    [
        """{"id":"1","type":"response","success":true}""",
        """{"type":"turn_start"}""",
        """{"type":"user_message"}""",
        """{"type":"assistant_start"}""",
        """{"delta":"Run","type":"text_delta"}""",
        """{"id":"t1","name":"bash","type":"tool_use_start"}""",
        """{"type":"tool_use_args","id":"t1"}""",
        """{"type":"tool_use_end","id":"t1"}""",
        """{"type":"assistant_message","text":"Running."}""",
        """{"type":"tool_call","id":"t1","name":"bash"}""",
        """{"type":"tool_progress","id":"t1"}""",
        """{"type":"tool_result","id":"t1","is_error":false,"content":"hi\n"}""",
        """{"input":100,"output":10,"cache_read":7,"cache_write":3,"cost_usd":0.001,"type":"usage"}""",
        """{"type":"turn_end","stop":"tool_use"}""",
        """{"type":"turn_start"}""",
        """{"type":"assistant_message","content":[{"type":"text","text":"Done."}]}""",
        """{"type":"usage","input":50,"output":5,"cache_read":0,"cache_write":0,"cost_usd":0.0005,"cumulative":{"input":160,"output":15,"cache_read":7,"cache_write":3,"cost_usd":0.0015}}""",
        """{"type":"turn_end","stop":"end_turn"}""",
        """{"type":"done"}""",
    ];

    [Test]
    public void A_run_is_followed_event_by_event()
    {
        var pane = PaneFixture.New("zot");
        var activities = new List<char>();
        var tools = new List<string>();
        foreach (var line in Run)
        {
            pane.Say(line);
            activities.Add(pane.Show().Activity.ToString()[0]);
            if (pane.Show().Tool is { } tool) tools.Add(tool);
        }

        string.Concat(activities).ShouldBe("IWWWWWWWWWWWWWWWWWD");
        tools.ShouldBe(Enumerable.Repeat("bash", 6));
        var shown = pane.Show();
        (shown.Turns, shown.Tools, shown.Events, shown.MalformedLines).ShouldBe((2, 1, Run.Length, 0));
        RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Verdict.ShouldBe("done");
    }

    [Test]
    public void A_total_counts_for_what_it_adds_and_never_takes_back_what_was_counted()
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New("zot", transcript: transcript);
        foreach (var line in Run) pane.Say(line);
        pane.Show().Usage.Show().ShouldBe("160/15/7/3/150000");
        transcript.Lines.ShouldBe(
        [
            "assistant: Running.", "bash()", "bash: hi\n", "usage: 100/10/7/3/100000", "assistant: Done.", "usage: 60/5/0/0/50000",
        ]);

        pane.Say("""{"type":"usage","input":1,"output":1,"cache_read":1,"cache_write":1,"cost_usd":1,"cumulative":true}""");
        pane.Show().Usage.Show().ShouldBe("160/15/7/3/100000000", "its cost alone is above what was counted");
    }

    [Test]
    [Arguments("""{"type":"turn_end","stop":"end"}""", Activity.Working)]
    [Arguments("""{"type":"turn_end","stop":"error"}""", Activity.Error)]
    [Arguments("""{"type":"turn_end","stop":"length"}""", Activity.Error)]
    [Arguments("""{"type":"turn_end","stop":"aborted"}""", Activity.Error)]
    [Arguments("""{"type":"error","message":"no key"}""", Activity.Error)]
    [Arguments("""{"type":"response","success":false,"error":"busy"}""", Activity.Working)]
    public void An_event_in_a_turn_leads_to_its_activity(string line, Activity expected) =>
        PaneFixture.Fed("zot", """{"type":"turn_start"}""", line).Show().Activity.ShouldBe(expected);

    [Test]
    [Arguments("""{"type":"turn_end","stop":"length"}""", "token-limit", "answer cut by the token limit")]
    [Arguments("""{"type":"turn_end","stop":"aborted"}""", "aborted", "the run was aborted")]
    [Arguments("""{"type":"error","message":"no key"}""", "agent-error", "no key")]
    public void Done_after_a_failure_does_not_make_it_good(string failure, string code, string message)
    {
        var pane = PaneFixture.Fed("zot", """{"type":"turn_start"}""", failure, """{"type":"done"}""");
        pane.Show().Activity.ShouldBe(Activity.Error);
        RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Error.ShouldBe(new TaskError(code, message));
    }

    [Test]
    public void A_turn_after_a_failure_begins_anew() =>
        PaneFixture.Fed("zot", """{"type":"error","message":"no"}""", """{"type":"turn_start"}""", """{"type":"turn_end","stop":"end_turn"}""", """{"type":"done"}""")
            .Show().Activity.ShouldBe(Activity.Done);
}
