using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Scheduling;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Scheduling;

[NotInParallel]
public sealed class BoardSchedulerTests : IAsyncDisposable
{
    private const int MaxAgents = 2;
    private const int Unmatched = 301;
    private const int LeftOut = 306;
    private const int UnexpectedFailure = 105;
    private const int ClockSet = 111;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(30);

    private readonly FakeTime _time = new();
    private readonly SupervisorFixture _fixture;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public BoardSchedulerTests() => _fixture = new SupervisorFixture(MaxAgents, _time);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, CancellationToken.None);
        _stop.Dispose();
        await _fixture.DisposeAsync();
    }

    [Test]
    public async Task The_intake_is_drained_at_the_tick()
    {
        var scheduler = Start();
        Shell.Until(() => scheduler.Status.Ticks == 1 && _time.NextTimer == Interval, "the first tick is over");
        scheduler.Status.LastTickAt.ShouldBe(_time.GetUtcNow());
        await _fixture.Board.IntakeAsync(new NewTask { Title = "mend the roof" });
        scheduler.Wake();
        _fixture.Board.Counts.Queued.ShouldBe(0);

        _time.Advance(Interval);

        Shell.Until(() => _fixture.Board.Counts.Queued == 1, "what was taken in is queued");
        Shell.Until(() => scheduler.Status == new SchedulerStatus(_time.GetUtcNow(), 2, 0), "the tick is told");
    }

    [Test]
    [Arguments(-1)]
    [Arguments(1)]
    public async Task The_tick_comes_after_an_interval_whatever_the_clock_is_set_to(int hours)
    {
        var scheduler = Start();
        Shell.Until(() => scheduler.Status.Ticks == 1 && _time.NextTimer == Interval, "the first tick is over");
        _time.SetClock(TimeSpan.FromHours(hours));
        await _fixture.Board.IntakeAsync(new NewTask { Title = "mend the roof" });
        scheduler.Wake();
        Shell.Until(() => _fixture.Logger.Of(ClockSet).Count == 1 && _time.NextTimer == Interval, "it has seen the step, and waits for the tick");
        scheduler.Status.Ticks.ShouldBe(1);

        _time.Advance(Interval);

        Shell.Until(() => _fixture.Board.Counts.Queued == 1 && scheduler.Status.Ticks == 2, "what was taken in is queued");
    }

    [Test]
    [Arguments(-1)]
    [Arguments(1)]
    public async Task A_back_off_is_as_long_as_it_was_whatever_the_clock_is_set_to(int hours)
    {
        var task = await BackingOffAsync(TimeSpan.FromMinutes(4));
        var scheduler = Start(Candidate(SupervisorFixture.LifeCycle));
        Shell.Until(() => _time.NextTimer == TimeSpan.FromMinutes(4), "the scheduler waits for the back-off");

        _time.SetClock(TimeSpan.FromHours(hours));
        scheduler.Wake();
        Shell.Until(() => _fixture.Logger.Of(ClockSet).Count == 1 && _time.NextTimer == TimeSpan.FromMinutes(4), "what is left of it stays");
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Queued);
        _time.Advance(TimeSpan.FromMinutes(4));

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the task is done");
    }

    [Test]
    public async Task A_clock_that_was_set_back_between_two_daemons_lengthens_no_back_off()
    {
        await BackingOffAsync(TimeSpan.FromMinutes(4));
        _time.SetClock(TimeSpan.FromHours(-1));

        Start(Candidate(SupervisorFixture.LifeCycle));

        Shell.Until(() => _time.NextTimer == TimeSpan.FromMinutes(4), "it waits for no longer than the whole back-off");
        _time.Advance(TimeSpan.FromMinutes(4));
        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the task is done");
    }

    private async Task<BoardTask> BackingOffAsync(TimeSpan backoff)
    {
        var task = await _fixture.Create();
        await _fixture.Board.BeginSpawnAsync(Board.BoardFixture.Record("first"), task.Id);
        await _fixture.Board.EndSpawnAsync("first", new RunEnd { AgentId = "", Ending = RunEnding.Failed, RetryAt = _time.GetUtcNow() + backoff });
        return task;
    }

    [Test]
    public async Task It_answers_as_long_as_it_looks_at_the_board()
    {
        var scheduler = Start();
        await scheduler.AnswerAsync().WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        await scheduler.AnswerAsync().WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);

        await _stop.CancelAsync();
        await _running.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);

        var asked = scheduler.AnswerAsync();
        await Task.Yield();
        asked.IsCompleted.ShouldBeFalse();
    }

    [Test]
    public async Task One_tick_drains_all_that_was_taken_in()
    {
        const int TakenIn = 2_500;
        await Task.WhenAll(Enumerable.Range(0, TakenIn).Select(i => _fixture.Board.IntakeAsync(new NewTask { Title = $"{i}" })));
        await Create().TickAsync();
        _fixture.Board.Counts.Queued.ShouldBe(TakenIn);
    }

    [Test]
    public async Task A_claimant_that_was_silent_for_too_long_loses_its_task()
    {
        var agent = await _fixture.Board.RegisterAgentAsync("outside", [], "clawdie");
        var task = await _fixture.Create();
        await _fixture.Board.ClaimAsync(task.Id, agent.Id);
        var scheduler = Create();

        _time.Advance(AgentLease.Duration - TimeSpan.FromSeconds(1));
        await scheduler.TickAsync();
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Claimed);

        _time.Advance(TimeSpan.FromSeconds(2));
        await scheduler.TickAsync();
        var released = await _fixture.Get(task);
        (released.Status, released.Error?.Code).ShouldBe((TaskState.Queued, "agent-lost"));
    }

    [Test]
    public async Task Without_an_agent_to_start_tasks_wait_for_a_claimant()
    {
        var task = await _fixture.Create();
        var scheduler = Start();
        for (var tick = 1; tick <= 3; tick++)
        {
            Shell.Until(() => scheduler.Status.Ticks == tick && _time.NextTimer == Interval, "the tick is over");
            _time.Advance(Interval);
        }
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Queued);
        _fixture.Supervisor.Agents.ShouldBeEmpty();
        scheduler.Status.Unmatched.ShouldBe(0);
    }

    [Test]
    public async Task A_task_queued_between_two_ticks_is_started_at_once()
    {
        var scheduler = Start(Candidate(SupervisorFixture.LifeCycle));
        Shell.Until(() => scheduler.Status.Ticks == 1 && _time.NextTimer == Interval, "the first tick is over");
        await _fixture.Create();
        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the task is done");
        scheduler.Status.Ticks.ShouldBe(1);
    }

    [Test]
    public async Task No_more_agents_run_than_may_and_all_tasks_get_their_turn()
    {
        const int Tasks = 12;
        var gate = new Lock();
        var held = new HashSet<string>();
        var most = 0;
        _fixture.TaskChanged = change =>
        {
            lock (gate)
            {
                _ = change.Status is TaskState.Claimed or TaskState.Started ? held.Add(change.Id) : held.Remove(change.Id);
                most = Math.Max(most, held.Count);
            }
        };
        for (var i = 0; i < Tasks; i++)
            await _fixture.Create($"task {i}");
        Start(Candidate(SupervisorFixture.LifeCycle));
        Shell.Until(() => _fixture.Board.Counts.Done == Tasks, "every task is done");
        most.ShouldBe(MaxAgents);
        _fixture.Supervisor.Agents.Count.ShouldBe(Tasks);
    }

    [Test]
    public async Task A_task_is_tried_again_when_its_back_off_is_over()
    {
        var task = await _fixture.Create();
        await _fixture.Board.BeginSpawnAsync(Board.BoardFixture.Record("first"), task.Id);
        var backoff = TimeSpan.FromSeconds(10);
        await _fixture.Board.EndSpawnAsync("first", new RunEnd { AgentId = "", Ending = RunEnding.Failed, RetryAt = _time.GetUtcNow() + backoff });
        Start(Candidate(SupervisorFixture.LifeCycle));
        Shell.Until(() => _time.NextTimer == backoff, "the scheduler waits for the back-off, not for the tick");
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Queued);

        _time.Advance(backoff);

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the task is done");
        (await _fixture.Get(task)).Attempts.ShouldBe(2);
    }

    [Test]
    public async Task A_task_that_nobody_suits_waits_is_counted_and_told_once()
    {
        var odd = await _fixture.Create(capabilities: ["piano", "violin"]);
        var scheduler = Start(Candidate(SupervisorFixture.LifeCycle) with { Offers = capability => capability == "code" });
        Shell.Until(() => scheduler.Status.Unmatched == 1, "the task is counted");
        await _fixture.Create(capabilities: ["code"]);
        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the task behind it is done");
        (await _fixture.Get(odd)).Status.ShouldBe(TaskState.Queued);
        _fixture.Logger.Of(Unmatched).ShouldHaveSingleItem().ShouldContain("piano, violin");
    }

    [Test]
    public async Task A_program_that_is_missing_costs_no_task_an_attempt_and_is_started_when_it_is_there()
    {
        var task = await _fixture.Create();
        var program = _fixture.PathOf("late-agent");
        var scheduler = Start(new AgentCandidate("late", _ => true, new SpawnRequest { Binary = program }));
        Shell.Until(() => scheduler.Status.MissingAgent == program, "the status names what is missing");
        (await _fixture.Get(task)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Queued), t => t.Attempts.ShouldBe(0));

        await File.WriteAllTextAsync(program, "#!/bin/sh\nexit 0\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        scheduler.Wake();
        Shell.Until(() => scheduler.Status.MissingAgent is null && _fixture.Get(task).GetAwaiter().GetResult().Attempts == 1, "it is started");
    }

    [Test]
    public async Task A_program_that_cannot_be_executed_costs_no_task_an_attempt_and_the_status_says_why()
    {
        var task = await _fixture.Create();
        var program = _fixture.PathOf("plain-agent");
        await File.WriteAllTextAsync(program, "#!/bin/sh\nexit 0\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead);
        var scheduler = Start(new AgentCandidate("plain", _ => true, new SpawnRequest { Binary = program }));
        Shell.Until(() => scheduler.Status.MissingAgent == program, "the status names it");
        scheduler.Status.MissingReason.ShouldBe($"{program}: it is not executable (mode 400): chmod +x {program}");
        (await _fixture.Get(task)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Queued), t => t.Attempts.ShouldBe(0));
        _fixture.Logger.Of(465).ShouldHaveSingleItem().ShouldContain("chmod +x");

        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        scheduler.Wake();
        Shell.Until(() => scheduler.Status is { MissingAgent: null, MissingReason: null } && _fixture.Get(task).GetAwaiter().GetResult().Attempts == 1, "it is started");
    }

    [Test]
    public async Task A_long_lived_agent_takes_one_task_after_another_and_is_ended_when_there_is_none_left()
    {
        const string Server = """
            while read -r line; do
                id=${line#*\"id\":\"}; id=${id%%\"*}
                echo '{"id":"'"$id"'","type":"response","command":"prompt","success":true}'
                case $line in *'"type":"prompt"'*) echo '{"type":"agent_start"}'; echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}'; echo '{"type":"agent_settled"}' ;; esac
            done
            """;
        const int Tasks = 5;
        var tasks = await Task.WhenAll(Enumerable.Range(0, Tasks).Select(n => _fixture.Create($"{n}")));
        Start(new AgentCandidate("sh", _ => true, SupervisorFixture.Request(Server) with { Rpc = true, TakesTasks = true }));

        Shell.Until(() => _fixture.Board.Counts.Done == Tasks, "every task is done");
        Shell.Until(() => _fixture.Supervisor.Running == 0, "nobody stays for nothing");
        _fixture.Supervisor.Agents.Count.ShouldBeLessThanOrEqualTo(MaxAgents);
        foreach (var task in tasks)
            (await _fixture.OnlyRun(task)).Verdict.ShouldBe("done");
    }

    [Test]
    public async Task A_task_whose_look_throws_holds_nobody_up_and_is_told_once()
    {
        var looks = 0;
        var odd = await _fixture.Create(capabilities: ["odd"]);
        var scheduler = Start(Candidate(SupervisorFixture.LifeCycle) with
        {
            Offers = capability => capability != "odd" ? true : Interlocked.Increment(ref looks) > 0 ? throw new InvalidDataException("odd indeed") : false,
        });
        for (var done = 1; done <= 3; done++)
        {
            await _fixture.Create(capabilities: ["code"]);
            Shell.Until(() => _fixture.Board.Counts.Done == done, "the task behind it is done, with no tick between");
        }
        scheduler.Status.Ticks.ShouldBe(1);
        Volatile.Read(ref looks).ShouldBe(1, "it is left out for an interval");

        Shell.Until(() => _time.NextTimer == Interval, "the scheduler waits for the tick");
        _time.Advance(Interval);

        Shell.Until(() => Volatile.Read(ref looks) == 2, "it is looked at again after an interval");
        (await _fixture.Get(odd)).Status.ShouldBe(TaskState.Queued);
        _fixture.Logger.Of(LeftOut).ShouldHaveSingleItem().ShouldContain("odd indeed");
        _fixture.Logger.Of(UnexpectedFailure).ShouldBeEmpty();
    }

    [Test]
    public async Task A_task_whose_start_throws_holds_nobody_up_and_is_told_once()
    {
        var odd = await _fixture.Create(capabilities: ["odd"]);
        var good = Candidate(SupervisorFixture.LifeCycle) with { Offers = capability => capability == "code" };
        var throws = new AgentCandidate("odd", capability => capability == "odd", new SpawnRequest { Binary = "sh", Arguments = new ThrowingArguments { Throws = true } });
        var scheduler = Start(good, throws);
        for (var done = 1; done <= 3; done++)
        {
            await _fixture.Create(capabilities: ["code"]);
            Shell.Until(() => _fixture.Board.Counts.Done == done, "the task behind it is done, with no tick between");
        }
        scheduler.Status.Ticks.ShouldBe(1);
        (await _fixture.Get(odd)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Queued), t => t.Attempts.ShouldBe(0));
        _fixture.Logger.Of(LeftOut).ShouldHaveSingleItem().ShouldContain("cannot be read");
        Shell.Until(() => _fixture.Supervisor.Running == 0, "its slot is free again");

        Shell.Until(() => _time.NextTimer == Interval, "the scheduler waits for the tick");
        _time.Advance(Interval);
        Shell.Until(() => scheduler.Status.Ticks == 2 && _time.NextTimer == Interval, "the next tick is over");
        _fixture.Logger.Of(LeftOut).ShouldHaveSingleItem();
    }

    [Test]
    public async Task After_a_look_that_failed_as_a_whole_it_hears_its_wake_up()
    {
        // The first look fails before a task is looked at.
        var fails = true;
        var resident = Candidate(SupervisorFixture.LifeCycle);
        var scheduler = _fixture.Engine.Schedule(new FailingOnce(resident, () => fails));
        await _fixture.Create();
        _running = scheduler.RunAsync(_stop.Token);
        Shell.Until(() => _time.NextTimer is { } rest && rest <= Interval && _fixture.Logger.Of(UnexpectedFailure).Count == 1, "it rests");
        fails = false;

        scheduler.Wake();
        _time.Advance(TimeSpan.FromSeconds(1));

        Shell.Until(() => _fixture.Board.Counts.Done == 1, "the task is done long before the interval is over");
    }

    private sealed class FailingOnce(AgentCandidate candidate, Func<bool> fails) : IReadOnlyList<AgentCandidate>
    {
        public int Count => fails() ? throw new InvalidDataException("no candidates for a moment") : 1;

        public AgentCandidate this[int index] => candidate;

        public IEnumerator<AgentCandidate> GetEnumerator() => new List<AgentCandidate> { candidate }.GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private BoardScheduler Create(params AgentCandidate[] candidates) => _fixture.Engine.Schedule(candidates);

    private BoardScheduler Start(params AgentCandidate[] candidates)
    {
        var scheduler = Create(candidates);
        _running = Task.Run(() => scheduler.RunAsync(_stop.Token));
        return scheduler;
    }

    private static AgentCandidate Candidate(string script) => new("sh", _ => true, SupervisorFixture.Request(script));
}
