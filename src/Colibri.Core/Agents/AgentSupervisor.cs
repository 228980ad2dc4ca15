using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Processes;
using Colibri.Core.Runs;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

/// <summary>Starts, counts and ends agents. Long because a start is told in one place, with all that refuses it.</summary>
public sealed class AgentSupervisor(SupervisorParts parts)
{
    /// <summary>The time between SIGTERM and SIGKILL, unless the request states another.</summary>
    public static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(5);

    private const int AbandonAttempts = 30;

    private static readonly TimeSpan AbandonPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StragglerLook = TimeSpan.FromMilliseconds(5);

    private readonly RetryBackoff _backoff = new(parts.BoardTime ?? parts.Time, Random.Shared);
    private readonly Confiner _confiner = new(parts.Configuration, parts.Programs, parts.JailHost, parts.Jails);
    private readonly RunStore _runs = parts.Runs;
    private readonly Registry _registry = parts.Registry;
    private readonly UsageTotal _ended = new();
    private int _running;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;

    /// <summary>A slot or a long-lived agent became free. Called on the thread that ended the agent, so it must not block.</summary>
    public event Action? SlotFreed;

    public PaneRegistry Panes { get; } = new();

    /// <summary>Agents that hold a slot, from before their process exists until its whole tree has ended and that is on disk.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Runs whose end is not on record: of agents that are still being ended, and those that a full disk left open while the daemon stopped.</summary>
    public int OpenRuns => Running + _runs.LeftOpen;

    public int FreeSlots => _stopping || parts.Budgets.IsHeld || DiskLow is not null ? 0 : Math.Max(0, parts.Configuration.MaxAgents - Running);

    /// <summary>When starts go on that the day's budget holds; null where it holds none.</summary>
    public DateTimeOffset? HeldUntil => parts.Budgets.State.LiftsAt;

    /// <summary>Why the disk guard holds starts, in a line for a person; null where it does not.</summary>
    public string? DiskLow => parts.Disk?.WhyHeld;

    /// <summary>Entries of agents that are in no session, those of living agents included.</summary>
    public long SessionEntriesDropped => parts.Sessions.EntriesDropped;

    /// <summary>Entries of a run that is under way which are in no session; 0 where none does its task.</summary>
    public long SessionEntriesDroppedBy(string agentId) => Panes.Find(agentId) is { HasEnded: false } agent ? agent.SessionEntriesDropped : 0;

    /// <summary>The living, and the last that stopped.</summary>
    public IReadOnlyList<SupervisedAgent> Agents => Panes.Agents;

    /// <summary>Over every agent since the daemon started.</summary>
    public Usage TotalUsage => Agents.Where(agent => !agent.HasEnded).Aggregate(_ended.Value, (sum, agent) => sum + agent.ToPane().Usage);

    /// <summary>Whether a program that is there may be started now, and does not rest: after crashing over and over, or after a start that lacked something.</summary>
    public bool MayStart(string binary) => parts.Programs.Find(binary) is not null && RestsUntil(binary) is null;

    /// <summary>Until when a program rests; null where it does not.</summary>
    public DateTimeOffset? RestsUntil(string binary)
    {
        if (parts.Programs.Find(binary) is not { } path)
            return null;
        var (crashed, lacked) = (parts.Breaker?.RestsUntil(path), parts.StartRests.RestsUntil(path));
        return crashed > lacked ? crashed : lacked ?? crashed;
    }

    /// <summary>Long-lived agents that have nothing to do and may be given a task; none while the day's budget or the disk guard holds starts.</summary>
    public IReadOnlyList<SupervisedAgent> AtRest => _stopping || parts.Budgets.IsHeld || DiskLow is not null ? [] : [.. Agents.Where(agent => agent.IsAtRest)];

    /// <summary>How many agents of a profile live.</summary>
    public int LivingOf(string profile) => Agents.Count(agent => !agent.HasEnded && agent.ProfileName == profile);

    public SupervisedAgent? FindByTask(string taskId) => Agents.FirstOrDefault(agent => agent.TaskId == taskId && !agent.HasEnded);

    /// <summary>What a run started, as the log shows it: long arguments are shortened, and no key stands in it.</summary>
    public string CommandLineOf(RunRow run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return new AgentCommandLine(run.Arguments, IsRpc: false).Describe(run.Binary, parts.Secrets);
    }

    /// <summary>Runs from before their agent's start until they are on disk; agents that live on without one do not count.</summary>
    public int RunsUnderWay => Math.Max(0, Running - Agents.Count(agent => agent.IsWithoutRun)) + _runs.LeftOpen;

    /// <summary>How many agents may run at once.</summary>
    public int MaxAgents => parts.Configuration.MaxAgents;

    /// <summary>The agents that live and take tasks of the queue, at rest or not.</summary>
    public IReadOnlyList<SupervisedAgent> TakingTasks => [.. Agents.Where(agent => agent.TakesTasks && !agent.HasEnded)];

    /// <summary>The path of a program to start now; null if there is none.</summary>
    public string? PathOf(string binary) => parts.Programs.Find(binary);

    /// <summary>Whether there is a program of that name or path to start now.</summary>
    public bool IsInstalled(string binary) => parts.Programs.Find(binary) is not null;

    /// <summary>Why a program that is there cannot be executed; null where it can, and where there is none.</summary>
    public string? WhyNot(string binary) => parts.Programs.WhyNot(binary);

    /// <summary>Why no agent can be confined so now; null where one can, as far as it shows without running a program.</summary>
    public string? WhyNotConfined(JailRequest jail) => _confiner.WhyNot(jail);

    /// <summary>How an agent of a request would be confined; null where it would not be. Nothing is made.</summary>
    /// <exception cref="SpawnRefusedException">It cannot be confined so; the message says why.</exception>
    public Task<ConfinementPlan?> PlanAsync(SpawnRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _confiner.PlanAsync(request.Jail, request.Environment.Keys);
    }

    /// <summary>Claims the task, where there is one, and starts the agent on it.</summary>
    /// <exception cref="SpawnRefusedException">Nothing was started. A claimed task whose program cannot start has failed, and says why.</exception>
    /// <exception cref="BoardUnavailableException">The disk refused, so nothing was started.</exception>
    public async Task<SupervisedAgent> SpawnAsync(SpawnRequest request)
    {
        // Take the slot before checking whether the daemon stops: a stop waits until every slot is free, so it waits for this start too.
        var running = Interlocked.Increment(ref _running);
        if (_stopping)
        {
            FreeSlot();
            throw new SpawnRefusedException(SpawnRefusal.Stopping, "the daemon is stopping and starts no more agents");
        }
        if (parts.Budgets.State is { Held: true } budget)
        {
            FreeSlot();
            throw new SpawnRefusedException(
                SpawnRefusal.BudgetSpent,
                $"the day's budget of {Dollars.Of(budget.DayMicrocents ?? 0)} is used up; starts go on at {budget.LiftsAt:yyyy-MM-dd'T'HH:mm'Z'}, or after: colibri budget lift");
        }
        if (DiskLow is { } low)
        {
            FreeSlot();
            throw new SpawnRefusedException(SpawnRefusal.DiskLow, low);
        }
        if (running > parts.Configuration.MaxAgents)
        {
            FreeSlot();
            throw new SpawnRefusedException(
                SpawnRefusal.NoSlot, $"{parts.Configuration.MaxAgents} agents are running, as many as may (COLIBRI_MAX_AGENTS); stop one or wait");
        }
        try
        {
            var agent = await StartAsync(request).ConfigureAwait(false);
            _ = Background.Run(parts.Logger, $"following agent {agent.Id}", FollowAsync(agent));
            return agent;
        }
        catch
        {
            FreeSlot();
            throw;
        }
    }

    /// <summary>Why no configured agent can take a task of this title and description; null where one can, or where none is configured.</summary>
    public string? WhyTooLong(string title, string description) => PromptRoom.Refusal(parts.Configuration, title, description);

    /// <summary>
    /// Asks an agent to end: standard input closed where it has one, SIGTERM to its tree, SIGKILL after the grace. Asking again can only
    /// shorten the grace.
    /// </summary>
    /// <returns>The agent, stopping or already stopped; null where it is not known.</returns>
    public SupervisedAgent? TryStop(string agentId, TimeSpan grace)
    {
        var agent = Panes.Find(agentId);
        agent?.RequestStop(StopCause.Requested, grace);
        return agent;
    }

    /// <summary>Stops all starts, ends all agents, and returns when every tree has ended and every run is on disk.</summary>
    public async Task StopAllAsync(TimeSpan grace)
    {
        _stopping = true;
        _stopped.TrySetResult();
        while (Running > 0)
        {
            // An agent whose start is under way is registered a moment later.
            var living = Agents.Where(agent => !agent.HasEnded).ToList();
            foreach (var agent in living)
                agent.RequestStop(StopCause.DaemonStopping, grace);
            await Task.WhenAll(living.Select(agent => agent.Ended)).ConfigureAwait(false);
            if (Running > 0)
                await Task.Delay(StragglerLook, parts.Time).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Runs a shell command that belongs to no run, such as the check of a merged change. It is on the board as an agent while it runs, so that the next
    /// daemon ends what a killed one leaves of it.
    /// </summary>
    /// <param name="command">The command.</param>
    /// <param name="directory">Where.</param>
    /// <param name="limit">Its time.</param>
    /// <param name="confine">How it is confined; null where it is not.</param>
    /// <exception cref="SpawnException">It cannot be started.</exception>
    /// <exception cref="SpawnRefusedException">It cannot be confined so, or the daemon stops.</exception>
    /// <exception cref="BoardUnavailableException">The disk refused, so nothing was started.</exception>
    internal async Task<CommandOutcome> ExecuteAsync(string command, string directory, TimeSpan limit, JailRequest? confine)
    {
        const string Shell = "/bin/sh";
        Interlocked.Increment(ref _running);
        try
        {
            if (_stopping)
                throw new SpawnRefusedException(SpawnRefusal.Stopping, "the daemon is stopping");
            var (id, session) = (Guid.CreateVersion7().ToString(), Guid.CreateVersion7().ToString());
            var plan = await _confiner.PlanAsync(confine, []).ConfigureAwait(false);
            var record = new AgentRecord { Name = "check", Runtime = "local", Binary = Shell, Cwd = directory, Host = parts.Configuration.Host };
            await _runs.BeginAsync(new RunStart { AgentId = id, SessionId = session, Agent = record, Arguments = (_, _) => ["-c", command] }).ConfigureAwait(false);
            try
            {
                var environment = parts.Environment.Build(
                    new SpawnRequest { Binary = Shell, Cwd = directory }, [], parts.Secrets.IsSecret, id, null, session, parts.Configuration.SocketPath);
                var start = new CommandStart(Shell, ["-c", command], environment, directory);
                if (plan is not null)
                {
                    var inside = directory.StartsWith(plan.Root.Path + "/", StringComparison.Ordinal) ? directory[plan.Root.Path.Length..] : throw new SpawnRefusedException(
                        SpawnRefusal.NotConfinable, $"{directory} lies outside the root that the check is confined to, {plan.Root.Path}");
                    var confined = plan.Start(id, Shell, start.Arguments, inside, environment);
                    start = new CommandStart(confined.Program, confined.Arguments, confined.Environment, null);
                }
                return await new TreeCommand(parts.Processes, parts.Loop, parts.Cgroups, parts.Time, parts.Logger)
                    .RunAsync(start, id, null, limit, _stopped.Task).ConfigureAwait(false);
            }
            finally
            {
                await _runs.EndAsync(new RunEnd { AgentId = id, AgentEnded = true, Ending = RunEnding.Done }, () => !_stopping).ConfigureAwait(false);
            }
        }
        finally
        {
            FreeSlot();
        }
    }

    private async Task<SupervisedAgent> StartAsync(SpawnRequest asked)
    {
        var (request, confinement, noTenant) = await new TenantConfinement(_confiner, _registry).PlanAsync(asked).ConfigureAwait(false);
        // Resolve the path once, so that the checked program is the one that is started.
        var found = confinement is null ? parts.Programs.Find(request.Binary) : confinement.Root.Find(request.Binary);
        // What is there and cannot be executed is started all the same: its task then says why.
        var program = found ?? (confinement is null ? parts.Programs.FindUnusable(request.Binary) : null);
        // Its task is claimed and says what is wrong with its tenant; the program is not started.
        if (noTenant is not null)
            program ??= request.Binary;
        if (program is null && confinement is not null)
            throw new SpawnRefusedException(SpawnRefusal.ProgramUnusable, $"there is no '{request.Binary}' inside {confinement.Root.Path}");
        if (program is null)
        {
            // Checked before the claim: a typo must not cost a task an attempt.
            throw new SpawnRefusedException(SpawnRefusal.ProgramUnusable, $"cannot find an executable '{request.Binary}'"
                + (request.Binary.Contains('/') ? ProgramFile.WhyNot(request.Binary) is { } reason ? $": {reason}" : "" : $" in the {parts.Programs.Directories.Count} directories of the daemon's search path; give its path"));
        }
        if (noTenant is null)
            RefuseAccess(request, confinement);
        if (confinement is null && parts.Versions?.WhyAnother(request, parts.Programs) is { } another)
            throw new SpawnRefusedException(SpawnRefusal.ProgramUnusable, another);
        var agent = Prepare(request, confinement, program);
        // Registered before the claim is committed, so that a client that sees a claimed task finds its agent.
        Panes.Add(agent);
        try
        {
            await BeginAsync(agent, request.TaskId).ConfigureAwait(false);
        }
        catch
        {
            Panes.Remove(agent);
            agent.MarkEnded();
            throw;
        }
        if ((noTenant is null ? await PlaceAsync(agent).ConfigureAwait(false) : new TaskError(RunVerdict.SpawnFailed, noTenant)) is { } unplaced)
        {
            // A setup that the stop of the daemon has cut short says nothing of the task.
            if (_stopping && unplaced.Code == WorkspaceRuns.SetupFailed)
                unplaced = new TaskError(RunJudge.Interrupted, $"the daemon stopped while the task's place was made: {unplaced.Message}");
            // A fault of the daemon's own, and a directory that another run is in, are none of the task's: its attempt is given back.
            await agent.CloseUnstartedAsync(unplaced, mayPass: unplaced.Code is RunJudge.Internal or RunJudge.Interrupted or PlaceStep.Busy or WorkspaceRuns.NoWorkspace or TenantStep.Moved).ConfigureAwait(false);
            Panes.Stopped(agent);
            throw new SpawnRefusedException(
                unplaced.Code switch
                {
                    RunVerdict.Budget => SpawnRefusal.BudgetSpent,
                    RunVerdict.SpawnFailed => SpawnRefusal.ProgramUnusable,
                    PlaceStep.Busy or TenantStep.Moved => SpawnRefusal.TaskConflict,
                    _ => SpawnRefusal.NotPlaced,
                },
                unplaced.Message)
            { IsClaimed = true };
        }
        try
        {
            await agent.StartAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // After any failure the agent is persisted and its task claimed, so both have to be closed.
            parts.Logger.AgentNotStarted(agent.Id, agent.Name, e.Message);
            // A lack of descriptors, or a program that is being replaced, says nothing about the program or the task, so the task waits.
            var mayPass = e is SpawnException spawn
                ? Errno.IsShortage(spawn.Errno) || (request.Jail is null && found is not null && parts.Programs.Find(request.Binary) is null)
                : e is not ArgumentException;
            if (mayPass)
                parts.StartRests.Lacked(agent.Record.Binary, e.Message);
            // A prompt that is too long is no fault of the program.
            else if (e is not PromptTooLongException)
                parts.Breaker?.Report(agent.Record.Binary, crashed: true, e.Message);
            await agent.CloseUnstartedAsync(new TaskError(RunVerdict.SpawnFailed, e.Message), mayPass).ConfigureAwait(false);
            Panes.Stopped(agent);
            throw new SpawnRefusedException(mayPass ? SpawnRefusal.HostExhausted : SpawnRefusal.ProgramUnusable, e.Message) { IsClaimed = true };
        }
        parts.StartRests.Started(agent.Record.Binary);
        return agent;
    }

    /// <summary>Checked before the claim: such a start would fail each time.</summary>
    private void RefuseAccess(SpawnRequest request, ConfinementPlan? confinement)
    {
        if (ToldAccess.Of(request).Refusal is { } unheld)
            throw new SpawnRefusedException(SpawnRefusal.AccessImpossible, unheld);
        // Of a kind that would refuse its own flags: stated arguments stand in place of them.
        if (request.Access is not { } access || request.Arguments.Count > 0)
            return;
        var uid = confinement?.Uid ?? ProcessUser.EffectiveUid;
        if (request.Kind.Rights.WhyNot(access, uid, name => parts.Environment.ValueFor(request, name)) is { } reason)
            throw new SpawnRefusedException(SpawnRefusal.AccessImpossible, reason);
    }

    private static async Task BeginAsync(SupervisedAgent agent, string? taskId)
    {
        var begun = await agent.BeginAsync().ConfigureAwait(false);
        if (begun.Outcome != EdgeOutcome.Applied)
        {
            throw new SpawnRefusedException(
                begun.Outcome == EdgeOutcome.NotFound ? SpawnRefusal.TaskNotFound : SpawnRefusal.TaskConflict,
                begun.Reason ?? $"there is no task {taskId}");
        }
    }

    /// <summary>The agent is persisted by now: an unexpected exception in a step closes it like a step's own error.</summary>
    private async Task<TaskError?> PlaceAsync(SupervisedAgent agent)
    {
        try
        {
            return await agent.PlaceAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            parts.Logger.UnexpectedFailure($"placing the run of agent {agent.Id}", e);
            return new TaskError(RunJudge.Internal, "a step before the prompt failed in the daemon; its log says how");
        }
    }

    private SupervisedAgent Prepare(SpawnRequest request, ConfinementPlan? confinement, string program)
    {
        try
        {
            return new SupervisedAgent(parts, _backoff, request, confinement, program, () => SlotFreed?.Invoke());
        }
        catch (ArgumentException e)
        {
            throw new SpawnRefusedException(SpawnRefusal.ProgramUnusable, e.Message);
        }
    }

    private async Task FollowAsync(SupervisedAgent agent)
    {
        try
        {
            await agent.RunToEndAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            parts.Logger.UnexpectedFailure($"agent {agent.Id}", e);
            await AbandonAsync(agent).ConfigureAwait(false);
        }
        finally
        {
            _ended.Add(agent.ToPane().Usage);
            Panes.Stopped(agent);
            FreeSlot();
            agent.MarkEnded();
        }
    }

    /// <summary>
    /// Ends an agent whose following failed with an unexpected exception, such as a lack of descriptors. The slot stays taken while the tree may
    /// live: the process must not run unwatched, and its run must not stay open.
    /// </summary>
    private async Task AbandonAsync(SupervisedAgent agent)
    {
        for (var attempt = 1; attempt <= AbandonAttempts; attempt++)
        {
            try
            {
                await agent.AbandonAsync().ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                parts.Logger.UnexpectedFailure($"abandoning agent {agent.Id}, attempt {attempt},", e);
                await Task.Delay(AbandonPause, parts.Time).ConfigureAwait(false);
            }
        }
    }

    private void FreeSlot()
    {
        Interlocked.Decrement(ref _running);
        SlotFreed?.Invoke();
    }
}

/// <summary>A running sum that several threads add to.</summary>
internal sealed class UsageTotal
{
    private Usage _value = new();

    public Usage Value => Volatile.Read(ref _value);

    public void Add(Usage usage)
    {
        Usage before;
        do
            before = Volatile.Read(ref _value);
        while (Interlocked.CompareExchange(ref _value, before + usage, before) != before);
    }
}
