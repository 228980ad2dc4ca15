using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>One attempt at a task.</summary>
public sealed record RunRow
{
    public required string Id { get; init; }
    public required string TaskId { get; init; }

    /// <summary>From 1. An interrupted attempt and the one after it bear the same number.</summary>
    public required int Attempt { get; init; }
    public required string AgentId { get; init; }
    public required string SessionId { get; init; }
    public required string Binary { get; init; }

    /// <summary>What its program had said of its version; null where that is not known.</summary>
    public string? Version { get; init; }
    public IReadOnlyList<string> Arguments { get; init; } = [];
    public int? Pid { get; init; }
    public long? StartTime { get; init; }
    public string? BootId { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Null while it runs.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
    public ProcessExit? Exit { get; init; }
    public string? Verdict { get; init; }
    public TaskError? Error { get; init; }
    public string? StderrTail { get; init; }

    /// <summary>The tools whose calls were refused; null where none was.</summary>
    public IReadOnlyList<DeniedTool>? Denied { get; init; }

    /// <summary>The agent's last words; null where it said none.</summary>
    public TaskResult? Result { get; init; }
    public Usage Usage { get; init; } = new();

    /// <summary>The route it was started on, if one was chosen.</summary>
    public string? Provider { get; init; }
    public string? Model { get; init; }

    /// <summary>The profile of its agent, and what that may do.</summary>
    public string? Profile { get; init; }
    public string? Access { get; init; }

    /// <summary>Where it works; null before it is placed.</summary>
    public string? Cwd { get; init; }

    /// <summary>The agent's number on the board, of which its label is made.</summary>
    public long? AgentNumber { get; init; }

    /// <summary>The agent's own session, by its id; null where it is not known.</summary>
    public string? HarnessSession { get; init; }

    /// <summary>Whether the model has answered in it.</summary>
    public bool HasAnswered { get; init; }

    /// <summary>Whether it began in the session of an earlier run.</summary>
    public bool IsResumed { get; init; }

    /// <summary>Entries of the run that its session lacks.</summary>
    public long SessionEntriesDropped { get; init; }
}

/// <summary>All that one agent has used so far of one model on one day in one run. Booking a row again replaces it.</summary>
/// <param name="RunId">The run; empty for what a long-lived agent did outside its runs.</param>
/// <param name="Day">In UTC.</param>
/// <param name="Provider">The provider; <see cref="Unknown"/> where neither agent nor request names one.</param>
/// <param name="Model">The model; <see cref="Unknown"/> where neither agent nor request names one.</param>
/// <param name="Requests">The number of usage reports: requests answered or billed.</param>
/// <param name="Usage">The sum of the reports.</param>
public sealed record UsageRow(string RunId, DateOnly Day, string Provider, string Model, long Requests, Usage Usage)
{
    /// <summary>Of its tokens, those whose cost the agent is still to tell. If the daemon is killed before, they stay without a price.</summary>
    public long AwaitedTokens { get; init; }

    public const string Unknown = "unknown";
}
