using System.Text.Json.Serialization;

namespace Colibri.Protocol.Wire;

/// <summary>The cost mode in force and what follows from it.</summary>
public sealed record CostState
{
    public required CostMode Mode { get; init; }
    public required long SessionMaxBytes { get; init; }
    public required int MaxUncompactedTurns { get; init; }

    /// <summary>Bytes kept of one tool result; null when unlimited.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? ToolResultMaxBytes { get; init; }

    /// <summary>The mode that was set before a session forced a higher one; absent where none did.</summary>
    public CostMode? EscalatedFrom { get; init; }

    /// <summary>When the latest escalation was.</summary>
    public DateTimeOffset? EscalatedAt { get; init; }

    /// <summary>The session that forced the latest escalation.</summary>
    public string? EscalatedBy { get; init; }
}
