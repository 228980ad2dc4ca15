using System.Globalization;
using System.Text;

namespace Colibri.Cli.Output;

/// <summary>Text measured in terminal columns: a Chinese character takes two, a combining accent none.</summary>
internal static class Columns
{
    public const char Ellipsis = '…';

    public static int Of(string text)
    {
        var columns = 0;
        foreach (var rune in text.EnumerateRunes())
            columns += Of(rune);
        return columns;
    }

    /// <summary>The text if it fits, else its beginning with an ellipsis at the end.</summary>
    public static string Cut(string text, int columns)
    {
        if (Of(text) <= columns)
            return text;
        var cut = new StringBuilder();
        var used = 1;
        foreach (var rune in text.EnumerateRunes())
        {
            used += Of(rune);
            if (used > columns)
                break;
            cut.Append(rune);
        }
        return cut.ToString().TrimEnd() + Ellipsis;
    }

    public static string PadRight(string text, int columns) => text + new string(' ', Math.Max(0, columns - Of(text)));

    public static string PadLeft(string text, int columns) => new string(' ', Math.Max(0, columns - Of(text))) + text;

    /// <summary>One line broken at spaces, or within a word longer than a whole line. Leading blanks of the line stay.</summary>
    public static IEnumerable<string> Wrap(string line, int columns)
    {
        columns = Math.Max(columns, 2);
        while (Of(line) > columns)
        {
            var (fits, lastSpace) = Fitting(line, columns);
            var split = lastSpace > 0 ? lastSpace : fits;
            yield return line[..split].TrimEnd();
            line = lastSpace > 0 ? line[split..].TrimStart(' ') : line[split..];
        }
        yield return line;
    }

    private static (int Chars, int LastSpace) Fitting(string line, int columns)
    {
        int used = 0, chars = 0, lastSpace = 0;
        var inIndent = true;
        foreach (var rune in line.EnumerateRunes())
        {
            if (rune.Value == ' ' && !inIndent)
                lastSpace = chars;
            inIndent &= rune.Value == ' ';
            used += Of(rune);
            if (used > columns)
                break;
            chars += rune.Utf16SequenceLength;
        }
        return (chars, lastSpace);
    }

    /// <summary>Columns of one code point: 0, 1 or 2.</summary>
    // The wide ranges are the W and F blocks of Unicode's EastAsianWidth.txt, joined where only unassigned points lie between.
    public static int Of(Rune rune) => rune.Value switch
    {
        < 0x300 => 1,
        >= 0x1100 and <= 0x115F => 2,
        >= 0x2E80 and <= 0x303E => 2,
        >= 0x3041 and <= 0xA4CF => 2,
        >= 0xA960 and <= 0xA97C => 2,
        >= 0xAC00 and <= 0xD7A3 => 2,
        >= 0xF900 and <= 0xFAFF => 2,
        >= 0xFE30 and <= 0xFE6F => 2,
        >= 0xFF00 and <= 0xFF60 => 2,
        >= 0xFFE0 and <= 0xFFE6 => 2,
        >= 0x1F300 and <= 0x1F64F => 2,
        >= 0x1F680 and <= 0x1F6FF => 2,
        >= 0x1F900 and <= 0x1F9FF => 2,
        >= 0x1FA70 and <= 0x1FAFF => 2,
        >= 0x20000 and <= 0x3FFFD => 2,
        _ => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
            ? 0 : 1,
    };
}
