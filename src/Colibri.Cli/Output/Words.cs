using System.Globalization;
using System.Text;

namespace Colibri.Cli.Output;

/// <summary>Text and numbers as a person reads them, in a terminal that must not obey them.</summary>
internal static class Words
{
    /// <summary>
    /// The text on one line with every character that a terminal acts on, or that hides or reorders others, as a visible escape.
    /// </summary>
    public static string Plain(string text)
    {
        var safe = true;
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsUnsafe(rune))
            {
                safe = false;
                break;
            }
        }
        if (safe)
            return text;
        var plain = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsUnsafe(rune))
                AppendEscape(plain, rune);
            else
                plain.Append(rune);
        }
        return plain.ToString();
    }

    /// <summary>As <see cref="Plain"/>, of a line whose tabs a terminal may take.</summary>
    public static string Line(string text) => text.Contains('\t', StringComparison.Ordinal) ? string.Join('\t', text.Split('\t').Select(Plain)) : Plain(text);

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

    /// <summary><c>1 turn</c>, <c>20 turns</c>.</summary>
    public static string Count(long number, string thing) => $"{Number(number)} {thing}{(number == 1 ? "" : "s")}";

    public static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

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

    /// <param name="microcents">1 USD is 100,000,000.</param>
    public static string Dollars(long microcents) => microcents is > 0 and < 5_000
        ? "<$0.0001"
        : "$" + (microcents / 1e8).ToString("0.0000", CultureInfo.InvariantCulture);

    /// <summary>The two largest units: <c>3 days 4 hours</c>, <c>12 seconds</c>.</summary>
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

    /// <summary>The time of day alone, in UTC.</summary>
    public static string Clock(DateTimeOffset time) => time.UtcDateTime.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>As <see cref="Time"/>, to the minute.</summary>
    public static string Minute(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);

    private static string Decimals(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);

    private static bool IsUnsafe(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator
        || (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format && rune.Value is not 0x200D);

    private static void AppendEscape(StringBuilder plain, Rune rune)
    {
        switch (rune.Value)
        {
            case '\n':
                plain.Append("\\n");
                break;
            case '\r':
                plain.Append("\\r");
                break;
            case '\t':
                plain.Append("\\t");
                break;
            case < 0x100:
                plain.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                break;
            default:
                plain.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
                break;
        }
    }
}
