using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Scheduling;

/// <summary>What the look at a long queue finds, and what it leaves alone.</summary>
[NotInParallel]
public sealed class QueueLookTests : IAsyncDisposable
{
    private const int MaxAgents = 2;
    private const int Unmatched = 301;
    private const int LeftOut = 306;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(30);

    private const string Server = """
        while read -r line; do
            id=${line#*\"id\":\"}; id=${id%%\"*}
            echo '{"id":"'"$id"'","type":"response","command":"prompt","success":true}'
            case $line in *'"type":"prompt"'*) echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}'; echo '{"type":"agent_settled"}' ;; esac
        done
        """;

    private readonly FakeTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private SupervisorFixture? _fixture;
    private Task _running = Task.CompletedTask;

    private SupervisorFixture Fixture => _fixture ??= new SupervisorFixture(MaxAgents, _time);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        if (_fixture is not null)
            await _fixture.DisposeAsync();
    }

    /// <summary>Its time comes after the queue was read and before the next wait is measured.</summary>
    [Test]
    public async Task A_task_that_comes_due_while_others_are_started_waits_for_no_tick()
    {
        var leave = new TaskCompletionSource();
        _fixture = new SupervisorFixture(MaxAgents, _time, steps: new RunSteps([new SlowStart(run =>
        {
            if (run.Task?.Title != "slow")
                return Task.CompletedTask;
            _time.Advance(TimeSpan.FromSeconds(20));
            return leave.Task;
        })], []));
        await Fixture.Create("slow");
        var later = await Fixture.Board.CreateAsync(new NewTask { Title = "later", NotBefore = _time.GetUtcNow().AddSeconds(10) });
        await StartAsync(byResident: false);
        try
        {
            Shell.Until(() => Fixture.Get(later).GetAwaiter().GetResult().Status == TaskState.Done, "it is done while the other one is still being started");
        }
        finally
        {
            leave.SetResult();
        }
    }

    /// <summary>The look finds it, with no tick between, on every road that gives tasks to agents.</summary>
    [Test]
    [Arguments(false, 0)]
    [Arguments(false, -5)]
    [Arguments(true, 0)]
    [Arguments(true, -5)]
    public async Task Ten_thousand_tasks_that_nobody_can_take_hide_nothing(bool byResident, int priority)
    {
        const int InFront = 10_000;
        await Task.WhenAll(Enumerable.Range(0, InFront).Select(i => Fixture.Board.CreateAsync(
            new NewTask { Title = $"{i}", Capabilities = i % 3 == 0 ? ["gpu", "piano"] : ["gpu"], Priority = i % 7 })));
        var good = await Fixture.Board.CreateAsync(new NewTask { Title = "good", Capabilities = ["code"], Priority = priority });
        var scheduler = await StartAsync(byResident);

        Shell.Until(() => Fixture.Board.Counts.Done == 1, "the task behind them is done");

        (await Fixture.Get(good)).Status.ShouldBe(TaskState.Done);
        Shell.Until(() => scheduler.Status.Unmatched == InFront, "all of them are counted");
        Fixture.Logger.Of(Unmatched).Count.ShouldBe(QueuePass.Stretch, "the log names the first of them, once each");
        await Fixture.Board.CreateAsync(new NewTask { Title = "another", Capabilities = ["code"], Priority = priority });
        Shell.Until(() => Fixture.Board.Counts.Done == 2, "a task that comes later is done as well");
        scheduler.Status.Ticks.ShouldBe(1);
        Fixture.Logger.Of(Unmatched).Count.ShouldBe(QueuePass.Stretch);
    }

    [Test]
    public async Task A_task_behind_them_starts_when_its_providers_rest_is_over()
    {
        _fixture = new SupervisorFixture(MaxAgents, _time, configure: plain => plain with { Providers = [new ProviderRoute("mock", null)], KeylessProviders = ["mock"] });
        await Task.WhenAll(Enumerable.Range(0, 5_000).Select(i => Fixture.Board.CreateAsync(new NewTask { Title = $"{i}", Capabilities = ["gpu"], Priority = 1 })));
        await Fixture.Board.CreateAsync(new NewTask { Title = "good", Capabilities = ["code"] });
        Fixture.Engine.Router.Report("mock", null, ProviderFailure.Overload, "529");
        var rest = Fixture.Engine.Router.NextAt().ShouldNotBeNull() - _time.GetUtcNow();
        await StartAsync(byResident: false);
        Shell.Until(() => _time.NextTimer == rest, "the scheduler waits for the route");
        Fixture.Supervisor.Agents.ShouldBeEmpty();

        _time.Advance(rest);

        Shell.Until(() => Fixture.Board.Counts.Done == 1, "the task behind them is done");
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_held_task_starts_when_it_is_released_and_not_before(bool byResident)
    {
        var held = await Fixture.Board.CreateAsync(new NewTask { Title = "later", Capabilities = ["code"], Hold = true, Priority = 9 });
        await Fixture.Board.CreateAsync(new NewTask { Title = "now", Capabilities = ["code"] });
        var scheduler = await StartAsync(byResident);
        Shell.Until(() => Fixture.Board.Counts.Done == 1 && _time.NextTimer == Interval, "the other is done");
        (await Fixture.Get(held)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Queued), t => t.Attempts.ShouldBe(0));
        (await Should.ThrowAsync<SpawnRefusedException>(() => Fixture.Spawn("exit 0", held))).Refusal.ShouldBe(SpawnRefusal.TaskConflict);

        await Fixture.Board.ReleaseAsync(held.Id);

        Shell.Until(() => Fixture.Board.Counts.Done == 2, "it is done");
        scheduler.Status.Ticks.ShouldBe(1);
    }

    /// <summary>Otherwise the task that kills the daemon would take those that run beside it along, until all of them are held.</summary>
    [Test]
    public async Task Of_tasks_that_one_more_interruption_holds_one_runs_at_a_time_and_others_run_beside_it()
    {
        foreach (var title in (string[])["one", "other"])
        {
            var task = await Fixture.Create(title, capabilities: ["code"]);
            for (var kill = 1; kill < 3; kill++)
            {
                await Fixture.Board.BeginRunAsync(Board.BoardFixture.Record($"{title}{kill}") with { TaskId = task.Id });
                var left = (await Fixture.Board.LiveSpawnsAsync()).ShouldHaveSingleItem();
                await Fixture.Board.EndRunAsync(new RunEnd { AgentId = left.AgentId, Claim = left.Claim, AgentEnded = true, Ending = RunEnding.Killed });
            }
        }
        _time.Advance(TimeSpan.FromMinutes(5));
        await Fixture.Create("harmless", capabilities: ["code"]);
        var go = Fixture.PathOf("go");
        Start(new AgentCandidate("sh", capability => capability == "code", SupervisorFixture.Request($"case $0 in one) while [ ! -e '{go}' ]; do sleep 0.02; done ;; esac\n{SupervisorFixture.LifeCycle}")));

        Shell.Until(() => Fixture.Board.Counts is { Done: 1, Started: 1, Queued: 1 }, "one of the two runs, and the harmless one is done");
        await File.WriteAllTextAsync(go, "", TestContext.Current!.Execution.CancellationToken);
        Shell.Until(() => Fixture.Board.Counts.Done == 3, "the other follows");
    }

    [Test]
    public async Task A_start_that_is_refused_before_the_claim_is_not_tried_again_at_once()
    {
        var looks = 0;
        // Claude Code has no RPC mode: no command line can be made.
        var odd = new AgentCandidate("odd", capability => capability == "odd" && Interlocked.Increment(ref looks) > 0, new SpawnRequest { Binary = "sh", Runtime = "claude", Rpc = true });
        var task = await Fixture.Create(capabilities: ["odd"]);
        var scheduler = Start(odd, Candidate);
        Shell.Until(() => Fixture.Logger.Of(LeftOut).Count == 1 && _time.NextTimer == Interval, "the scheduler waits for the tick");
        var seen = Volatile.Read(ref looks);
        await Fixture.Create(capabilities: ["code"]);
        Shell.Until(() => Fixture.Board.Counts.Done == 1 && Fixture.Supervisor.Running == 0 && _time.NextTimer == Interval, "the other tasks go on");
        Volatile.Read(ref looks).ShouldBe(seen);

        _time.Advance(Interval);

        Shell.Until(() => scheduler.Status.Ticks == 2 && _time.NextTimer == Interval, "it was tried again after an interval");
        Volatile.Read(ref looks).ShouldBeGreaterThan(seen);
        Fixture.Logger.Of(LeftOut).ShouldHaveSingleItem();
        (await Fixture.Get(task)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Queued), t => t.Attempts.ShouldBe(0));
    }

    /// <summary>While a program lacks something that may come back, its tasks wait as for a missing one, one-shot and resident alike.</summary>
    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_program_that_is_being_written_makes_its_tasks_wait(bool rpc)
    {
        var program = Fixture.PathOf("agent");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\n{(rpc ? Server : SupervisorFixture.LifeCycle)}\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var tasks = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Fixture.Create($"{i}", maxAttempts: 1)));
        using (new FileStream(program, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            Start(new AgentCandidate("agent", _ => true, new SpawnRequest { Binary = program, Runtime = "pi", Rpc = rpc, TakesTasks = true }));
            for (var tried = 1; tried <= 4; tried++)
            {
                Shell.Until(() => Fixture.Supervisor.Agents.Count is > 0 and var starts && starts <= tried * MaxAgents && Fixture.Supervisor.Running == 0 && _time.NextTimer > TimeSpan.Zero, "it rests");
                _time.Advance(TimeSpan.FromSeconds(30));
            }
            foreach (var task in tasks)
                (await Fixture.Get(task)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Queued), t => t.Attempts.ShouldBe(0));
        }
        for (var minutes = 0; minutes < 10 && Fixture.Board.Counts.Done < tasks.Length; minutes++)
        {
            Shell.Until(() => Fixture.Board.Counts.Done == tasks.Length || (Fixture.Supervisor.Running == 0 && _time.NextTimer > TimeSpan.Zero), "it rests or is done");
            _time.Advance(TimeSpan.FromSeconds(30));
        }
        Shell.Until(() => Fixture.Board.Counts.Done == tasks.Length, "every task is done once the program is whole");
        (Fixture.Logger.Of(462).Count, Fixture.Logger.Of(463).Count).ShouldBe((1, 1));
    }

    private static AgentCandidate Candidate => new("sh", capability => capability == "code", SupervisorFixture.Request(SupervisorFixture.LifeCycle));

    private async Task<BoardScheduler> StartAsync(bool byResident)
    {
        if (!byResident)
            return Start(Candidate);
        var resident = await Fixture.Supervisor.SpawnAsync(
            SupervisorFixture.Request(Server) with { Rpc = true, TakesTasks = true, IsKept = true, Offers = capability => capability == "code" });
        Shell.Until(() => resident.IsAtRest, "the resident agent is there");
        return Start();
    }

    private BoardScheduler Start(params AgentCandidate[] candidates)
    {
        var scheduler = Fixture.Engine.Schedule(candidates);
        _running = Task.Run(() => scheduler.RunAsync(_stop.Token));
        return scheduler;
    }

    private sealed class SlowStart(Func<Run, Task> start) : IRunStep
    {
        public async Task<TaskError?> RunAsync(Run run)
        {
            await start(run);
            return null;
        }
    }
}
