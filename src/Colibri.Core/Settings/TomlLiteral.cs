using System.Globalization;
using System.Text;

namespace Colibri.Core.Settings;

/// <summary>Values as they would be written into the file: exact, so that two are equal where their texts are.</summary>
internal static class TomlLiteral
{
    private static readonly (string Suffix, long Milliseconds)[] DurationUnits = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    private static readonly (string Suffix, int Shift)[] SizeUnits = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];

    public static string Text(string value)
    {
        var text = new StringBuilder("\"", value.Length + 2);
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\t' => text.Append("\\t"),
                _ when char.IsControl(c) => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        return text.Append('"').ToString();
    }

    public static string Texts(IEnumerable<string> values) => $"[{string.Join(", ", values.Select(Text))}]";

    /// <summary>A key, in quotes where it needs them.</summary>
    public static string Key(string key) => key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? key : Text(key);

    public static string Integer(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>In the largest unit of which it is a whole number.</summary>
    public static string Duration(TimeSpan value)
    {
        var milliseconds = value.TotalMilliseconds;
        foreach (var (suffix, unit) in DurationUnits)
        {
            if (milliseconds > 0 && milliseconds % unit == 0)
                return string.Create(CultureInfo.InvariantCulture, $"\"{milliseconds / unit:0}{suffix}\"");
        }
        return milliseconds == 0 ? "\"0s\"" : string.Create(CultureInfo.InvariantCulture, $"\"{milliseconds:0.####}ms\"");
    }

    /// <summary>Bytes, in the largest unit of which they are a whole number.</summary>
    public static string Size(long bytes)
    {
        foreach (var (suffix, shift) in SizeUnits)
        {
            if (bytes > 0 && bytes % (1L << shift) == 0)
                return string.Create(CultureInfo.InvariantCulture, $"\"{bytes >> shift}{suffix}\"");
        }
        return Integer(bytes);
    }

    public static string Dollars(long microcents) => (microcents / 100_000_000m).ToString("0.0#######", CultureInfo.InvariantCulture);
}
