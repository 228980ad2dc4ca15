using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Kinds;

public sealed class CopilotDialectTests
{
    private const string Turn = """{"type":"assistant.turn_start","data":{"turnId":"0"}}""";
    private const string Words = """{"type":"assistant.message","data":{"content":"Done.","model":"m"}}""";
    private const string Ends = """{"type":"result","sessionId":"s","exitCode":0}""";

    [Test]
    [Arguments("""{"type":"abort","data":{"reason":"user_initiated"}}""", "aborted")]
    [Arguments("""{"type":"assistant.idle","data":{"aborted":true}}""", "aborted")]
    [Arguments("""{"type":"assistant.idle","data":{}}""", "done")]
    [Arguments("""{"type":"session.error","data":{"errorType":"query","message":"no","statusCode":503}}""", "agent-error")]
    [Arguments("""{"type":"session.warning","data":{"message":"no"}}""", "done")]
    public void An_exit_code_of_0_is_no_verdict_by_itself(string line, string verdict) =>
        RunVerdict.Judge(PaneFixture.Fed("copilot", Turn, Words, line, Ends).Run, new ProcessExit(0), false, true).Verdict.ShouldBe(verdict);

    [Test]
    public void An_error_before_another_turn_is_overcome()
    {
        var pane = PaneFixture.Fed("copilot", Turn, """{"type":"session.error","data":{"message":"no"}}""", Turn, Words, Ends);
        (RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Verdict, pane.Show().Turns, pane.Show().Error).ShouldBe(("done", 2, null));
    }

    [Test]
    public void A_sub_agents_turns_and_calls_are_none_of_the_runs()
    {
        var pane = PaneFixture.Fed(
            "copilot", Turn, """{"type":"assistant.turn_start","agentId":"a","data":{"turnId":"0"}}""",
            """{"type":"tool.execution_start","agentId":"a","data":{"toolCallId":"c","toolName":"bash","arguments":{}}}""", Words, Ends);
        pane.Show().Turns.ShouldBe(1);
        RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Verdict.ShouldBe("done", "the call of a sub-agent need not end");
    }

    [Test]
    public void What_it_tells_of_its_own_doings_is_no_sign_of_work()
    {
        var pane = PaneFixture.Fed("copilot", Turn, """{"type":"model.call_failure","data":{"statusCode":503}}""");
        pane.Run.IsFailing.ShouldBeTrue();
        pane.Say("""{"type":"session.background_tasks_changed","data":{}}""");
        pane.Say("""{"type":"model.call_finished","data":{"outcome":"error"}}""");
        pane.Say("""{"type":"model.call_start","data":{}}""");
        (pane.Run.IsFailing, pane.Run.ProviderStatus).ShouldBe((true, 503));
        pane.Say("""{"type":"assistant.message_delta","data":{"deltaContent":"D"}}""");
        pane.Run.IsFailing.ShouldBeFalse();
    }
}
