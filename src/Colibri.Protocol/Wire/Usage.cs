namespace Colibri.Protocol.Wire;

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

    /// <summary>Micro-cents: 1 USD is 100,000,000. Zero where the agent reports no cost.</summary>
    public long CostMicrocents { get; init; }

    public static Usage operator +(Usage left, Usage right) => Add(left, right);

    public static Usage Add(Usage left, Usage right) => new()
    {
        InputTokens = left.InputTokens + right.InputTokens,
        OutputTokens = left.OutputTokens + right.OutputTokens,
        CacheReadTokens = left.CacheReadTokens + right.CacheReadTokens,
        CacheWriteTokens = left.CacheWriteTokens + right.CacheWriteTokens,
        CostMicrocents = left.CostMicrocents + right.CostMicrocents,
    };
}
