using Colibri.Core.Cost;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>A run to begin, an agent to persist, or both at once.</summary>
public sealed record RunStart
{
    /// <summary>The id of the new run.</summary>
    public string RunId { get; init; } = Guid.CreateVersion7().ToString();

    /// <summary>The run's place in a trace.</summary>
    public RunTrace Trace { get; init; } = RunTrace.New();

    public required string AgentId { get; init; }

    /// <summary>The task to claim; null persists the agent alone.</summary>
    public string? TaskId { get; init; }

    /// <summary>The session that a task without one gets.</summary>
    public required string SessionId { get; init; }

    /// <summary>Whether the task gets this session even if it has another.</summary>
    public bool ReplacesSession { get; init; }

    /// <summary>A new agent, to be persisted; null for one that lives.</summary>
    public AgentRecord? Agent { get; init; }

    /// <summary>Makes the agent's arguments from the claimed task; null for an agent that runs already. Called by the board's writer.</summary>
    public Func<BoardTask?, EarlierSession?, IReadOnlyList<string>>? Arguments { get; init; }

    /// <summary>The agent's own session that the run begins in, from the claimed task; null where only the agent will tell. Called by the board's writer.</summary>
    public Func<BoardTask, EarlierSession?, OwnSession?>? Session { get; init; }

    /// <summary>The route it is started on, if one was chosen.</summary>
    public string? Provider { get; init; }
    public string? Model { get; init; }

    /// <summary>The profile of its agent, and what that may do: <c>read</c>, <c>edit</c> or <c>full</c>; null without a profile.</summary>
    public string? Profile { get; init; }
    public string? Access { get; init; }
}

/// <summary>An agent about to be started; it is persisted before its process exists.</summary>
public sealed record AgentRecord
{
    /// <summary>The number of which its label is made, from <see cref="TaskBoard.NextAgentNumber"/>; null lets the board give one.</summary>
    public long? Number { get; init; }
    public required string Name { get; init; }
    public required string Runtime { get; init; }
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    public required string Binary { get; init; }
    public string? Cwd { get; init; }
    public required string Host { get; init; }

    /// <summary>What its program said of its version; null where that is not known.</summary>
    public string? Version { get; init; }

    /// <summary>The FreeBSD jail it is in.</summary>
    public string? Jail { get; init; }

    /// <summary>The root of that jail, in which files are left for it.</summary>
    public string? JailRoot { get; init; }
}

/// <summary>
/// A run's claim on its task: a fencing token. Every statement about the run names it, so that a run that has lost its task to another claim,
/// of any host, can no longer change it.
/// </summary>
/// <param name="RunId">The run.</param>
/// <param name="TaskId">Its task.</param>
/// <param name="Number">The number of this claim among all claims of the task, from 1. Unlike the attempt, it is never given back.</param>
/// <param name="Epoch">The daemon's start that made the claim; each start has a higher number.</param>
public sealed record RunClaim(string RunId, string TaskId, long Number, long Epoch);

/// <summary>The answer to a request to begin a run.</summary>
/// <param name="Outcome">Whether the run has begun.</param>
/// <param name="Task">The whole task as claimed, or unchanged after a refusal; null where none was asked for or found.</param>
/// <param name="Claim">The token that every later statement names; null if no task was claimed.</param>
/// <param name="Reason">Why it was refused, in one line for a person; else null.</param>
/// <param name="Earlier">The agent's own session of the task's runs before; null where there is none, and where the task begins anew.</param>
/// <param name="Trace">The run's place in a trace; null without a run.</param>
public sealed record RunBegun(
    EdgeOutcome Outcome, BoardTask? Task = null, RunClaim? Claim = null, string? Reason = null, EarlierSession? Earlier = null, RunTrace? Trace = null);

/// <summary>The end of a run, of an agent, or of both at once.</summary>
public sealed record RunEnd
{
    public required string AgentId { get; init; }

    /// <summary>The run; null where the agent had none.</summary>
    public RunClaim? Claim { get; init; }

    /// <summary>Whether the agent has ended as well, with its whole tree; else it lives on and may have another run.</summary>
    public bool AgentEnded { get; init; }

    public required RunEnding Ending { get; init; }
    public string? Verdict { get; init; }
    public TaskError? Error { get; init; }
    public ProcessExit? Exit { get; init; }

    /// <summary>The last of the agent's stderr; the board keeps at most its last 8 KiB.</summary>
    public string? StderrTail { get; init; }

    /// <summary>The tools whose calls were refused; null where none was.</summary>
    public IReadOnlyList<DeniedTool>? Denied { get; init; }

    /// <summary>What the run left in its workspace; null leaves the task's change as it is.</summary>
    public WorkChange? Change { get; init; }

    /// <summary>How the task's check went; null where it was not run.</summary>
    public TaskCheck? Check { get; init; }

    /// <summary>What the task's next run is to be told: the work goes back to an agent, and the attempt is given back. Null where it does not.</summary>
    public string? Feedback { get; init; }

    /// <summary>The agent's last words; null where it said none.</summary>
    public TaskResult? Result { get; init; }

    /// <summary>The agent's own session, where it can be taken up again; null leaves what is on record of it.</summary>
    public Conversation? Conversation { get; init; }

    /// <summary>Whether the model has answered in the run: a session without an answer is worth nothing.</summary>
    public bool HasAnswered { get; init; }

    /// <summary>Whether the run was to go on in an earlier session, and failed to take it up.</summary>
    public bool ResumeFailed { get; init; }

    /// <summary>What else is to be known of the run, for its session, in one line; null for nothing.</summary>
    public string? Remark { get; init; }

    /// <summary>Entries of the run that its session lacks.</summary>
    public long SessionEntriesDropped { get; init; }

    /// <summary>All that the agent used; it replaces what was booked during the run. The task keeps the sum over its attempts.</summary>
    public IReadOnlyList<UsageRow> Usage { get; init; } = [];

    /// <summary>What the agent's own sessions have used in all.</summary>
    public IReadOnlyList<SessionUsage> Sessions { get; init; } = [];

    /// <summary>When the next attempt may start. Null means none; after <see cref="RunEnding.Interrupted"/> it means at once. The task's rest after its start may make it later.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}

/// <summary>How an attempt ended: decides its task's next state.</summary>
public enum RunEnding
{
    Done,

    /// <summary>Counts as an attempt: retried at <see cref="RunEnd.RetryAt"/> while attempts are left, else failed for good.</summary>
    Failed,

    /// <summary>Cut short through no fault of the task, usually by the daemon's end: queued again, and the attempt is given back.</summary>
    Interrupted,

    /// <summary>Its check failed, and an agent is told so in another run: queued again, and the attempt is given back.</summary>
    Reworked,

    /// <summary>
    /// As <see cref="Interrupted"/>, because the daemon was killed. It counts as an interruption unless that daemon was stopping, and too many in a
    /// row hold the task: the run may be what kills the daemon.
    /// </summary>
    Killed,
}

/// <summary>The result of ending a run.</summary>
/// <param name="Task">The run's task afterwards; null where it had none.</param>
/// <param name="IsLost">The run had lost its task to another claim, and the task is unchanged.</param>
public readonly record struct RunClosed(BoardTask? Task, bool IsLost);

/// <summary>A spawned agent whose end is not recorded: it is running now, or a killed daemon left it.</summary>
/// <param name="AgentId">The agent's id.</param>
/// <param name="Claim">Its open run, if any.</param>
/// <param name="Pid">Null when the daemon ended after it persisted the agent and before it recorded the process.</param>
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
