using System.Text;
using Colibri.Cli.Output;

namespace Colibri.Cli.Top;

/// <summary>One screen: cells of one column each. A wide character has its glyph in its first cell and an empty one in its second.</summary>
internal sealed class Grid
{
    private const int MostMarks = 4;
    private static readonly string[] Ascii = [.. Enumerable.Range(0, 0x80).Select(code => ((char)code).ToString())];
    private readonly Cell[] _cells;

    public Grid(int width, int height)
    {
        (Width, Height) = (Math.Max(width, 1), Math.Max(height, 1));
        _cells = new Cell[Width * Height];
        Array.Fill(_cells, Cell.Blank);
    }

    public int Width { get; }
    public int Height { get; }

    public Cell this[int x, int y] => _cells[(y * Width) + x];

    /// <summary>Writes text of one line, cut with an ellipsis where it does not fit. Characters that a terminal would obey become visible escapes.</summary>
    /// <returns>The column behind it.</returns>
    public int Put(int x, int y, string text, Style style = default, int columns = int.MaxValue)
    {
        if (y < 0 || y >= Height || x < 0 || x >= Width || columns <= 0)
            return x;
        var plain = Words.Plain(text);
        var room = Math.Min(columns, Width - x);
        if (Columns.Of(plain) > room)
            plain = room > 1 ? Columns.Cut(plain, room) : plain.Length > 0 ? "…" : plain;
        var start = x;
        foreach (var rune in plain.EnumerateRunes())
        {
            // Joiners and selectors change the width of their neighbours in some terminals only. Without them every terminal agrees.
            if (rune.Value is 0x200D or (>= 0xFE00 and <= 0xFE0F))
                continue;
            var width = Columns.Of(rune);
            if (width == 0)
            {
                Mark(start, x, y, rune);
                continue;
            }
            if (x + width > Width)
                break;
            Set(x, y, new Cell(rune.IsAscii ? Ascii[rune.Value] : rune.ToString(), style));
            if (width == 2)
                Set(x + 1, y, new Cell("", style));
            x += width;
        }
        return x;
    }

    /// <summary>Gives a whole row one style.</summary>
    public void Restyle(int y, Style style)
    {
        if (y < 0 || y >= Height)
            return;
        foreach (ref var cell in _cells.AsSpan(y * Width, Width))
            cell = cell with { Style = style };
    }

    /// <summary>A row as text, without the blanks at its end.</summary>
    public string Line(int y)
    {
        var line = new StringBuilder(Width);
        foreach (var cell in _cells.AsSpan(y * Width, Width))
            line.Append(cell.Glyph);
        return line.ToString().TrimEnd();
    }

    public override string ToString() => string.Join('\n', Enumerable.Range(0, Height).Select(Line));

    private void Mark(int start, int x, int y, Rune mark)
    {
        var before = x - 1;
        if (before > start && this[before, y].Glyph.Length == 0)
            before--;
        if (before >= start && this[before, y] is { Glyph.Length: > 0 and < MostMarks } cell)
            Set(before, y, cell with { Glyph = cell.Glyph + mark });
    }

    private void Set(int x, int y, Cell cell) => _cells[(y * Width) + x] = cell;
}

/// <param name="Glyph">What stands there: a character with its marks; empty in the second half of a wide one.</param>
/// <param name="Style">How.</param>
internal readonly record struct Cell(string Glyph, Style Style)
{
    public static readonly Cell Blank = new(" ", default);
}

/// <param name="Tone">What it means.</param>
/// <param name="Reversed">Whether it is selected.</param>
internal readonly record struct Style(Tone Tone, bool Reversed = false)
{
    public static implicit operator Style(Tone tone) => new(tone);
}
