using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Runs;

/// <summary>What an agent must have done by when; the deadlines are set so short that the test need not wait.</summary>
[NotInParallel]
public sealed class DeadlineTests
{
    /// <summary>Claude ends its run with a command of its own still at work.</summary>
    private const string OpenWork = """
        echo '{"type":"system","subtype":"init","session_id":"s"}'
        echo '{"type":"system","subtype":"background_tasks_changed","tasks":[{"task_id":"b1","task_type":"local_bash","description":"serve"}]}'
        echo '{"type":"result","subtype":"success","is_error":false,"result":"ok","total_cost_usd":0.01,"usage":{"input_tokens":1}}'
        """;

    private const string Closed = """echo '{"type":"system","subtype":"background_tasks_changed","tasks":[]}'""";

    /// <summary>That command has ended, and Claude goes on.</summary>
    private const string WokenUp = Closed + "\n" + """
        echo '{"type":"system","subtype":"init","session_id":"s"}'
        echo '{"type":"assistant","message":{"id":"m2","content":[]}}'
        echo '{"type":"result","subtype":"success","is_error":false,"result":"ok","total_cost_usd":0.02,"usage":{"input_tokens":1}}'
        """;

    /// <summary>Pi's run fails for want of room, and a compaction begins.</summary>
    private const string Overflow = """
        echo '{"type":"agent_start"}'
        echo '{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"prompt is too long"}}'
        echo '{"type":"agent_end","messages":[],"willRetry":false}'
        echo '{"type":"compaction_start","reason":"overflow"}'
        """;

    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(200);

    [Test]
    public async Task An_agent_that_prints_nothing_is_ended()
    {
        var failed = await Run("exec sleep 300", configuration => configuration with { FirstEventTimeout = Short });
        (failed.Status, failed.Verdict).ShouldBe((TaskState.Failed, "deadline"));
        failed.Error!.Message.ShouldBe("printed no event within 0.2 s (COLIBRI_FIRST_EVENT_TIMEOUT); it was stopped; a slower start needs a higher COLIBRI_FIRST_EVENT_TIMEOUT");
    }

    [Test]
    public async Task The_reason_that_an_agent_gave_on_standard_error_is_in_the_words()
    {
        // What Codex says of a pipe that nobody closes.
        var failed = await Run("echo 'Reading prompt from stdin...' >&2; exec sleep 300", configuration => configuration with { FirstEventTimeout = TimeSpan.FromSeconds(1) });
        failed.Error!.Message.ShouldContain("; standard error ended with: Reading prompt from stdin...;");
    }

    [Test]
    public async Task An_agent_that_falls_silent_while_it_works_is_ended_only_where_that_is_wanted()
    {
        var failed = await Run(SupervisorFixture.Working, configuration => configuration with { StallAfter = Short, StallKill = true });
        failed.Error!.Message.ShouldContain("printed nothing for 0.2 s while it worked");

        await using var fixture = new SupervisorFixture(configure: configuration => configuration with { StallAfter = Short });
        var agent = await fixture.SpawnWorking(await fixture.Create());
        Shell.Until(() => agent.ToPane().Stalled, "it stalls");
        (agent.ToPane().NeedsAttention, agent.HasEnded).ShouldBe((true, false));
    }

    [Test]
    public async Task An_agent_that_says_nothing_but_errors_is_ended()
    {
        // What Codex prints for as long as it has no network.
        const string Reconnecting = """echo '{"type":"turn.started"}'; while :; do echo '{"type":"error","message":"Reconnecting... 1/5"}'; sleep 0.02; done""";
        await using var fixture = new SupervisorFixture(configure: configuration => configuration with { FirstEventTimeout = Short, ExitTimeout = Short });
        var task = await fixture.Create(maxAttempts: 1);
        await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Reconnecting, task) with { Runtime = "codex" }));
        var failed = await fixture.Get(task);
        (failed.Status, failed.Verdict).ShouldBe((TaskState.Failed, "deadline"));
        failed.Error!.Message.ShouldBe("said nothing but errors for 0.2 s (COLIBRI_FIRST_EVENT_TIMEOUT), the last one: Reconnecting... 1/5; it was stopped; "
            + "its last event was error; look after its provider and network, or raise COLIBRI_FIRST_EVENT_TIMEOUT");
    }

    [Test]
    public async Task An_agent_that_stays_after_its_result_is_ended_and_has_done_its_task()
    {
        var done = await Run(SupervisorFixture.LifeCycle + "\nexec sleep 300", configuration => configuration with { ExitTimeout = Short });
        (done.Status, done.Verdict).ShouldBe((TaskState.Done, "done"));
    }

    [Test]
    public async Task Codex_that_promises_another_try_may_be_silent_for_longer_than_after_an_end()
    {
        const string Waiting = """
            echo '{"type":"turn.started"}'; echo '{"type":"error","message":"Reconnecting... 1/1 (last status: 429 Too Many Requests)"}'
            sleep 1
            echo '{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"hi"}}'; echo '{"type":"turn.completed","usage":{"input_tokens":1}}'
            """;
        var done = await Run(Waiting, configuration => configuration with { ExitTimeout = Short }, "codex");
        (done.Status, done.Verdict, done.Error).ShouldBe((TaskState.Done, "done", null));
    }

    [Test]
    public async Task Codex_that_promised_another_try_and_then_gives_up_is_ended_as_after_any_end()
    {
        const string GivingUp = """
            echo '{"type":"turn.started"}'; echo '{"type":"error","message":"Reconnecting... 1/1"}'
            sleep 0.5
            echo '{"type":"error","message":"stream disconnected"}'
            exec sleep 300
            """;
        var failed = await Run(GivingUp, configuration => configuration with { ExitTimeout = Short }, "codex");
        failed.Error.ShouldBe(new TaskError("provider", "stream disconnected"));
        failed.Attempts.ShouldBe(0, "what is the provider's fault costs no attempt");
    }

    [Test]
    public async Task Claude_is_not_ended_while_its_background_work_is_open()
    {
        await using var fixture = new SupervisorFixture(configure: configuration => configuration with { ExitTimeout = Short });
        var late = fixture.PathOf("late");
        var task = await fixture.Create(maxAttempts: 1);
        await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request($"{OpenWork}\nsleep 1; touch {late}\n{WokenUp}", task) with { Runtime = "claude" }));
        var done = await fixture.Get(task);
        (done.Status, done.Verdict, done.Error).ShouldBe((TaskState.Done, "done", null));
        File.Exists(late).ShouldBeTrue("what it did in the background was let do");
    }

    [Test]
    public async Task Claude_that_leaves_its_background_work_open_has_not_done_its_task()
    {
        var failed = await Run(OpenWork, plain => plain, "claude");
        failed.Error.ShouldBe(new TaskError("background", "ended its run with a background task of its own still open: serve"));
    }

    [Test]
    [Arguments("")]
    [Arguments(WokenUp)]
    public async Task Claude_that_stays_when_its_background_work_is_over_is_ended_and_has_done_its_task(string woken)
    {
        var done = await Run($"{OpenWork}\nsleep 0.5\n{Closed}\n{woken}\nexec sleep 300", configuration => configuration with { ExitTimeout = Short }, "claude");
        (done.Status, done.Verdict, done.Error).ShouldBe((TaskState.Done, "done", null));
    }

    [Test]
    public async Task Pi_is_not_ended_while_it_compacts()
    {
        var done = await Run($"{Overflow}\nsleep 1\necho '{{\"type\":\"compaction_end\",\"willRetry\":true}}'\n{SupervisorFixture.LifeCycle}", configuration => configuration with { ExitTimeout = Short });
        (done.Status, done.Verdict, done.Error).ShouldBe((TaskState.Done, "done", null));
    }

    [Test]
    public async Task Pi_that_stays_after_a_compaction_that_led_to_nothing_is_ended()
    {
        var failed = await Run($"{Overflow}\nsleep 0.5\necho '{{\"type\":\"compaction_end\",\"willRetry\":false}}'\nexec sleep 300", configuration => configuration with { ExitTimeout = Short });
        failed.Error.ShouldBe(new TaskError("agent-error", "prompt is too long"));
    }

    [Test]
    public async Task The_shorter_limit_holds_again_when_a_tool_has_ended()
    {
        const string Tool = """
            echo '{"type":"tool_execution_start","toolCallId":"a","toolName":"bash"}'
            sleep 0.5
            echo '{"type":"tool_execution_end","toolCallId":"a","toolName":"bash"}'
            exec sleep 300
            """;
        var failed = await Run(Tool, configuration => configuration with { StallAfter = Short, StallKill = true });
        failed.Error!.Message.ShouldContain("printed nothing for 0.2 s while it worked");
    }

    [Test]
    public async Task A_run_that_takes_too_long_is_ended()
    {
        var failed = await Run(SupervisorFixture.Working, configuration => configuration with { RunTimeout = Short });
        failed.Error.ShouldBe(new TaskError("deadline", "the run took longer than 0.2 s (COLIBRI_RUN_TIMEOUT); it was stopped; its last event was agent_start; a longer run needs a higher COLIBRI_RUN_TIMEOUT"));
    }

    [Test]
    public async Task A_program_that_does_not_understand_its_arguments_is_not_tried_again()
    {
        await using var fixture = new SupervisorFixture();
        var failed = await fixture.RunToEnd("echo 'unknown option --mode' >&2; exit 2", await fixture.Create(maxAttempts: 9));
        (failed.Status, failed.Verdict, failed.Attempts).ShouldBe((TaskState.Failed, "usage", 1));
        failed.Error!.Message.ShouldEndWith(": unknown option --mode");
    }

    private static async Task<BoardTask> Run(string script, Func<DaemonConfiguration, DaemonConfiguration> configure, string kind = "pi")
    {
        await using var fixture = new SupervisorFixture(configure: configure);
        var task = await fixture.Create(maxAttempts: 1);
        await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(script, task) with { Runtime = kind }));
        return await fixture.Get(task);
    }
}
