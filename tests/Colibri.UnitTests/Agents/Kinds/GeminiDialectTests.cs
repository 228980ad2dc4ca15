using Colibri.Core.Agents.Kinds;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Kinds;

public sealed class GeminiDialectTests
{
    private const string Call = """{"type":"tool_use","tool_name":"write_file","tool_id":"t1","parameters":{"file_path":"/x"}}""";

    [Test]
    [Arguments("""{"type":"tool_result","tool_id":"t1","status":"error","error":{"type":"invalid_tool_params","message":"Path not in workspace: Attempted path \"/x\" resolves outside"}}""", 1)]
    [Arguments("""{"type":"tool_result","tool_id":"t1","status":"error","error":{"type":"unhandled_exception","message":"Tool execution for \"Shell\" requires user confirmation, which is not supported in non-interactive mode."}}""", 1)]
    [Arguments("""{"type":"tool_result","tool_id":"t1","status":"error","error":{"type":"tool_not_registered","message":"Tool \"write_file\" not found."}}""", 0)]
    [Arguments("""{"type":"tool_result","tool_id":"t1","status":"success","output":"requires user confirmation"}""", 0)]
    public void A_refused_call_is_told_from_one_that_failed(string line, long refused) =>
        (PaneFixture.Fed("gemini", Call, line).Show().Denied ?? []).Sum(tool => tool.Count).ShouldBe(refused);

    [Test]
    public void Its_words_are_one_entry_and_its_users_are_none()
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New("gemini", transcript: transcript);
        pane.Say("""{"type":"message","role":"user","content":"mend it"}""");
        pane.Say("""{"type":"message","role":"assistant","content":"Well ","delta":true}""");
        pane.Say("""{"type":"message","role":"assistant","content":"done.","delta":true}""");
        transcript.Lines.ShouldBeEmpty();
        pane.Say("""{"type":"result","status":"success"}""");
        transcript.Lines.ShouldBe(["assistant: Well done."]);
        pane.Run.Signs.Words.ShouldBe(2);
    }

    [Test]
    public void The_usage_of_each_model_is_counted_once_with_what_it_thought()
    {
        var pane = PaneFixture.Fed("gemini", """
            {"type":"result","status":"success","stats":{"total_tokens":1360,"input_tokens":1300,"output_tokens":50,"cached":1000,"models":{"a":{"total_tokens":1300,"input_tokens":1250,"output_tokens":42,"cached":1000},"b":{"total_tokens":60,"input_tokens":50,"output_tokens":8,"cached":0}}}}
            """);
        pane.Show().Usage.Show().ShouldBe("300/60/1000/0/0");
        PaneFixture.Fed("gemini", """{"type":"result","status":"success","stats":{"total_tokens":13,"input_tokens":10,"output_tokens":3,"cached":4}}""").Show().Usage.Show().ShouldBe("6/3/4/0/0");
    }

    [Test]
    public void A_warning_of_its_own_ends_nothing()
    {
        var pane = PaneFixture.Fed("gemini", Call, """{"type":"error","severity":"warning","message":"Loop detected, stopping execution"}""");
        (pane.Show().Activity, pane.Show().Error).ShouldBe((Activity.Working, "Loop detected, stopping execution"));
        pane.Say("""{"type":"tool_result","tool_id":"t1","status":"success"}""");
        pane.Say("""{"type":"result","status":"success"}""");
        RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Verdict.ShouldBe("done");
    }

    [Test]
    public void What_its_events_do_not_tell_is_stated() =>
        AgentProfiles.For("gemini", null).Tells.Unknown(CostReport.Never).ShouldBe(["cost", "turns"]);
}
