using Colibri.Protocol.Wire;

namespace Colibri.Core.Cost;

/// <summary>What one cost mode allows: the only place where these numbers stand.</summary>
/// <param name="SessionMaxBytes">Size of a session's live generation.</param>
/// <param name="MaxUncompactedTurns">User and assistant entries since the latest compaction.</param>
/// <param name="ToolResultMaxBytes">Bytes kept of one tool result; null is unlimited.</param>
public sealed record CostLimits(long SessionMaxBytes, int MaxUncompactedTurns, long? ToolResultMaxBytes)
{
    private static readonly CostLimits Fast = new(500_000, 5, 4_000);
    private static readonly CostLimits Smart = new(2_000_000, 20, 16_000);
    private static readonly CostLimits Max = new(8_000_000, 100, null);

    /// <summary>Whether a generation of such a size is within both.</summary>
    public bool Allow(long bytes, long turns) => bytes <= SessionMaxBytes && turns <= MaxUncompactedTurns;

    public static CostLimits Of(CostMode mode) => mode switch
    {
        CostMode.Fast => Fast,
        CostMode.Smart => Smart,
        CostMode.Max => Max,
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "no such cost mode"),
    };
}
