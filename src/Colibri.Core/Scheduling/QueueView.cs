using Colibri.Core.Agents;
using Colibri.Core.Board.Storage;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Scheduling;

/// <summary>
/// Says why queued tasks do not start, for the wire. It reads memory: what the scheduler saw at its last look, and the states of its parts
/// now. The disk is asked for programs that it did not see there, for the roots of confined agents, and for the place of a directory that a task shares.
/// </summary>
/// <param name="supervisor">Counts the agents.</param>
/// <param name="holds">Knows the held providers.</param>
/// <param name="pauses">Knows what operators have paused.</param>
/// <param name="breaker">Knows the programs at rest.</param>
/// <param name="scheduler">What the last look saw; null before there is a scheduler.</param>
/// <param name="time">The clock of back-offs.</param>
/// <param name="rules">Profiles, workspaces and busy directories.</param>
public sealed class QueueView(
    AgentSupervisor supervisor, ProviderHolds holds, QueuePauses pauses, CrashBreaker breaker, Func<BoardScheduler?> scheduler, TimeProvider time, PlaceRules rules)
{
    /// <summary>The task with what keeps it from starting, if it is queued.</summary>
    public BoardTask Show(BoardTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.Status == TaskState.Queued ? Show(task, Now()) : task;
    }

    /// <summary>The same for a page of tasks: what concerns all of them is looked at once.</summary>
    public TaskList Show(TaskList page)
    {
        ArgumentNullException.ThrowIfNull(page);
        if (!page.Tasks.Any(task => task.Status == TaskState.Queued))
            return page;
        var now = Now();
        return page with { Tasks = [.. page.Tasks.Select(task => task.Status == TaskState.Queued ? Show(task, now) : task)] };
    }

    private BoardTask Show(BoardTask task, Standing now)
    {
        // What the board itself says: the tasks that must be done before, and what has become of them.
        var own = new List<BlockedBy>(task.BlockedBy ?? []);
        if (task.Held && task.Error?.Code != TaskRow.ParentFailed)
            own.Add(new BlockedBy("held", WhyHeld(task)));
        if (task.Workspace is { } workspace && pauses.OfWorkspace(workspace) is { } pause)
            own.Add(new BlockedBy("paused", QueuePauses.Words(pause)));
        if (task.NotBefore is { } at && at > now.At)
            own.Add(new BlockedBy("backoff", $"its next attempt is not before {Instant(at)}"));
        var candidates = scheduler()?.Candidates ?? [];
        var why = rules.Why(task, candidates).ToList();
        if (task.Capabilities.Count > 0 && (now.Unmatched.Contains(task.Id) || IsUnmatched(task, candidates)))
            own.Add(new BlockedBy("no-agent", $"no configured agent offers any of {string.Join(", ", task.Capabilities)}"));
        else if (now.Unmatched.Contains(task.Id) && !why.Exists(reason => reason.Code == "no-agent"))
            own.Add(new BlockedBy("no-agent", "no configured agent may take it"));
        own.AddRange(why);
        // Any of those may take it, so a reason counts only if each of them has one.
        AddOfAll(own, rules.For(task, candidates), candidate => Reason(candidate, task.Tenant, now));
        var all = own.Count == 0 ? now.Reasons : [.. own, .. now.Reasons];
        return all.Count == 0 ? task : task with { BlockedBy = all };
    }

    // Asked at once, so that the answer to its creation says it. Without candidates there is another reason.
    private bool IsUnmatched(BoardTask task, IReadOnlyList<AgentCandidate> candidates) =>
        candidates.Count > 0 && task.Capabilities.Count > 0 && CapabilityMatch.Suited(task.Capabilities, candidates, rules.HasSkill).Count == 0
        && !supervisor.TakingTasks.Any(agent => CapabilityMatch.Score(task.Capabilities, need => agent.Offers(need) || rules.HasSkill(agent.ProfileName ?? agent.Name, need)) > 0);

    private static string WhyHeld(BoardTask task)
    {
        var release = $"it does not start before: colibri release-task {task.Number}";
        return task.Error is { Code: TaskRow.Poison } ? $"{task.Interruptions} of its runs in a row were interrupted because the daemon was killed; {release}" : release;
    }

    /// <summary>What is in the way of every queued task.</summary>
    private Standing Now()
    {
        var reasons = new List<BlockedBy>();
        var board = scheduler();
        // Agents that live and take tasks of the queue, such as the resident one.
        var living = board is { IsWithoutAgents: true } ? supervisor.TakingTasks : [];
        if (board is { IsWithoutAgents: true } && living.Count == 0)
            reasons.Add(new BlockedBy("no-agent", "no agent is configured (COLIBRI_AGENT_BINARY): the task waits for spawn-agent or a claimant"));
        AddOfAll(reasons, living, agent => Reason(Seen(agent), []));
        var low = supervisor.DiskLow;
        if (low is not null)
            reasons.Add(new BlockedBy("disk", low));
        if (supervisor.HeldUntil is { } lifted)
            reasons.Add(new BlockedBy("budget", $"the day's budget is used up until {Instant(lifted)}; go on with: colibri budget lift"));
        else if (low is null && board is { IsWithoutAgents: false } && supervisor.FreeSlots == 0)
            reasons.Add(new BlockedBy("slots", $"all {supervisor.MaxAgents} agents are busy (COLIBRI_MAX_AGENTS)"));
        else if (living.Count > 0 && living.All(agent => !agent.IsAtRest))
            reasons.Add(new BlockedBy("slots", "the agent that takes tasks is busy"));
        return new Standing(time.GetUtcNow(), reasons, board?.UnmatchedTasks ?? new HashSet<string>(), (board?.Seen ?? QueueLook.None).Agents, breaker.Status());
    }

    private static void AddOfAll<T>(List<BlockedBy> reasons, IReadOnlyList<T> agents, Func<T, BlockedBy?> reasonOf)
    {
        var found = new List<BlockedBy>();
        foreach (var agent in agents)
        {
            if (reasonOf(agent) is not { } reason)
                return;
            if (!found.Contains(reason))
                found.Add(reason);
        }
        reasons.AddRange(found);
    }

    private static SeenAgent Seen(SupervisedAgent agent) => new(agent.Name, agent.Name, agent.Record.Binary, agent.Source, null, agent.Source.IsCalled);

    /// <summary>What keeps an agent from the tasks of a tenant, or of none.</summary>
    private BlockedBy? Reason(AgentCandidate candidate, string? tenant, Standing now)
    {
        if (now.Known.TryGetValue((candidate.Name, tenant), out var known))
            return known;
        var seen = now.Agents.FirstOrDefault(agent => agent.Name == candidate.Name);
        var reason = rules.WhyUnfit(candidate, tenant) ?? Missing(candidate, tenant, seen) ?? (seen is null ? null : Reason(seen, now.Resting));
        now.Known.Add((candidate.Name, tenant), reason);
        return reason;
    }

    // A tenant's task is started also where the program is inside another's root alone: its failure says so.
    private BlockedBy? Missing(AgentCandidate candidate, string? tenant, SeenAgent? seen)
    {
        var request = candidate.Template;
        var isSeen = tenant is null ? request.Jail is null && seen is { IsOnHost: true } : seen is { Program: not null };
        if (isSeen || (tenant is null ? rules.HasProgram(candidate, null) : rules.HasProgram(candidate)))
            return null;
        return new BlockedBy("program-missing", (tenant is null ? request.Jail?.Path : null) is { } root ? $"the program of its agent, {request.Binary}, is not inside {root}"
            : supervisor.WhyNot(request.Binary) is { } why ? $"the program of its agent cannot be executed: {why}"
            : $"the program of its agent, {request.Binary}, is not there");
    }

    private BlockedBy? Reason(SeenAgent agent, IReadOnlyList<StatusBreaker> resting)
    {
        if (pauses.Of(agent.IsProvider, agent.Name) is { } pause)
            return new BlockedBy("paused", QueuePauses.Words(pause));
        if (resting.FirstOrDefault(program => program.Program == agent.Program) is { } rest)
            return new BlockedBy("program-resting", $"{rest.Program} crashed {rest.Crashes} times in a row and rests until {Instant(rest.Until)}: {rest.LastError}");
        if (supervisor.RestsUntil(agent.Binary) is { } until)
            return new BlockedBy("program-resting", $"{agent.Program} cannot be started for want of something that may pass; tried again at {Instant(until)}");
        return agent.WhyNoRoute is { } routes ? new BlockedBy("provider", routes)
            : agent.Source is { } source && holds.Why(source) is { } held ? new BlockedBy("provider", held)
            : null;
    }

    private static string Instant(DateTimeOffset at) => $"{at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}";

    private sealed record Standing(
        DateTimeOffset At, IReadOnlyList<BlockedBy> Reasons, IReadOnlySet<string> Unmatched, IReadOnlyList<SeenAgent> Agents, IReadOnlyList<StatusBreaker> Resting)
    {
        /// <summary>What keeps an agent from a tenant's tasks, as far as it was asked: the tasks of a page share it, because it goes to the disk.</summary>
        public Dictionary<(string Agent, string? Tenant), BlockedBy?> Known { get; } = [];
    }
}

/// <summary>What a look of the scheduler saw of its agents.</summary>
/// <param name="Agents">Those that it may start.</param>
public sealed record QueueLook(IReadOnlyList<SeenAgent> Agents)
{
    public static QueueLook None { get; } = new([]);
}

/// <summary>One of them.</summary>
/// <param name="Name">As pauses call it.</param>
/// <param name="Binary">Its program as configured.</param>
/// <param name="Program">The program's path, or its name where it is inside a root alone; null while it is missing.</param>
/// <param name="Source">Whom it asks; null where a route is chosen for each run.</param>
/// <param name="WhyNoRoute">Why no route can be chosen now; null if one can.</param>
/// <param name="IsProvider">Whether a name means the provider that it would use.</param>
public sealed record SeenAgent(string Name, string Binary, string? Program, ProviderSource? Source, string? WhyNoRoute, Predicate<string> IsProvider)
{
    /// <summary>Whether the host had the program when the agent was looked at.</summary>
    public bool IsOnHost { get; } = Program is not null;
}
