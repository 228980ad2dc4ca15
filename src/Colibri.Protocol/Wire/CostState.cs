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
    public CostMode? EscalatedFrom { get; init; }
    public DateTimeOffset? EscalatedAt { get; init; }
    public string? EscalatedBy { get; init; }
}
