using System.Globalization;

namespace Colibri.TestAgent;

/// <summary>What one assistant message is said to have used: tokens, and cost in US dollars.</summary>
internal readonly record struct TokenUsage(long Input, long Output, long CacheRead, long CacheWrite, decimal CostUsd)
{
    public static readonly TokenUsage Example = new(1200, 340, 8000, 150, 0.01834m);

    public long Total => Input + Output + CacheRead + CacheWrite;

    /// <summary>Reads "INPUT,OUTPUT,CACHE_READ,CACHE_WRITE,COST_USD"; none of them may be negative.</summary>
    public static bool TryParse(string text, out TokenUsage usage)
    {
        usage = default;
        var parts = text.Split(',');
        if (parts.Length != 5)
            return false;
        Span<long> tokens = stackalloc long[4];
        for (var i = 0; i < tokens.Length; i++)
        {
            if (!long.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out tokens[i]))
                return false;
        }
        if (!decimal.TryParse(parts[4], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var cost))
            return false;
        usage = new TokenUsage(tokens[0], tokens[1], tokens[2], tokens[3], cost);
        return true;
    }
}
