namespace Colibri.Core.Board;

/// <summary>A spawned agent with no end on record: running now, or left behind by a daemon that was killed.</summary>
/// <param name="AgentId">The agent's id.</param>
/// <param name="TaskId">The task it was started on, if any.</param>
/// <param name="Pid">Null when the daemon ended between putting the agent on record and starting its process.</param>
/// <param name="StartTime">The process's start time in the kernel's own unit; with pid and boot id it names one process for ever.</param>
/// <param name="BootId">The boot it was started in.</param>
/// <param name="Binary">What was started.</param>
public sealed record SpawnRow(string AgentId, string? TaskId, int? Pid, long? StartTime, string? BootId, string Binary)
{
    /// <summary>The FreeBSD jail it is in.</summary>
    public string? Jail { get; init; }

    /// <summary>The root of that jail, in which files were left for it.</summary>
    public string? JailRoot { get; init; }
}
