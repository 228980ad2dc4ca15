using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Runs;

/// <summary>The limits of a run against what agents print, on a clock that the test sets: no limit's time has to pass.</summary>
public sealed class RunLimitsTests
{
    private const string Result = """{"type":"result","subtype":"success","is_error":false,"result":"ok","total_cost_usd":0.02,"usage":{"input_tokens":10,"output_tokens":1}}""";
    private const string OneTask = """{"type":"system","subtype":"background_tasks_changed","tasks":[{"task_id":"b1","description":"serve"}]}""";
    private const string NoTask = """{"type":"system","subtype":"background_tasks_changed","tasks":[]}""";

    private static readonly string[] Overflow =
    [
        """{"type":"agent_start"}""",
        """{"type":"turn_start"}""",
        """{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"prompt is too long"}}""",
        """{"type":"turn_end"}""",
        """{"type":"agent_end","messages":[],"willRetry":false}""",
        """{"type":"compaction_start","reason":"overflow"}""",
    ];

    private static readonly DaemonConfiguration Plain = new()
    {
        SocketPath = "/s",
        DatabasePath = "/d",
        SessionsDirectory = "/e",
        Host = "clawdie",
        StallAfter = TimeSpan.FromMinutes(10),
        ToolTimeout = TimeSpan.FromHours(2),
    };

    private static readonly BoardTask Task = new() { Id = "t", Title = "t", Status = TaskState.Started, CreatedAt = default, UpdatedAt = default };

    private readonly StoppedClock _clock = new();
    private readonly DateTimeOffset _told;

    public RunLimitsTests() => _told = _clock.Now;

    [Test]
    public void Codex_that_reconnects_when_its_provider_said_to_has_the_longer_time()
    {
        var lines = Recordings.Lines("codex-0.171-exec-json-retry-after");
        var pane = PaneFixture.New("codex", _clock);
        var promise = lines.FindIndex(line => line.AsSpan().IndexOf("Reconnecting"u8) >= 0);
        foreach (var line in lines[..(promise + 1)]) pane.Hear([.. line, (byte)'\n']);
        (pane.Run.IsRetrying, pane.Run.Outcome).ShouldBe((true, RunOutcome.Failed));

        _clock.Now += TimeSpan.FromSeconds(40);
        Ask(pane).Ends.ShouldBeFalse("it was asked to wait for 40 s");
        _clock.Now += Plain.FirstEventTimeout - TimeSpan.FromSeconds(41);
        Ask(pane).LookAgain.ShouldBe(TimeSpan.FromSeconds(1));
        _clock.Now += TimeSpan.FromSeconds(1);
        Ask(pane).IsOver.ShouldBeTrue("a promise has an end as well");

        foreach (var line in lines[(promise + 1)..])
        {
            pane.Hear([.. line, (byte)'\n']);
            pane.Run.IsRetrying.ShouldBeFalse();
        }
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("done");
    }

    [Test]
    [Arguments("""{"type":"heartbeat"}""", true, false)]
    [Arguments("no event at all", true, false)]
    [Arguments("""{"type":"error","message":"Reconnecting... 2/5"}""", true, false)]
    [Arguments("""{"type":"error","message":"stream disconnected"}""", false, true)]
    [Arguments("""{"type":"error","message":"gave up Reconnecting... 5/5"}""", false, true)]
    [Arguments("""{"type":"turn.failed","error":{"message":"Reconnecting... 5/5"}}""", false, true)]
    [Arguments("""{"type":"item.updated","item":{"id":"1","type":"reasoning"}}""", false, false)]
    [Arguments("""{"type":"turn.completed","usage":{}}""", false, true)]
    public void The_promise_of_another_try_holds_until_the_next_sign_of_work(string line, bool isRetrying, bool isOver)
    {
        var pane = PaneFixture.New("codex", _clock);
        pane.Say("""{"type":"turn.started"}""");
        pane.Run.IsRetrying.ShouldBeFalse();
        pane.Say("""{"type":"error","message":"Reconnecting... 1/5"}""");
        pane.Say(line);
        pane.Run.IsRetrying.ShouldBe(isRetrying);
        _clock.Now += Plain.ExitTimeout;
        Ask(pane).IsOver.ShouldBe(isOver);
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public void A_compaction_after_an_overflow_is_no_end_and_may_take_its_time(bool isRpc)
    {
        var pane = PaneFixture.New("pi", _clock);
        foreach (var line in Overflow) pane.Say(line);
        (pane.Run.IsCompacting, pane.Show().Activity).ShouldBe((true, Activity.Working));
        _clock.Now += Plain.SilenceTimeout - TimeSpan.FromSeconds(1);
        Ask(pane, isRpc).Ends.ShouldBeFalse();

        pane.Say("""{"type":"compaction_end","reason":"overflow","aborted":false,"willRetry":true}""");
        (pane.Run.IsCompacting, pane.Run.Outcome, Ask(pane, isRpc).Ends).ShouldBe((false, RunOutcome.Working, false));
        pane.Say("""{"type":"agent_start"}""");
        pane.Say("""{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}""");
        pane.Say("""{"type":"agent_end","messages":[],"willRetry":false}""");
        pane.Say("""{"type":"agent_settled","aborted":false}""");
        RunLimits.IsSettled(pane.Run, isRpc).ShouldBe(isRpc, "one that lives on is over when it says so");
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("done");
    }

    [Test]
    [Arguments(true, 5)]
    [Arguments(false, 30)]
    public void After_a_compaction_that_leads_to_nothing_the_quiet_is_counted(bool isRpc, int seconds)
    {
        var pane = PaneFixture.New("pi", _clock);
        foreach (var line in Overflow) pane.Say(line);
        _clock.Now += TimeSpan.FromHours(1);
        pane.Say("""{"type":"compaction_end","reason":"overflow","aborted":true,"willRetry":false}""");
        Ask(pane, isRpc).LookAgain.ShouldBe(TimeSpan.FromSeconds(seconds));
        _clock.Now += TimeSpan.FromSeconds(seconds);
        Ask(pane, isRpc).IsOver.ShouldBeTrue();
    }

    [Test]
    public void Background_work_of_claude_keeps_its_run_open_until_it_ends_and_nothing_follows()
    {
        var pane = PaneFixture.New("claude", _clock);
        pane.Say(OneTask);
        pane.Say(Result);
        _clock.Now += TimeSpan.FromHours(1);
        Ask(pane).Ends.ShouldBeFalse();
        Ask(pane, isRpc: true).Ends.ShouldBeFalse();

        pane.Say(NoTask);
        Ask(pane).LookAgain.ShouldBe(Plain.ExitTimeout);
        Ask(pane, isRpc: true).Ends.ShouldBeFalse("the agent is about to be woken");
        _clock.Now += Plain.ExitTimeout;
        Ask(pane).IsOver.ShouldBeTrue();
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("done");
    }

    [Test]
    public void A_run_that_waits_for_background_work_is_held_to_the_budget()
    {
        var budgets = new Budgets(1, null, new EventHub(_clock), _clock);
        var pane = PaneFixture.New("claude", _clock);
        pane.Say(OneTask);
        pane.Say(Result);
        Ask(pane, budgets: budgets).Cause.ShouldBe(StopCause.Budget, "it goes on spending");
        pane.Say(NoTask);
        Ask(pane, budgets: budgets).Ends.ShouldBeFalse("its work is paid");
    }

    /// <summary>Each is silent while something goes on that the agent has told of: how long it may be, where a stall ends it and where it does not.</summary>
    public static List<(string, string, TimeSpan, TimeSpan)> Silences() =>
    [
        ("claude", $"{OneTask}\n{Result}", Plain.ToolTimeout, Plain.ToolTimeout),
        ("claude", OneTask + "\n" + """{"type":"result","subtype":"error_max_turns","is_error":true}""", Plain.ToolTimeout, Plain.ToolTimeout),
        ("claude", """{"type":"stream_event"}""" + "\n" + OneTask, Plain.ToolTimeout, Plain.ToolTimeout),
        ("claude", """{"type":"stream_event"}""", Plain.StallAfter, Plain.SilenceTimeout),
        ("pi", string.Join('\n', Overflow), Plain.StallAfter, Plain.SilenceTimeout),
        ("pi", """{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}""", Plain.ToolTimeout, Plain.ToolTimeout),
    ];

    [Test]
    [MethodDataSource(nameof(Silences))]
    public void Every_silence_has_a_limit_and_a_stall_that_is_ended_a_shorter_one(string kind, string lines, TimeSpan stall, TimeSpan silence)
    {
        var pane = PaneFixture.New(kind, _clock);
        pane.Started(1);
        pane.Say(lines);
        _clock.Now += stall - TimeSpan.FromSeconds(1);
        Ask(pane, stallKill: true).Ends.ShouldBeFalse();
        pane.ToWire(Plain.StallAfter, Plain.ToolTimeout).Stalled.ShouldBeFalse();
        _clock.Now += TimeSpan.FromSeconds(1);
        Ask(pane, stallKill: true).Cause.ShouldBe(StopCause.Deadline);
        pane.ToWire(Plain.StallAfter, Plain.ToolTimeout).Stalled.ShouldBeTrue();
        _clock.Now += silence - stall - TimeSpan.FromSeconds(1);
        Ask(pane).Ends.ShouldBeFalse();
        _clock.Now += TimeSpan.FromSeconds(1);
        Ask(pane).Cause.ShouldBe(StopCause.Deadline);
    }

    /// <summary>A tool's time is not counted while a disk takes in what was printed, and no event says when that is over.</summary>
    [Test]
    public void While_what_an_agent_printed_is_being_written_it_is_looked_at_again_soon()
    {
        var pane = PaneFixture.New("pi", _clock);
        pane.Say("""{"type":"agent_start"}""");
        pane.Say("""{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}""");
        var look = Look(pane);

        var found = RunLimits.Ask(look with { Times = default, IsTakenIn = true });

        found.Ends.ShouldBeFalse();
        found.LookAgain.ShouldBe(TimeSpan.FromSeconds(1));
        RunLimits.Ask(look with { Times = default }).LookAgain.ShouldBeGreaterThan(TimeSpan.FromSeconds(1));
    }

    private LimitFinding Ask(AgentPane pane, bool isRpc = false, bool stallKill = false, Budgets? budgets = null) =>
        RunLimits.Ask(Look(pane, isRpc, stallKill, budgets));

    private RunLook Look(AgentPane pane, bool isRpc = false, bool stallKill = false, Budgets? budgets = null)
    {
        var run = new Run(budgets is null ? null : new RunBegun(EdgeOutcome.Applied, Task), "session-1", default, 0);
        return new RunLook
        {
            Run = run,
            Report = run.Of(pane.Run),
            Settings = Plain with { StallKill = stallKill },
            Budgets = budgets ?? new Budgets(null, null, new EventHub(_clock), _clock),
            Age = _clock.Now - _told,
            Told = _clock.Now - _told,
            Times = pane.Times(),
            Question = pane.Question,
            Spent = run.Spent(pane.Usage.CostMicrocents),
            PrintsEvents = true,
            HasPrompt = true,
            IsRpc = isRpc,
        };
    }
}
