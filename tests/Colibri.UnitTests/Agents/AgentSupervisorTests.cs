using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Processes;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Cgroups;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents;

[NotInParallel]
public sealed class AgentSupervisorTests : IAsyncDisposable
{
    private readonly SupervisorFixture _fixture = new(maxAgents: 2);

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    public async Task A_run_that_goes_well_is_done_with_its_usage()
    {
        var task = await _fixture.Create("mend the roof", "before it rains");
        var done = await _fixture.RunToEnd(SupervisorFixture.LifeCycle, task);

        (done.Status, done.Verdict, done.Error, done.Attempts).ShouldBe((TaskState.Done, "done", null, 1));
        done.Usage.ShouldBe(new Usage { InputTokens = 10, OutputTokens = 5, CacheReadTokens = 2, CacheWriteTokens = 1, CostMicrocents = 100_000 });
        _fixture.Changes.Select(change => change.Status).ShouldBe([TaskState.Queued, TaskState.Claimed, TaskState.Started, TaskState.Done]);
        var run = await _fixture.OnlyRun(task);
        run.Exit.ShouldBe(new ProcessExit(Code: 0));
        (run.Pid, run.Binary, run.Arguments[^1]).ShouldBe((run.Pid, "/usr/bin/sh", "mend the roof\n\nbefore it rains"));
        run.Pid.ShouldNotBeNull();

        var pane = _fixture.Supervisor.Panes.Snapshot().ShouldHaveSingleItem();
        (pane.Lifecycle, pane.Activity, pane.HarnessSessionId, pane.TaskId).ShouldBe((Lifecycle.Stopped, Activity.Done, "harness-1", task.Id));
        var entries = _fixture.Sessions.Read(done.SessionId!, all: true)!.Entries;
        entries.Where(entry => entry.Text is not null).Select(entry => (entry.Kind, entry.Text)).ShouldBe(
        [
            (SessionEntryKind.User, "mend the roof\n\nbefore it rains"),
            (SessionEntryKind.Assistant, "mended"),
            (SessionEntryKind.Note, "run ended: done"),
        ]);
        entries.ShouldContain(entry => entry.Kind == SessionEntryKind.Usage);
        _fixture.Supervisor.TotalUsage.ShouldBe(done.Usage);
    }

    [Test]
    public async Task An_exit_0_without_one_event_is_a_failure_and_tried_again_after_a_back_off()
    {
        var task = await _fixture.Create();
        var before = DateTimeOffset.UtcNow;
        var queued = await _fixture.RunToEnd("echo 'no key' >&2; exit 0", task);

        (queued.Status, queued.Verdict, queued.Error?.Code, queued.Attempts).ShouldBe((TaskState.Queued, "no-result", "no-result", 1));
        queued.Error!.Message.ShouldEndWith(": no key");
        queued.NotBefore.ShouldNotBeNull().ShouldBeInRange(before.AddMilliseconds(-1), DateTimeOffset.UtcNow.AddSeconds(1));
        (await _fixture.OnlyRun(task)).StderrTail.ShouldBe("no key\n");
    }

    [Test]
    public async Task A_time_that_the_provider_states_is_waited_for_where_no_route_keeps_it()
    {
        var task = await _fixture.Create();
        var resets = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 3600);
        var queued = await RunAsClaude(task, $$$"""
            cat <<'END'
            {"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":{{{resets.ToUnixTimeSeconds()}}},"rateLimitType":"five_hour"}}
            {"type":"result","subtype":"success","is_error":true,"api_error_status":429,"result":"You've hit your 5-hour limit"}
            END
            exit 1
            """);

        (queued.Status, queued.Error?.Message, queued.NotBefore).ShouldBe((TaskState.Queued, "You've hit your 5-hour limit", resets));
    }

    [Test]
    public async Task A_time_that_the_provider_states_is_nothing_to_a_run_that_failed_for_another_reason()
    {
        var task = await _fixture.Create();
        var queued = await RunAsClaude(task, """
            cat <<'END'
            {"type":"system","subtype":"api_retry","attempt":1,"retry_delay_ms":3600000,"error_status":429}
            END
            exit 1
            """);

        queued.Error!.Code.ShouldBe("exit-code");
        queued.NotBefore.ShouldNotBeNull().ShouldBeLessThan(DateTimeOffset.UtcNow.AddSeconds(2));
    }

    [Test]
    public async Task A_long_lived_agent_that_refuses_its_prompt_fails_the_run_with_its_own_words()
    {
        var task = await _fixture.Create(maxAttempts: 1);
        var failed = await RunRpcToEnd(
            """read -r line; echo '{"id":"1","type":"response","command":"prompt","success":false,"error":"No API key found"}'; cat >/dev/null""", task);

        (failed.Status, failed.Error).ShouldBe((TaskState.Failed, new TaskError("agent-error", "No API key found")));
    }

    [Test]
    public async Task A_run_whose_end_is_never_called_settled_is_over_when_nothing_follows()
    {
        var task = await _fixture.Create(maxAttempts: 1);
        var done = await RunRpcToEnd(
            """
            read -r line
            echo '{"type":"agent_start"}'
            echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"ok"}],"stopReason":"stop"}}'
            echo '{"type":"agent_end","messages":[]}'
            cat >/dev/null
            """,
            task);

        (done.Status, done.Verdict).ShouldBe((TaskState.Done, "done"));
    }

    [Test]
    public async Task An_agent_that_closes_its_output_and_stays_is_stopped()
    {
        var task = await _fixture.Create(maxAttempts: 1);
        var failed = await _fixture.RunToEnd("""echo '{"type":"agent_start"}'; exec >&- 2>&-; exec sleep 600""", task);

        (failed.Status, failed.Error).ShouldBe((TaskState.Failed, new TaskError("stopped", "closed its standard output and stayed; it was stopped")));
    }

    [Test]
    public async Task A_stopped_agent_keeps_its_pane_and_lets_go_of_its_prompt()
    {
        var task = await _fixture.Create("a title", new string('x', 100_000));
        var agent = await _fixture.Spawn(SupervisorFixture.LifeCycle, task);
        await SupervisorFixture.End(agent);

        agent.HoldsPrompt.ShouldBeFalse();
        (agent.ToPane().Lifecycle, agent.ToPane().TaskId).ShouldBe((Lifecycle.Stopped, task.Id));
        (await _fixture.OnlyRun(task)).Arguments[^1].Length.ShouldBeGreaterThan(100_000);
    }

    [Test]
    public async Task The_program_as_found_and_its_arguments_are_in_the_log_and_on_record()
    {
        var task = await _fixture.Create();
        var agent = await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request("exit 3", task) with { Provider = "openai", Model = "m-1" });
        var pid = agent.ToPane().Pid;
        await SupervisorFixture.End(agent);

        var run = await _fixture.OnlyRun(task);
        (run.Binary, run.Provider, run.Model, run.Pid).ShouldBe(("/usr/bin/sh", "openai", "m-1", pid));
        run.Arguments.ShouldBe(["-c", "exit 3", "--provider", "openai", "--model", "m-1", "mend the roof"]);
        const string Line = "/usr/bin/sh -c exit 3 --provider openai --model m-1 mend the roof";
        _fixture.Supervisor.CommandLineOf(run).ShouldBe(Line);
        _fixture.Logger.Of(400).ShouldBe([$"agent {agent.Id} (sh) started, pid {pid}: {Line}"]);
    }

    [Test]
    public async Task An_agent_has_a_cgroup_of_its_own_until_nothing_of_it_is_left()
    {
        var own = RealCgroups.Own();
        await using var fixture = new SupervisorFixture(cgroups: own);
        await fixture.SpawnWorking();
        var file = fixture.PathOf("stray");
        var agent = await fixture.Spawn(
            $"until grep -q /colibri- /proc/self/cgroup; do :; done; (env -i setsid sh -c 'echo $$ >{file}; exec sleep 300' &); "
            + $"until [ -s {file} ]; do :; done; {SupervisorFixture.Working}");
        Shell.Until(() => agent.ToPane().Activity == Activity.Working, "the agent works");
        var cgroup = own.Open($"colibri-{agent.Id}").ShouldNotBeNull();
        cgroup.Processes().Count.ShouldBe(2);
        ProcessIdentity.TryRead(int.Parse(await File.ReadAllTextAsync(file, TestContext.Current!.Execution.CancellationToken), System.Globalization.CultureInfo.InvariantCulture), out var stray).ShouldBeTrue();

        fixture.Supervisor.TryStop(agent.Id, TimeSpan.FromSeconds(10));
        await SupervisorFixture.End(agent);

        stray.IsRunning.ShouldBeFalse();
        Directory.Exists(cgroup.Path).ShouldBeFalse();
    }

    [Test]
    public async Task Where_no_cgroup_can_be_made_agents_run_without_and_that_is_told_once()
    {
        await using var fixture = new SupervisorFixture(cgroups: new OwnCgroup("/proc/self"));
        foreach (var title in new[] { "one", "two" })
            (await fixture.RunToEnd(SupervisorFixture.LifeCycle, await fixture.Create(title))).Status.ShouldBe(TaskState.Done);
        fixture.Logger.Of(432).ShouldHaveSingleItem().ShouldContain("/proc/self/colibri-AGENT_ID");
        fixture.Cgroups!.Status!.Reason!.ShouldContain("/proc/self/colibri-AGENT_ID");
    }

    [Test]
    public async Task The_last_attempt_that_fails_fails_the_task()
    {
        var failed = await _fixture.RunToEnd("exit 3", await _fixture.Create(maxAttempts: 1));
        (failed.Status, failed.Verdict, failed.Error?.Code, failed.NotBefore).ShouldBe((TaskState.Failed, "exit-code", "exit-code", null));
    }

    [Test]
    public async Task A_program_that_is_not_there_is_refused_with_where_it_was_searched_and_costs_the_task_nothing()
    {
        var task = await _fixture.Create();
        var refusal = await Should.ThrowAsync<SpawnRefusedException>(
            () => _fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = "no-such-agent", TaskId = task.Id }));

        refusal.Refusal.ShouldBe(SpawnRefusal.ProgramUnusable);
        refusal.Message.ShouldMatch("^cannot find an executable 'no-such-agent' in the [0-9]+ directories of the daemon's search path; give its path$");
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Queued);
        (await _fixture.Get(task)).Attempts.ShouldBe(0);
        (await _fixture.Board.LiveSpawnsAsync()).ShouldBeEmpty();
        (_fixture.Supervisor.Running, _fixture.Supervisor.Panes.Snapshot().Count).ShouldBe((0, 0));
    }

    [Test]
    [Arguments(true)]
    [Arguments(false)]
    public async Task A_program_that_is_there_and_cannot_be_executed_fails_the_task_and_says_why(bool byName)
    {
        var program = _fixture.PathOf("plain-agent");
        await File.WriteAllTextAsync(program, "#!/bin/sh\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead);
        var task = await _fixture.Create();
        var refusal = await Should.ThrowAsync<SpawnRefusedException>(
            () => _fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = byName ? "plain-agent" : program, TaskId = task.Id }));

        refusal.Refusal.ShouldBe(SpawnRefusal.ProgramUnusable);
        refusal.Message.ShouldBe($"cannot start {program}: Permission denied (EACCES); it is not executable (mode 400): chmod +x {program}");
        var failed = await _fixture.Get(task);
        (failed.Status, failed.Error?.Code, failed.Error?.Message).ShouldBe((TaskState.Failed, "spawn-failed", refusal.Message));
        _fixture.Supervisor.FreeSlots.ShouldBe(2);
    }

    [Test]
    [Arguments("cwd")]
    [Arguments("environment")]
    [Arguments("not a program")]
    public async Task What_the_system_refuses_to_start_leaves_nothing_open(string trouble)
    {
        var task = await _fixture.Create();
        var request = SupervisorFixture.Request("exit 0", task);
        var text = _fixture.PathOf("text");
        await File.WriteAllTextAsync(text, "no program", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(text, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        request = trouble switch
        {
            "cwd" => request with { Cwd = _fixture.PathOf("nowhere") },
            "environment" => request with { Environment = new Dictionary<string, string> { ["A=B"] = "c" } },
            _ => request with { Binary = text },
        };

        var refusal = await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Supervisor.SpawnAsync(request));
        refusal.Refusal.ShouldBe(SpawnRefusal.ProgramUnusable);

        var error = (await _fixture.Get(task)).Error.ShouldNotBeNull();
        (error.Code, error.Message).ShouldBe(("spawn-failed", refusal.Message));
        error.Message.ShouldContain(trouble switch { "cwd" => _fixture.PathOf("nowhere"), "environment" => "A=B", _ => text });
        (await _fixture.Board.LiveSpawnsAsync()).ShouldBeEmpty();
        _fixture.Supervisor.FreeSlots.ShouldBe(2);
    }

    [Test]
    public async Task An_agent_asked_to_stop_is_gone_and_its_run_stopped()
    {
        var task = await _fixture.Create();
        var agent = await _fixture.SpawnWorking(task);
        ProcessIdentity.TryRead(agent.ToPane().Pid!.Value, out var process).ShouldBeTrue();

        _fixture.Supervisor.TryStop(agent.Id, TimeSpan.FromSeconds(10)).ShouldBeSameAs(agent);
        await SupervisorFixture.End(agent);

        process.IsRunning.ShouldBeFalse();
        var run = await _fixture.OnlyRun(task);
        (run.Verdict, run.Error?.Code, run.Exit?.Signal).ShouldBe(("stopped", "stopped", Signals.Term));
        (await _fixture.Get(task)).Verdict.ShouldBe("stopped");
        _fixture.Supervisor.TryStop("nobody", TimeSpan.Zero).ShouldBeNull();
    }

    [Test]
    [Arguments(true, TaskState.Done, "done", null)]
    [Arguments(false, TaskState.Failed, "exit-unknown", "ended, and its exit status was lost, after agent_start")]
    public async Task An_agent_whose_exit_status_is_lost_is_judged_by_its_events(bool hasFinished, TaskState state, string verdict, string? message)
    {
        var task = await _fixture.Create(maxAttempts: 1);
        var agent = await _fixture.Spawn(hasFinished ? $"{SupervisorFixture.LifeCycle}\nexec sleep 300" : SupervisorFixture.Working, task);
        Shell.Until(() => agent.ToPane().LastEvent == (hasFinished ? "agent_settled" : "agent_start"), "it has said all that it will");
        Stolen.Take(SharedChildren.Instance.Known().Single(child => child.Pid == agent.ToPane().Pid));

        await SupervisorFixture.End(agent);

        var ended = await _fixture.Get(task);
        (ended.Status, ended.Verdict, ended.Error?.Message).ShouldBe((state, verdict, message));
        (await _fixture.OnlyRun(task)).Exit.ShouldBeNull();
        agent.ToWire().Exit.ShouldBe(new ProcessExit());
        _fixture.Supervisor.Running.ShouldBe(0);
    }

    [Test]
    public async Task An_agent_that_ignores_the_request_is_killed_when_its_grace_is_over()
    {
        var agent = await _fixture.Spawn("""trap '' TERM; echo '{"type":"agent_start"}'; while :; do sleep 1; done""");
        Shell.Until(() => agent.ToPane().Activity == Activity.Working, "the agent works");
        _fixture.Supervisor.TryStop(agent.Id, TimeSpan.FromMinutes(5));
        _fixture.Supervisor.TryStop(agent.Id, TimeSpan.FromMilliseconds(50));
        await SupervisorFixture.End(agent);
        agent.ToWire().Exit.ShouldBe(new ProcessExit(Signal: Signals.Kill));
    }

    [Test]
    public async Task The_agent_of_a_cancelled_task_ends_and_the_task_stays_cancelled()
    {
        var task = await _fixture.Create();
        var agent = await _fixture.SpawnWorking(task);
        (await _fixture.Board.CancelAsync(task.Id)).Outcome.ShouldBe(EdgeOutcome.Applied);
        _fixture.Supervisor.FindByTask(task.Id).ShouldBeSameAs(agent);
        _fixture.Supervisor.TryStop(agent.Id, TimeSpan.FromSeconds(10));
        await SupervisorFixture.End(agent);
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Cancelled);
        (await _fixture.OnlyRun(task)).FinishedAt.ShouldNotBeNull();
        _fixture.Supervisor.FindByTask(task.Id).ShouldBeNull();
    }

    [Test]
    public async Task A_task_cancelled_while_its_agent_starts_ends_the_agent()
    {
        var task = await _fixture.Create();
        // In the writer's queue before the process can be put on record.
        _fixture.TaskChanged = change => _ = change.Status == TaskState.Claimed ? _fixture.Board.CancelAsync(task.Id) : null;
        await SupervisorFixture.End(await _fixture.Spawn(SupervisorFixture.Working, task));
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Cancelled);
    }

    [Test]
    public async Task What_an_agent_leaves_behind_is_gone_before_its_task_is_done()
    {
        var task = await _fixture.Create();
        var file = _fixture.PathOf("strays");
        var alive = new List<bool>();
        _fixture.TaskChanged = change =>
        {
            if (change.Status == TaskState.Done)
                alive.AddRange(File.ReadAllLines(file).Select(pid => Directory.Exists($"/proc/{pid}")));
        };
        var script = $"(sleep 300 </dev/null >/dev/null 2>&1 & echo $! >>{file}); setsid sh -c 'echo $$ >>{file}; exec sleep 300' & "
            + $"until [ \"$(wc -l <{file})\" = 2 ]; do :; done\n{SupervisorFixture.LifeCycle}";

        (await _fixture.RunToEnd(script, task)).Status.ShouldBe(TaskState.Done);

        alive.ShouldBe([false, false]);
    }

    [Test]
    public async Task A_long_lived_agent_gets_its_prompt_as_a_line_and_is_let_go_when_it_has_settled()
    {
        var task = await _fixture.Create("say \"hé\"");
        var file = _fixture.PathOf("prompt");
        var request = SupervisorFixture.Request($"IFS= read -r line; printf '%s' \"$line\" >{file}\n{SupervisorFixture.LifeCycle}\ncat >/dev/null", task);

        await SupervisorFixture.End(await _fixture.Supervisor.SpawnAsync(request with { Rpc = true }));

        using var prompt = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current!.Execution.CancellationToken));
        prompt.RootElement.GetProperty("type").GetString().ShouldBe("prompt");
        prompt.RootElement.GetProperty("message").GetString().ShouldBe("say \"hé\"");
        var run = await _fixture.OnlyRun(task);
        (run.Verdict, run.Exit).ShouldBe(("done", new ProcessExit(Code: 0)));
    }

    [Test]
    public async Task An_agent_finds_who_it_is_in_its_environment()
    {
        var task = await _fixture.Create();
        var file = _fixture.PathOf("environment");
        var request = SupervisorFixture.Request($"env >{file}", task) with
        {
            Environment = new Dictionary<string, string> { ["COLIBRI_AGENT_ID"] = "somebody-else", ["GREETING"] = "hé" },
        };
        var agent = await _fixture.Supervisor.SpawnAsync(request);
        await SupervisorFixture.End(agent);
        var variables = await File.ReadAllLinesAsync(file, TestContext.Current!.Execution.CancellationToken);
        variables.Where(line => line.StartsWith("COLIBRI_", StringComparison.Ordinal) || line.StartsWith("GREETING", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ShouldBe(
        [
            $"COLIBRI_AGENT_ID={agent.Id}",
            $"COLIBRI_DAEMON_SOCKET={_fixture.PathOf("colibri.sock")}",
            $"COLIBRI_SESSION_ID={agent.SessionId}",
            $"COLIBRI_TASK_ID={task.Id}",
            "GREETING=hé",
        ]);
    }

    [Test]
    public async Task Stopping_all_interrupts_the_runs_and_gives_their_attempts_back()
    {
        BoardTask[] tasks = [await _fixture.Create(maxAttempts: 1), await _fixture.Create(maxAttempts: 1)];
        foreach (var task in tasks)
            await _fixture.SpawnWorking(task);

        await _fixture.Supervisor.StopAllAsync(TimeSpan.FromSeconds(10)).WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);

        foreach (var task in tasks)
        {
            var queued = await _fixture.Get(task);
            (queued.Status, queued.Attempts, queued.Interruptions, queued.Held, queued.Verdict).ShouldBe((TaskState.Queued, 0, 0, false, "interrupted"));
            (queued.NotBefore ?? queued.UpdatedAt).ShouldBeInRange(queued.UpdatedAt, queued.UpdatedAt.AddSeconds(1), "a task is not started twice within half a second");
        }
        (_fixture.Supervisor.Running, _fixture.Supervisor.FreeSlots).ShouldBe((0, 0));
        (await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Spawn("exit 0"))).Refusal.ShouldBe(SpawnRefusal.Stopping);
    }

    [Test]
    public async Task No_more_agents_run_than_there_are_slots()
    {
        var freed = 0;
        _fixture.Supervisor.SlotFreed += () => Interlocked.Increment(ref freed);
        var first = await _fixture.SpawnWorking();
        await _fixture.SpawnWorking();
        var task = await _fixture.Create();

        (await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Spawn("exit 0", task))).Refusal.ShouldBe(SpawnRefusal.NoSlot);
        (await _fixture.Get(task)).Status.ShouldBe(TaskState.Queued);
        (_fixture.Supervisor.Running, _fixture.Supervisor.FreeSlots).ShouldBe((2, 0));

        freed = 0;
        _fixture.Supervisor.TryStop(first.Id, TimeSpan.FromSeconds(10));
        await SupervisorFixture.End(first);
        (freed, _fixture.Supervisor.FreeSlots).ShouldBe((1, 1));
        (await _fixture.RunToEnd(SupervisorFixture.LifeCycle, task)).Status.ShouldBe(TaskState.Done);
    }

    [Test]
    public async Task A_task_that_another_has_is_a_conflict_and_frees_the_slot()
    {
        var task = await _fixture.Create();
        await _fixture.Board.ClaimAsync(task.Id, "somebody");
        (await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Spawn("exit 0", task))).Refusal.ShouldBe(SpawnRefusal.TaskConflict);
        (await Should.ThrowAsync<SpawnRefusedException>(() => _fixture.Spawn("exit 0", task with { Id = "none" }))).Refusal.ShouldBe(SpawnRefusal.TaskNotFound);
        _fixture.Supervisor.FreeSlots.ShouldBe(2);
        _fixture.Supervisor.Panes.Snapshot().ShouldBeEmpty();
    }

    private async Task<BoardTask> RunRpcToEnd(string script, BoardTask task)
    {
        await SupervisorFixture.End(await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(script, task) with { Rpc = true }));
        return await _fixture.Get(task);
    }

    private async Task<BoardTask> RunAsClaude(BoardTask task, string script)
    {
        await SupervisorFixture.End(await _fixture.Supervisor.SpawnAsync(SupervisorFixture.Request(script, task) with { Runtime = "claude" }));
        return await _fixture.Get(task);
    }
}
