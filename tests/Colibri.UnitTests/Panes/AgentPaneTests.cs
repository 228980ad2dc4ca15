using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Panes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;

namespace Colibri.UnitTests.Panes;

public sealed class AgentPaneTests
{
    [Test]
    public void A_new_pane_shows_what_it_is_about()
    {
        var clock = new StoppedClock();
        PaneFixture.New("zot", clock).ToWire(PaneFixture.StallAfter, TimeSpan.Zero).ShouldBe(new Pane
        {
            Id = "id-1",
            Agent = "zot",
            Runtime = "zot",
            Lifecycle = Lifecycle.Starting,
            Activity = Activity.Idle,
            TaskId = "task-1",
            SessionId = "session-1",
            Cwd = "/start",
            StartedAt = clock.Now,
        });
    }

    [Test]
    public void The_number_of_a_task_is_shown_once_its_run_is_known()
    {
        var pane = PaneFixture.New();

        pane.SetRun("task-1", "session-1", 12).ShouldBeTrue();
        pane.SetRun("task-1", "session-1", 12).ShouldBeFalse();

        (pane.Show().TaskId, pane.Show().TaskNumber).ShouldBe(("task-1", 12));
    }

    [Test]
    public void Events_are_timed_and_unknown_ones_change_nothing_else()
    {
        var clock = new StoppedClock();
        var pane = PaneFixture.New(clock: clock);
        pane.Say("""{"type":"agent_settled"}""");
        clock.Now += TimeSpan.FromMinutes(1);
        pane.Say("""{"type":"brand_new_event","x":1}""");
        clock.Now += TimeSpan.FromMinutes(1);
        pane.Say("no event at all");
        var shown = pane.Show();
        (shown.LastEvent, shown.Activity, shown.Events, shown.MalformedLines).ShouldBe(("brand_new_event", Activity.Done, 2, 1));
        shown.LastEventAt.ShouldBe(clock.Now - TimeSpan.FromMinutes(1));
    }

    [Test]
    [Arguments("\uFEFF{\"type\":\"agent_start\"}\r\n\r\n  \n{\"type\":\"turn_start\"}\r\n", 2, 0)]
    [Arguments("[]\n{}{}\n{\"type\":\"agent_start\"\nnull\n\"x\"\n{\"a\":\"\0\"}\n", 0, 6)]
    [Arguments("{}\n{\"\":1}\n", 2, 0)]
    public void Lines_are_counted_and_broken_ones_skipped(string text, long events, long malformed)
    {
        var pane = PaneFixture.New();
        pane.Feed(Encoding.UTF8.GetBytes(text));
        pane.Complete();
        (pane.Show().Events, pane.Show().MalformedLines).ShouldBe((events, malformed));
    }

    [Test]
    [Arguments("""{"type":"agent_settled"}""", 2, 0, "done")]
    [Arguments("""{"type":"agent_settled" """, 1, 1, "incomplete")]
    [Arguments("""{"type":"agent_settled","n":1""", 1, 1, "incomplete")]
    public void A_last_line_without_its_newline_counts_if_it_is_whole(string last, long events, long malformed, string verdict)
    {
        var pane = PaneFixture.Fed("pi", """{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}""");
        pane.Feed(Encoding.UTF8.GetBytes(last));
        pane.Complete();
        (pane.Show().Events, pane.Show().MalformedLines).ShouldBe((events, malformed));
        RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Verdict.ShouldBe(verdict);
    }

    [Test]
    public void What_is_torn_off_after_a_tentative_end_may_have_said_that_the_run_goes_on()
    {
        var pane = PaneFixture.Fed("pi", """{"type":"agent_end","messages":[]}""");
        pane.Feed("""{"type":"auto_retry_st"""u8);
        pane.Complete();
        RunVerdict.Judge(pane.Run, new ProcessExit(0), false, true).Verdict.ShouldBe("incomplete");

        var settled = PaneFixture.Fed("pi", """{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}""", """{"type":"agent_end","messages":[]}""", """{"type":"agent_settled"}""");
        settled.Feed("bye"u8);
        settled.Complete();
        RunVerdict.Judge(settled.Run, new ProcessExit(0), false, true).Verdict.ShouldBe("done");
    }

    [Test]
    [Arguments("{\"type\":\"agent_end\",\"messages\":[\"", Activity.Done, 0)]
    [Arguments("{\"type\":\"tool_execution_end\",\"toolCallId\":\"a\",\"toolName\":\"bash\",\"result\":\"", Activity.Working, 1)]
    [Arguments("{\"messages\":[\"", Activity.Working, 2)]
    public void A_line_too_long_to_keep_still_acts_by_its_first_key(string head, Activity activity, int toolsRunning)
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New(transcript: transcript);
        pane.Say("""{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}""");
        pane.Say("""{"type":"tool_execution_start","toolCallId":"b","toolName":"write"}""");
        pane.Hear(Encoding.UTF8.GetBytes(head));

        // Three bytes a character: the head is cut inside one.
        var filler = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("€", 1000)));
        for (var sent = 0; sent <= AgentPane.MaxLineBytes; sent += filler.Length) pane.Hear(filler);
        pane.Hear("\"]}\n"u8);
        var shown = pane.Show();
        (shown.Activity, shown.Events, shown.MalformedLines, shown.OversizeLines).ShouldBe((activity, 2, 1, 1));
        shown.Tool.ShouldBe(toolsRunning == 0 ? null : "write");
        if (toolsRunning == 1) transcript.Lines.ShouldBe(["bash()", "write()", "bash: "]);
        pane.Say("""{"type":"agent_settled"}""");
        pane.Show().Activity.ShouldBe(Activity.Done);
    }

    [Test]
    public void A_silent_agent_is_stalled_while_it_lives()
    {
        var clock = new StoppedClock();
        var pane = PaneFixture.New(clock: clock);
        pane.Started(42);
        clock.Now += PaneFixture.StallAfter - TimeSpan.FromSeconds(1);
        pane.Show().Stalled.ShouldBeFalse();
        clock.Now += TimeSpan.FromSeconds(1);
        var stalled = pane.Show();
        (stalled.Stalled, stalled.NeedsAttention, stalled.Pid).ShouldBe((true, true, 42));

        pane.Say("""{"type":"agent_start"}""");
        pane.Show().Stalled.ShouldBeFalse();
        clock.Now += PaneFixture.StallAfter;
        pane.Show().Stalled.ShouldBeTrue();
        pane.Exited(new ProcessExit(0));
        pane.Show().Stalled.ShouldBeFalse();
    }

    [Test]
    public void A_question_whose_answer_could_not_be_sent_is_open_again()
    {
        var pane = PaneFixture.Fed("pi", """{"type":"agent_start"}""", """{"type":"extension_ui_request","id":"q1","method":"select","title":"Which?","options":["red","green"]}""");
        pane.TryAnswer("q1").ShouldBeTrue();
        (pane.Question, pane.TryAnswer("q1")).ShouldBe((null, false));
        pane.Reopen("q1");
        pane.Question.ShouldNotBeNull().Request.ShouldBe("q1");
        pane.TryAnswer("q1").ShouldBeTrue();
    }

    [Test]
    public void A_question_stays_open_while_another_tool_begins_and_ends()
    {
        const string a = """{"type":"tool_execution_start","toolCallId":"a","toolName":"ask"}""";
        var pane = PaneFixture.Fed("pi", """{"type":"agent_start"}""", a, """{"type":"extension_ui_request","id":"q1","method":"confirm","title":"Delete?"}""");
        foreach (var step in (string[])["start", "update", "end"])
        {
            pane.Say($$"""{"type":"tool_execution_{{step}}","toolCallId":"b","toolName":"ls"}""");
            (pane.Question?.Request, pane.Show().Activity).ShouldBe(("q1", Activity.Blocked), step);
        }
        pane.Say("""{"type":"tool_execution_end","toolCallId":"a","toolName":"ask"}""");
        (pane.Question, pane.Show().Activity).ShouldBe((null, Activity.Working), "the tool that asked has ended");
    }

    [Test]
    public void A_question_outside_a_run_leaves_the_agent_at_rest_once_it_has_its_answer()
    {
        var pane = PaneFixture.Fed("pi", """{"type":"session","id":"s"}""", """{"type":"extension_ui_request","id":"q1","method":"confirm","title":"Trust?"}""");
        (pane.IsBusy, pane.Show().Activity).ShouldBe((true, Activity.Blocked));
        pane.TryAnswer("q1").ShouldBeTrue();
        (pane.IsBusy, pane.Show().Activity).ShouldBe((false, Activity.Idle));
        var runs = pane.Run.Runs;
        pane.Say("""{"type":"agent_start"}""");
        (pane.IsBusy, pane.Show().Activity, pane.Run.Runs).ShouldBe((true, Activity.Working, runs + 1));
    }

    [Test]
    public void A_step_of_the_wall_clock_is_no_silence_and_ends_none()
    {
        var clock = new StoppedClock();
        var pane = PaneFixture.New(clock: clock);
        pane.Say("""{"type":"agent_start"}""");
        clock.Step = TimeSpan.FromDays(1);
        (pane.Times().Silent, pane.Show().Stalled).ShouldBe((TimeSpan.Zero, false));
        clock.Now += PaneFixture.StallAfter;
        clock.Step = TimeSpan.FromDays(-1);
        (pane.Times().Silent, pane.Show().Stalled).ShouldBe((PaneFixture.StallAfter, true));
    }

    [Test]
    public void A_heartbeat_is_no_sign_of_work_and_a_tool_at_work_may_be_silent()
    {
        var clock = new StoppedClock();
        var pane = PaneFixture.New(clock: clock);
        pane.Say("""{"type":"agent_start"}""");
        clock.Now += PaneFixture.StallAfter;
        pane.Say("""{"type":"heartbeat"}""");
        (pane.Show().Stalled, pane.Times().Silent).ShouldBe((true, PaneFixture.StallAfter));

        pane.Say("""{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}""");
        clock.Now += PaneFixture.StallAfter;
        pane.ToWire(PaneFixture.StallAfter, 2 * PaneFixture.StallAfter).Stalled.ShouldBeFalse();
        clock.Now += PaneFixture.StallAfter;
        pane.ToWire(PaneFixture.StallAfter, 2 * PaneFixture.StallAfter).Stalled.ShouldBeTrue();
    }

    [Test]
    [Arguments(false, Activity.Error)]
    [Arguments(true, Activity.Idle)]
    public void An_agent_gone_in_the_middle_of_its_work_is_working_no_more(bool stopRequested, Activity expected)
    {
        var pane = PaneFixture.Fed("pi", """{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}""");
        pane.Started(7);
        pane.Show().Lifecycle.ShouldBe(Lifecycle.Running);
        if (stopRequested) pane.StopRequested();
        pane.Exited(new ProcessExit(Signal: 15));
        pane.Show().Lifecycle.ShouldBe(Lifecycle.Stopping);
        pane.Show().Activity.ShouldBe(Activity.Working, "its last words may still be on their way");
        pane.Complete();
        pane.TreeGone();
        var shown = pane.Show();
        (shown.Lifecycle, shown.Activity, shown.Tool, shown.Exit).ShouldBe((Lifecycle.Stopped, expected, null, new ProcessExit(Signal: 15)));
        shown.NeedsAttention.ShouldBe(!stopRequested);
        pane.Run.Outcome.ShouldBe(RunOutcome.Working);
    }

    [Test]
    public void A_subscriber_hears_of_what_it_would_show_and_of_nothing_else()
    {
        var heard = 0;
        var pane = PaneFixture.New();
        var revisions = new List<long>();
        void Do(Func<bool> what)
        {
            heard += what() ? 1 : 0;
            revisions.Add(pane.Revision);
        }

        Do(() => pane.Started(1));
        Do(() => pane.Started(1));
        Do(() => pane.Say("""{"type":"agent_start"}"""));
        Do(() => pane.Say("""{"type":"message_update"}"""));
        Do(() => pane.Hear("{\"type\":\"turn_start\"}\n{\"type\":\"message_update\"}\n{\"type\":\"tool_execution_start\",\"toolName\":\"x\"}\n"u8));
        Do(() => pane.Hear("{\"type\":\"message_"u8));
        Do(() => pane.Say("""{"type":"agent_settled"}"""));
        revisions.ShouldBe([1, 1, 2, 2, 3, 3, 4]);
        heard.ShouldBe(4);
    }

    [Test]
    public void An_agent_that_never_started_is_in_error_and_says_why()
    {
        var pane = PaneFixture.New();
        pane.FailedToStart("cannot start /bin/none: No such file or directory (ENOENT)");
        var shown = pane.Show();
        (shown.Lifecycle, shown.Activity, shown.NeedsAttention).ShouldBe((Lifecycle.Stopped, Activity.Error, true));
        shown.Error.ShouldBe("cannot start /bin/none: No such file or directory (ENOENT)");
    }

    [Test]
    [Arguments("pi-1.5.2-json-two", "assistant: Running the command.|usage: 176/40/1024/0/143520|bash({\"command\":\"echo hi\"})|bash: hi\n|write({\"path\":\"out.txt\",\"content\":\"hello\\n\"})|write: *|assistant: Done*|usage: 148/12/1152/0/96960")]
    [Arguments("pi-0.73.1-json-tool", "assistant: Running the command.|usage: 176/40/1024/0/143520|bash({\"command\":\"echo hi\"})|bash: hi\n|assistant: Done*|usage: 148/12/1152/0/96960")]
    [Arguments("claude-2.1-stream-json", "assistant: Running the command.|Bash({\"command\":\"echo hi\",\"description\":\"say hi\"})|Bash: hi|assistant: Done: it printed hi.|usage: 352/80/2048/0/341760")]
    [Arguments("codex-0.169-exec-json", "assistant: Running the command.|command_execution(/bin/bash -lc 'echo hi')|command_execution: hi\n|assistant: Done: it printed hi.|usage: 352/80/2048/0/0")]
    [Arguments("opencode-1.18-run-json", "assistant: Running the command.|bash({\"command\":\"echo hi\"})|bash: hi\n|usage: 176/40/1024/0/143520|assistant: Done*|usage: 148/12/1152/0/96960")]
    [Arguments("gemini-0.61-stream-json-tool", "assistant: Running the command.|run_shell_command({\"command\":\"echo hi\"})|run_shell_command: hi|assistant: Done: it printed hi.|usage: 374/55/2176/0/0")]
    [Arguments("qwen-0.24-stream-json-retry", "assistant: Running the command.|run_shell_command({\"command\":\"echo hi\"})|run_shell_command: hi|assistant: Done: it printed hi.|usage: 324/52/2176/0/0")]
    [Arguments("copilot-1.0-json-tool", "assistant: Running the command.|bash({\"command\":\"echo hi\",\"description\":\"say hi\"})|bash: hi\n<shellId: 0 completed with exit code 0>|assistant: Done: it printed hi.")]
    public void A_transcript_takes_down_each_message_tool_and_usage_once(string recording, string expected)
    {
        var transcript = new ListTranscript();
        var pane = PaneFixture.New(recording[..recording.IndexOf('-', StringComparison.Ordinal)], transcript: transcript);
        pane.Hear(Recordings.Read(recording));
        transcript.Take(pane.Complete());
        var lines = expected.Split('|').Order(StringComparer.Ordinal).Zip(transcript.Lines.Order(StringComparer.Ordinal)).ToList();
        transcript.Lines.Count.ShouldBe(expected.Split('|').Length);
        foreach (var (wanted, line) in lines)
            if (wanted.EndsWith('*')) line.ShouldStartWith(wanted[..^1]);
            else line.ShouldBe(wanted);
    }

    [Test]
    public void A_transcript_gets_the_words_decoded()
    {
        var transcript = new ListTranscript();
        PaneFixture.New(transcript: transcript).Hear(Recordings.Read("pi-1.5.2-json-tool"));
        transcript.Lines.ShouldContain("assistant: Done: it printed hi. sep[\u2028] emoji 🐦 nul? \u0001 end");
    }

    [Test]
    public void Folding_lines_seen_before_allocates_nothing()
    {
        // A question is kept anew each time that it is asked.
        foreach (var row in Recordings.Names().Where(row => !row.Contains("question", StringComparison.Ordinal)))
        {
            var bytes = Recordings.Read(row);
            var pane = PaneFixture.New(row[..row.IndexOf('-', StringComparison.Ordinal)]);
            pane.Feed(bytes);
            // A collection that other tests cause may empty the pool of buffers in between; what a line costs, it costs each time.
            var least = long.MaxValue;
            for (var attempt = 0; attempt < 5 && least != 0; attempt++)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                for (var i = 0; i < 20; i++) pane.Feed(bytes);
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }
            least.ShouldBe(0, row);
        }
    }

    [Test]
    [Arguments("pi")]
    [Arguments("zot")]
    [Arguments("claude")]
    [Arguments("codex")]
    [Arguments("opencode")]
    [Arguments("gemini")]
    [Arguments("qwen")]
    [Arguments("copilot")]
    public void No_line_however_broken_stops_a_pane(string dialect)
    {
        var lines = Recordings.AllLines().Where(l => l.Length is > 0 and < 4000).ToArray();
        var random = new Random(dialect.Length);
        var transcript = new ListTranscript();
        var pane = PaneFixture.New(dialect, transcript: transcript);
        var reader = AgentProfiles.For(dialect, null).Dialect;
        var sink = new PaneFold(new PaneNews(), default, keepsWords: true, Secrets.None);
        for (var i = 0; i < 5000; i++)
        {
            var line = (byte[])lines[random.Next(lines.Length)].Clone();
            for (var n = random.Next(4); n > 0; n--) line[random.Next(line.Length)] = (byte)"\"\\{}[]:,0truen\t"[random.Next(15)];
            reader.Read(line.AsSpan(0, random.Next(line.Length)), truncated: true, sink);
            pane.Hear(line);
            pane.Hear("\n"u8);
        }

        transcript.Take(pane.Complete());
        var shown = pane.Show();
        (shown.Events + shown.MalformedLines).ShouldBe(5000);
        shown.Events.ShouldBeGreaterThan(1000);
        shown.MalformedLines.ShouldBeGreaterThan(1000);
        shown.Usage.InputTokens.ShouldBeGreaterThanOrEqualTo(0);
    }

    [Test]
    public async Task A_pane_can_be_shown_from_other_threads_while_it_is_fed()
    {
        var bytes = Recordings.Read("pi-1.5.2-json-tool");
        var pane = PaneFixture.New();
        pane.Feed(bytes);
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(
            () =>
            {
                var shows = 0L;
                while (!stop.IsCancellationRequested || shows == 0)
                {
                    var shown = pane.Show();

                    // Each chunk is a whole recording: its numbers fit each other only if they were published together.
                    shown.Usage.Show().ShouldBe($"{324 * shown.Events / 37}/{52 * shown.Events / 37}/{2176 * shown.Events / 37}/0/{240480 * shown.Events / 37}");
                    shows++;
                }

                return shows;
            },
            TestContext.Current!.Execution.CancellationToken);
        for (var i = 0; i < 2000; i++) pane.Feed(bytes);
        await stop.CancelAsync();
        (await reader).ShouldBeGreaterThan(0);
        pane.Show().Events.ShouldBe(2001 * 37);
    }
}
