namespace Colibri.Mcp.Output;

/// <summary>How much one answer may hold: a model's context is finite, and its client cuts what is longer without a word.</summary>
internal static class Bounds
{
    /// <summary>The most characters of a text, and of a structured result as JSON.</summary>
    public const int MaxChars = 64 * 1024;

    /// <summary>A text that keeps within the bound: cut behind a line, and the cut is said.</summary>
    /// <param name="text">Already redacted.</param>
    /// <param name="max">At most so many characters, besides the line that says what is left out.</param>
    /// <param name="keepEnd">Keep the end of it, not the beginning.</param>
    public static string Cut(string text, int max = MaxChars, bool keepEnd = false)
    {
        if (text.Length <= max)
            return text;
        var kept = keepEnd ? End(text, max) : Beginning(text, max);
        var note = $"[{text.Length - kept.Length} of {text.Length} characters left out]";
        return keepEnd ? $"{note}\n{kept}" : $"{kept}\n{note}";
    }

    private static string Beginning(string text, int max)
    {
        var line = text.LastIndexOf('\n', max - 1);
        if (line > max / 2)
            return text[..line];
        return text[..(char.IsHighSurrogate(text[max - 1]) ? max - 1 : max)];
    }

    private static string End(string text, int max)
    {
        var from = text.Length - max;
        var line = text.IndexOf('\n', from - 1);
        if (line >= 0 && line < from + (max / 2))
            return text[(line + 1)..];
        return text[(char.IsLowSurrogate(text[from]) ? from + 1 : from)..];
    }
}
