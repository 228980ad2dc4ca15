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
    public TaskError? Error { get; init; }

    /// <summary>How the latest finished attempt was judged, from its events and its process together.</summary>
    public string? Verdict { get; init; }

    /// <summary>Summed over every attempt.</summary>
    public Usage Usage { get; init; } = new();
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Only in the answer to <c>get-task</c>: the latest 20 attempts by agents of the daemon, oldest first.</summary>
    public IReadOnlyList<TaskRun>? Runs { get; init; }
}
