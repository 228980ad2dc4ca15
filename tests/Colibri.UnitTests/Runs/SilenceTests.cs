using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Runs;

/// <summary>Silence, waiting and work, kind by kind: what an agent says before it, and what it says every second for ever after.</summary>
public sealed class SilenceTests
{
    private const string Text = """{"type":"assistant","message":{"id":"m2","content":[{"type":"text","text":"x"}]}}""";
    private const string Init = """{"type":"system","subtype":"init","session_id":"s"}""";
    private const string PiTool = """{"type":"agent_start"}""" + "\n" + """{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}""";
    private const string PiAsks = """{"type":"extension_ui_request","id":"q1","method":"confirm","title":"Delete the branch?"}""";
    private const string Bash = """{"type":"assistant","message":{"id":"m1","content":[{"type":"tool_use","id":"t1","name":"Bash"}]}}""";
    private const string Retry = """{"type":"system","subtype":"api_retry","attempt":1,"retry_delay_ms":500,"error_status":529}""";

    /// <summary>Pi's answer to a provider that is overloaded, for ever.</summary>
    private const string PiRetries = """
        {"type":"message_start","message":{"role":"assistant","content":[]}}
        {"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"529: busy"}}
        {"type":"turn_end","message":{}}
        {"type":"agent_end","messages":[],"willRetry":true}
        {"type":"auto_retry_start","attempt":1,"delayMs":800,"errorMessage":"529: busy"}
        {"type":"agent_start"}
        {"type":"turn_start"}
        """;

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Tool = TimeSpan.FromSeconds(200);
    private static readonly TimeSpan Errors = TimeSpan.FromSeconds(100);

    private static readonly DaemonConfiguration Plain = new()
    {
        SocketPath = "/s",
        DatabasePath = "/d",
        SessionsDirectory = "/e",
        Host = "h",
        SilenceTimeout = Silence,
        ToolTimeout = Tool,
        FirstEventTimeout = Errors,
    };

    private readonly StoppedClock _clock = new();
    private readonly DateTimeOffset _told;

    public SilenceTests() => _told = _clock.Now;

    /// <summary>Kind; what it says first; what it says every second; after how long it is ended, in seconds; the setting that its error names.</summary>
    public static IEnumerable<(string, string, string, int, string)> Endings()
    {
        string[] noises = ["", """{"type":"heartbeat"}""", "no event", """{"type":"rate_limit_event","rate_limit_info":{"status":"allowed"}}"""];
        (string Kind, string Opening, string Work)[] kinds =
        [
            ("claude", Init, Text),
            ("codex", """{"type":"thread.started","thread_id":"t"}""", """{"type":"turn.started"}"""),
            ("opencode", """{"type":"step_start"}""", """{"type":"step_start"}"""),
            ("pi", """{"type":"session","id":"s"}""", """{"type":"agent_start"}"""),
            ("zot", """{"type":"turn_start"}""", """{"type":"turn_start"}"""),
        ];
        foreach (var (kind, opening, work) in kinds)
        {
            foreach (var noise in noises)
            {
                yield return (kind, opening, noise, 60, "COLIBRI_SILENCE_TIMEOUT");
                yield return (kind, opening + "\n" + work, noise, 60, "COLIBRI_SILENCE_TIMEOUT");
            }
            // The opening line, once more and once more.
            if (opening != work)
                yield return (kind, opening, opening, 60, "COLIBRI_SILENCE_TIMEOUT");
        }
        yield return ("claude", Text, """{"type":"stream_event","event":{"type":"ping"}}""", 60, "COLIBRI_SILENCE_TIMEOUT");
        yield return ("claude", Text, """{"type":"system","subtype":"status","status":"requesting"}""", 60, "COLIBRI_SILENCE_TIMEOUT");
        yield return ("pi", """{"type":"agent_start"}""", """{"type":"queue_update","steering":["x"],"followUp":[]}""", 60, "COLIBRI_SILENCE_TIMEOUT");
        yield return ("pi", """{"type":"agent_start"}""", """{"type":"response","command":"steer","success":false,"error":"no"}""", 60, "COLIBRI_SILENCE_TIMEOUT");

        // A tool at work, however much it prints, and whatever goes on beside it.
        yield return ("pi", PiTool, "", 200, "COLIBRI_TOOL_TIMEOUT");
        yield return ("pi", PiTool, """{"type":"tool_execution_update","toolCallId":"a","toolName":"bash"}""", 200, "COLIBRI_TOOL_TIMEOUT");
        yield return ("pi", PiTool, """{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}""", 200, "COLIBRI_TOOL_TIMEOUT");
        yield return ("pi", PiTool, """{"type":"message_update"}""", 200, "COLIBRI_TOOL_TIMEOUT");
        yield return ("pi", PiTool, """{"type":"tool_execution_start","toolCallId":"b","toolName":"ls"}""" + "\n" + """{"type":"tool_execution_end","toolCallId":"b","toolName":"ls"}""", 200, "COLIBRI_TOOL_TIMEOUT");
        yield return ("claude", Bash, Text, 200, "COLIBRI_TOOL_TIMEOUT");
        yield return ("codex", """{"type":"item.started","item":{"id":"1","type":"command_execution"}}""", """{"type":"item.updated","item":{"id":"1","type":"command_execution"}}""", 200, "COLIBRI_TOOL_TIMEOUT");
        yield return ("zot", """{"type":"turn_start"}""" + "\n" + """{"type":"tool_use_start","id":"t1","name":"sh"}""", """{"type":"tool_progress","id":"t1"}""", 200, "COLIBRI_TOOL_TIMEOUT");

        // Work in the background that its end waits for.
        var open = """{"type":"system","subtype":"background_tasks_changed","tasks":[{"task_id":"b1","description":"serve"}]}""";
        yield return ("claude", $$$"""{{{open}}}{{{"\n"}}}{"type":"result","subtype":"success","is_error":false}""", open, 200, "COLIBRI_TOOL_TIMEOUT");

        // Nobody can answer it: it was started for one run.
        yield return ("pi", """{"type":"agent_start"}""" + "\n" + PiAsks, """{"type":"heartbeat"}""", 60, "COLIBRI_SILENCE_TIMEOUT");
        yield return ("pi", """{"type":"agent_start"}""", PiAsks, 60, "COLIBRI_SILENCE_TIMEOUT");
        yield return ("pi", PiTool + "\n" + PiAsks, "", 60, "COLIBRI_SILENCE_TIMEOUT");
        yield return ("codex", """{"type":"turn.started"}""", """{"type":"request_user_input"}""", 60, "COLIBRI_SILENCE_TIMEOUT");
    }

    [Test]
    [MethodDataSource(nameof(Endings))]
    public void What_is_no_work_ends_at_its_limit(string kind, string first, string then, int seconds, string setting)
    {
        var pane = PaneFixture.New(kind, _clock);
        pane.Say(first);
        var words = Drive(pane, then, Plain, out var after);
        after.ShouldBeInRange(seconds, seconds + 1, words);
        words.ShouldContain(setting);
    }

    /// <summary>Kind; what it says every second; after how long it is ended where a silence may be long, in seconds.</summary>
    public static List<(string, string, int)> Failures() =>
    [
        ("claude", Retry, 101),
        ("claude", $"{Init}\n{Retry}", 101),
        ("pi", PiRetries, 101),
        ("pi", """{"type":"auto_retry_start","attempt":1}""", 100),
        ("codex", """{"type":"error","message":"Reconnecting... 1/5"}""", 100),
        ("codex", """{"type":"turn.started"}""" + "\n" + """{"type":"error","message":"Reconnecting... 1/5"}""", 100),
        ("zot", """{"type":"turn_start"}""" + "\n" + """{"type":"error","message":"busy"}""", 100),
        ("opencode", """{"type":"step_start"}""" + "\n" + """{"type":"error","error":{"name":"busy"}}""", 100),
    ];

    [Test]
    [MethodDataSource(nameof(Failures))]
    public void Retries_without_an_answer_are_counted_from_the_first_one_on(string kind, string then, int seconds)
    {
        var pane = PaneFixture.New(kind, _clock);
        var words = Drive(pane, then, Plain with { SilenceTimeout = TimeSpan.FromHours(1) }, out var after);
        after.ShouldBeInRange(seconds, seconds + 1, words);
        words.ShouldContain("COLIBRI_FIRST_EVENT_TIMEOUT");
    }

    [Test]
    [MethodDataSource(nameof(Failures))]
    public void Retries_are_no_sign_of_work(string kind, string then, int seconds)
    {
        var pane = PaneFixture.New(kind, _clock);
        pane.Say(Worked(kind));
        Drive(pane, then, Plain with { FirstEventTimeout = TimeSpan.FromHours(1) }, out var after);
        // An error that is not said to pass is an end, and what follows it is bounded by that.
        after.ShouldBeLessThanOrEqualTo(kind is "claude" or "pi" ? 62 : 3_601, $"{seconds}");
    }

    [Test]
    [Arguments("claude", Retry, Text)]
    [Arguments("pi", PiRetries, """{"type":"message_update"}""")]
    [Arguments("codex", """{"type":"error","message":"Reconnecting... 1/5"}""", """{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"hi"}}""")]
    public void A_retry_that_gets_an_answer_begins_anew(string kind, string retry, string answer)
    {
        var pane = PaneFixture.New(kind, _clock);
        for (var round = 0; round < 5; round++)
        {
            for (var second = 0; second < 50; second++, _clock.Now += TimeSpan.FromSeconds(1))
            {
                pane.Say(retry);
                RunLimits.Ask(Look(pane, Plain)).Ends.ShouldBeFalse($"round {round}, {second} s");
            }
            pane.Say(answer);
        }
    }

    [Test]
    [Arguments("claude-2.1-stream-json-retry-after", "api_retry")]
    [Arguments("codex-0.171-exec-json-retry-after", "Reconnecting")]
    public void An_honest_wait_for_the_time_that_its_provider_asked_for_is_not_cut(string recording, string note)
    {
        var lines = Recordings.Lines(recording);
        var kind = recording[..recording.IndexOf('-', StringComparison.Ordinal)];
        // Claude states the wait in a field: it holds where even the shortest limits are set. Codex does not, and has its own limit.
        var settings = Plain with { SilenceTimeout = TimeSpan.FromSeconds(2), ExitTimeout = TimeSpan.FromSeconds(2), FirstEventTimeout = TimeSpan.FromSeconds(kind == "claude" ? 2 : 60) };
        var pane = PaneFixture.New(kind, _clock);
        foreach (var line in lines)
        {
            pane.Hear([.. line, (byte)'\n']);
            if (line.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(note)) < 0)
                continue;
            for (var second = 0; second < 41; second++, _clock.Now += TimeSpan.FromSeconds(1))
                RunLimits.Ask(Look(pane, settings)).Ends.ShouldBeFalse($"{second} s");
        }
        RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict.ShouldBe("done");
    }

    [Test]
    public void A_wait_that_is_stated_and_not_kept_lengthens_nothing()
    {
        var pane = PaneFixture.New("claude", _clock);
        pane.Say(Init);
        Drive(pane, Retry.Replace("500", "3600000", StringComparison.Ordinal), Plain with { SilenceTimeout = TimeSpan.FromHours(2) }, out var after);
        after.ShouldBeInRange(100, 101);
    }

    [Test]
    public void A_tool_of_a_sub_agent_that_was_stopped_has_no_limit_once_the_main_loop_goes_on()
    {
        var pane = PaneFixture.New("claude", _clock);
        pane.Say(Bash.Replace("Bash", "Task", StringComparison.Ordinal));
        pane.Say("""{"type":"assistant","parent_tool_use_id":"t1","message":{"id":"n1","model":"m","content":[{"type":"tool_use","id":"t2","name":"Bash"}]}}""");
        pane.Say("""{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"stopped"}]}}""");
        pane.Times().ToolName.ShouldBe("Bash");
        pane.Say(Text);
        pane.Times().ToolName.ShouldBeNull();
    }

    [Test]
    public void A_wait_that_is_stated_and_broken_wakes_the_watch()
    {
        var pane = PaneFixture.New("claude", _clock);
        var retry = Retry.Replace("500", "3600000", StringComparison.Ordinal);
        pane.Say(retry);
        var before = pane.Run.Phase;
        _clock.Now += TimeSpan.FromSeconds(1);
        pane.Say(retry);
        pane.Run.Phase.ShouldNotBe(before);
    }

    [Test]
    public void One_retry_and_then_a_long_wait_for_an_answer_is_no_run_of_errors()
    {
        var pane = PaneFixture.New("claude", _clock);
        pane.Say($"{Init}\n{Retry}");
        var words = Drive(pane, "", Plain with { SilenceTimeout = Errors * 3 }, out var after);
        after.ShouldBeInRange(300, 301, words);
        words.ShouldContain("COLIBRI_SILENCE_TIMEOUT");
    }

    [Test]
    public void Retries_with_long_pauses_end_at_the_first_that_is_late()
    {
        var pane = PaneFixture.New("claude", _clock);
        pane.Say($"{Init}\n{Retry}");
        _clock.Now += Errors * 2;
        RunLimits.Ask(Look(pane, Plain with { SilenceTimeout = Errors * 3 })).Ends.ShouldBeFalse("it may wait for a long answer");
        pane.Say(Retry);
        RunLimits.Ask(Look(pane, Plain with { SilenceTimeout = Errors * 3 })).Words!.ShouldContain("COLIBRI_FIRST_EVENT_TIMEOUT");
    }

    [Test]
    public void A_question_that_can_be_answered_waits_for_its_own_limit_alone_and_the_tool_that_asks_for_as_long()
    {
        var pane = PaneFixture.New("pi", _clock);
        pane.Say(PiTool);
        pane.Say(PiAsks);
        var stall = Plain with { StallAfter = Silence / 2, StallKill = true };
        _clock.Now += TimeSpan.FromDays(300);
        RunLimits.Ask(Look(pane, stall, isRpc: true) with { Age = TimeSpan.Zero }).Ends.ShouldBeFalse("no limit is set");
        var found = RunLimits.Ask(Look(pane, stall with { QuestionTimeout = TimeSpan.FromDays(299) }, isRpc: true) with { Age = TimeSpan.Zero });
        found.Cause.ShouldBe(StopCause.Deadline);
        found.Words!.ShouldContain("asked \"Delete the branch?\" and got no answer");
        found.Words!.ShouldContain("COLIBRI_QUESTION_TIMEOUT");
        pane.Times().Waited.ShouldBe(TimeSpan.FromDays(300));

        // Its answer came, and the tool goes on, without a word at first: the tool's time is that at work.
        pane.TryAnswer("q1").ShouldBeTrue();
        _clock.Now += Tool / 2;
        pane.Say("""{"type":"tool_execution_update","toolCallId":"a"}""");
        _clock.Now += Tool / 2 - TimeSpan.FromSeconds(1);
        RunLimits.Ask(Look(pane, Plain, isRpc: true) with { Age = TimeSpan.Zero }).LookAgain.ShouldBe(TimeSpan.FromSeconds(1));
        _clock.Now += TimeSpan.FromSeconds(1);
        RunLimits.Ask(Look(pane, Plain, isRpc: true) with { Age = TimeSpan.Zero }).Words!.ShouldContain("COLIBRI_TOOL_TIMEOUT");
        pane.Times().Waited.ShouldBe(TimeSpan.FromDays(300));
    }

    [Test]
    public void Of_two_questions_each_waits_for_itself()
    {
        var pane = PaneFixture.New("pi", _clock);
        pane.Say("""{"type":"agent_start"}""");
        pane.Say(PiAsks);
        _clock.Now += TimeSpan.FromMinutes(10);
        pane.TryAnswer("q1").ShouldBeTrue();
        _clock.Now += TimeSpan.FromMinutes(1);
        (pane.Times().Asked, pane.Times().Waited, pane.Times().Silent).ShouldBe((TimeSpan.Zero, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(1)));
        pane.Say(PiAsks.Replace("q1", "q2", StringComparison.Ordinal));
        _clock.Now += TimeSpan.FromMinutes(5);
        (pane.Times().Asked, pane.Times().Waited).ShouldBe((TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15)));
        pane.Say("""{"type":"message_update"}""");
        _clock.Now += TimeSpan.FromMinutes(5);
        (pane.Times().Asked, pane.Times().Waited).ShouldBe((TimeSpan.Zero, TimeSpan.FromMinutes(15)));
    }

    [Test]
    public void An_agent_that_was_answered_has_to_go_on()
    {
        var pane = PaneFixture.New("pi", _clock);
        pane.Say("""{"type":"agent_start"}""");
        pane.Say(PiAsks);
        _clock.Now += TimeSpan.FromHours(3);
        pane.TryAnswer("q1").ShouldBeTrue();
        RunLimits.Ask(Look(pane, Plain, isRpc: true)).LookAgain.ShouldBe(Silence);
        _clock.Now += Silence;
        RunLimits.Ask(Look(pane, Plain, isRpc: true)).Words!.ShouldContain("COLIBRI_SILENCE_TIMEOUT");
    }

    [Test]
    public void A_blocked_agent_is_blocked_and_not_stalled_however_long_it_waits()
    {
        var pane = PaneFixture.New("pi", _clock);
        pane.Started(1);
        pane.Say("""{"type":"agent_start"}""");
        pane.Say(PiAsks);
        _clock.Now += TimeSpan.FromDays(2);
        var shown = pane.Show();
        (shown.Activity, shown.Stalled, shown.NeedsAttention).ShouldBe((Activity.Blocked, false, true));
    }

    [Test]
    public void Of_more_tools_than_are_remembered_the_oldest_keeps_its_limit()
    {
        var pane = PaneFixture.New("pi", _clock);
        pane.Say("""{"type":"agent_start"}""");
        for (var n = 0; n < 40; n++)
            pane.Say($$"""{"type":"tool_execution_start","toolCallId":"t{{n}}","toolName":"tool-{{n}}"}""");
        (pane.Times().ToolName, pane.Show().Tool).ShouldBe(("tool-0", "tool-39"));
        _clock.Now += Tool;
        RunLimits.Ask(Look(pane, Plain)).Words!.ShouldContain("tool-0");
    }

    [Test]
    public void The_words_of_a_limit_name_it_and_what_was_said_last_and_what_to_do()
    {
        var pane = PaneFixture.New("pi", _clock);
        pane.Say(PiTool);
        _clock.Now += Tool;
        RunLimits.Ask(Look(pane, Plain) with { StderrLine = () => "Reading prompt from stdin..." }).Words.ShouldBe(
            "its tool bash ran for 3.3 min without an end (COLIBRI_TOOL_TIMEOUT); it was stopped; its last event was tool_execution_start; its tool bash was running; "
            + "standard error ended with: Reading prompt from stdin...; a longer tool call needs a higher COLIBRI_TOOL_TIMEOUT");
    }

    // The first look that ends it, at most two hours on.
    private string Drive(AgentPane pane, string then, DaemonConfiguration settings, out int after)
    {
        var begin = _clock.Now;
        for (after = 0; after < 7_200; after++)
        {
            if (then.Length > 0)
                pane.Say(then);
            if (RunLimits.Ask(Look(pane, settings)) is { Ends: true } found)
                return found.Words ?? "over";
            _clock.Now += TimeSpan.FromSeconds(1);
        }
        return $"not ended since {begin}";
    }

    private static string Worked(string kind) => kind switch
    {
        "claude" => Text,
        "codex" => """{"type":"turn.started"}""",
        "opencode" => """{"type":"step_start"}""",
        "zot" => """{"type":"turn_start"}""",
        _ => """{"type":"agent_start"}""",
    };

    private RunLook Look(AgentPane pane, DaemonConfiguration settings, bool isRpc = false)
    {
        var run = new Run(null, "session-1", default, 0);
        return new RunLook
        {
            Run = run,
            Report = run.Of(pane.Run),
            Settings = settings,
            Budgets = new Budgets(null, null, new EventHub(_clock), _clock),
            Age = _clock.Now - _told,
            Told = _clock.Now - _told,
            Times = pane.Times(),
            Question = pane.Question,
            PrintsEvents = true,
            HasPrompt = true,
            IsRpc = isRpc,
        };
    }
}
