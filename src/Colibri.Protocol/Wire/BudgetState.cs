namespace Colibri.Protocol.Wire;

/// <summary>The budgets in force and what was spent of the day's. Money is in micro-cents: 1 USD is 100,000,000.</summary>
public sealed record BudgetState
{
    /// <summary>What one task may cost over all its attempts; absent where there is no such budget.</summary>
    public long? TaskMicrocents { get; init; }

    /// <summary>What all agents may cost in a day; absent where there is no such budget.</summary>
    public long? DayMicrocents { get; init; }

    /// <summary>The day the rest is about, in UTC: <c>2026-11-24</c>.</summary>
    public required string Day { get; init; }

    public required long SpentMicrocents { get; init; }

    /// <summary>Tokens of the day whose cost nobody knows: no budget sees them.</summary>
    public required long UnpricedTokens { get; init; }

    /// <summary>The day's budget is used up and no agent is started.</summary>
    public required bool Held { get; init; }

    /// <summary>When starts go on by themselves: midnight in UTC. Only while <see cref="Held"/>.</summary>
    public DateTimeOffset? LiftsAt { get; init; }

    /// <summary>When an operator lifted the day's budget for the rest of the day.</summary>
    public DateTimeOffset? LiftedAt { get; init; }
}
