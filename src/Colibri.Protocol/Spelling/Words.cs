using System.Globalization;
using System.Text;

namespace Colibri.Protocol.Spelling;

/// <summary>
/// How numbers, money, times and states of the wire are written for a person: one place for every program that shows them. None depends on the host's
/// language or zone.
/// </summary>
public static class Words
{
    private const long MicrocentsOfDollar = 100_000_000;
    private const long LeastShownMicrocents = 5_000;

    /// <summary><c>1,234,567</c>.</summary>
    public static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary><c>1 turn</c>, <c>20 turns</c>.</summary>
    public static string Count(long number, string thing) => $"{Number(number)} {thing}{(number == 1 ? "" : "s")}";

    /// <summary><c>999</c>, <c>12.4k</c>, <c>3.1M</c>.</summary>
    public static string Short(long number) => number switch
    {
        < 1_000 => number.ToString(CultureInfo.InvariantCulture),
        < 999_950 => Decimals(number / 1e3) + "k",
        < 999_950_000 => Decimals(number / 1e6) + "M",
        _ => Decimals(number / 1e9) + "G",
    };

    /// <summary>In powers of ten, as the cost modes count: <c>16 kB</c>, <c>2 MB</c>.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        < 1_000 => $"{bytes} B",
        < 999_950 => Decimals(bytes / 1e3) + " kB",
        < 999_950_000 => Decimals(bytes / 1e6) + " MB",
        _ => Decimals(bytes / 1e9) + " GB",
    };

    /// <param name="share">0 to 1.</param>
    public static string Percent(double share) => (share * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";

    /// <summary>To a hundredth of a cent, in a column of its own width: <c>$1234.5679</c>.</summary>
    /// <param name="microcents">1 USD is 100,000,000.</param>
    public static string Dollars(long microcents) => microcents is > 0 and < LeastShownMicrocents
        ? "<$0.0001"
        : "$" + ((double)microcents / MicrocentsOfDollar).ToString("0.0000", CultureInfo.InvariantCulture);

    /// <summary>With all decimals, two at the least: <c>$1,234.56789012</c>.</summary>
    /// <param name="microcents">1 USD is 100,000,000.</param>
    public static string Money(long microcents) =>
        (microcents < 0 ? "-$" : "$") + (Math.Abs((decimal)microcents) / MicrocentsOfDollar).ToString("#,0.00######", CultureInfo.InvariantCulture);

    /// <summary>The two largest units in full: <c>3 days 4 hours</c>, <c>12 seconds</c>.</summary>
    public static string Duration(TimeSpan time)
    {
        if (time < TimeSpan.FromSeconds(1))
            return $"{Math.Max(0, (int)time.TotalMilliseconds)} ms";
        ReadOnlySpan<(long Number, string Unit)> units =
            [(time.Days, "day"), (time.Hours, "hour"), (time.Minutes, "minute"), (time.Seconds, "second")];
        for (var i = 0; i < units.Length; i++)
        {
            if (units[i].Number == 0)
                continue;
            var first = Count(units[i].Number, units[i].Unit);
            return i + 1 < units.Length && units[i + 1].Number > 0 ? $"{first} {Count(units[i + 1].Number, units[i + 1].Unit)}" : first;
        }
        return "0 ms";
    }

    /// <summary>The two largest units in a table: <c>40ms</c>, <c>2.5s</c>, <c>3m 04s</c>, <c>2h 05m</c>, <c>3d 4h</c>.</summary>
    public static string Elapsed(TimeSpan time) => time switch
    {
        { TotalMilliseconds: < 0 } => "0s",
        { TotalMilliseconds: < 100 } => $"{time.Milliseconds}ms",
        { TotalSeconds: < 10 } => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + "s",
        { TotalMinutes: < 1 } => $"{time.Seconds}s",
        { TotalHours: < 1 } => $"{time.Minutes}m {time.Seconds:00}s",
        { TotalDays: < 1 } => $"{time.Hours}h {time.Minutes:00}m",
        _ => $"{(int)time.TotalDays}d {time.Hours}h",
    };

    /// <summary>In one unit: <c>12s</c>, <c>3m</c>, <c>4h</c>, <c>5d</c>.</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { TotalSeconds: < 0 } => "0s",
        { TotalMinutes: < 1 } => $"{(int)age.TotalSeconds}s",
        { TotalHours: < 1 } => $"{(int)age.TotalMinutes}m",
        { TotalDays: < 1 } => $"{(int)age.TotalHours}h",
        _ => $"{(int)age.TotalDays}d",
    };

    /// <summary>As on the wire: RFC 3339 in UTC with milliseconds.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>As <see cref="Time"/>, to the minute.</summary>
    public static string Minute(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);

    /// <summary>The time of day alone, in UTC.</summary>
    public static string Clock(DateTimeOffset time) => time.UtcDateTime.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A word of the wire: <c>tool_result</c>, <c>queued</c>.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        var word = new StringBuilder(name.Length + 2);
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && word.Length > 0)
                word.Append('_');
            word.Append(char.ToLowerInvariant(letter));
        }
        return word.ToString();
    }

    private static string Decimals(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);
}
