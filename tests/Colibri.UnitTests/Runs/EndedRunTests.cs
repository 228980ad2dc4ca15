using Colibri.Core.Agents.Launch;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Runs;

/// <summary>How runs end, with tasks and without, started and not.</summary>
[NotInParallel]
public sealed class EndedRunTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(300);

    [Test]
    [Arguments("exec >&- 2>&-; exec sleep 300")]
    [Arguments("exec sleep 300")]
    public async Task An_agent_without_a_task_that_has_finished_frees_its_slot(string rest)
    {
        await using var fixture = new SupervisorFixture(configure: plain => plain with { ExitTimeout = Short }, closedOutputGrace: Short);
        var agent = await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(SupervisorFixture.LifeCycle + "\n" + rest) with { Prompt = "do it" });
        await SupervisorFixture.End(agent);
        fixture.Supervisor.Running.ShouldBe(0);
    }

    [Test]
    public async Task An_agent_without_a_task_is_held_to_the_runs_limit()
    {
        await using var fixture = new SupervisorFixture(configure: plain => plain with { RunTimeout = Short });
        var agent = await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(SupervisorFixture.Working) with { Prompt = "do it" });
        await SupervisorFixture.End(agent);
        fixture.Logger.Of(413).ShouldHaveSingleItem().ShouldContain("COLIBRI_RUN_TIMEOUT");
    }

    [Test]
    [Arguments("exit 0", false)]
    [Arguments("exit 3", true)]
    public async Task The_pane_of_a_run_that_failed_asks_for_attention(string end, bool asks)
    {
        await using var fixture = new SupervisorFixture();
        var agent = await fixture.Spawn(SupervisorFixture.LifeCycle + "\n" + end, await fixture.Create(maxAttempts: 1));
        await SupervisorFixture.End(agent);
        (agent.ToPane().Activity, agent.ToPane().NeedsAttention).ShouldBe((Activity.Done, asks));
    }

    [Test]
    public async Task The_pane_of_a_kept_agent_asks_for_attention_until_its_next_run()
    {
        await using var fixture = new SupervisorFixture();
        const string Server = """
            while read -r line; do
                id=${line#*\"id\":\"}; id=${id%%\"*}
                echo '{"id":"'"$id"'","type":"response","command":"any","success":true}'
                case $line in
                    *'"type":"prompt"'*break*)
                        echo '{"type":"agent_start"}'
                        echo '{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"it broke"}}'
                        echo '{"type":"agent_settled"}' ;;
                    *'"type":"prompt"'*) echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}'; echo '{"type":"agent_settled"}' ;;
                esac
            done
            """;
        var agent = await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(Server) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.IsAtRest, "it is there");
        await agent.TryAssignAsync((await fixture.Create("break", maxAttempts: 1)).Id);
        Shell.Until(() => agent.IsAtRest, "its run has failed");
        agent.ToPane().NeedsAttention.ShouldBeTrue();
        await agent.TryAssignAsync((await fixture.Create("go on")).Id);
        Shell.Until(() => agent.IsAtRest && agent.ToPane().Activity == Activity.Done, "the next went well");
        agent.ToPane().NeedsAttention.ShouldBeFalse();
    }

    [Test]
    public async Task A_program_that_is_being_replaced_costs_no_attempt_and_is_no_crash()
    {
        await using var fixture = new SupervisorFixture();
        var program = fixture.PathOf("agent");
        File.Copy("/bin/sh", program);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var task = await fixture.Create(maxAttempts: 1);
        var request = SupervisorFixture.Request(SupervisorFixture.LifeCycle, task) with { Binary = program };
        // Open for writing: exec(2) answers ETXTBSY.
        using (new FileStream(program, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            for (var n = 0; n < CrashBreaker.TripsAfter + 1; n++)
                (await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Supervisor.SpawnAsync(request))).Refusal.ShouldBe(SpawnRefusal.HostExhausted);
        }
        (await fixture.Get(task)).ShouldSatisfyAllConditions(
            waiting => (waiting.Status, waiting.Attempts, waiting.Verdict).ShouldBe((TaskState.Queued, 0, "spawn-failed")),
            waiting => waiting.NotBefore.ShouldNotBeNull());
        fixture.Engine.Breaker.Status().ShouldBeEmpty("a program that is being replaced has not crashed");
        fixture.Supervisor.RestsUntil(program).ShouldNotBeNull("its tasks wait").ShouldBeLessThan(DateTimeOffset.UtcNow.AddSeconds(2));

        await SupervisorFixture.End(await fixture.Supervisor.SpawnAsync(request));
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Done);
    }

    [Test]
    public async Task A_program_that_cannot_start_fails_its_task_and_rests()
    {
        await using var fixture = new SupervisorFixture();
        var program = fixture.PathOf("agent");
        await File.WriteAllBytesAsync(program, [0x7F, (byte)'E', (byte)'L', (byte)'F', 0, 0, 0, 0], TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        for (var n = 0; n < CrashBreaker.TripsAfter; n++)
        {
            var task = await fixture.Create(maxAttempts: 9);
            await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Supervisor.SpawnAsync(SupervisorFixture.Request("", task) with { Binary = program }));
            (await fixture.Get(task)).Verdict.ShouldBe("spawn-failed");
        }
        fixture.Supervisor.RestsUntil(program).ShouldNotBeNull();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_step_before_the_prompt_that_fails_ends_the_run_and_tells_nobody(bool throws)
    {
        var step = new Step(run => run.Task?.Title == "stop here" ? throws ? throw new InvalidDataException("on purpose") : new TaskError("setup-failed", "no place") : null);
        await using var fixture = new SupervisorFixture(steps: new RunSteps([step], []));
        var oneShot = await fixture.Create("stop here", maxAttempts: 3);
        await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Spawn($"touch '{fixture.PathOf("told")}'", oneShot));
        (await fixture.Get(oneShot)).ShouldSatisfyAllConditions(
            // A failure that no step foresaw is none of the task's: the attempt is given back.
            task => (task.Status, task.Attempts).ShouldBe(throws ? (TaskState.Queued, 0) : (TaskState.Failed, 1)), task => task.Verdict.ShouldBe(throws ? "interrupted" : "setup-failed"));

        var agent = await fixture.Supervisor.SpawnAsync(
            SupervisorFixture.Request($"while read -r line; do touch '{fixture.PathOf("told")}'; done") with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.IsAtRest, "it is there");
        var later = await fixture.Create("stop here", maxAttempts: 3);
        (await agent.TryAssignAsync(later.Id)).ShouldBeTrue();
        Shell.Until(() => fixture.Board.Counts is { Claimed: 0, Started: 0 }, "its run has ended");
        (await fixture.Get(later)).ShouldSatisfyAllConditions(
            task => (task.Status, task.Attempts).ShouldBe(throws ? (TaskState.Queued, 0) : (TaskState.Failed, 1)), task => task.Verdict.ShouldBe(throws ? "interrupted" : "setup-failed"));
        File.Exists(fixture.PathOf("told")).ShouldBeFalse();
        step.Runs.ShouldBe(2);
    }

    [Test]
    public async Task A_step_after_a_good_end_that_fails_is_the_verdict_and_a_failed_run_is_not_checked()
    {
        var step = new Step(_ => new TaskError("check-failed", "the tests fail"));
        await using var fixture = new SupervisorFixture(steps: new RunSteps([], [step]));
        var task = await fixture.RunToEnd(SupervisorFixture.LifeCycle, await fixture.Create(maxAttempts: 1));
        (task.Status, task.Error).ShouldBe((TaskState.Failed, new TaskError("check-failed", "the tests fail")));
        await fixture.RunToEnd("exit 3", await fixture.Create(maxAttempts: 1));
        step.Runs.ShouldBe(1);
    }

    [Test]
    public async Task A_task_is_not_given_to_an_agent_that_was_told_something_a_moment_ago()
    {
        await using var fixture = new SupervisorFixture();
        // It takes a prompt, and begins to work when it is let.
        var script = $$"""
            while read -r line; do
                id=${line#*\"id\":\"}; id=${id%%\"*}
                echo '{"id":"'"$id"'","type":"response","command":"any","success":true}'
                case $line in *'"type":"prompt"'*)
                    while [ ! -e '{{fixture.PathOf("go")}}' ]; do sleep 0.01; done
                    echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"} }'; echo '{"type":"agent_settled"}' ;;
                esac
            done
            """;
        var agent = await fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(script) with { Rpc = true, TakesTasks = true, IsKept = true });
        Shell.Until(() => agent.IsAtRest, "it is there");
        (await agent.TellAsync("an operator's words")).IsTaken.ShouldBeTrue();
        var task = await fixture.Create("the task");

        agent.IsAtRest.ShouldBeFalse();
        (await agent.TryAssignAsync(task.Id)).ShouldBeFalse();
        (await fixture.Get(task)).Status.ShouldBe(TaskState.Queued);

        await File.WriteAllTextAsync(fixture.PathOf("go"), "", TestContext.Current!.Execution.CancellationToken);
        Shell.Until(() => agent.IsAtRest, "the operator's run is over");
        (await agent.TryAssignAsync(task.Id)).ShouldBeTrue();
        Shell.Until(() => fixture.Board.Counts.Done == 1, "the task is done");
        fixture.Sessions.Read(agent.SessionId, all: true)!.Entries.Select(entry => entry.Text)
            .ShouldBe(["an operator's words", "well", "run ended: done", "the task", "well", "run ended: done"]);
    }

    private sealed class Step(Func<Run, TaskError?> answer) : IRunStep
    {
        public int Runs { get; private set; }

        public Task<TaskError?> RunAsync(Run run)
        {
            if (run.Task is not null)
                Runs++;
            return Task.FromResult(answer(run));
        }
    }
}
