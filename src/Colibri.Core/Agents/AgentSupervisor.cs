using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Runs;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

/// <summary>Starts agents, keeps count of them, ends them. The only part of Colibri that starts a process.</summary>
public sealed class AgentSupervisor(SupervisorParts parts)
{
    /// <summary>Between SIGTERM and SIGKILL, where nobody states another.</summary>
    public static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(5);

    private const int AbandonAttempts = 30;

    /// <summary>A start that may succeed in a moment is tried again as after so many failed attempts: within 8 s, for as long as it takes.</summary>
    private const int UnstartedBackoff = 4;

    private static readonly TimeSpan AbandonPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StragglerLook = TimeSpan.FromMilliseconds(5);

    private readonly RetryBackoff _backoff = new(parts.Time, Random.Shared);
    private readonly Confiner _confiner = new(parts.Configuration, parts.Programs, parts.JailHost, parts.Jails);
    private readonly RunStore _runs = parts.Runs;
    private readonly UsageTotal _ended = new();
    private int _running;
    private volatile bool _stopping;
    private long _sessionEntriesDropped;

    /// <summary>A slot became free, or a long-lived agent; called from whatever thread ended the agent, must not block.</summary>
    public event Action? SlotFreed;

    public PaneRegistry Panes { get; } = new();

    /// <summary>Agents that hold a slot, from before their process exists until its whole tree is gone and that is on record.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Runs whose end is not on record: of agents that are still being ended, and those that a full disk left open while the daemon stopped.</summary>
    public int OpenRuns => Running + _runs.LeftOpen;

    public int FreeSlots => _stopping || parts.Budgets.IsHeld ? 0 : Math.Max(0, parts.Configuration.MaxAgents - Running);

    /// <summary>When starts go on that the day's budget holds; null where it holds none.</summary>
    public DateTimeOffset? HeldUntil => parts.Budgets.State.LiftsAt;

    public long SessionEntriesDropped => Interlocked.Read(ref _sessionEntriesDropped);

    /// <summary>The living, and the last that stopped.</summary>
    public IReadOnlyList<SupervisedAgent> Agents => Panes.Agents;

    /// <summary>Over every agent since the daemon started.</summary>
    public Usage TotalUsage => Agents.Where(agent => !agent.HasEnded).Aggregate(_ended.Value, (sum, agent) => sum + agent.ToPane().Usage);

    /// <summary>Whether a program that is there may be started now, and does not rest after crashing over and over.</summary>
    public bool MayStart(string binary) => parts.Programs.Find(binary) is { } path && parts.Breaker?.RestsUntil(path) is null;

    /// <summary>Until when a program rests after crashing over and over; null where it does not.</summary>
    public DateTimeOffset? RestsUntil(string binary) => parts.Programs.Find(binary) is { } path ? parts.Breaker?.RestsUntil(path) : null;

    /// <summary>Long-lived agents that have nothing to do and may be given a task; none while the day's budget holds starts.</summary>
    public IReadOnlyList<SupervisedAgent> AtRest => _stopping || parts.Budgets.IsHeld ? [] : [.. Agents.Where(agent => agent.IsAtRest)];

    public SupervisedAgent? FindByTask(string taskId) => Agents.FirstOrDefault(agent => agent.TaskId == taskId && !agent.HasEnded);

    /// <summary>What a run started, as the log shows it: long arguments are shortened, and no key stands in it.</summary>
    public string CommandLineOf(RunRow run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return new AgentCommandLine(run.Arguments, IsRpc: false).Describe(run.Binary, parts.Secrets);
    }

    /// <summary>Whether there is a program of that name or path to start now.</summary>
    public bool IsInstalled(string binary) => parts.Programs.Find(binary) is not null;

    /// <summary>Claims the task, where there is one, and starts the agent on it.</summary>
    /// <exception cref="SpawnRefusedException">Nothing was started. A claimed task whose program cannot start has failed, and says why.</exception>
    /// <exception cref="BoardUnavailableException">Nothing could be put on record, so nothing was started.</exception>
    public async Task<SupervisedAgent> SpawnAsync(SpawnRequest request)
    {
        // The slot is taken before the daemon's end is looked at: stopping waits until no slot is taken, so it waits for this start too.
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

    /// <summary>Starts no more, ends all, and returns when every tree is gone and every run is on record.</summary>
    public async Task StopAllAsync(TimeSpan grace)
    {
        _stopping = true;
        while (Running > 0)
        {
            // An agent whose start was under way turns up a moment later.
            var living = Agents.Where(agent => !agent.HasEnded).ToList();
            foreach (var agent in living)
                agent.RequestStop(StopCause.DaemonStopping, grace);
            await Task.WhenAll(living.Select(agent => agent.Ended)).ConfigureAwait(false);
            if (Running > 0)
                await Task.Delay(StragglerLook, parts.Time).ConfigureAwait(false);
        }
    }

    private async Task<SupervisedAgent> StartAsync(SpawnRequest request)
    {
        var confinement = await _confiner.PlanAsync(request.Jail, request.Environment.Keys).ConfigureAwait(false);
        // Looked for once: what is checked here is what is started.
        var program = confinement is null ? parts.Programs.Find(request.Binary) : confinement.Root.Find(request.Binary);
        if (program is null && confinement is not null)
            throw new SpawnRefusedException(SpawnRefusal.ProgramUnusable, $"there is no '{request.Binary}' inside {confinement.Root.Path}");
        if (program is null)
        {
            // Before anything is claimed: a typo must not cost somebody's task an attempt.
            throw new SpawnRefusedException(SpawnRefusal.ProgramUnusable, $"cannot find an executable '{request.Binary}'"
                + (request.Binary.Contains('/') ? "" : $" in the {parts.Programs.Directories.Count} directories of the daemon's search path; give its path"));
        }
        var agent = Prepare(request, confinement, program);
        // Before the claim is on record: a client that sees a task held finds its agent.
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
        if (await PlaceAsync(agent).ConfigureAwait(false) is { } unplaced)
        {
            await agent.CloseUnstartedAsync(unplaced).ConfigureAwait(false);
            Panes.Stopped(agent);
            throw new SpawnRefusedException(unplaced.Code == RunVerdict.Budget ? SpawnRefusal.BudgetSpent : SpawnRefusal.NotPlaced, unplaced.Message);
        }
        try
        {
            agent.Start();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever it was, the agent is on record and its task claimed: both have to be closed again.
            parts.Logger.AgentNotStarted(agent.Id, agent.Name, e.Message);
            // A host short of descriptors, or a program that is being replaced, says nothing about the program or the task: the task waits.
            var mayPass = e is SpawnException spawn
                ? Errno.IsShortage(spawn.Errno) || (request.Jail is null && parts.Programs.Find(request.Binary) is null)
                : e is not ArgumentException;
            if (!mayPass)
                parts.Breaker?.Report(agent.Record.Binary, crashed: true, e.Message);
            await agent.CloseUnstartedAsync(new TaskError(RunVerdict.SpawnFailed, e.Message), mayPass ? _backoff.NextAttemptAt(UnstartedBackoff) : null).ConfigureAwait(false);
            Panes.Stopped(agent);
            throw new SpawnRefusedException(mayPass ? SpawnRefusal.HostExhausted : SpawnRefusal.ProgramUnusable, e.Message);
        }
        return agent;
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

    /// <summary>The agent is on record: a step that fails in a way nobody foresaw closes it like one that says why.</summary>
    private async Task<TaskError?> PlaceAsync(SupervisedAgent agent)
    {
        try
        {
            return await agent.PlaceAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            parts.Logger.UnexpectedFailure($"placing the run of agent {agent.Id}", e);
            return new TaskError("internal", "a step before the prompt failed in the daemon; its log says how");
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
            Interlocked.Add(ref _sessionEntriesDropped, agent.SessionEntriesDropped);
            Panes.Stopped(agent);
            FreeSlot();
            agent.MarkEnded();
        }
    }

    /// <summary>
    /// Its follower failed in a way nobody foresaw, for want of descriptors perhaps. The slot stays taken while the tree may live:
    /// the process must not run on unwatched, nor its run stay open.
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
