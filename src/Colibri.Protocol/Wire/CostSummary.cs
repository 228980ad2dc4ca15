namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>cost</c>: what agents used and what it cost.</summary>
public sealed record CostSummary
{
    public const string CurrentSchema = "clawdie.task-cost-summary.v1";

    public string Schema { get; init; } = CurrentSchema;
    public required CostGrouping By { get; init; }

    /// <summary>Over everything in the ledger, lines that are left out included.</summary>
    public required CostLine Total { get; init; }

    /// <summary>The dearest first; days the latest first.</summary>
    public required IReadOnlyList<CostLine> Lines { get; init; }

    /// <summary>Set where there are more lines than were asked for.</summary>
    public bool? More { get; init; }
}
