using Colibri.Core.Agents;
using Colibri.Core.Board;
using Colibri.Core.Processes;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Posix.Cgroups;
using Colibri.UnitTests.Posix.Processes;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;
using Microsoft.Data.Sqlite;

namespace Colibri.UnitTests.Agents;

[NotInParallel]
public sealed class LeftoverReconcilerTests : IAsyncDisposable
{
    private const string Sleeper = "exec sleep 300";

    // The writer waits for a lock of a test's as long as that.
    private readonly BoardFixture _board = new() { BusySeconds = 1 };
    private readonly CollectingLogger _logger = new();
    private readonly string _agentId = Guid.NewGuid().ToString();
    private AgentCgroups? _cgroups;
    private LeftoverReconciler? _reconciler;

    public async ValueTask DisposeAsync()
    {
        if (_reconciler is not null)
            await _reconciler.DisposeAsync();
        await _board.DisposeAsync();
    }

    [Test]
    public async Task A_process_on_record_is_ended_and_its_task_queued_again()
    {
        var task = await _board.Spawn(_agentId, await _board.Create(maxAttempts: 1));
        var child = Start(AgentMarker.For(_agentId));
        await Record(child.Identity);

        await Reconcile();

        (await Shell.Exit(child)).Signal.ShouldBe(Signals.Term);
        await ShouldBeQueuedAgain(task);
        Found.ShouldBe(1);
    }

    [Test]
    public async Task A_process_that_left_its_parent_and_group_is_found_by_its_marker()
    {
        var task = await _board.Spawn(_agentId);
        var (child, output) = Shell.Start(Shell.Options("(setsid sleep 300 & echo $!)", AgentMarker.For(_agentId)));
        using (output)
        {
            var orphan = await output.ReadProcess();
            await Record(child.Identity);
            await Shell.Exit(child);

            await Reconcile();

            orphan.IsRunning.ShouldBeFalse();
            await ShouldBeQueuedAgain(task);
        }
    }

    [Test]
    [Arguments(-1)]
    [Arguments(1)]
    public async Task A_stranger_with_the_pid_on_record_is_left_alone(int startedEarlier)
    {
        var task = await _board.Spawn(_agentId);
        var stranger = Start("COLIBRI_AGENT_ID=somebody-else");
        await Record(stranger.Identity with { StartTime = stranger.Identity.StartTime + startedEarlier });

        await Reconcile();

        stranger.Identity.IsRunning.ShouldBeTrue();
        await End(stranger);
        await ShouldBeQueuedAgain(task);
        Found.ShouldBe(0);
        _logger.Of(434).ShouldHaveSingleItem().ShouldContain($"pid {stranger.Pid}, on record for agent {_agentId}");
    }

    [Test]
    public async Task A_process_of_another_boot_is_left_alone()
    {
        var task = await _board.Spawn(_agentId);
        var stranger = Start("COLIBRI_AGENT_ID=somebody-else");
        await Record(stranger.Identity with { BootId = "an-earlier-boot" });
        await Reconcile();
        stranger.Identity.IsRunning.ShouldBeTrue();
        await End(stranger);
        await ShouldBeQueuedAgain(task);
    }

    [Test]
    public async Task A_process_that_never_got_on_record_is_found_by_its_marker()
    {
        var task = await _board.Spawn(_agentId);
        var child = Start(AgentMarker.For(_agentId));
        var stranger = Start("COLIBRI_AGENT_ID=somebody-else");
        Shell.Until(() => ProcessTree.FindByMarker(AgentMarker.For(_agentId)).Contains(child.Identity), "the marker is to be seen");

        await Reconcile();

        (await Shell.Exit(child)).Signal.ShouldBe(Signals.Term);
        stranger.Identity.IsRunning.ShouldBeTrue();
        await End(stranger);
        await ShouldBeQueuedAgain(task);
    }

    [Test]
    public async Task A_process_that_ignores_the_request_is_killed()
    {
        var task = await _board.Spawn(_agentId);
        var (child, output) = Shell.Start(Shell.Options("trap '' TERM; echo ready; while :; do sleep 1; done", AgentMarker.For(_agentId)));
        using (output)
        {
            await output.ReadLine();
            await Record(child.Identity);
            await Reconcile();
            (await Shell.Exit(child)).Signal.ShouldBe(Signals.Kill);
            await ShouldBeQueuedAgain(task);
        }
    }

    /// <summary>A reboot cuts a run short as a kill does: what makes the host fall is poison too.</summary>
    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_task_under_which_daemons_end_one_after_another_is_held_and_that_is_logged(bool byReboot)
    {
        var task = await _board.Create(maxAttempts: 1);
        for (var end = 1; end <= 3; end++)
        {
            await _board.Spawn($"agent-{end}", task);
            await _board.Board.ProcessStartedAsync($"agent-{end}", 1, 1, byReboot ? "an-earlier-boot" : BootId.Current);
            await _board.Reopen();
            await Reconcile();
        }
        (await _board.Get(task)).ShouldSatisfyAllConditions(
            t => (t.Status, t.Held, t.Interruptions, t.Attempts, t.Error?.Code).ShouldBe((TaskState.Queued, true, 3, 0, "poison")));
        _logger.Of(460).ShouldHaveSingleItem().ShouldContain($"colibri release-task {task.Id}");
        _logger.Of(407).Count.ShouldBe(2);
    }

    [Test]
    public async Task A_cancelled_task_stays_cancelled()
    {
        var task = await _board.Spawn(_agentId);
        var child = Start(AgentMarker.For(_agentId));
        await Record(child.Identity);
        await _board.Board.CancelAsync(task.Id);
        await Reconcile();
        await Shell.Exit(child);
        (await _board.Board.GetAsync(task.Id))!.Status.ShouldBe(TaskState.Cancelled);
        (await _board.Board.LiveSpawnsAsync()).ShouldBeEmpty();
    }

    [Test]
    public async Task A_claim_under_a_name_nobody_registered_is_released_and_a_registered_agents_is_kept()
    {
        var unknown = await _board.Create();
        await _board.Board.ClaimAsync(unknown.Id, "somebody");
        var known = await _board.Create();
        var agent = await _board.Board.RegisterAgentAsync("outside", [], "clawdie");
        await _board.Board.ClaimAsync(known.Id, agent.Id);

        await Reconcile();

        (await _board.Board.GetAsync(unknown.Id))!.Status.ShouldBe(TaskState.Queued);
        (await _board.Board.GetAsync(known.Id))!.Status.ShouldBe(TaskState.Claimed);
    }

    [Test]
    public async Task What_left_parent_group_and_environment_behind_is_found_in_its_cgroup()
    {
        var own = RealCgroups.Own();
        _cgroups = new AgentCgroups(own, null, TimeProvider.System, _logger);
        var task = await _board.Spawn(_agentId);
        var cgroup = own.Create($"colibri-{_agentId}");
        // An older root that may have left it, for all that the process table says.
        var other = Start("COLIBRI_AGENT_ID=somebody-else");
        var (child, output) = Shell.Start(Shell.Options(RealCgroups.Escaping(cgroup), AgentMarker.For(_agentId)) with { Cgroup = cgroup });
        using (output)
        {
            var orphan = await output.ReadProcess();
            await Record(child.Identity);
            await Shell.Exit(child);
            ProcessTree.FindByMarker(AgentMarker.For(_agentId)).ShouldBeEmpty();

            await Reconcile();

            orphan.IsRunning.ShouldBeFalse();
            other.Identity.IsRunning.ShouldBeTrue();
            Directory.Exists(cgroup.Path).ShouldBeFalse();
            await End(other);
            await ShouldBeQueuedAgain(task);
            Found.ShouldBe(1);
        }
    }

    [Test]
    public async Task A_cgroup_is_removed_if_its_agent_has_ended_and_left_alone_if_nobody_knows_the_agent()
    {
        var own = RealCgroups.Own();
        _cgroups = new AgentCgroups(own, null, TimeProvider.System, _logger);
        await _board.Spawn(_agentId);
        await _board.Board.EndSpawnAsync(_agentId, new RunEnd { AgentId = "", Ending = RunEnding.Interrupted, Verdict = "interrupted" });
        var known = own.Create($"colibri-{_agentId}");
        var unknown = own.Create($"colibri-{Guid.NewGuid()}");
        var stranger = SharedChildren.Instance.Spawn(Shell.Options(Sleeper) with { Cgroup = unknown });
        try
        {
            await Reconcile();
            Directory.Exists(known.Path).ShouldBeFalse();
            stranger.Identity.IsRunning.ShouldBeTrue();
            unknown.IsPopulated.ShouldBeTrue();
        }
        finally
        {
            await End(stranger);
            Shell.Until(unknown.TryRemove, "the other cgroup is removed");
        }
    }

    [Test]
    [MethodDataSource(nameof(Failures))]
    public async Task A_strangers_environment_that_cannot_be_read_keeps_nothing_from_being_put_in_order(EnvironmentStep step, int errno)
    {
        var recorded = await _board.Spawn(_agentId);
        var child = Start(AgentMarker.For(_agentId));
        await Record(child.Identity);
        var unrecordedAgent = Guid.NewGuid().ToString();
        var unrecorded = await _board.Spawn(unrecordedAgent);
        var stranger = Start("COLIBRI_AGENT_ID=somebody-else");
        var (left, output) = Shell.Start(Shell.Options("(env -i setsid sh -c 'echo $$; exec sleep 300' &)"));
        using (output)
        {
            var orphan = await output.ReadProcess();
            await Shell.Exit(left);
            using (var failing = new FailingEnvironment(orphan.Pid, step, errno))
            {
                await Reconcile();
                failing.Failed.ShouldBeGreaterThan(0);
            }
            (await Shell.Exit(child)).Signal.ShouldBe(Signals.Term);
            orphan.IsRunning.ShouldBeTrue();
            Colibri.Posix.Trees.ProcessSignal.Send(orphan, Signals.Kill).ShouldBeTrue();
        }
        await End(stranger);
        await ShouldBeQueuedAgain(recorded);
        await ShouldBeQueuedAgain(unrecorded);
    }

    public static List<(EnvironmentStep, int)> Failures() => FailingEnvironment.Failures();

    private int Found => _logger.Of(406).Count;

    private static ChildProcess Start(string marker)
    {
        var child = SharedChildren.Instance.Spawn(Shell.Options(Sleeper, marker));
        child.Identity.IsRunning.ShouldBeTrue();
        return child;
    }

    [Test]
    public async Task Where_processes_cannot_be_seen_a_task_is_held_until_nobody_has_the_pid()
    {
        var task = await _board.Spawn(_agentId);
        var child = Start(AgentMarker.For(_agentId));
        await Record(child.Identity with { StartTime = 0, BootId = "unknown" });

        await Reconcile(processesCanBeSeen: false);

        child.Identity.IsRunning.ShouldBeTrue();
        (await _board.Board.GetAsync(task.Id))!.Status.ShouldBe(TaskState.Started);
        _logger.Of(435).ShouldHaveSingleItem().ShouldContain($"pid {child.Pid}, may still run");
        await End(child);
        Shell.Until(() => _board.Board.GetAsync(task.Id).GetAwaiter().GetResult()!.Status == TaskState.Queued, "its task is queued again");
        await ShouldBeQueuedAgain(task);
    }

    [Test]
    public async Task A_board_that_cannot_be_written_holds_the_tasks_until_it_can()
    {
        var (task, other) = (await _board.Spawn(_agentId), await _board.Spawn("another"));
        var child = Start(AgentMarker.For(_agentId));
        await Record(child.Identity);
        using (Refuse())
        {
            await Reconcile();

            (await Shell.Exit(child)).Signal.ShouldBe(Signals.Term);
            foreach (var held in (BoardTask[])[task, other])
                (await _board.Get(held)).AgentId.ShouldBe(held.AgentId);
            (await _board.Board.LiveSpawnsAsync()).Count.ShouldBe(2);
            _reconciler!.Status.ShouldNotBeNull().ShouldSatisfyAllConditions(s => s.Runs.ShouldBe(2), s => s.Reason.ShouldNotBeNull().ShouldContain("cannot be used now"));
        }
        Shell.Until(() => _reconciler.Status is null, "both runs are closed once the board can be written");
        foreach (var held in (BoardTask[])[task, other])
            (await _board.Get(held)).ShouldSatisfyAllConditions(t => t.Status.ShouldBe(TaskState.Queued), t => t.Attempts.ShouldBe(0), t => t.Verdict.ShouldBe("interrupted"));
        (await _board.Board.LiveSpawnsAsync()).ShouldBeEmpty();
        _logger.Of(436).ShouldHaveSingleItem("it is told once, not for each run and try");
        _logger.Of(407).Count.ShouldBe(2);
    }

    [Test]
    public async Task A_run_that_is_closed_later_waits_for_the_board_as_well()
    {
        var task = await _board.Spawn(_agentId);
        var child = Start(AgentMarker.For(_agentId));
        await Record(child.Identity with { StartTime = 0, BootId = "unknown" });
        await Reconcile(processesCanBeSeen: false);
        using (Refuse())
        {
            await End(child);
            Shell.Until(() => _logger.Of(436).Count == 1, "the board refuses");
            (await _board.Get(task)).Status.ShouldBe(TaskState.Started);
        }
        Shell.Until(() => _reconciler!.Status is null, "the run is closed once the board can be written");
        await ShouldBeQueuedAgain(task);
    }

    [Test]
    [Arguments(0)]
    [Arguments(-48)]
    [Arguments(48)]
    public async Task Claims_of_nobody_are_released_when_the_board_can_be_written_and_those_made_since_are_kept(int hours)
    {
        var (before, since) = (await _board.Create(), await _board.Create());
        await _board.Board.ClaimAsync(before.Id, "somebody");
        await _board.Reopen();
        _board.Time.Now += TimeSpan.FromMinutes(1);
        using (Refuse())
            await Reconcile();
        // The daemon answers by now. The clock may have been set meanwhile.
        _board.Time.SetClock(TimeSpan.FromHours(hours));
        _board.Time.Now += TimeSpan.FromMinutes(1);
        await _board.Board.ClaimAsync(since.Id, "somebody-else");

        Shell.Until(() => _board.Board.GetAsync(before.Id).GetAwaiter().GetResult()!.Status == TaskState.Queued, "the old claim is released");
        (await _board.Get(since)).Status.ShouldBe(TaskState.Claimed);
    }

    [Test]
    public async Task A_daemon_that_stops_does_not_wait_for_the_board()
    {
        await _board.Spawn(_agentId);
        using (Refuse())
        {
            await Reconcile();
            await _reconciler!.DisposeAsync().AsTask().WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        }
        _reconciler = null;
        (await _board.Board.LiveSpawnsAsync()).ShouldHaveSingleItem("the next daemon closes it");
    }

    [Test]
    public async Task A_daemon_that_stops_does_not_wait_for_what_ignores_the_request_to_end()
    {
        var task = await _board.Spawn(_agentId);
        var (child, output) = Shell.Start(Shell.Options("trap '' TERM; echo ready; while :; do sleep 1; done", AgentMarker.For(_agentId)));
        using (output)
        {
            await output.ReadLine();
            await Record(child.Identity);
            // No grace ends on a clock that stands still, and SIGKILL is never due.
            _reconciler = new LeftoverReconciler(_board.Board, _cgroups, null, new FakeTime(), _logger);
            var running = _reconciler.RunAsync();
            Shell.Until(() => Found == 1, "the process is found");

            await _reconciler.DisposeAsync().AsTask().WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);

            running.IsCompletedSuccessfully.ShouldBeTrue("the daemon's end waits for it, and it ends at once");
            child.Identity.IsRunning.ShouldBeTrue();
            await End(child);
        }
        _reconciler = null;
        (await _board.Get(task)).Status.ShouldBe(TaskState.Started, "the next daemon puts it in order");
        (await _board.Board.LiveSpawnsAsync()).ShouldHaveSingleItem();
    }

    private static async Task End(ChildProcess child)
    {
        child.Signal(Signals.Kill);
        await Shell.Exit(child);
    }

    private Task<BoardTask?> Record(ProcessIdentity identity) => _board.Board.ProcessStartedAsync(_agentId, identity.Pid, identity.StartTime, identity.BootId);

    private Task Reconcile(bool processesCanBeSeen = true)
    {
        _reconciler = new LeftoverReconciler(_board.Board, _cgroups, null, new Clock(_board.Time), _logger) { ProcessesCanBeSeen = processesCanBeSeen };
        return _reconciler.RunAsync().WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
    }

    /// <summary>Until it is disposed, the board cannot be written; it can be read.</summary>
    private SqliteConnection Refuse()
    {
        _ = _board.Board;
        var other = new SqliteConnection($"Data Source={_board.Path};Pooling=False");
        other.Open();
        using var command = other.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.ExecuteNonQuery();
        return other;
    }

    private async Task ShouldBeQueuedAgain(BoardTask task)
    {
        var queued = (await _board.Board.GetAsync(task.Id))!;
        (queued.Status, queued.Attempts, queued.AgentId, queued.Verdict, queued.Interruptions).ShouldBe((TaskState.Queued, 0, null, "interrupted", 1));
        (await _board.Board.LiveSpawnsAsync()).ShouldBeEmpty();
        (await _board.Board.RunsAsync(task.Id)).ShouldHaveSingleItem().Verdict.ShouldBe("interrupted");
    }

    /// <summary>Goes on from the board's instant, where that one stands still, so that graces end and leases do not.</summary>
    private sealed class Clock(TimeProvider start) : TimeProvider
    {
        private readonly DateTimeOffset _start = start.GetUtcNow();
        private readonly long _since = System.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => _start + System.GetElapsedTime(_since);
    }
}
