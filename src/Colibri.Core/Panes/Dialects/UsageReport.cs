using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes.Dialects;

/// <summary>One report of usage, already in Colibri's terms: see <see cref="Protocol.Wire.Usage"/>.</summary>
/// <param name="Input">Tokens sent that no cache held.</param>
/// <param name="Output">Tokens answered, reasoning included.</param>
/// <param name="CacheRead">Tokens read from the provider's cache.</param>
/// <param name="CacheWrite">Tokens written to the provider's cache.</param>
/// <param name="Microcents">1 USD is 100,000,000.</param>
/// <param name="Unpriced">Of all these tokens, those whose cost is not known.</param>
public readonly record struct UsageReport(long Input, long Output, long CacheRead, long CacheWrite, long Microcents, long Unpriced = 0)
{
    /// <summary>The bound of one reported number: no run comes near it, and the sum of thousands stays in range.</summary>
    public const long MaxReported = 1_000_000_000_000_000;

    /// <summary>The bound of a sum: the largest round number that a double holds exactly, because many JSON readers use doubles.</summary>
    public const long MaxSum = 9_000_000_000_000_000;

    /// <summary>All tokens, sent and answered.</summary>
    public long Tokens => Sum(Sum(Input, Output), Sum(CacheRead, CacheWrite));

    /// <summary>A report as an agent makes it.</summary>
    /// <param name="input">See <see cref="Input"/>, as the next three.</param>
    /// <param name="output">Answered.</param>
    /// <param name="cacheRead">Read from a cache.</param>
    /// <param name="cacheWrite">Written to one.</param>
    /// <param name="microcents">The cost; null where the agent does not say.</param>
    public static UsageReport Of(long input, long output, long cacheRead, long cacheWrite, long? microcents)
    {
        var report = new UsageReport(input, output, cacheRead, cacheWrite, microcents ?? 0);
        return microcents is null ? report with { Unpriced = report.Tokens } : report;
    }

    public static UsageReport operator +(UsageReport left, UsageReport right) => Add(left, right);

    public static UsageReport operator -(UsageReport left, UsageReport right) => Subtract(left, right);

    /// <summary>By how much a total exceeds another, part by part; 0 where it is lower.</summary>
    public UsageReport Above(UsageReport other) => new(
        Math.Max(0, Input - other.Input),
        Math.Max(0, Output - other.Output),
        Math.Max(0, CacheRead - other.CacheRead),
        Math.Max(0, CacheWrite - other.CacheWrite),
        Math.Max(0, Microcents - other.Microcents),
        Math.Max(0, Unpriced - other.Unpriced));

    /// <summary>The higher of two totals, part by part.</summary>
    public static UsageReport Highest(UsageReport left, UsageReport right) => right + left.Above(right);

    /// <summary>The lower of two amounts, part by part.</summary>
    public static UsageReport Lowest(UsageReport left, UsageReport right) => left - left.Above(right);

    public static UsageReport Add(UsageReport left, UsageReport right) => new(
        Sum(left.Input, right.Input),
        Sum(left.Output, right.Output),
        Sum(left.CacheRead, right.CacheRead),
        Sum(left.CacheWrite, right.CacheWrite),
        Sum(left.Microcents, right.Microcents),
        Sum(left.Unpriced, right.Unpriced));

    public static UsageReport Subtract(UsageReport left, UsageReport right) => new(
        left.Input - right.Input,
        left.Output - right.Output,
        left.CacheRead - right.CacheRead,
        left.CacheWrite - right.CacheWrite,
        left.Microcents - right.Microcents,
        left.Unpriced - right.Unpriced);

    public Usage ToWire() => new()
    {
        InputTokens = Input,
        OutputTokens = Output,
        CacheReadTokens = CacheRead,
        CacheWriteTokens = CacheWrite,
        CostMicrocents = Microcents,
        UnpricedTokens = Unpriced,
    };

    /// <summary>A number as an agent reported it, clamped to 0 to <see cref="MaxReported"/>, since an agent may report anything.</summary>
    public static long Reported(long number) => Math.Clamp(number, 0, MaxReported);

    private static long Sum(long left, long right) => Math.Min(MaxSum, left + right);
}

/// <summary>What a session has used of one model.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Used">Its tokens.</param>
public sealed record ModelUsage(string Model, UsageReport Used);
