using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>A run to begin, an agent to put on record, or both at once.</summary>
public sealed record RunStart
{
    /// <summary>The id of the new run.</summary>
    public string RunId { get; init; } = Guid.CreateVersion7().ToString();

    public required string AgentId { get; init; }

    /// <summary>The task to claim; null puts the agent on record alone.</summary>
    public string? TaskId { get; init; }

    /// <summary>The session of a task that has none.</summary>
    public required string SessionId { get; init; }

    /// <summary>The session is that of the task from now on, whichever it had.</summary>
    public bool ReplacesSession { get; init; }

    /// <summary>The agent, where it is not on record yet. Null for one that lives.</summary>
    public AgentRecord? Agent { get; init; }

    /// <summary>The arguments it is started with, out of the task as it was claimed; null where it runs already. Called by the board's writer.</summary>
    public Func<BoardTask?, IReadOnlyList<string>>? Arguments { get; init; }

    /// <summary>The route it is started on, where one was chosen.</summary>
    public string? Provider { get; init; }
    public string? Model { get; init; }
}

/// <summary>An agent about to be started, on record before its process exists.</summary>
public sealed record AgentRecord
{
    public required string Name { get; init; }
    public required string Runtime { get; init; }
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    public required string Binary { get; init; }
    public string? Cwd { get; init; }
    public required string Host { get; init; }

    /// <summary>The FreeBSD jail it is in.</summary>
    public string? Jail { get; init; }

    /// <summary>The root of that jail, in which files are left for it.</summary>
    public string? JailRoot { get; init; }
}

/// <summary>
/// A run's hold on its task. Every statement about the run names it, so that a run that has lost its task, to another claim of any host,
/// changes nothing any more.
/// </summary>
/// <param name="RunId">The run.</param>
/// <param name="TaskId">Its task.</param>
/// <param name="Number">How many claims the task had seen with this one, from 1. Unlike the attempt, it is never given back.</param>
/// <param name="Epoch">The host's start that made the claim: each start of a daemon has a higher one.</param>
public sealed record RunClaim(string RunId, string TaskId, long Number, long Epoch);

/// <summary>The answer to a run that was to begin.</summary>
/// <param name="Outcome">Whether it did.</param>
/// <param name="Task">The task as it was claimed, whole; as it is where it was refused; null where none was asked for or found.</param>
/// <param name="Claim">What every later statement names; null where no task was claimed.</param>
/// <param name="Reason">Only of a refusal: one line for a person.</param>
public sealed record RunBegun(EdgeOutcome Outcome, BoardTask? Task = null, RunClaim? Claim = null, string? Reason = null);

/// <summary>The end of a run, of an agent, or of both at once.</summary>
public sealed record RunEnd
{
    public required string AgentId { get; init; }

    /// <summary>The run; null where the agent had none.</summary>
    public RunClaim? Claim { get; init; }

    /// <summary>The agent has ended as well, with its whole tree; else it lives on and may have another run.</summary>
    public bool AgentEnded { get; init; }

    public required RunEnding Ending { get; init; }
    public string? Verdict { get; init; }
    public TaskError? Error { get; init; }
    public ProcessExit? Exit { get; init; }

    /// <summary>The last of the agent's stderr; the board keeps at most its last 8 KiB.</summary>
    public string? StderrTail { get; init; }

    /// <summary>All that the agent used, over what was booked while it ran; the task keeps the sum over its attempts.</summary>
    public IReadOnlyList<UsageRow> Usage { get; init; } = [];

    /// <summary>When the next attempt may start. Null means that there is none, or, of <see cref="RunEnding.Interrupted"/>, at once.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}

/// <summary>How an attempt ended, as far as its task's next state is concerned.</summary>
public enum RunEnding
{
    Done,

    /// <summary>Counts as an attempt: retried at <see cref="RunEnd.RetryAt"/> while attempts are left, else failed for good.</summary>
    Failed,

    /// <summary>Cut short for no fault of the task's, as a rule by the daemon's own end: queued again, the attempt given back.</summary>
    Interrupted,
}

/// <summary>What the end of a run came to.</summary>
/// <param name="Task">The run's task after it; null where it had none.</param>
/// <param name="IsLost">The run had lost its task: nothing of it was changed.</param>
public readonly record struct RunClosed(BoardTask? Task, bool IsLost);

/// <summary>A spawned agent with no end on record: running now, or left behind by a daemon that was killed.</summary>
/// <param name="AgentId">The agent's id.</param>
/// <param name="Claim">Its open run, if any.</param>
/// <param name="Pid">Null when the daemon ended between putting the agent on record and starting its process.</param>
/// <param name="StartTime">The process's start time in the kernel's own unit; with pid and boot id it names one process for ever.</param>
/// <param name="BootId">The boot it was started in.</param>
/// <param name="Binary">What was started.</param>
public sealed record SpawnRow(string AgentId, RunClaim? Claim, int? Pid, long? StartTime, string? BootId, string Binary)
{
    /// <summary>The task it was at.</summary>
    public string? TaskId => Claim?.TaskId;

    /// <summary>The FreeBSD jail it is in.</summary>
    public string? Jail { get; init; }

    /// <summary>The root of that jail, in which files were left for it.</summary>
    public string? JailRoot { get; init; }
}
