using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Kinds;

public sealed class QwenDialectTests
{
    [Test]
    public void A_call_that_it_declined_is_a_refusal_by_its_result()
    {
        var pane = PaneFixture.Fed(
            "qwen", """{"type":"assistant","message":{"id":"m","content":[{"type":"tool_use","id":"c","name":"write_file","input":{}}]}}""",
            """{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"c","is_error":true,"content":"Qwen Code requires permission to use \"write_file\", but that permission was declined."}]}}""",
            """{"type":"result","subtype":"success","is_error":false,"num_turns":2,"result":"well","permission_denials":[{"tool_name":"write_file","tool_use_id":"c"}]}""");
        var denied = pane.Show().Denied.ShouldNotBeNull().ShouldHaveSingleItem();
        (denied.Tool, denied.Count).ShouldBe(("write_file", 1));
        (pane.Show().Turns, RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Verdict).ShouldBe((2, "denied"));
    }

    [Test]
    public void A_try_again_is_a_failure_until_an_answer_comes()
    {
        var pane = PaneFixture.Fed("qwen", """{"type":"system","subtype":"init","session_id":"s"}""", """{"type":"system","subtype":"retry","data":{"reason":"retry"}}""");
        (pane.Show().Activity, pane.Run.IsFailing).ShouldBe((Activity.Working, true));
    }

    [Test]
    public void The_usage_of_its_messages_waits_for_the_result_which_has_that_of_the_whole_session()
    {
        var pane = PaneFixture.Fed("qwen", """{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":1200,"output_tokens":40,"cache_read_input_tokens":1024}}}""");
        (pane.Show().Usage.Show(), pane.Show().Turns).ShouldBe(("0/0/0/0/0", 0));
        pane.Say("""{"type":"result","subtype":"success","is_error":false,"num_turns":1,"usage":{"input_tokens":1250,"output_tokens":43,"cache_read_input_tokens":1024}}""");
        pane.Say("""{"type":"result","subtype":"success","is_error":false,"num_turns":1,"usage":{"input_tokens":2000,"output_tokens":50,"cache_read_input_tokens":1024}}""");
        (pane.Show().Usage.Show(), pane.Show().Turns).ShouldBe(("976/50/1024/0/0", 2));
    }
}
