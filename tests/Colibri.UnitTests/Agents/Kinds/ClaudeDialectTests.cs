using Colibri.Core.Agents.Kinds;
using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Kinds;

/// <summary>What <see cref="ClaudeDialect"/> reads of work in the background: a result is not the run's end while some of it is open.</summary>
public sealed class ClaudeDialectTests
{
    private const string Result = """{"type":"result","subtype":"success","is_error":false,"result":"ok"}""";
    private const string NoTask = """{"type":"system","subtype":"background_tasks_changed","tasks":[]}""";
    private const string OneTask = """{"type":"system","subtype":"background_tasks_changed","tasks":[{"task_id":"b1","description":"serve"}]}""";

    private static string Verdict(AgentPane pane, bool stopRequested = false) =>
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested, printsEvents: true).Verdict;

    [Test]
    public void A_run_with_background_work_goes_on_after_its_first_result_and_ends_with_its_second()
    {
        var pane = PaneFixture.New("claude");
        var steps = new List<string>();
        foreach (var line in Recordings.Lines("claude-2.1-stream-json-background"))
        {
            pane.Hear([.. line, (byte)'\n']);
            steps.Add($"{pane.Show().Activity.ToString()[0]}{(pane.Run.HasBackgroundWork ? "+" : "")} {Verdict(pane)}");
        }

        steps.ShouldBe(
        [
            "I no-result", "W incomplete", "W+ incomplete", "W+ incomplete", "W+ incomplete", "W+ incomplete", "W+ incomplete",
            "W+ background", "W+ background", "W+ background", "W done", "W incomplete", "W incomplete", "D done",
        ]);
        pane.Run.Runs.ShouldBe(1);
    }

    [Test]
    public void A_second_prompt_is_a_run_of_its_own()
    {
        var pane = PaneFixture.New("claude");
        pane.Hear(Recordings.Read("claude-2.1-duplex-allow"));
        (pane.Run.Runs, pane.Run.HasBackgroundWork, pane.Show().Activity, Verdict(pane)).ShouldBe((2, false, Activity.Done, "done"));
    }

    [Test]
    [Arguments(0, null, false, "background", Activity.Error)]
    [Arguments(0, null, true, "stopped", Activity.Idle)]
    [Arguments(3, null, false, "exit-code", Activity.Error)]
    [Arguments(null, 9, false, "killed", Activity.Error)]
    [Arguments(null, null, false, "background", Activity.Error)]
    public void What_exits_with_background_work_open_is_not_done(int? code, int? signal, bool stopRequested, string verdict, Activity activity)
    {
        var pane = PaneFixture.Fed("claude", """{"type":"stream_event"}""", OneTask, Result);
        var exit = new ProcessExit(code, signal);
        RunVerdict.Judge(pane.Run, exit, stopRequested, printsEvents: true).Verdict.ShouldBe(verdict);
        if (stopRequested) pane.StopRequested();
        pane.Exited(exit);
        pane.Complete();
        pane.Show().Activity.ShouldBe(activity);
    }

    [Test]
    [Arguments("""[{"description":"serve"}]""", "ended its run with a background task of its own still open: serve")]
    [Arguments("""[{"description":"serve"},{"description":"test"},{}]""", "ended its run with 3 background tasks of its own still open, among them: serve")]
    [Arguments("""[{"task_type":"local_bash"}]""", "ended its run with a background task of its own still open: local_bash")]
    [Arguments("""[7]""", "ended its run with a background task of its own still open")]
    public void The_verdict_says_what_was_open(string tasks, string message)
    {
        var pane = PaneFixture.Fed("claude", $$"""{"type":"system","subtype":"background_tasks_changed","tasks":{{tasks}}}""", Result);
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Error.ShouldBe(new TaskError("background", message));
    }

    [Test]
    [Arguments("""{"type":"system","subtype":"background_tasks_changed"}""")]
    [Arguments("""{"type":"system","subtype":"background_tasks_changed","tasks":null}""")]
    [Arguments("""{"type":"system","subtype":"background_tasks_changed","tasks":"none"}""")]
    [Arguments("""{"type":"system","subtype":"task_notification","tasks":[]}""")]
    [Arguments("""{"type":"heartbeat","tasks":[]}""")]
    public void What_lists_no_background_tasks_changes_none(string line)
    {
        var pane = PaneFixture.Fed("claude", OneTask, Result, line);
        (pane.Run.HasBackgroundWork, pane.Show().Activity).ShouldBe((true, Activity.Working));
    }

    [Test]
    public void A_list_of_background_tasks_too_long_to_keep_is_not_empty()
    {
        var pane = PaneFixture.New("claude");
        pane.Hear("""{"type":"system","subtype":"background_tasks_changed","tasks":[{"description":"x"""u8);
        var filler = new byte[1 << 16];
        Array.Fill(filler, (byte)'x');
        for (var sent = 0; sent <= AgentPane.MaxLineBytes; sent += filler.Length) pane.Hear(filler);
        pane.Hear("\"}]}\n"u8);
        pane.Say(Result);
        Verdict(pane).ShouldBe("background");
    }

    [Test]
    public void Background_work_that_is_told_of_after_the_result_keeps_the_run_open_as_well()
    {
        var pane = PaneFixture.Fed("claude", """{"type":"stream_event"}""", Result, OneTask);
        (pane.Show().Activity, Verdict(pane), pane.Run.Runs).ShouldBe((Activity.Working, "background", 1));
        pane.Say(NoTask);
        Verdict(pane).ShouldBe("done");
    }

    [Test]
    public void A_failed_result_with_background_work_open_is_held_as_well()
    {
        var pane = PaneFixture.Fed("claude", OneTask, """{"type":"result","subtype":"success","is_error":true,"result":"no credit"}""");
        (pane.Show().Activity, pane.Run.HasBackgroundWork, Verdict(pane)).ShouldBe((Activity.Working, true, "agent-error"));
        pane.Say("""{"type":"assistant","message":{"id":"m2","content":[]}}""");
        pane.Say(NoTask);
        pane.Say(Result);
        Verdict(pane).ShouldBe("done");
    }
}
