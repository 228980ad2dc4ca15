using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>One task on the board, as every command that answers a task shows it.</summary>
public sealed record BoardTask
{
    public required string Id { get; init; }

    /// <summary>Its number on this board, from 1, never given again; taken wherever the id is.</summary>
    public long Number { get; init; }
    public required string Title { get; init; }
    public string Description { get; init; } = "";
    public required TaskState Status { get; init; }
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>Higher starts first; equal priorities start in order of creation.</summary>
    public int Priority { get; init; }

    /// <summary>Attempts started so far. An attempt that the daemon's own end interrupted is given back.</summary>
    public int Attempts { get; init; }
    public int MaxAttempts { get; init; }

    /// <summary>The profile that alone may take it; absent for any.</summary>
    public string? Agent { get; init; }

    /// <summary>The model in place of the profile's.</summary>
    public string? Model { get; init; }

    /// <summary>The workspace in which its runs work. It never has a <see cref="Cwd"/> as well.</summary>
    public string? Workspace { get; init; }

    /// <summary>The directory, absolute, in which its runs work. With neither this nor a workspace it has a directory of its own.</summary>
    public string? Cwd { get; init; }

    /// <summary>Ids of the tasks that must be done before it starts.</summary>
    public IReadOnlyList<string> After { get; init; } = [];

    /// <summary>What becomes of it when one of those is over without being done: <c>hold</c>, <c>fail</c> or <c>run</c>.</summary>
    public string OnFailed { get; init; } = "hold";
    public string? Group { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Of each of its runs; absent for the profile's or the daemon's.</summary>
    public long? RunTimeoutMs { get; init; }

    /// <summary>What it may cost over all its runs; absent for the profile's or the daemon's.</summary>
    public long? BudgetMicrocents { get; init; }

    /// <summary>The tenant in whose root its runs are confined.</summary>
    public string? Tenant { get; init; }

    /// <summary>The schedule that made it.</summary>
    public string? Schedule { get; init; }

    /// <summary>The words of the latest <c>retry-task</c>, for its next run.</summary>
    public string? Feedback { get; init; }

    /// <summary>The end of a retry's back-off, or the time that was asked for; the scheduler leaves the task alone until then.</summary>
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

    /// <summary>What its runs left in its workspace.</summary>
    public WorkChange? Change { get; init; }

    /// <summary>The command that must pass, and how it went the latest time; the command alone before it was run.</summary>
    public TaskCheck? Check { get; init; }

    /// <summary>Summed over every attempt.</summary>
    public Usage Usage { get; init; } = new();
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>
    /// Whether it is kept from starting until <c>release-task</c>. Only a queued task is. With the error <c>parent-failed</c> it is so because a task that it
    /// comes after is over without being done, and ends by itself once that task is tried again.
    /// </summary>
    public bool Held { get; init; }

    /// <summary>How often a failed check has sent its work back to an agent, since it was queued by hand. Absent where none has.</summary>
    public int? Reworks { get; init; }

    /// <summary>How many of its runs in a row were interrupted because the daemon was killed.</summary>
    public int Interruptions { get; init; }

    /// <summary>Only in the answer to <c>create-task</c>: true where the key was known, so that no second task was made.</summary>
    public bool? Existing { get; init; }

    /// <summary>Only in the answer to <c>get-task</c>: the latest 20 attempts by agents of the daemon, oldest first.</summary>
    public IReadOnlyList<TaskRun>? Runs { get; init; }

    /// <summary>Only in the answers to <c>get-task</c> and <c>claim-task</c>: the tasks that it comes after, in the order of <see cref="After"/>.</summary>
    public IReadOnlyList<TaskParent>? Parents { get; init; }
}

/// <summary>A task that another comes after, as far as whoever works on that one needs to know it.</summary>
/// <param name="TaskId">Its id.</param>
/// <param name="Number">Its number.</param>
/// <param name="Title">What was to be done.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Result">The last words of its agent, at most 16 KiB of UTF-8.</param>
/// <param name="Change">What its runs left in their workspace.</param>
/// <param name="Error">Why it is not done.</param>
public sealed record TaskParent(
    string TaskId, long Number, string Title, TaskState Status, TaskResult? Result = null, WorkChange? Change = null, TaskError? Error = null);

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

/// <summary>What runs left in a workspace: a branch with commits.</summary>
public sealed record WorkChange
{
    public required string Workspace { get; init; }
    public required string Branch { get; init; }

    /// <summary>The commit that the branch began at.</summary>
    public required string Base { get; init; }

    /// <summary>The branch's tip.</summary>
    public required string Head { get; init; }
    public int Commits { get; init; }
    public int Files { get; init; }
    public long Insertions { get; init; }
    public long Deletions { get; init; }
    public required ChangeState State { get; init; }

    /// <summary>With <c>conflict</c>: the files that were changed on both sides, at most 100.</summary>
    public IReadOnlyList<string>? Conflicts { get; init; }
}

/// <summary>What became of a change.</summary>
[JsonConverter(typeof(KebabEnumConverter<ChangeState>))]
public enum ChangeState
{
    /// <summary>Not yet landed.</summary>
    Open,
    Landed,
    Discarded,

    /// <summary>It could not be put onto its base as that is now.</summary>
    Conflict,

    /// <summary>The run left nothing.</summary>
    Empty,
}

/// <summary>The check of a task.</summary>
/// <param name="Command">A shell command.</param>
/// <param name="Exit">How it ended; absent before it was run.</param>
/// <param name="DurationMs">How long it took; absent before it was run.</param>
/// <param name="OutputTail">The last of what it printed; absent before it was run.</param>
public sealed record TaskCheck(string Command, ProcessExit? Exit = null, long? DurationMs = null, string? OutputTail = null);

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

    /// <summary>The agent's label.</summary>
    public string? Label { get; init; }

    /// <summary>The profile of the agent; absent for one that was started without.</summary>
    public string? Profile { get; init; }

    /// <summary>What it may do: <c>read</c>, <c>edit</c> or <c>full</c>; absent where no profile says so.</summary>
    public string? Access { get; init; }

    /// <summary>Where it works; absent before the run is placed.</summary>
    public string? Cwd { get; init; }

    /// <summary>The program, resolved.</summary>
    public required string Binary { get; init; }

    /// <summary>What the program said of its version before the run; absent where that is not known.</summary>
    public string? AgentVersion { get; init; }

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

    /// <summary>The agent's own session; absent where it is not known.</summary>
    public string? HarnessSessionId { get; init; }

    /// <summary>Whether it began in the agent's own session of an earlier run; absent where it did not.</summary>
    public bool? Resumed { get; init; }

    /// <summary>Entries that its session lacks: the disk refused them, or they were removed while it ran. Absent where there are none.</summary>
    public long? SessionEntriesDropped { get; init; }

    /// <summary>The last of what it wrote to standard error, at most 8 KiB.</summary>
    public string? StderrTail { get; init; }
}
