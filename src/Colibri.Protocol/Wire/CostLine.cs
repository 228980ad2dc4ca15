namespace Colibri.Protocol.Wire;

/// <summary>One line of a <see cref="CostSummary"/>. Which of the ids is set follows from what the summary is by.</summary>
public sealed record CostLine
{
    /// <summary>Absent on the line of agents that had no task.</summary>
    public string? TaskId { get; init; }
    public string? Title { get; init; }
    public TaskState? Status { get; init; }
    public string? SessionId { get; init; }

    /// <summary><c>unknown</c> where nobody said.</summary>
    public string? Provider { get; init; }
    public string? Model { get; init; }

    /// <summary><c>2026-11-24</c>, in UTC.</summary>
    public string? Day { get; init; }

    /// <summary>Agents that had a part in it; absent on the total.</summary>
    public long? Agents { get; init; }

    /// <summary>Requests that were answered or billed, retried ones included.</summary>
    public required long Requests { get; init; }
    public required Usage Usage { get; init; }

    /// <summary>Tokens read from a provider's cache over all sent, 0 to 1; 0 when nothing was sent.</summary>
    public required double HitRate { get; init; }

    public static CostLine Of(long requests, Usage usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        return new CostLine { Requests = requests, Usage = usage, HitRate = usage.HitRate };
    }
}
