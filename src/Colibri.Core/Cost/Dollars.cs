using System.Globalization;

namespace Colibri.Core.Cost;

/// <summary>Money in words.</summary>
public static class Dollars
{
    /// <summary><c>$0.5012</c>, rounded half up to four decimals; <c>&lt;$0.0001</c> where that would read as nothing.</summary>
    /// <param name="microcents">1 USD is 100,000,000.</param>
    public static string Of(long microcents) => microcents is > 0 and < 5_000
        ? "<$0.0001"
        : string.Create(CultureInfo.InvariantCulture, $"${Math.Round(microcents / 100_000_000m, 4, MidpointRounding.AwayFromZero):0.00##}");
}
