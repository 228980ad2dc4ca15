using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>One task on the board, as every command that answers a task shows it.</summary>
public sealed record BoardTask
{
    public required string Id { get; init; }
    public required string Title { get; init; }
    public string Description { get; init; } = "";
    public required TaskState Status { get; init; }
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>Higher starts first; equal priorities start in order of creation.</summary>
    public int Priority { get; init; }

    /// <summary>Attempts started so far. An attempt that the daemon's own end interrupted is given back.</summary>
    public int Attempts { get; init; }
    public int MaxAttempts { get; init; }

    /// <summary>The end of a retry's back-off; the scheduler leaves the task alone until then.</summary>
    public DateTimeOffset? NotBefore { get; init; }
    public string? AgentId { get; init; }
    public string? SessionId { get; init; }

    /// <summary>Why it does not start now, of a queued task; absent where nothing is in its way.</summary>
    public IReadOnlyList<BlockedBy>? BlockedBy { get; init; }
    public TaskError? Error { get; init; }

    /// <summary>How the latest finished attempt was judged, from its events and its process together.</summary>
    public string? Verdict { get; init; }

    /// <summary>The tools whose calls were refused in the latest finished attempt; absent where none was.</summary>
    public IReadOnlyList<DeniedTool>? Denied { get; init; }

    /// <summary>The agent's last words in the latest finished attempt.</summary>
    public TaskResult? Result { get; init; }

    /// <summary>Summed over every attempt.</summary>
    public Usage Usage { get; init; } = new();
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Whether it is kept from starting until <c>release-task</c>. Only a queued task is.</summary>
    public bool Held { get; init; }

    /// <summary>How many of its runs in a row were interrupted because the daemon was killed.</summary>
    public int Interruptions { get; init; }

    /// <summary>Only in the answer to <c>get-task</c>: the latest 20 attempts by agents of the daemon, oldest first.</summary>
    public IReadOnlyList<TaskRun>? Runs { get; init; }
}

/// <summary>Where a task stands on the board. The edges between these are the board's task life cycle.</summary>
[JsonConverter(typeof(KebabEnumConverter<TaskState>))]
public enum TaskState
{
    Queued,
    Claimed,
    Started,
    Done,
    Failed,
    Cancelled,
}

/// <summary>Why a task's latest attempt did not succeed.</summary>
/// <param name="Code">Kebab-case and stable: scripts match on it.</param>
/// <param name="Message">One line for a person.</param>
[JsonConverter(typeof(TaskErrorConverter))]
public sealed record TaskError(string Code, string Message);

/// <summary>A tool whose calls were not permitted.</summary>
/// <param name="Tool">The agent's own name for it, at most 128 characters.</param>
/// <param name="Reason">Why its latest call was refused, at most 300 characters; absent where the agent does not say.</param>
/// <param name="Count">The number of refused calls.</param>
public sealed record DeniedTool(string Tool, string? Reason, long Count);

/// <summary>The last words of an agent in a run.</summary>
/// <param name="Text">At most 64 KiB of UTF-8.</param>
/// <param name="Truncated">True where the words were longer; else absent.</param>
public sealed record TaskResult(string Text, bool? Truncated = null);

/// <summary>A reason why a queued task does not start.</summary>
/// <param name="Code">Kebab-case and stable.</param>
/// <param name="Message">One line for a person.</param>
public sealed record BlockedBy(string Code, string Message);

/// <summary>One attempt at a task, as it is on record.</summary>
public sealed record TaskRun
{
    /// <summary>From 1. An interrupted attempt and the one after it bear the same number.</summary>
    public required int Attempt { get; init; }
    public required string AgentId { get; init; }

    /// <summary>The program, resolved.</summary>
    public required string Binary { get; init; }

    /// <summary>What was started, its arguments cut to 60 characters each, and without what a flag calls a secret.</summary>
    public string? CommandLine { get; init; }

    /// <summary>The route it was started on, where one was chosen.</summary>
    public string? Provider { get; init; }
    public string? Model { get; init; }
    public int? Pid { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Absent while it runs.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
    public string? Verdict { get; init; }
    public TaskError? Error { get; init; }

    /// <summary>The tools whose calls were refused; absent where none was.</summary>
    public IReadOnlyList<DeniedTool>? Denied { get; init; }

    /// <summary>The agent's last words; absent where it said none, and while it runs.</summary>
    public TaskResult? Result { get; init; }
    public ProcessExit? Exit { get; init; }
    public Usage Usage { get; init; } = new();

    /// <summary>Entries that its session lacks: the disk refused them, or they were removed while it ran. Absent where there are none.</summary>
    public long? SessionEntriesDropped { get; init; }

    /// <summary>The last of what it wrote to standard error, at most 8 KiB.</summary>
    public string? StderrTail { get; init; }
}
