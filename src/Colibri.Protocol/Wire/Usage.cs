using System.Text.Json.Serialization;

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
