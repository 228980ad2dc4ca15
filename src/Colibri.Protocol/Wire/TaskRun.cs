namespace Colibri.Protocol.Wire;

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
    public ProcessExit? Exit { get; init; }
    public Usage Usage { get; init; } = new();

    /// <summary>The last of what it wrote to standard error, at most 8 KiB.</summary>
    public string? StderrTail { get; init; }
}
