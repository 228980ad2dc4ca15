namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>list-runs</c>.</summary>
/// <param name="Runs">The newest first.</param>
/// <param name="Next">The run to go on after; absent at the end.</param>
public sealed record RunList(IReadOnlyList<RunSummary> Runs, string? Next = null);

/// <summary>One attempt at a task, as a line of a list.</summary>
public sealed record RunSummary
{
    public required string Id { get; init; }
    public required string TaskId { get; init; }
    public required long TaskNumber { get; init; }

    /// <summary>The task's.</summary>
    public required string Title { get; init; }

    /// <summary>From 1. An interrupted attempt and the one after it bear the same number.</summary>
    public required int Attempt { get; init; }
    public required string AgentId { get; init; }

    /// <summary>The agent's label.</summary>
    public string? Label { get; init; }

    /// <summary>The profile of the agent; absent for one that was started without.</summary>
    public string? Profile { get; init; }

    /// <summary>The kind of the agent.</summary>
    public string? Runtime { get; init; }

    /// <summary>What the program said of its version before the run; absent where that is not known.</summary>
    public string? Version { get; init; }
    public required string SessionId { get; init; }

    /// <summary>The route it was started on, where one was chosen.</summary>
    public string? Model { get; init; }
    public string? Provider { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Absent while it runs, as is all that only its end tells.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>From its start to its end on the host's clock, and never below 0.</summary>
    public long? DurationMs { get; init; }
    public ProcessExit? Exit { get; init; }
    public string? Verdict { get; init; }
    public TaskError? Error { get; init; }

    /// <summary>True where it began in the agent's own session of an earlier run; else absent.</summary>
    public bool? Resumed { get; init; }

    /// <summary>The tools whose calls were refused; absent where none was.</summary>
    public IReadOnlyList<DeniedTool>? Denied { get; init; }

    /// <summary>The W3C trace that its agent was told, 32 lower-case hexadecimal digits; absent of a run before there were any.</summary>
    public string? TraceId { get; init; }

    /// <summary>The run's own span in it, 16 digits.</summary>
    public string? SpanId { get; init; }

    /// <summary>Of one that runs, what is booked by now.</summary>
    public Usage Usage { get; init; } = new();
}
