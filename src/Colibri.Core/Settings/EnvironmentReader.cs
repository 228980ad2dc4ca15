using System.Globalization;
using System.Text;

namespace Colibri.Core.Settings;

/// <summary>Typed look-ups in an environment. An empty variable counts as unset; a wrong one throws, naming itself and its value.</summary>
public sealed class EnvironmentReader(IReadOnlyDictionary<string, string> environment)
{
    private static readonly (string Suffix, double Milliseconds)[] DurationUnits =
        [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    public string? Text(string name) =>
        environment.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    /// <summary>1, true, yes, on and 0, false, no, off, in any case.</summary>
    public bool Boolean(string name, bool fallback) => Text(name) switch
    {
        null => fallback,
        var text when IsAny(text, "1", "true", "yes", "on") => true,
        var text when IsAny(text, "0", "false", "no", "off") => false,
        var text => throw Invalid(name, text, "use 1, true, yes or on; 0, false, no or off"),
    };

    public int Integer(string name, int fallback, int minimum, int maximum)
    {
        if (Text(name) is not { } text)
            return fallback;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= minimum && value <= maximum
            ? value
            : throw Invalid(name, text, $"use a whole number from {minimum} to {maximum}");
    }

    /// <summary>An amount in US dollars, 0 to 1,000,000, as micro-cents: 1 USD is 100,000,000. Null where it is not set.</summary>
    public long? Dollars(string name)
    {
        const decimal Highest = 1_000_000;
        if (Text(name) is not { } text)
            return null;
        return decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) && amount <= Highest
            ? (long)Math.Round(amount * 100_000_000, MidpointRounding.AwayFromZero)
            : throw Invalid(name, text, "use an amount in US dollars such as 0.50 or 20, from 0 to 1000000");
    }

    /// <summary>A number with a unit: <c>200ms</c>, <c>30s</c>, <c>5m</c>, <c>4h</c>, <c>1d</c>; a bare number means seconds.</summary>
    public TimeSpan Duration(string name, TimeSpan fallback, TimeSpan minimum, TimeSpan maximum)
    {
        if (Text(name) is not { } text)
            return fallback;
        return TryParseDuration(text, out var value) && value >= minimum && value <= maximum
            ? value
            : throw Invalid(name, text, $"use a duration such as 500ms, 30s, 5m or 4h, from {Words(minimum)} to {Words(maximum)}");
    }

    public T Choice<T>(string name, T fallback, params ReadOnlySpan<(string Word, T Value)> choices)
    {
        if (Text(name) is not { } text)
            return fallback;
        foreach (var (word, value) in choices)
        {
            if (string.Equals(word, text, StringComparison.OrdinalIgnoreCase))
                return value;
        }
        var words = new List<string>();
        foreach (var (word, _) in choices)
            words.Add(word);
        throw Invalid(name, text, $"use {string.Join(", ", words)}");
    }

    /// <summary>Words as a shell would split them: blanks separate, single and double quotes and backslash keep together.</summary>
    public IReadOnlyList<string> Words(string name)
    {
        if (Text(name) is not { } text)
            return [];
        return TrySplit(text, out var words) ? words : throw Invalid(name, text, "a quote is not closed");
    }

    /// <summary>Null where it is not set.</summary>
    public string? AbsolutePath(string name) => Text(name) switch
    {
        null => null,
        var path when path.StartsWith('/') => path,
        var path => throw Invalid(name, path, "use an absolute path; a service's working directory is nobody's promise"),
    };

    public static ConfigurationException Invalid(string name, string value, string remedy) =>
        new($"{name}={Printable(value)} cannot be used: {remedy}") { Remedy = remedy };

    internal static bool TryParseDuration(string text, out TimeSpan value)
    {
        value = default;
        var (number, scale) = (text, 1_000.0);
        foreach (var (suffix, milliseconds) in DurationUnits)
        {
            if (!text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                continue;
            (number, scale) = (text[..^suffix.Length], milliseconds);
            break;
        }
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
            return false;
        var total = amount * scale;
        // The comparison is negated because "NaN" parses, and every comparison with it is false.
        if (!(total <= TimeSpan.FromDays(36_500).TotalMilliseconds))
            return false;
        value = TimeSpan.FromMilliseconds(total);
        return true;
    }

    private static bool TrySplit(string text, out List<string> words)
    {
        words = [];
        var word = new StringBuilder();
        var (inWord, quote) = (false, '\0');
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quote != '\0')
            {
                if (c == quote)
                    quote = '\0';
                else if (c == '\\' && quote == '"' && i + 1 < text.Length && text[i + 1] is '"' or '\\')
                    word.Append(text[++i]);
                else
                    word.Append(c);
            }
            else if (c is '\'' or '"')
            {
                (quote, inWord) = (c, true);
            }
            else if (c == '\\' && i + 1 < text.Length)
            {
                word.Append(text[++i]);
                inWord = true;
            }
            else if (char.IsWhiteSpace(c))
            {
                if (inWord)
                    words.Add(word.ToString());
                word.Clear();
                inWord = false;
            }
            else
            {
                word.Append(c);
                inWord = true;
            }
        }
        if (inWord)
            words.Add(word.ToString());
        return quote == '\0';
    }

    private static bool IsAny(string text, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (string.Equals(text, word, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    /// <summary>A duration as it can be set, in its largest whole unit.</summary>
    internal static string Words(TimeSpan span) => span switch
    {
        { TotalDays: >= 1 } => $"{span.TotalDays:0.##}d",
        { TotalHours: >= 1 } => $"{span.TotalHours:0.##}h",
        { TotalMinutes: >= 1 } => $"{span.TotalMinutes:0.##}m",
        { TotalSeconds: >= 1 } => $"{span.TotalSeconds:0.##}s",
        _ => $"{span.TotalMilliseconds:0}ms",
    };

    /// <summary>At most 80 characters on one line.</summary>
    internal static string Printable(string value)
    {
        var shown = value.Length > 80 ? value[..80] + "…" : value;
        return string.Concat(shown.Select(c => char.IsControl(c) ? '?' : c));
    }
}
