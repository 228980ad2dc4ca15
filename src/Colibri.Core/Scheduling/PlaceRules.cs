using Colibri.Core.Agents;
using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Board.Verbs;
using Colibri.Core.Runs;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Scheduling;

/// <summary>
/// What decides beside capabilities whether a task may start: the profile and the workspace that it names, how many agents of a profile live, and
/// which directories runs are in.
/// </summary>
/// <param name="settings">Profiles and workspaces, as they are now.</param>
/// <param name="places">The directories in which runs are.</param>
/// <param name="pauses">What operators have paused.</param>
/// <param name="living">How many agents of a profile live.</param>
/// <param name="registry">Tenants and skills.</param>
/// <param name="isInstalled">Whether the host has a program.</param>
/// <param name="health">Whether runs can work in the workspaces.</param>
public sealed class PlaceRules(
    Func<ColibriSettings> settings, Places places, QueuePauses pauses, Func<string, int> living, Registry registry, Func<string, bool> isInstalled, WorkspaceHealth health)
{
    private static readonly Dictionary<string, GroupLoad> NoGroups = [];

    /// <summary>Whether an agent has a skill, which counts as a capability of it.</summary>
    /// <param name="agent">The name of its profile, or of its program where it has none.</param>
    /// <param name="capability">The capability.</param>
    public bool HasSkill(string agent, string capability) => registry.HasSkill(agent, capability);

    /// <summary>Whether an agent of a profile may take a task that asks for this.</summary>
    /// <param name="wish">What the task asks for.</param>
    /// <param name="profile">The profile's name; null for an agent without one.</param>
    public bool MayTake(TaskWish wish, string? profile)
    {
        if (wish.Agent is { } named && named != profile)
            return false;
        if (wish.Workspace is not { } workspace)
            return true;
        return settings().Workspace(workspace) is { } there && (there.Agents.Count == 0 || (profile is not null && there.Agents.Contains(profile)));
    }

    /// <summary>Whether an agent's program is where a task of that tenant would have it started: inside the tenant's root, inside the profile's, or on the host.</summary>
    public bool HasProgram(AgentCandidate candidate, string? tenant)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        var root = tenant is null ? candidate.Template.Jail?.Path : registry.Tenant(tenant)?.JailRootPath;
        return root is null ? isInstalled(candidate.Template.Binary) : JailRoot.Find(root, candidate.Template.Binary) is not null;
    }

    /// <summary>Whether an agent's program is where a task of any tenant, or of none, would have it started.</summary>
    public bool HasProgram(AgentCandidate candidate) => HasProgram(candidate, null) || registry.Tenants.Any(tenant => HasProgram(candidate, tenant.TenantId));

    /// <summary>Why the program of a request on the host is another than its kind means; null where it is not, and where nobody can tell.</summary>
    public Func<SpawnRequest, string?> WhyAnother { get; init; } = static _ => null;

    /// <summary>Why no agent can be confined so now; null where one can, and where nobody can tell.</summary>
    public Func<JailRequest, string?> WhyNotConfined { get; init; } = static _ => null;

    /// <summary>
    /// What is wrong with an agent itself for a task of that tenant: its kind cannot hold it to its access and nothing confines it, it cannot be confined as
    /// its profile asks, or its program is another product. Null where nothing is.
    /// </summary>
    public BlockedBy? WhyUnfit(AgentCandidate candidate, string? tenant)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        if (ToldAccess.Of(candidate.Template with { Tenant = tenant }).Refusal is { } refusal)
            return new BlockedBy("rights", $"{candidate.Name}: {refusal}");
        // A tenant's task is confined in the tenant's root instead.
        if (tenant is not null)
            return null;
        if (candidate.Template.Jail is { } jail)
            return WhyNotConfined(jail) is { } problem ? new BlockedBy("confinement", $"{candidate.Name}: {problem}") : null;
        return WhyAnother(candidate.Template) is { } why ? new BlockedBy("program", $"{candidate.Name}: {why}") : null;
    }

    /// <summary>Whether an agent is fit for tasks of any tenant, or of none.</summary>
    public bool IsFit(AgentCandidate candidate) => WhyUnfit(candidate, null) is null || registry.Tenants.Any(tenant => WhyUnfit(candidate, tenant.TenantId) is null);

    /// <summary>Whether one more agent of a profile may live.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="starting">Those of it that are started in this look.</param>
    public bool HasRoom(ProfileSettings profile, int starting)
    {
        ArgumentNullException.ThrowIfNull(profile);
        return profile.Max is not { } max || living(profile.Name) + starting < max;
    }

    /// <summary>The directory that a task shares with others; null for one with a place of its own.</summary>
    public string? DirectoryOf(ReadyTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return SharedDirectory(task.Workspace, task.Cwd, task.Tenant);
    }

    private string? SharedDirectory(string? workspace, string? cwd, string? tenant) =>
        cwd ?? (workspace is { } name ? settings().Workspace(name) is { Isolation: Isolation.Shared } shared ? shared.Path : null
            : tenant is { } id ? registry.Tenant(id)?.JailRootPath : null);

    /// <summary>Whether a run of another task is in a directory.</summary>
    public bool IsBusy(string directory, string taskId) => places.HolderOf(directory) is { } holder && holder.TaskId != taskId;

    /// <summary>Whether the task's workspace is closed to runs: paused, or none can work in it now.</summary>
    public bool IsClosed(ReadyTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.Workspace is { } workspace && (pauses.OfWorkspace(workspace) is not null || health.Why(workspace) is not null);
    }

    /// <summary>The most tasks that are claimed or started at once, by group; a group without an entry has no limit.</summary>
    public IReadOnlyDictionary<string, int> GroupLimits => settings().GroupLimits;

    /// <summary>What of each group is under way; none where nobody can tell.</summary>
    public Func<IReadOnlyDictionary<string, GroupLoad>> Groups { get; init; } = static () => NoGroups;

    /// <summary>What keeps a queued task from starting here, beside slots and what is wrong with its agents.</summary>
    /// <param name="task">The task.</param>
    /// <param name="candidates">The agents that the scheduler may start.</param>
    public IEnumerable<BlockedBy> Why(BoardTask task, IReadOnlyList<AgentCandidate> candidates)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (WhyNever(task.Agent, task.Workspace, candidates) is { } never)
            yield return new BlockedBy("no-agent", never);
        if (task.Workspace is { } workspace && health.Why(workspace) is { } unusable)
            yield return new BlockedBy("workspace", $"{workspace}: {unusable}");
        if (task.Tenant is not null && candidates.Count == 0)
            yield return new BlockedBy("no-agent", "the task of a tenant needs an agent of its own, and none is configured that could be started (COLIBRI_AGENT_BINARY, or a profile)");
        if (SharedDirectory(task.Workspace, task.Cwd, task.Tenant) is { } directory && places.HolderOf(directory) is { } holder && holder.TaskId != task.Id)
            yield return new BlockedBy("directory", $"task {holder.Number} works in {directory}");
        // The task itself may have been claimed since it was read.
        if (task.Group is { } group && GroupLimits.TryGetValue(group, out var limit) && Groups().TryGetValue(group, out var load)
            && load.Running.Count >= limit && load.Running.Where(number => number != task.Number).ToList() is var others && others.Count >= limit)
            yield return new BlockedBy("group", GroupVerbs.Words(group, limit, others));
        if (task.Agent is { } name && settings().Agent(name) is { Max: { } max } && living(name) >= max)
            yield return new BlockedBy("slots", $"all {max} agents of the profile {name} are busy");
    }

    /// <summary>The agents that a task may go to: of those that its profile and its workspace allow, the ones that offer what it requires; all of them where none does.</summary>
    /// <param name="task">The task.</param>
    /// <param name="candidates">The agents that the scheduler may start.</param>
    public IReadOnlyList<AgentCandidate> For(BoardTask task, IReadOnlyList<AgentCandidate> candidates)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(candidates);
        var wish = new TaskWish([], task.Agent, task.Workspace, IsPlaced: true);
        var allowed = candidates.Where(candidate => MayTake(wish, candidate.Profile?.Name)).ToList();
        return CapabilityMatch.Suited([.. task.Capabilities], allowed, HasSkill) is { Count: > 0 } suited ? suited : allowed;
    }

    /// <summary>Why no agent can ever take such a task, as things are configured, in a line for a person; null where one may.</summary>
    /// <param name="task">The new task.</param>
    /// <param name="candidates">The agents that the scheduler may start.</param>
    public string? WhyNever(NewTask task, IReadOnlyList<AgentCandidate> candidates)
    {
        ArgumentNullException.ThrowIfNull(task);
        return WhyNever(task.Agent, task.Workspace, candidates);
    }

    /// <summary>Why the place of a tenant's task lies outside the tenant's root, in a line that begins with the field at fault; null where it does not.</summary>
    public string? WhyOutside(NewTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (task.Tenant is not { } id || registry.Tenant(id) is not { JailRootPath: var root })
            return null;
        if (task.Cwd is { } cwd && !IsBelow(root, cwd))
            return $"cwd is {cwd}, which lies outside the root of tenant {id}, {root}";
        if (task.Workspace is not { } name || settings().Workspace(name) is not { } workspace)
            return null;
        return workspace.Isolation == Isolation.Worktree
            ? $"workspace {name} gives each task a worktree, which lies outside the root of tenant {id}; name a cwd below {root}, or a workspace there with isolation = \"shared\""
            : IsBelow(root, workspace.Path) ? null : $"workspace {name} is {workspace.Path}, which lies outside the root of tenant {id}, {root}";
    }

    // By its name alone: links are followed when the run is placed.
    private static bool IsBelow(string root, string directory) =>
        $"{Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory))}/".StartsWith($"{Path.TrimEndingDirectorySeparator(Path.GetFullPath(root))}/", StringComparison.Ordinal);

    private string? WhyNever(string? profile, string? workspace, IReadOnlyList<AgentCandidate> candidates)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        var now = settings();
        if (profile is { } agent && now.Agent(agent) is null)
            return $"there is no profile {agent}{(now.Agents.Count == 0 ? "; the configuration has none" : $"; there are {string.Join(", ", now.Agents.Select(known => known.Name))}")}";
        if (workspace is { } name && now.Workspace(name) is null)
            return $"there is no workspace {name}{(now.Workspaces.Count == 0 ? "; the configuration has none" : $"; there are {string.Join(", ", now.Workspaces.Select(known => known.Name))}")}";
        var wish = new TaskWish([], profile, workspace, IsPlaced: true);
        if (candidates.Count == 0 || candidates.Any(candidate => MayTake(wish, candidate.Profile?.Name)))
            return null;
        return profile is not null
            ? $"workspace {workspace} does not allow the profile {profile}"
            : $"workspace {workspace} allows {string.Join(", ", now.Workspace(workspace!)!.Agents)} alone, and there is no such profile";
    }
}

/// <summary>What a task asks for. Tasks that ask for the same are looked at once.</summary>
/// <param name="Needs">Capabilities; one list for all tasks of one reading that need the same.</param>
/// <param name="Agent">The profile.</param>
/// <param name="Workspace">The workspace.</param>
/// <param name="IsPlaced">Whether it works in a place that a living agent is not in: a directory, or a tenant's root.</param>
public readonly record struct TaskWish(IReadOnlyList<string> Needs, string? Agent, string? Workspace, bool IsPlaced)
{
    /// <summary>The tenant in whose root it runs.</summary>
    public string? Tenant { get; init; }

    public static TaskWish Of(ReadyTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return new TaskWish(task.Capabilities, task.Agent, task.Workspace, task.Workspace is not null || task.Cwd is not null || task.Tenant is not null) { Tenant = task.Tenant };
    }
}
