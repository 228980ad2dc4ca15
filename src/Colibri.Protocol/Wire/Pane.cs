namespace Colibri.Protocol.Wire;

/// <summary>What the operator sees of one agent.</summary>
public sealed record Pane
{
    public required string Id { get; init; }

    /// <summary>The agent's name: the base name of its binary.</summary>
    public required string Agent { get; init; }

    /// <summary>The dialect it is read in: pi, zot, claude, codex, opencode or local.</summary>
    public required string Runtime { get; init; }
    public int? Pid { get; init; }
    public required Lifecycle Lifecycle { get; init; }
    public required Activity Activity { get; init; }

    /// <summary>No event for COLIBRI_STALL_AFTER while its process lives.</summary>
    public bool Stalled { get; init; }

    /// <summary>In error, blocked or stalled, or its session is over budget.</summary>
    public bool NeedsAttention { get; init; }
    public string? TaskId { get; init; }
    public string? SessionId { get; init; }

    /// <summary>Its session is larger than even mode <c>max</c> allows; absent otherwise.</summary>
    public bool? OverBudget { get; init; }

    /// <summary>The id the agent itself gave its session.</summary>
    public string? HarnessSessionId { get; init; }
    public string? Cwd { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? LastEventAt { get; init; }

    /// <summary>The agent's own name for its latest event.</summary>
    public string? LastEvent { get; init; }

    /// <summary>Well-formed lines read.</summary>
    public long Events { get; init; }

    /// <summary>Lines skipped because they were no JSON object, torn, or too long to keep.</summary>
    public long MalformedLines { get; init; }

    /// <summary>Of the malformed ones, those beyond the line limit of 4 MiB.</summary>
    public long OversizeLines { get; init; }
    public long Turns { get; init; }

    /// <summary>Tool calls started.</summary>
    public long Tools { get; init; }

    /// <summary>The tool running now.</summary>
    public string? Tool { get; init; }
    public Usage Usage { get; init; } = new();

    /// <summary>What it waits for an answer to, while it is blocked on a question that can be answered.</summary>
    public AgentQuestion? Question { get; init; }

    /// <summary>The latest error the agent reported about itself.</summary>
    public string? Error { get; init; }
    public ProcessExit? Exit { get; init; }
}
