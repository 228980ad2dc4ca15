using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

public sealed partial class TaskBoard
{
    /// <summary>
    /// Puts an agent on record before its process is started; with a task, claims that for it and opens a run, all or nothing. That
    /// outlives the daemon, not a power cut: after one there is no agent, and the task is queued as if it had never been claimed.
    /// </summary>
    /// <returns>Applied, without a task if none was asked for; else not found or a conflict, and nothing is written.</returns>
    public Task<EdgeResult> BeginSpawnAsync(SpawnRecord record, string? taskId)
    {
        ArgumentNullException.ThrowIfNull(record);
        return CommitAsync(scope => SpawnVerbs.Begin(scope, record, taskId));
    }

    /// <summary>Records the agent's process, against the daemon's end alone; its task goes from claimed to started, unless it was cancelled meanwhile.</summary>
    /// <param name="agentId">The agent.</param>
    /// <param name="pid">Its process.</param>
    /// <param name="startTime">The process's start time in the kernel's own unit.</param>
    /// <param name="bootId">The boot that pid and start time belong to.</param>
    /// <returns>The agent's task; null if it has none.</returns>
    public Task<BoardTask?> ProcessStartedAsync(string agentId, int pid, long startTime, string bootId) =>
        CommitAsync(scope => SpawnVerbs.Started(scope, agentId, pid, startTime, bootId));

    /// <summary>Claims a task for an agent that runs already, and opens a run of it, all or nothing, against the daemon's end alone; the task is started.</summary>
    /// <exception cref="InvalidOperationException">The agent is not on record as living; nothing is written.</exception>
    public Task<EdgeResult> BeginRunAsync(RunStart start, string? provider, string? model)
    {
        ArgumentNullException.ThrowIfNull(start);
        return CommitAsync(scope => SpawnVerbs.BeginRun(scope, start, provider, model));
    }

    /// <summary>Closes the open run of an agent that lives on, and moves its task as the ending says. Told twice, the second changes nothing.</summary>
    public Task<BoardTask?> EndRunAsync(string agentId, SpawnEnd end)
    {
        ArgumentNullException.ThrowIfNull(end);
        return WriteAsync(scope => SpawnVerbs.EndRunOf(scope, agentId, end));
    }

    /// <summary>
    /// Records an agent's end: closes its run and moves its task as the ending says; what else it had claimed under its id is queued again
    /// with error <c>agent-lost</c>. Told twice, the second changes nothing.
    /// </summary>
    /// <returns>The agent's task; null if it has none.</returns>
    public Task<BoardTask?> EndSpawnAsync(string agentId, SpawnEnd end)
    {
        ArgumentNullException.ThrowIfNull(end);
        return WriteAsync(scope => SpawnVerbs.End(scope, agentId, end));
    }

    /// <summary>Spawned agents with no end on record, oldest first. Right after opening: what an earlier daemon may have left.</summary>
    public Task<IReadOnlyList<SpawnRow>> LiveSpawnsAsync() => ReadAsync(SpawnVerbs.ListLive);

    /// <summary>Whether it is a spawned agent with its end on record.</summary>
    public Task<bool> HasEndedAsync(string agentId) => ReadAsync(connection => SpawnVerbs.HasEnded(connection, agentId));

    /// <summary>The attempts at a task, oldest first; none for an unknown task.</summary>
    public Task<IReadOnlyList<RunRow>> RunsAsync(string taskId) => ReadAsync(connection => SpawnVerbs.ListRuns(connection, taskId));

    /// <summary>Registers an agent from outside. The same name on the same host keeps its id, takes the new capabilities and counts as heard of.</summary>
    public Task<Agent> RegisterAgentAsync(string name, IReadOnlyList<string> capabilities, string? host)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(capabilities);
        return WriteAsync(scope => RegistryVerbs.RegisterAgent(scope, name, capabilities, host));
    }

    /// <summary>A sign of life; null when no registered agent has this id.</summary>
    public Task<Agent?> HeartbeatAsync(string agentId) => WriteAsync(scope => RegistryVerbs.Heartbeat(scope, agentId));

    /// <summary>By name, then host. Each with the oldest task it holds.</summary>
    public Task<IReadOnlyList<Agent>> RegisteredAgentsAsync() => ReadAsync(RegistryVerbs.ListAgents);
}
