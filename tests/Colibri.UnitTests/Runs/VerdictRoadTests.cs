using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Panes;
using Colibri.Core.Runs;
using Colibri.Core.Scheduling;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Panes;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Runs;

/// <summary>
/// One theory over kinds, what each prints, and the roads to a run: what the events, the processes and the exit say together, and no more. The
/// lines have the shape of the recordings.
/// </summary>
[NotInParallel]
public sealed class VerdictRoadTests : IAsyncDisposable
{
    private const string ClaudeInit = """{"type":"system","subtype":"init","session_id":"s1","model":"m"}""";
    private const string ClaudeSays = """{"type":"assistant","message":{"id":"m9","content":[{"type":"text","text":"well"}]}}""";
    private const string ClaudeThinks = """{"type":"assistant","message":{"id":"m8","content":[{"type":"thinking","thinking":"hm"}]}}""";
    private const string ClaudeWrites = """{"type":"assistant","message":{"id":"m1","content":[{"type":"tool_use","id":"t1","name":"Write","input":{"file_path":"a"}}]}}""";
    private const string ClaudeMayNot = """{"type":"system","subtype":"permission_denied","tool_name":"Write","tool_use_id":"t1","message":"not granted"}""";
    private const string ClaudeRefused = """{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"not granted"}]}}""";
    private const string ClaudeRuns = """{"type":"assistant","message":{"id":"m2","content":[{"type":"tool_use","id":"t2","name":"Bash","input":{"command":"make"}}]}}""";
    private const string ClaudeRan = """{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t2","content":"ok"}]}}""";
    private const string ClaudeStarts = """{"type":"assistant","message":{"id":"m3","content":[{"type":"tool_use","id":"t3","name":"Bash","input":{"command":"make","description":"the build","run_in_background":true}}]}}""";
    private const string ClaudeStarted = """{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t3","content":"Command running in background with ID: b1. Output is being written to: /tmp/b1"}]}}""";
    private const string ClaudeDone = """{"type":"result","subtype":"success","is_error":false,"result":"ok","session_id":"s1"}""";
    private const string ClaudeDoneDenied = """{"type":"result","subtype":"success","is_error":false,"result":"ok","permission_denials":[{"tool_name":"Write","tool_use_id":"t1","tool_input":{}}]}""";
    private const string ClaudeDoneEmpty = """{"type":"result","subtype":"success","is_error":false,"result":"","session_id":"s1"}""";

    private const string CodexTurn = """{"type":"turn.started"}""";
    private const string CodexSays = """{"type":"item.completed","item":{"id":"i9","type":"agent_message","text":"well"}}""";
    private const string CodexRuns = """{"type":"item.started","item":{"id":"i1","type":"command_execution","command":"make","aggregated_output":"","exit_code":null,"status":"in_progress"}}""";
    private const string CodexRan = """{"type":"item.completed","item":{"id":"i1","type":"command_execution","command":"make","aggregated_output":"ok","exit_code":0,"status":"completed"}}""";
    private const string CodexLeft = """{"type":"item.completed","item":{"id":"i1","type":"command_execution","command":"make","aggregated_output":"part","exit_code":null,"status":"completed"}}""";
    private const string CodexDeclined = """{"type":"item.completed","item":{"id":"i2","type":"command_execution","command":"rm","aggregated_output":"","exit_code":null,"status":"declined"}}""";
    private const string CodexDone = """{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}""";
    private const string CodexRejects = "ERROR codex_core::tools::router: error=exec_command failed: rejected: rm -f style";

    private const string OpencodeStep = """{"type":"step_start","sessionID":"o","part":{}}""";
    private const string OpencodeSays = """{"type":"text","sessionID":"o","part":{"text":"well"}}""";
    private const string OpencodeRefused = """{"type":"tool_use","sessionID":"o","part":{"tool":"bash","callID":"c1","state":{"status":"error","error":"The user rejected permission to use this specific tool call."}}}""";
    private const string OpencodeRan = """{"type":"tool_use","sessionID":"o","part":{"tool":"bash","callID":"c2","state":{"status":"completed","output":"ok"}}}""";
    private const string OpencodeFailed = """{"type":"error","sessionID":"o","error":{"name":"APIError","data":{"message":"Overloaded","statusCode":529}}}""";
    private const string OpencodeDone = """{"type":"step_finish","sessionID":"o","part":{"reason":"stop","tokens":{"input":5,"output":6}}}""";
    private const string OpencodeGoesOn = """{"type":"step_finish","sessionID":"o","part":{"reason":"tool-calls","tokens":{"input":5,"output":6}}}""";

    private const string PiStart = """{"type":"agent_start"}""";
    private const string PiSays = """{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}""";
    private const string PiThinks = """{"type":"message_end","message":{"role":"assistant","content":[{"type":"thinking","thinking":"hm"}],"stopReason":"stop"}}""";
    private const string PiRuns = """{"type":"tool_execution_start","toolCallId":"c1","toolName":"bash","args":{}}""";
    private const string PiRan = """{"type":"tool_execution_end","toolCallId":"c1","toolName":"bash","result":{"content":[]},"isError":false}""";
    private const string PiFails = """{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"529 overloaded"}}""";
    private const string PiEnd = """{"type":"agent_end","messages":[],"willRetry":false}""";
    private const string PiSettled = """{"type":"agent_settled","aborted":false}""";

    private const string ZotTurn = """{"type":"turn_start"}""";
    private const string ZotSays = """{"type":"assistant_message","content":[{"type":"text","text":"well"}]}""";
    private const string ZotDelta = """{"type":"text_delta","delta":"well"}""";
    private const string ZotRuns = """{"type":"tool_use_start","id":"z1","name":"bash"}""";
    private const string ZotRan = """{"type":"tool_result","id":"z1","is_error":false,"content":"ok"}""";
    private const string ZotDone = """{"type":"done"}""";

    private static readonly Scenario[] Scenarios =
    [
        new("claude", "well", "done", [ClaudeInit, ClaudeSays, ClaudeDone]),
        new("claude", "refused, told three times", "denied", [ClaudeInit, ClaudeWrites, ClaudeMayNot, ClaudeRefused, ClaudeSays, ClaudeDoneDenied]) { Denied = "Write 1 not granted", Says = "Write", IsFinal = true },
        new("claude", "refused, told by the result alone", "denied", [ClaudeInit, ClaudeWrites, ClaudeRefused, ClaudeDoneDenied]) { Denied = "Write 1 ", IsFinal = true },
        new("claude", "refused, told without a tool_result", "denied", [ClaudeInit, ClaudeWrites, ClaudeMayNot, ClaudeSays, ClaudeDone]) { Denied = "Write 1 not granted", IsFinal = true },
        new("claude", "refused after a call that succeeded", "denied", [ClaudeInit, ClaudeRuns, ClaudeRan, ClaudeWrites, ClaudeMayNot, ClaudeRefused, ClaudeDone]) { Denied = "Write 1 not granted", IsFinal = true },
        new("claude", "refused before a call that succeeded", "done", [ClaudeInit, ClaudeWrites, ClaudeMayNot, ClaudeRefused, ClaudeRuns, ClaudeRan, ClaudeDone]) { Denied = "Write 1 not granted" },
        new("claude", "refused before it, told by the result alone", "done", [ClaudeInit, ClaudeWrites, ClaudeRefused, ClaudeRuns, ClaudeRan, ClaudeDoneDenied]) { Denied = "Write 1 " },
        new("claude", "empty", "empty", [ClaudeInit, ClaudeDoneEmpty]) { Stderr = "Write was auto-denied", Says = "Write was auto-denied" },
        new("claude", "reasoning alone", "empty", [ClaudeInit, ClaudeThinks, ClaudeDoneEmpty]),
        new("claude", "words in a message alone", "done", [ClaudeInit, ClaudeSays, ClaudeDoneEmpty]),
        new("claude", "words in the result alone", "done", [ClaudeInit, ClaudeDone]),
        new("claude", "a call and no words", "done", [ClaudeInit, ClaudeRuns, ClaudeRan, ClaudeDoneEmpty]),
        new("claude", "a failed call and no words", "empty", [ClaudeInit, ClaudeWrites, ClaudeRefused, ClaudeDoneEmpty]),
        new("claude", "a call in flight", "incomplete", [ClaudeInit, ClaudeRuns, ClaudeSays, ClaudeDone]) { Says = "Bash" },
        new("claude", "a subagent's call in flight", "done",
            [ClaudeInit, ClaudeRuns, ClaudeWrites.Replace("{\"type\":\"assistant\"", "{\"type\":\"assistant\",\"parent_tool_use_id\":\"t2\"", StringComparison.Ordinal), ClaudeRan, ClaudeSays, ClaudeDone]),
        new("claude", "a call whose result may be in a line that is no JSON", "done", [ClaudeInit, ClaudeRuns, """{"type":"user",,}""", ClaudeSays, ClaudeDone]),
        new("claude", "background work and nothing left", "done", [ClaudeInit, ClaudeStarts, ClaudeStarted, ClaudeSays, ClaudeDone]),
        new("claude", "background work and a process left", "background", [ClaudeInit, ClaudeStarts, ClaudeStarted, ClaudeSays, ClaudeDone]) { Leaves = true, Says = "the build; 1 process (sleep)" },
        new("claude", "background work without an answer and a process left", "background", [ClaudeInit, ClaudeStarts, ClaudeSays, ClaudeDone]) { Leaves = true, Says = "the build" },
        new("claude", "background work and its notice", "done",
            [ClaudeInit, ClaudeStarts, ClaudeStarted, ClaudeSays, """{"type":"system","subtype":"task_notification","task_id":"b1","tool_use_id":"t3","status":"completed"}""", ClaudeDone]) { Leaves = true, Notes = "left when it exited, and ended: 1 process (sleep)" },
        new("claude", "background work that was ended", "done",
            [
                ClaudeInit, ClaudeStarts, ClaudeStarted, """{"type":"assistant","message":{"id":"m4","content":[{"type":"tool_use","id":"t4","name":"KillShell","input":{"shell_id":"b1"}}]}}""",
                """{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t4","content":"killed"}]}}""", ClaudeSays, ClaudeDone,
            ]) { Leaves = true },
        new("claude", "background work that wakes it", "done", [ClaudeInit, ClaudeStarts, ClaudeStarted, ClaudeSays, ClaudeDone, ClaudeInit, ClaudeSays.Replace("m9", "m10", StringComparison.Ordinal), ClaudeDone]) { Leaves = true },
        new("claude", "background work and a second result", "done", [ClaudeInit, ClaudeStarts, ClaudeStarted, ClaudeDone, ClaudeDone]) { Leaves = true },
        new("claude", "background work that it names no more", "done",
            [ClaudeInit, ClaudeStarts, """{"type":"system","subtype":"background_tasks_changed","tasks":[]}""", ClaudeStarted, ClaudeSays, ClaudeDone]) { Leaves = true },
        new("claude", "done with a process left", "done", [ClaudeInit, ClaudeSays, ClaudeDone]) { Leaves = true, Notes = "left when it exited, and ended: 1 process (sleep)" },
        new("claude", "finished, then exit 1", "exit-code", [ClaudeInit, ClaudeSays, ClaudeDone]) { Exit = "exit 1", IsFinal = true, Stderr = "bye", Says = "the agent finished its run, then exited 1: bye" },
        new("claude", "finished, then killed", "killed", [ClaudeInit, ClaudeSays, ClaudeDone]) { Exit = "kill -9 $$", IsFinal = true, Stderr = "bye", Says = "the agent finished its run, then was killed by SIGKILL" },
        new("claude", "empty, then exit 1", "exit-code", [ClaudeInit, ClaudeDoneEmpty]) { Exit = "exit 1", Says = "exited 1 after result" },
        new("claude", "an HTTP status as an exit code", "exit-code", [ClaudeInit, ClaudeSays]) { Exit = "exit 145", Says = "exited 145 after assistant" },
        new("claude", "its last line cut", "incomplete", [ClaudeInit]) { Tail = """{"type":"result","subtype":"succ""", Says = "its last line was cut off" },
        new("claude", "cut after 65,536 bytes", "incomplete", [ClaudeInit, ClaudeSays]) { Tail = """{"type":"result","result":" """.TrimEnd().PadRight(65_536 - ClaudeInit.Length - ClaudeSays.Length - 2, 'x'), Says = "its last line was cut off" },
        new("claude", "two lines that are no JSON", "no-result", ["Welcome! Please log in: run claude login", "or set a key"]) { Stderr = "no key", Says = "\"Welcome! Please log in: run claude login\": no key" },

        new("codex", "well", "done", [CodexTurn, CodexRuns, CodexRan, CodexSays, CodexDone]),
        new("codex", "declined", "denied", [CodexTurn, CodexDeclined, CodexSays, CodexDone]) { Denied = "command_execution 1 ", IsFinal = true },
        new("codex", "declined before a call that succeeded", "done", [CodexTurn, CodexDeclined, CodexRuns, CodexRan, CodexSays, CodexDone]) { Denied = "command_execution 1 " },
        new("codex", "rejected, told on standard error alone", "denied", [CodexTurn, CodexSays, CodexDone]) { Stderr = CodexRejects, Denied = "command_execution 1 rejected: rm -f style", IsFinal = true },
        new("codex", "rejected, and a call that succeeded", "done", [CodexTurn, CodexRuns, CodexRan, CodexSays, CodexDone]) { Stderr = CodexRejects, Denied = "command_execution 1 rejected: rm -f style" },
        new("codex", "empty", "empty", [CodexTurn, CodexDone]),
        new("codex", "reasoning alone", "empty", [CodexTurn, """{"type":"item.completed","item":{"id":"i0","type":"reasoning","text":"hm"}}""", CodexDone]),
        new("codex", "a call that completed without an exit code", "incomplete", [CodexTurn, CodexRuns, CodexLeft, CodexSays, CodexDone]) { Says = "command_execution", FailsACall = true },
        new("codex", "a call that is completed twice", "done", [CodexTurn, CodexRuns, CodexLeft, CodexRan, CodexSays, CodexDone]) { FailsACall = true },
        new("codex", "a call without an end", "incomplete", [CodexTurn, """{"type":"item.started","item":{"id":"i5","type":"mcp_tool_call","tool":"fetch","status":"in_progress"}}""", CodexSays, CodexDone]) { Says = "fetch" },
        new("codex", "a reconnection", "done", [CodexTurn, """{"type":"error","message":"Reconnecting... 2/5"}""", CodexSays, CodexDone]) { Notes = "an error was overcome: Reconnecting... 2/5" },
        new("codex", "killed", "killed", [CodexTurn, CodexRuns]) { Exit = "kill -9 $$", Stderr = "Reading additional input from stdin...", Says = "killed by SIGKILL after item.started" },
        new("codex", "failed and exit 0", "agent-error", [CodexTurn, """{"type":"turn.failed","error":{"message":"no"}}"""]) { Says = "no" },

        new("opencode", "well", "done", [OpencodeStep, OpencodeRan, OpencodeSays, OpencodeDone]),
        new("opencode", "rejected, then an answer", "denied", [OpencodeStep, OpencodeRefused, OpencodeGoesOn, OpencodeStep, OpencodeSays, OpencodeDone]) { Denied = "bash 1 The user rejected permission to use this specific tool call.", IsFinal = true },
        new("opencode", "rejected, then a call that succeeded", "done", [OpencodeStep, OpencodeRefused, OpencodeRan, OpencodeSays, OpencodeDone]) { Denied = "bash 1 The user rejected permission to use this specific tool call." },
        new("opencode", "rejected, and no more", "incomplete", [OpencodeStep, OpencodeRefused, OpencodeGoesOn]) { Denied = "bash 1 The user rejected permission to use this specific tool call.", Says = "1 call of bash was refused" },
        new("opencode", "empty", "empty", [OpencodeStep, OpencodeDone]),
        new("opencode", "reasoning alone", "empty", [OpencodeStep, """{"type":"reasoning","sessionID":"o","part":{"text":"hm"}}""", OpencodeDone]),
        new("opencode", "an error overcome, finished, exit 1", "exit-code", [OpencodeStep, OpencodeFailed, OpencodeStep, OpencodeSays, OpencodeDone]) { Exit = "exit 1", IsFinal = true, Says = "finished its run, then exited 1: it had reported: Overloaded" },

        new("pi", "well", "done", [PiStart, PiRuns, PiRan, PiSays, PiEnd, PiSettled]),
        new("pi", "empty", "empty", [PiStart, PiEnd, PiSettled]),
        new("pi", "reasoning alone", "empty", [PiStart, PiThinks, PiEnd, PiSettled]),
        new("pi", "a call in flight", "incomplete", [PiStart, PiRuns, PiSays, PiEnd, PiSettled]) { Says = "bash" },
        new("pi", "a call that outlives its run", "done", [PiStart, PiRuns, PiSays, PiEnd, PiRan, PiSettled]),
        new("pi", "an error overcome", "done", [PiStart, PiFails, PiSays, PiEnd, PiSettled]) { Notes = "an error was overcome: 529 overloaded" },

        new("zot", "well", "done", [ZotTurn, ZotRuns, ZotRan, ZotSays, ZotDone]),
        new("zot", "words as they come", "done", [ZotTurn, ZotDelta, ZotDone]),
        new("zot", "empty", "empty", [ZotTurn, ZotDone]),
        new("zot", "a call in flight", "incomplete", [ZotTurn, ZotRuns, ZotSays, ZotDone]) { Says = "bash" },

        new("local", "nothing printed", "done", []),
        new("local", "a run without words", "done", [PiStart, PiEnd, PiSettled]),
        new("local", "a process left", "background", []) { Leaves = true, Says = "exited 0 while 1 process (sleep)" },
        new("local", "a run, and a process left", "background", [PiStart, PiSays, PiEnd, PiSettled]) { Leaves = true, Says = "1 process (sleep)" },
        new("local", "a process left and exit 3", "exit-code", []) { Leaves = true, Exit = "exit 3", Notes = "left when it exited, and ended: 1 process (sleep)" },
    ];

    private readonly CancellationTokenSource _stop = new();
    private readonly SupervisorFixture _fixture = new(maxAgents: 1, configure: plain => plain with { ExitTimeout = TimeSpan.FromSeconds(30) });
    private Task _running = Task.CompletedTask;

    public enum Road
    {
        /// <summary>A one-shot agent with a task.</summary>
        OneShot,

        /// <summary>The same without a task.</summary>
        NoTask,

        /// <summary>The first task of a long-lived agent.</summary>
        First,

        /// <summary>The task after one that went well.</summary>
        Second,

        /// <summary>An operator's prompt to a long-lived agent.</summary>
        Prompt,
    }

    public static IEnumerable<(string, string, Road)> Cases() =>
        from scenario in Scenarios
        from road in Enum.GetValues<Road>()
        where CanTravel(scenario, road)
        select (scenario.Kind, scenario.Name, road);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        await _fixture.DisposeAsync();
    }

    [Test]
    [MethodDataSource(nameof(Cases))]
    public async Task A_verdict_is_what_events_processes_and_exit_say_together(string kind, string name, Road road)
    {
        var scenario = Scenarios.Single(one => one.Kind == kind && one.Name == name);
        var seen = await Travel(scenario, road);

        seen.Verdict.ShouldBe(scenario.Verdict, seen.Note);
        if (scenario.Says is { } says) seen.Note.ShouldContain(says);
        if (scenario.Notes is { } notes) seen.Note.ShouldContain(notes);
        Show(seen.Pane.Denied).ShouldBe(scenario.Denied);
        (seen.Pane.Tool, seen.Pane.NeedsAttention).ShouldBe((null, scenario.Verdict != "done"), seen.Note);
        if (scenario.Verdict == "done") seen.Pane.Error.ShouldBeNull();
        _fixture.Sessions.Read(seen.SessionId, all: true)!.Entries.Any(entry => entry.IsError is true).ShouldBe(scenario.HasFailedCall);
        if (seen.Task is not { } task) return;
        (task.Status, Show(task.Denied)).ShouldBe((scenario.Verdict == "done" ? TaskState.Done : scenario.IsFinal || road != Road.OneShot ? TaskState.Failed : TaskState.Queued, scenario.Denied));
        var run = (await _fixture.Board.RunsAsync(task.Id))[^1];
        (run.Verdict, Show(run.Denied)).ShouldBe((scenario.Verdict, scenario.Denied));
        (run.StderrTail ?? "").ShouldContain(scenario.Stderr ?? "");
    }

    [Test]
    public void The_next_run_of_an_agent_does_not_inherit_what_became_of_the_one_before()
    {
        // No kind that lives on tells of refusals yet; the rule does not depend on that.
        var pane = PaneFixture.Fed("claude", ClaudeInit, ClaudeWrites, ClaudeMayNot, ClaudeRefused, ClaudeRuns, ClaudeSays, ClaudeDone);
        pane.EndRun(failed: true, pane.Run.Signs.Denied);
        var second = new Run(null, "s", RunBaseline.Of(pane.Run, pane.Usage), since: 0);
        pane.BeginRun();

        Show(pane.Run.Signs.Denied).ShouldBe("Write 1 not granted");
        pane.Say(ClaudeThinks);
        pane.Say(ClaudeDoneEmpty);
        second.Of(pane.Run).Signs.ShouldSatisfyAllConditions(
            signs => signs.Denied.ShouldBeNull(), signs => signs.EndsDenied.ShouldBeFalse(), signs => signs.Unended.ShouldBeNull(), signs => signs.IsEmpty.ShouldBeTrue());
        (pane.Show().Denied, pane.Show().NeedsAttention).ShouldBe((null, false));

        pane.Say(ClaudeWrites.Replace("t1", "t8", StringComparison.Ordinal));
        pane.Say(ClaudeMayNot.Replace("t1", "t8", StringComparison.Ordinal));
        Show(second.Of(pane.Run).Signs.Denied).ShouldBe("Write 1 not granted");
        Show(pane.Show().Denied).ShouldBe("Write 1 not granted");
        Show(pane.Run.Signs.Denied).ShouldBe("Write 2 not granted");
    }

    [Test]
    public void What_may_have_been_in_a_line_too_long_to_read_is_not_held_against_a_run()
    {
        var words = new string('x', 5 << 20);
        var said = PaneFixture.Fed("pi", PiStart, $$"""{"type":"other","text":"{{words}}"}""", PiEnd, PiSettled);
        var answered = PaneFixture.Fed("claude", ClaudeInit, ClaudeRuns, Answer(words), ClaudeDone);
        var allowed = PaneFixture.Fed("claude", ClaudeInit, ClaudeWrites, ClaudeMayNot, ClaudeRefused, Answer(words), ClaudeDoneDenied);
        foreach (var pane in new[] { said, answered, allowed })
        {
            pane.Show().OversizeLines.ShouldBe(1);
            VerdictOf(pane).ShouldBe("done");
        }

        VerdictOf(PaneFixture.Fed("claude", ClaudeInit, Answer(words), ClaudeRuns, ClaudeDone)).ShouldBe("incomplete", "the call began after that line");

        static string Answer(string words) => $$$"""{"type":"user","message":{"content":[{"type":"tool_result","content":"{{{words}}}","tool_use_id":"t2"}]}}""";
        static string VerdictOf(AgentPane pane) => RunVerdict.Judge(pane.Run, new ProcessExit(0), stopRequested: false, printsEvents: true).Verdict;
    }

    [Test]
    public async Task An_end_that_is_held_open_for_work_in_the_background_is_no_end()
    {
        await WriteAsync(Scenarios.Single(one => one.Name == "background work and nothing left"), "run1");
        var task = await _fixture.Create();
        var agent = await _fixture.Supervisor.SpawnAsync(
            SupervisorFixture.Request($"cat '{_fixture.PathOf("run1")}'; exec sleep 300", task) with { Runtime = "claude" });

        Shell.Until(() => agent.ToPane().LastEvent == "result", "it has printed its result");
        agent.ToPane().Activity.ShouldBe(Activity.Working);
        // An agent may print before the board has noted its start.
        Shell.Until(() => _fixture.Get(task).GetAwaiter().GetResult().Status == TaskState.Started, "its start is noted");
        _fixture.Supervisor.TryStop(agent.Id, TimeSpan.Zero);
        await SupervisorFixture.End(agent);
        (await _fixture.Get(task)).Verdict.ShouldBe("stopped");
    }

    private static bool CanTravel(Scenario scenario, Road road) => road switch
    {
        Road.OneShot or Road.NoTask => scenario.Kind != "zot",
        _ => scenario.Kind is "pi" or "zot" && !scenario.Leaves && scenario.Exit == "exit 0",
    };

    private async Task<Seen> Travel(Scenario scenario, Road road)
    {
        var well = scenario.Kind == "zot" ? new[] { ZotTurn, ZotSays, ZotDone } : [PiStart, PiSays, PiEnd, PiSettled];
        await WriteAsync(scenario, road == Road.Second ? "run2" : "run1");
        if (road == Road.Second) await File.WriteAllLinesAsync(_fixture.PathOf("run1"), well);
        var isRpc = road is Road.First or Road.Second or Road.Prompt;
        var request = SupervisorFixture.Request(isRpc ? Server(road == Road.Second ? 2 : 1) : OneShot(scenario)) with
        {
            Runtime = scenario.Kind,
            Rpc = isRpc,
            TakesTasks = road is Road.First or Road.Second,
        };
        if (road is Road.NoTask or Road.Prompt)
        {
            var agent = await _fixture.Supervisor.SpawnAsync(request with { Prompt = "go" });
            if (road == Road.NoTask) await SupervisorFixture.End(agent);
            else Shell.Until(() => Notes(agent.SessionId).Any(), "the run has ended");
            // The note is written before the pane shows what came of the run.
            Shell.Until(() => agent.ToPane().NeedsAttention == (scenario.Verdict != "done"), "the pane shows it");
            return new Seen(null, agent.SessionId, Notes(agent.SessionId).Last(), agent.ToPane());
        }

        if (road == Road.Second) await _fixture.Create("before", maxAttempts: 1);
        // With two attempts, a failure that is tried again leaves the task queued.
        var task = await _fixture.Create("go", maxAttempts: road == Road.OneShot ? 2 : 1);
        if (road == Road.OneShot) await SupervisorFixture.End(await _fixture.Supervisor.SpawnAsync(request with { TaskId = task.Id }));
        else Schedule(request);
        Shell.Until(() => _fixture.Board.RunsAsync(task.Id).GetAwaiter().GetResult() is [.., { FinishedAt: not null }], "its run has ended");
        await _stop.CancelAsync();
        Shell.Until(() => _fixture.Supervisor.Agents[^1].ToPane().NeedsAttention == (scenario.Verdict != "done"), "the pane shows it");
        var ended = await _fixture.Get(task);
        return new Seen(ended, ended.SessionId!, Notes(ended.SessionId!).ElementAt(road == Road.Second ? 1 : 0), _fixture.Supervisor.Agents[^1].ToPane());
    }

    private IEnumerable<string> Notes(string sessionId) => _fixture.Sessions.Read(sessionId, all: true)!.Entries
        .Where(entry => entry.Kind == SessionEntryKind.Note).Select(entry => entry.Text!);

    private async Task WriteAsync(Scenario scenario, string run)
    {
        await File.WriteAllTextAsync(_fixture.PathOf(run), string.Concat(scenario.Lines.Select(line => line + "\n")));
        await File.WriteAllTextAsync(_fixture.PathOf("tail"), scenario.Tail ?? "");
        await File.WriteAllTextAsync(_fixture.PathOf("err"), scenario.Stderr is null ? "" : scenario.Stderr + "\n");
    }

    private string OneShot(Scenario scenario) =>
        $"{(scenario.Leaves ? "sleep 300 < /dev/null > /dev/null 2>&1 &\n" : "")}cat '{_fixture.PathOf("err")}' >&2; cat '{_fixture.PathOf("run1")}' '{_fixture.PathOf("tail")}'; {scenario.Exit}";

    private string Server(int of) => $$"""
        n=0
        while read -r line; do
            id=${line#*\"id\":\"}; id=${id%%\"*}
            echo '{"id":"'"$id"'","type":"response","command":"any","success":true}'
            case $line in *'"type":"prompt"'*)
                n=$((n + 1))
                test $n = {{of}} && cat '{{_fixture.PathOf("err")}}' >&2
                cat "{{_fixture.PathOf("run")}}$n" ;;
            esac
        done
        """;

    private void Schedule(SpawnRequest request)
    {
        var scheduler = _fixture.Engine.Schedule([new AgentCandidate("sh", _ => true, request)]);
        _running = Task.Run(() => scheduler.RunAsync(_stop.Token));
    }

    private static string? Show(IReadOnlyList<DeniedTool>? denied) =>
        denied is null ? null : string.Join("; ", denied.Select(tool => $"{tool.Tool} {tool.Count} {tool.Reason}"));

    private sealed record Seen(BoardTask? Task, string SessionId, string Note, Pane Pane)
    {
        public string Verdict => Note["run ended: ".Length..].Split(' ', ';')[0];
    }

    /// <param name="Kind">The kind of agent.</param>
    /// <param name="Name">What happens.</param>
    /// <param name="Verdict">What it comes to.</param>
    /// <param name="Lines">What it prints.</param>
    private sealed record Scenario(string Kind, string Name, string Verdict, string[] Lines)
    {
        /// <summary>What it prints last, without a newline.</summary>
        public string? Tail { get; init; }

        public string? Stderr { get; init; }

        public string Exit { get; init; } = "exit 0";

        /// <summary>A process outlives it.</summary>
        public bool Leaves { get; init; }

        /// <summary>Words of the error.</summary>
        public string? Says { get; init; }

        /// <summary>Words beside the verdict.</summary>
        public string? Notes { get; init; }

        public string? Denied { get; init; }

        /// <summary>It is not tried again.</summary>
        public bool IsFinal { get; init; }

        /// <summary>A call is kept as failed that the agent does not call so.</summary>
        public bool FailsACall { get; init; }

        public bool HasFailedCall => FailsACall || Array.Exists(Lines, line => line is ClaudeRefused or CodexDeclined or OpencodeRefused);
    }
}
