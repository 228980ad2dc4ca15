using Colibri.Core.Agents.Kinds;
using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Runs;

public sealed class RunVerdictTests
{
    // Ended by exit 0, by exit 3, by a signal, in a way that is not known; then the same four after a stop was requested.
    private static readonly Dictionary<(RunOutcome, StopReason), string[]> Stated = new()
    {
        [(RunOutcome.Silent, StopReason.None)] = ["no-result", "exit-code", "killed", "exit-unknown", "stopped", "stopped", "stopped", "stopped"],
        [(RunOutcome.Idle, StopReason.None)] = ["no-result", "exit-code", "killed", "exit-unknown", "stopped", "stopped", "stopped", "stopped"],
        [(RunOutcome.Working, StopReason.Stop)] = ["incomplete", "exit-code", "killed", "exit-unknown", "stopped", "stopped", "stopped", "stopped"],
        [(RunOutcome.Blocked, StopReason.Stop)] = ["blocked", "exit-code", "killed", "exit-unknown", "stopped", "stopped", "stopped", "stopped"],
        [(RunOutcome.Done, StopReason.Stop)] = ["done", "exit-code", "killed", "done", "done", "done", "done", "done"],
        [(RunOutcome.Failed, StopReason.Error)] = ["agent-error", "agent-error", "killed", "agent-error", "agent-error", "agent-error", "agent-error", "agent-error"],
        [(RunOutcome.Failed, StopReason.Length)] = ["token-limit", "token-limit", "killed", "token-limit", "token-limit", "token-limit", "token-limit", "token-limit"],
        [(RunOutcome.Failed, StopReason.Aborted)] = ["aborted", "aborted", "killed", "aborted", "stopped", "stopped", "stopped", "stopped"],
    };

    private static readonly ProcessExit[] Exits = [new(Code: 0), new(Code: 3), new(Signal: 9), new()];

    [Test]
    public void Every_outcome_has_its_verdict_for_every_exit()
    {
        Stated.Keys.Select(key => key.Item1).Distinct().ShouldBe(Enum.GetValues<RunOutcome>());
        foreach (var ((outcome, stop), row) in Stated)
        {
            var run = new RunReport(outcome, false, stop, outcome == RunOutcome.Failed ? "words" : null, "turn_end");
            foreach (var printsEvents in new[] { true, false })
            {
                for (var i = 0; i < row.Length; i++)
                {
                    var expected = !printsEvents && row[i] == "no-result" ? "done" : row[i];
                    var verdict = RunVerdict.Judge(run, Exits[i % 4], stopRequested: i >= 4, printsEvents);
                    verdict.Verdict.ShouldBe(expected, $"{outcome} {stop} {Exits[i % 4]} stop {i >= 4} prints events {printsEvents}");
                    verdict.Error?.Code.ShouldBe(expected);
                    (verdict.Error is null).ShouldBe(expected == RunVerdict.Done);
                }
            }
        }
    }

    [Test]
    public void Background_work_still_open_changes_the_verdict_of_a_done_run_alone()
    {
        foreach (var ((outcome, stop), row) in Stated)
        {
            var run = new RunReport(outcome, false, stop, outcome == RunOutcome.Failed ? "words" : null, "turn_end") { BackgroundTasks = 2 };
            for (var i = 0; i < row.Length; i++)
            {
                var expected = row[i] != "done" ? row[i] : i < 4 ? "background" : "stopped";
                RunVerdict.Judge(run, Exits[i % 4], stopRequested: i >= 4, printsEvents: true).Verdict.ShouldBe(expected, $"{outcome} {stop} {Exits[i % 4]} stop {i >= 4}");
            }
        }
    }

    [Test]
    [Arguments(RunOutcome.Working, 3, null, null, "exited 3 after turn_end")]
    [Arguments(RunOutcome.Working, 3, null, "no such model\n", "exited 3 after turn_end: no such model")]
    [Arguments(RunOutcome.Working, 143, null, null, "exited 143 (128 + SIGTERM) after turn_end")]
    [Arguments(RunOutcome.Working, 0, null, null, "exited 0 in the middle of the run, after turn_end")]
    [Arguments(RunOutcome.Working, 145, null, "401", "exited 145 after turn_end: 401")]
    [Arguments(RunOutcome.Working, null, 9, null, "killed by SIGKILL after turn_end")]
    [Arguments(RunOutcome.Working, null, 9, "Reading additional input from stdin...", "killed by SIGKILL after turn_end")]
    [Arguments(RunOutcome.Working, null, 6, "panicked at main.rs:1", "killed by SIGABRT after turn_end: panicked at main.rs:1")]
    [Arguments(RunOutcome.Done, 1, null, "bye", "the agent finished its run, then exited 1: bye")]
    [Arguments(RunOutcome.Done, null, 15, "bye", "the agent finished its run, then was killed by SIGTERM")]
    [Arguments(RunOutcome.Working, null, 42, null, "killed by signal 42 after turn_end")]
    [Arguments(RunOutcome.Working, null, null, null, "ended, and its exit status was lost, after turn_end")]
    [Arguments(RunOutcome.Working, null, null, "out of memory", "ended, and its exit status was lost, after turn_end: out of memory")]
    [Arguments(RunOutcome.Silent, 0, null, "zot: no provider", "exited 0 without printing one event: zot: no provider")]
    [Arguments(RunOutcome.Idle, 0, null, null, "exited 0 without a run, after turn_end")]
    [Arguments(RunOutcome.Blocked, 0, null, null, "exited 0 while it waited for an answer nobody gave")]
    public void The_message_is_one_line_that_says_what_happened(RunOutcome outcome, int? code, int? signal, string? lastWords, string message)
    {
        var run = new RunReport(outcome, false, StopReason.None, null, "turn_end");
        RunVerdict.Judge(run, new ProcessExit(code, signal), false, true, lastWords).Error!.Message.ShouldBe(message);
    }

    [Test]
    public void Finished_work_is_not_tried_again_and_other_failures_are()
    {
        foreach (var ((outcome, stop), row) in Stated)
        {
            var run = new RunReport(outcome, false, stop, null, "turn_end");
            for (var i = 0; i < row.Length; i++)
            {
                RunVerdict.Judge(run, Exits[i % 4], stopRequested: i >= 4, printsEvents: true).IsFinal
                    .ShouldBe(outcome == RunOutcome.Done && row[i] is "exit-code" or "killed", $"{outcome} {Exits[i % 4]}");
            }
        }
        RunVerdict.Judge(default, new ProcessExit(64), false, true).IsFinal.ShouldBeTrue();
        var open = new RunReport(RunOutcome.Done, false, StopReason.Stop, null, "result") { BackgroundTasks = 1 };
        RunVerdict.Judge(open, new ProcessExit(1), false, true).IsFinal.ShouldBeFalse("its background work was not finished");
        RunVerdict.Judge(open with { IsBackgroundGuessed = true }, new ProcessExit(1), false, true).IsFinal.ShouldBeTrue("nothing of it was left");
    }

    [Test]
    [Arguments("2026-11-27T09:00:00Z ERROR codex_core::tools::router: error=exec_command failed for `/bin/bash -lc 'rm -f style.css'`: Rejected(\"rejected: rm -f style.css\")", true)]
    [Arguments("rejected: rm -f style.css", true)]
    [Arguments("error: failed to push some refs: ! [rejected] main -> main (fetch first)", false)]
    [Arguments("Reading additional input from stdin...", false)]
    public void A_line_of_Codex_on_standard_error_may_tell_of_a_refused_command(string line, bool isRefusal) =>
        (AgentProfiles.For("codex", null).RefusalIn!(line) is { Tool: "command_execution" }).ShouldBe(isRefusal);

    [Test]
    public void A_silent_agent_that_fails_is_said_to_have_printed_nothing() =>
        RunVerdict.Judge(default, new ProcessExit(127), false, true).Error!.Message.ShouldBe("exited 127 without printing an event");

    [Test]
    public void An_agents_own_words_become_one_line_of_bounded_length()
    {
        var run = new RunReport(RunOutcome.Failed, true, StopReason.Error, "first\nsecond " + new string('x', 2000), "agent_settled");
        var message = RunVerdict.Judge(run, new ProcessExit(0), false, true).Error!.Message;
        message.ShouldStartWith("first second xxx");
        message.Length.ShouldBe(500);
    }
}
