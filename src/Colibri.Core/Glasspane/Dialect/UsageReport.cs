using Colibri.Protocol.Wire;

namespace Colibri.Core.Glasspane.Dialect;

/// <summary>One report of usage, already in Colibri's terms: see <see cref="Protocol.Wire.Usage"/>.</summary>
/// <param name="Input">Tokens sent that no cache held.</param>
/// <param name="Output">Tokens answered, reasoning included.</param>
/// <param name="CacheRead">Tokens read from the provider's cache.</param>
/// <param name="CacheWrite">Tokens written to the provider's cache.</param>
/// <param name="Microcents">1 USD is 100,000,000.</param>
public readonly record struct UsageReport(long Input, long Output, long CacheRead, long CacheWrite, long Microcents)
{
    /// <summary>The most that one reported number counts for: no run comes near it, and thousands of them still add up.</summary>
    public const long MaxReported = 1_000_000_000_000_000;

    // The largest round number that a double holds exactly, as many readers of JSON do with every number.
    private const long MaxSum = 9_000_000_000_000_000;

    public static UsageReport operator +(UsageReport left, UsageReport right) => Add(left, right);

    public static UsageReport operator -(UsageReport left, UsageReport right) => Subtract(left, right);

    public static UsageReport Add(UsageReport left, UsageReport right) => new(
        Sum(left.Input, right.Input),
        Sum(left.Output, right.Output),
        Sum(left.CacheRead, right.CacheRead),
        Sum(left.CacheWrite, right.CacheWrite),
        Sum(left.Microcents, right.Microcents));

    public static UsageReport Subtract(UsageReport left, UsageReport right) => new(
        left.Input - right.Input,
        left.Output - right.Output,
        left.CacheRead - right.CacheRead,
        left.CacheWrite - right.CacheWrite,
        left.Microcents - right.Microcents);

    public Usage ToWire() => new()
    {
        InputTokens = Input,
        OutputTokens = Output,
        CacheReadTokens = CacheRead,
        CacheWriteTokens = CacheWrite,
        CostMicrocents = Microcents,
    };

    /// <summary>A number as an agent reported it, brought into 0 to <see cref="MaxReported"/>: it is the agent's word and no more.</summary>
    public static long Reported(long number) => Math.Clamp(number, 0, MaxReported);

    private static long Sum(long left, long right) => Math.Min(MaxSum, left + right);
}
