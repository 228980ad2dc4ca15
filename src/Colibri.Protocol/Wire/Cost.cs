using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

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

/// <summary>The single source of every threshold on sessions and tool results.</summary>
[JsonConverter(typeof(KebabEnumConverter<CostMode>))]
public enum CostMode
{
    Fast,
    Smart,
    Max,
}

/// <summary>A change of the cost mode that a session forced.</summary>
public sealed record Escalation(CostMode From, CostMode To);

/// <summary>One line of a <see cref="CostSummary"/>. Which of the ids is set follows from what the summary is by.</summary>
public sealed record CostLine
{
    /// <summary>Absent on the line of agents that had no task.</summary>
    public string? TaskId { get; init; }
    public long? TaskNumber { get; init; }
    public string? Title { get; init; }
    public TaskState? Status { get; init; }
    public string? SessionId { get; init; }

    /// <summary><c>unknown</c> if neither agent nor request names it.</summary>
    public string? Provider { get; init; }
    public string? Model { get; init; }

    /// <summary>The profile of the runs' agents; <see cref="OtherProfile"/> for what was used outside of runs with a profile.</summary>
    public string? Profile { get; init; }

    /// <summary><c>2026-11-24</c>, in UTC.</summary>
    public string? Day { get; init; }

    /// <summary>Agents that had a part in it; absent on the total.</summary>
    public long? Agents { get; init; }

    /// <summary>Requests that were answered or billed, retried ones included.</summary>
    public required long Requests { get; init; }
    public required Usage Usage { get; init; }

    /// <summary>Tokens read from a provider's cache over all sent, 0 to 1; 0 when nothing was sent.</summary>
    public required double HitRate { get; init; }

    public const string OtherProfile = "other";

    public static CostLine Of(long requests, Usage usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        return new CostLine { Requests = requests, Usage = usage, HitRate = usage.HitRate };
    }
}

/// <summary>What the lines of a <see cref="CostSummary"/> are about.</summary>
[JsonConverter(typeof(KebabEnumConverter<CostGrouping>))]
public enum CostGrouping
{
    Task,
    Session,
    Provider,
    Profile,
    Day,
    DayProfile,
}

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

    /// <summary>Tokens of the day whose cost is unknown; they count towards no budget.</summary>
    public required long UnpricedTokens { get; init; }

    /// <summary>The day's budget is used up and no agent is started.</summary>
    public required bool Held { get; init; }

    /// <summary>When starts go on by themselves: midnight in UTC. Only while <see cref="Held"/>.</summary>
    public DateTimeOffset? LiftsAt { get; init; }

    /// <summary>When an operator lifted the day's budget for the rest of the day.</summary>
    public DateTimeOffset? LiftedAt { get; init; }
}

/// <summary>What a model was asked and answered, in tokens, and what it cost.</summary>
public sealed record Usage
{
    /// <summary>Tokens sent that no cache held; cached tokens are not in here, whatever the agent's own convention is.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens answered, reasoning included.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Tokens sent that the provider read from its prefix cache.</summary>
    public long CacheReadTokens { get; init; }

    /// <summary>Tokens sent that the provider wrote to its prefix cache.</summary>
    public long CacheWriteTokens { get; init; }

    /// <summary>Micro-cents: 1 USD is 100,000,000. Of those tokens whose cost is known; see <see cref="UnpricedTokens"/>.</summary>
    public long CostMicrocents { get; init; }

    /// <summary>Of all tokens above, those whose cost neither the agent nor a price table says. Absent on the wire when 0: the cost is then whole.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long UnpricedTokens { get; init; }

    /// <summary>All tokens sent, cached or not.</summary>
    [JsonIgnore]
    public long SentTokens => InputTokens + CacheReadTokens + CacheWriteTokens;

    /// <summary>Tokens read from the cache over all sent, 0 to 1, four decimals; 0 when nothing was sent.</summary>
    [JsonIgnore]
    public double HitRate => SentTokens == 0 ? 0 : Math.Round((double)CacheReadTokens / SentTokens, 4);

    public static Usage operator +(Usage left, Usage right) => Add(left, right);

    public static Usage Add(Usage left, Usage right) => new()
    {
        InputTokens = left.InputTokens + right.InputTokens,
        OutputTokens = left.OutputTokens + right.OutputTokens,
        CacheReadTokens = left.CacheReadTokens + right.CacheReadTokens,
        CacheWriteTokens = left.CacheWriteTokens + right.CacheWriteTokens,
        CostMicrocents = left.CostMicrocents + right.CostMicrocents,
        UnpricedTokens = left.UnpricedTokens + right.UnpricedTokens,
    };
}
