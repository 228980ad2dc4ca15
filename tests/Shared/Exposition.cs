using System.Globalization;
using System.Text.RegularExpressions;

namespace Colibri.Tests;

/// <summary>
/// Metrics as a strict reader sees them, by the descriptions of Prometheus' text format 0.0.4 and of OpenMetrics 1.0: every line is a HELP, a TYPE or a sample,
/// the lines of a family stand together after its TYPE, a sample's name and suffix are those of its type, labels are quoted and escaped, and no series is there twice.
/// </summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    private readonly bool _isOpen;

    private Exposition(bool isOpen) => _isOpen = isOpen;

    /// <summary>A family's type, by the family's name.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>The values, by name and labels as <c>name{a="b"}</c>, labels in their order.</summary>
    public IReadOnlyDictionary<string, double> Samples => _samples;

    /// <summary>The names of the samples.</summary>
    public IEnumerable<string> Names => _samples.Keys.Select(series => series.Split('{')[0]).Distinct();

    /// <exception cref="FormatException">A line is not as the format says.</exception>
    public static Exposition Parse(string text, bool openMetrics = false)
    {
        var read = new Exposition(openMetrics);
        if (!text.EndsWith('\n'))
            throw new FormatException("the last line has no end");
        var lines = text[..^1].Split('\n');
        if (openMetrics != (lines[^1] == "# EOF"))
            throw new FormatException("# EOF is the last line of OpenMetrics, and of no other");
        string? family = null, helped = null;
        foreach (var line in openMetrics ? lines[..^1] : lines)
        {
            if (Help().Match(line) is { Success: true } help)
            {
                helped = help.Groups[1].Value;
                if (read._types.ContainsKey(helped))
                    throw new FormatException($"a second HELP: {line}");
            }
            else if (Type().Match(line) is { Success: true } type)
            {
                family = type.Groups[1].Value;
                if (family != helped || !read._types.TryAdd(family, type.Groups[2].Value))
                    throw new FormatException($"a TYPE without its HELP before it, or a second one: {line}");
                if (type.Groups[2].Value is not ("counter" or "gauge" or "info") || (type.Groups[2].Value == "info" && !openMetrics))
                    throw new FormatException($"no such type: {line}");
            }
            else
            {
                read.Sample(line, family ?? throw new FormatException($"a sample before its TYPE: {line}"));
            }
        }
        return read;
    }

    private void Sample(string line, string family)
    {
        var match = SampleLine().Match(line);
        if (!match.Success)
            throw new FormatException($"no sample: {line}");
        var name = match.Groups["name"].Value;
        var type = _types[family];
        var wanted = type switch
        {
            "counter" when _isOpen => family + "_total",
            "info" => family + "_info",
            _ => family,
        };
        if (name != wanted)
            throw new FormatException($"a sample of {family} ({type}) is named {wanted}: {line}");
        if (type == "counter" && !name.EndsWith("_total", StringComparison.Ordinal))
            throw new FormatException($"a counter ends in _total: {line}");
        var labels = match.Groups["label"].Captures.Select(label => label.Value).ToList();
        if (labels.Distinct(StringComparer.Ordinal).Count() != labels.Count || labels.Contains("__name__"))
            throw new FormatException($"a label twice, or one that is reserved: {line}");
        var value = double.Parse(match.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture);
        if (type == "counter" && value < 0)
            throw new FormatException($"a counter below 0: {line}");
        if (!_samples.TryAdd(name + match.Groups["labels"].Value, value))
            throw new FormatException($"a series twice: {line}");
    }

    [GeneratedRegex(@"^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\]|\\[\\n])+$", RegexOptions.CultureInvariant)]
    private static partial Regex Help();

    [GeneratedRegex(@"^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) ([a-z]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Type();

    [GeneratedRegex(
        """
        ^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{(?<label>[a-zA-Z_][a-zA-Z0-9_]*)="(?:[^\\"\p{Cc}\u2028\u2029]|\\[\\"n])*"(?:,(?<label>[a-zA-Z_][a-zA-Z0-9_]*)="(?:[^\\"\p{Cc}\u2028\u2029]|\\[\\"n])*")*\})? (?<value>-?[0-9]+(?:\.[0-9]+)?)$
        """, RegexOptions.CultureInvariant)]
    private static partial Regex SampleLine();
}
