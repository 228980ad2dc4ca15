namespace Colibri.Cli.Output;

/// <summary>Text of several lines that an agent or a person wrote.</summary>
internal static class Text
{
    private const string Tab = "    ";

    /// <summary>Its lines, each safe for a terminal; without the empty ones at the end.</summary>
    public static List<string> Lines(string text)
    {
        List<string> lines = [];
        foreach (var line in text.Split('\n'))
            lines.Add(Words.Plain(line.TrimEnd('\r').Replace("\t", Tab, StringComparison.Ordinal)));
        while (lines.Count > 0 && string.IsNullOrWhiteSpace(lines[^1]))
            lines.RemoveAt(lines.Count - 1);
        return lines;
    }
}
