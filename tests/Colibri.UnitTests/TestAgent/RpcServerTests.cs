using System.Text.Json;

namespace Colibri.UnitTests.TestAgent;

public sealed class RpcServerTests
{
    [Test]
    public void A_prompt_is_answered_with_its_id_and_then_played()
    {
        var lines = AgentStage.Serve(["""{"id":"7","type":"prompt","message":"hello"}"""]);

        lines[0].GetProperty("id").GetString().ShouldBe("7");
        lines[0].GetProperty("command").GetString().ShouldBe("prompt");
        lines[0].GetProperty("success").GetBoolean().ShouldBeTrue();
        TypeOf(lines[1]).ShouldBe("agent_start");
        TypeOf(lines[^1]).ShouldBe("agent_settled");
    }

    [Test]
    public void The_end_of_stdin_cuts_pauses_short_but_not_the_run()
    {
        var lines = AgentStage.Serve(["""{"id":"1","type":"prompt","message":"hello"}"""], "--step-ms", "60000", "--hold-secs", "600");

        TypeOf(lines[^1]).ShouldBe("agent_settled");
        lines[^1].GetProperty("aborted").GetBoolean().ShouldBeFalse();
    }

    [Test]
    public void A_second_prompt_while_one_is_played_is_refused()
    {
        var lines = AgentStage.Serve(
            [
                """{"id":1,"type":"prompt","message":"a"}""",
                """{"id":2,"type":"prompt","message":"b"}""",
                """{"id":3,"type":"get_state"}""",
            ],
            "--step-ms", "60000");

        ResponseTo(lines, 2).GetProperty("success").GetBoolean().ShouldBeFalse();
        ResponseTo(lines, 3).GetProperty("data").GetProperty("isStreaming").GetBoolean().ShouldBeTrue();
        lines.Count(line => TypeOf(line) == "agent_settled").ShouldBe(1);
    }

    [Test]
    public void An_abort_ends_the_run_and_is_answered_after_it()
    {
        var lines = AgentStage.Serve(
            ["""{"id":1,"type":"prompt","message":"a"}""", """{"id":2,"type":"abort"}"""],
            "--step-ms", "60000");

        TypeOf(lines[^2]).ShouldBe("agent_settled");
        lines[^2].GetProperty("aborted").GetBoolean().ShouldBeTrue();
        lines[^1].GetProperty("command").GetString().ShouldBe("abort");
    }

    [Test]
    [Arguments("true", false)]
    [Arguments("false", true)]
    public void A_question_is_answered_by_the_line_that_carries_its_id(string confirmed, bool isError)
    {
        var lines = AgentStage.Serve(
            [
                """{"id":1,"type":"prompt","message":"a"}""",
                """{"type":"extension_ui_response","id":"another","confirmed":true}""",
                $$"""{"type":"extension_ui_response","id":"question-s","confirmed":{{confirmed}}}""",
            ],
            "--ask", "--session-id", "s");

        lines.Single(line => TypeOf(line) == "tool_execution_end").GetProperty("isError").GetBoolean().ShouldBe(isError);
    }

    [Test]
    public void A_stalled_run_goes_on_only_by_an_abort()
    {
        var lines = AgentStage.Serve(["""{"id":1,"type":"prompt","message":"a"}""", """{"id":2,"type":"abort"}"""], "--stall");

        lines.Single(line => TypeOf(line) == "agent_settled").GetProperty("aborted").GetBoolean().ShouldBeTrue();
    }

    [Test]
    [Arguments("{not json", "parse")]
    [Arguments("[1]", "parse")]
    [Arguments("""{"type":"nonsense"}""", "nonsense")]
    [Arguments("""{"type":"prompt"}""", "prompt")]
    [Arguments("{}", "")]
    public void A_line_that_is_no_command_is_refused_and_the_next_one_is_read(string line, string command)
    {
        var lines = AgentStage.Serve([line, """{"id":"after","type":"get_state"}"""]);

        lines[0].GetProperty("command").GetString().ShouldBe(command);
        lines[0].GetProperty("success").GetBoolean().ShouldBeFalse();
        lines[1].GetProperty("id").GetString().ShouldBe("after");
    }

    private static string TypeOf(JsonElement e) => e.GetProperty("type").GetString()!;

    private static JsonElement ResponseTo(List<JsonElement> lines, int id) => lines.Single(line =>
        TypeOf(line) == "response" && line.TryGetProperty("id", out var value) && value.GetInt32() == id);
}
