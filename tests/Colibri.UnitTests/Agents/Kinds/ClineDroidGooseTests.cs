using Colibri.Core.Agents.Kinds;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Kinds;

/// <summary>What the recordings of Cline, droid and goose do not show. The lines are those that the real programs print.</summary>
public sealed class ClineDroidGooseTests
{
    private const string Refused = """{"ts":"2026-11-28T03:24:59.243Z","type":"agent_event","event":{"type":"content_end","contentType":"tool","toolName":"read_files","toolCallId":"c1","output":{"error":"Tool \"read_files\" requires approval in a TTY session -- NOT a tool or system failure. Clarify with user before proceeding."},"error":"{\"error\":\"…\"}","durationMs":0}}""";

    [Test]
    public void A_cline_that_gives_up_over_refusals_was_aborted()
    {
        var pane = PaneFixture.Fed(
            "cline",
            """{"ts":"2026-11-28T03:24:59.243Z","type":"agent_event","event":{"type":"content_start","contentType":"tool","toolName":"read_files","toolCallId":"c1","input":{}}}""",
            Refused,
            """{"ts":"2026-11-28T03:24:59.322Z","type":"run_result","finishReason":"aborted","iterations":3,"usage":{"inputTokens":3600,"outputTokens":120,"cacheReadTokens":3072,"cacheWriteTokens":0,"totalCost":0},"aggregateUsage":{"inputTokens":3600,"outputTokens":120,"cacheReadTokens":3072,"cacheWriteTokens":0,"totalCost":0},"durationMs":131,"text":"Running the command.","model":{"id":"mock-1","provider":"openai-compatible"}}""",
            """{"ts":"2026-11-28T03:24:59.322Z","type":"run_aborted","reason":"external_abort","message":"aborted by another client"}""");
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("aborted");
        pane.Show().Denied!.ShouldHaveSingleItem().Count.ShouldBe(1);
        pane.Show().Usage.Show().ShouldBe("528/120/3072/0/0");
    }

    /// <summary>The answers of one call's commands: the words of one, and of several the JSON.</summary>
    [Test]
    [Arguments("""[{"query":"echo hi","result":"hi\n","success":true}]""", "run_commands: hi\n")]
    [Arguments("""[{"query":"sleep 42","result":"","error":"Command failed: Command timed out after 30000ms","success":false}]""", "run_commands!: Command failed: Command timed out after 30000ms")]
    [Arguments("""[{"query":"a","result":"1","success":true},{"query":"b","result":"2","error":"no","success":false}]""", """run_commands!: [{"query":"a","result":"1","success":true},{"query":"b","result":"2","error":"no","success":false}]""")]
    public void A_call_of_cline_failed_if_one_of_its_commands_did(string output, string entry)
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New("cline", transcript: transcript);
        transcript.Take(pane.Feed(System.Text.Encoding.UTF8.GetBytes($$$$"""
            {"ts":"t","type":"agent_event","event":{"type":"content_start","contentType":"tool","toolName":"run_commands","toolCallId":"c1","input":{"commands":[]}}}
            {"ts":"t","type":"agent_event","event":{"type":"content_end","contentType":"tool","toolName":"run_commands","toolCallId":"c1","output":{{{{output}}}},"durationMs":3}}

            """)));
        transcript.Lines[^1].ShouldBe(entry);
        pane.Show().Denied.ShouldBeNull();
    }

    /// <summary>A model of which Cline knows no price, and one of which it does.</summary>
    [Test]
    [Arguments("0", 2_552)]
    [Arguments("0.25", 0)]
    public void A_cost_of_nothing_is_no_price(string cost, long unpriced)
    {
        var usage = PaneFixture.Fed("cline", $$$$"""{"ts":"t","type":"agent_event","event":{"type":"usage","inputTokens":1300,"outputTokens":12,"cacheReadTokens":1152,"totalInputTokens":2500,"totalOutputTokens":52,"totalCacheReadTokens":2176,"totalCost":{{{{cost}}}}}}""").Show().Usage;
        (usage.UnpricedTokens, usage.CostMicrocents).ShouldBe((unpriced, unpriced > 0 ? 0 : 25_000_000));
    }

    [Test]
    public void An_error_of_clines_that_it_recovers_from_is_overcome()
    {
        var pane = PaneFixture.Fed(
            "cline",
            """{"ts":"t","type":"agent_event","event":{"type":"iteration_start","iteration":1}}""",
            """{"ts":"t","type":"agent_event","event":{"type":"error","error":{"name":"Error","message":"connection reset"},"recoverable":true,"iteration":1}}""");
        (pane.Show().Activity, pane.Show().Error).ShouldBe((Activity.Working, "connection reset"));
        pane.Say("""{"ts":"t","type":"agent_event","event":{"type":"content_end","contentType":"text","text":"hi"}}""");
        pane.Say("""{"ts":"t","type":"run_result","finishReason":"completed","text":"hi"}""");
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("done");
    }

    [Test]
    [Arguments("""{"ts":"2026-11-28T03:25:01.050Z","type":"error","message":"JSON output mode requires a \"prompt\""}""", "JSON output mode requires a \"prompt\"")]
    [Arguments("""{"ts":"2026-11-28T03:25:01.050Z","type":"notice","message":"hi"}""", null)]
    [Arguments("      at transform (/$bunfs/root/chunk-c152qqqg.js:44:43027)", null)]
    [Arguments("{", null)]
    public void Clines_last_line_on_standard_error_is_read_for_its_words(string line, string? words) => AgentProfiles.For("cline", null).WordsIn!(line).ShouldBe(words);

    [Test]
    public void A_run_of_droids_that_ends_for_want_of_permission_says_so_and_tells_the_refusal()
    {
        const string Words = "Exec ended early: insufficient permission to proceed. Re-run with --auto high. For destructive commands, use --skip-permissions-unsafe.";
        var pane = PaneFixture.Fed(
            "droid",
            """{"type":"tool_call","id":"c1","messageId":"m1","toolId":"Execute","toolName":"Execute","parameters":{"command":"rm"},"timestamp":1,"session_id":"s"}""",
            $$$"""{"type":"tool_result","id":"c1","messageId":"m2","toolId":"Execute","isError":true,"error":{"type":"tool_error","message":"Error: {{{Words}}}"},"timestamp":1,"session_id":"s"}""",
            $$$"""{"type":"error","source":"cli","message":"{{{Words}}}","timestamp":1,"session_id":"s"}""");
        RunVerdict.Judge(pane.Run, new ProcessExit(1), stopRequested: false, printsEvents: true).Error.ShouldBe(new TaskError("agent-error", Words));
        var denied = pane.Show().Denied!.ShouldHaveSingleItem();
        (denied.Tool, denied.Count, denied.Reason).ShouldBe(("Execute", 1, $"Error: {Words}"));
    }

    [Test]
    public void A_tool_that_droid_is_not_given_is_refused()
    {
        var pane = PaneFixture.Fed(
            "droid",
            """{"type":"tool_call","id":"c1","messageId":"m1","toolId":"Execute","toolName":"Execute","parameters":{},"timestamp":1,"session_id":"s"}""",
            """{"type":"tool_result","id":"c1","messageId":"m2","toolId":"Execute","isError":true,"error":{"type":"tool_error","message":"Error: Tool Execute is not permitted in this exec session. Available tools: Read, LS, Grep, and Glob."},"timestamp":1,"session_id":"s"}""",
            """{"type":"completion","finalText":"Done.","numTurns":2,"session_id":"s"}""");
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("denied");
    }

    [Test]
    [Arguments("Error: Tool approval required in non-interactive mode with GooseMode::approve. This is an invalid configuration", "tool: Tool approval required in non-interactive mode with GooseMode::approve. This is an invalid configuration")]
    [Arguments("a program says: Tool approval required in non-interactive mode", null)]
    [Arguments("Error: something else", null)]
    public void A_call_that_goose_would_ask_about_is_known_by_its_line_on_standard_error(string line, string? refusal)
    {
        var refused = AgentProfiles.For("goose", null).RefusalIn!(line);
        (refused is null ? null : $"{refused.Tool}: {refused.Reason}").ShouldBe(refusal);
    }

    /// <summary>Words of a model's, which has an id, are no error of goose's own.</summary>
    [Test]
    public void A_model_of_gooses_may_speak_of_errors()
    {
        var pane = PaneFixture.Fed(
            "goose",
            """{"type":"message","message":{"id":"m1","role":"assistant","created":1,"content":[{"type":"text","text":"Ran into this error: none."}]}}""",
            """{"type":"complete","total_tokens":11,"input_tokens":10,"output_tokens":1}""");
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("done");
    }

    [Test]
    public void An_error_after_answers_fails_goose_though_it_tells_usage()
    {
        var pane = PaneFixture.Fed(
            "goose",
            """{"type":"message","message":{"id":"m1","role":"assistant","created":1,"content":[{"type":"text","text":"Running."}]}}""",
            """{"type":"message","message":{"id":null,"role":"assistant","created":1,"content":[{"type":"text","text":"Ran into this error: Server error."}]}}""",
            """{"type":"complete","total_tokens":11,"input_tokens":10,"output_tokens":1}""");
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Error.ShouldBe(new TaskError("agent-error", "Ran into this error: Server error."));
    }

    [Test]
    public void No_hub_of_clines_is_started() => AgentProfiles.For("cline", null).Environment["CLINE_SESSION_BACKEND_MODE"].ShouldBe("local");
}
