using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>An agent about to be started, on record before its process exists.</summary>
public sealed record SpawnRecord
{
    public required string AgentId { get; init; }

    /// <summary>The id of the run that is opened with it, where it is started on a task.</summary>
    public string RunId { get; init; } = Guid.CreateVersion7().ToString();
    public required string Name { get; init; }
    public required string Runtime { get; init; }
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    public required string Binary { get; init; }
    public IReadOnlyList<string> Arguments { get; init; } = [];
    public string? Cwd { get; init; }
    public required string SessionId { get; init; }
    public required string Host { get; init; }

    /// <summary>The route it is started on, where one was chosen.</summary>
    public string? Provider { get; init; }
    public string? Model { get; init; }

    /// <summary>The FreeBSD jail it is in.</summary>
    public string? Jail { get; init; }

    /// <summary>The root of that jail, in which files are left for it.</summary>
    public string? JailRoot { get; init; }
}

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

/// <summary>A task that an agent which already runs is to work on.</summary>
/// <param name="RunId">The id of the new run.</param>
/// <param name="AgentId">The agent; it must be on record as living.</param>
/// <param name="TaskId">The task to claim for it.</param>
/// <param name="SessionId">The agent's session, where the run is logged.</param>
public sealed record RunStart(string RunId, string AgentId, string TaskId, string SessionId);

/// <summary>The end of a spawned agent.</summary>
public sealed record SpawnEnd
{
    public required RunEnding Ending { get; init; }
    public string? Verdict { get; init; }
    public TaskError? Error { get; init; }
    public ProcessExit? Exit { get; init; }

    /// <summary>The last of the agent's stderr; the board keeps at most its last 8 KiB.</summary>
    public string? StderrTail { get; init; }

    /// <summary>All that the agent used, over what was booked while it ran; the task keeps the sum over its attempts.</summary>
    public IReadOnlyList<UsageRow> Usage { get; init; } = [];

    /// <summary>Only of <see cref="RunEnding.Failed"/>: when the next attempt may start; null means there is none.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}

/// <summary>How an attempt ended, as far as its task's next state is concerned.</summary>
public enum RunEnding
{
    Done,

    /// <summary>Counts as an attempt: retried at <see cref="SpawnEnd.RetryAt"/> while attempts are left, else failed for good.</summary>
    Failed,

    /// <summary>Cut short by the daemon's own end: queued again at once, the attempt given back.</summary>
    Interrupted,
}
