using Colibri.Core.Agents;
using Colibri.Core.Board;
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
/// <param name="health">Whether runs can work in the workspaces.</param>
public sealed class PlaceRules(Func<ColibriSettings> settings, Places places, QueuePauses pauses, Func<string, int> living, WorkspaceHealth health)
{
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
        return SharedDirectory(task.Workspace, task.Cwd);
    }

    private string? SharedDirectory(string? workspace, string? cwd) =>
        cwd ?? (workspace is { } name && settings().Workspace(name) is { Isolation: Isolation.Shared } shared ? shared.Path : null);

    /// <summary>Whether a run of another task is in a directory.</summary>
    public bool IsBusy(string directory, string taskId) => places.HolderOf(directory) is { } holder && holder.TaskId != taskId;

    /// <summary>Whether the task's workspace is closed to runs: paused, or none can work in it now.</summary>
    public bool IsClosed(ReadyTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return task.Workspace is { } workspace && (pauses.OfWorkspace(workspace) is not null || health.Why(workspace) is not null);
    }

    /// <summary>What keeps a queued task from starting here, beside providers and slots.</summary>
    /// <param name="task">The task.</param>
    /// <param name="candidates">The agents that the scheduler may start.</param>
    public IEnumerable<BlockedBy> Why(BoardTask task, IReadOnlyList<AgentCandidate> candidates)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (WhyNever(task.Agent, task.Workspace, candidates) is { } never)
            yield return new BlockedBy("no-agent", never);
        if (task.Workspace is { } workspace && health.Why(workspace) is { } unusable)
            yield return new BlockedBy("workspace", $"{workspace}: {unusable}");
        if (SharedDirectory(task.Workspace, task.Cwd) is { } directory && places.HolderOf(directory) is { } holder && holder.TaskId != task.Id)
            yield return new BlockedBy("directory", $"task {holder.Number} works in {directory}");
        if (task.Agent is { } name && settings().Agent(name) is { Max: { } max } && living(name) >= max)
            yield return new BlockedBy("slots", $"all {max} agents of the profile {name} are busy");
    }

    /// <summary>Why no agent can ever take such a task, as things are configured, in a line for a person; null where one may.</summary>
    /// <param name="task">The new task.</param>
    /// <param name="candidates">The agents that the scheduler may start.</param>
    public string? WhyNever(NewTask task, IReadOnlyList<AgentCandidate> candidates)
    {
        ArgumentNullException.ThrowIfNull(task);
        return WhyNever(task.Agent, task.Workspace, candidates);
    }

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
/// <param name="IsPlaced">Whether it works in a place that a living agent is not in.</param>
public readonly record struct TaskWish(IReadOnlyList<string> Needs, string? Agent, string? Workspace, bool IsPlaced)
{
    public static TaskWish Of(ReadyTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return new TaskWish(task.Capabilities, task.Agent, task.Workspace, task.Workspace is not null || task.Cwd is not null);
    }
}
