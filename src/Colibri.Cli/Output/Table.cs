using System.Text;

namespace Colibri.Cli.Output;

/// <summary>Rows under headings. One column gives way when the terminal is narrow; ids never do, they are there to be copied.</summary>
internal sealed class Table(params TableColumn[] columns)
{
    private const int Gap = 2;
    private const int LeastFlexible = 10;
    private const int BelowIndent = 2;
    private readonly List<TableCell[]> _rows = [];
    private readonly Dictionary<int, List<string>> _below = [];

    public void Add(params TableCell[] cells) => _rows.Add(cells);

    /// <summary>A line of its own under the latest row, outside the columns.</summary>
    public void Below(string text)
    {
        if (!_below.TryGetValue(_rows.Count - 1, out var lines))
            _below[_rows.Count - 1] = lines = [];
        lines.Add(Words.Plain(text));
    }

    public void Write(Screen screen)
    {
        var widths = Widths(screen.Width);
        WriteRow(screen, widths, [.. columns.Select(c => new TableCell(c.Heading, Tone.Quiet))]);
        for (var i = 0; i < _rows.Count; i++)
        {
            WriteRow(screen, widths, _rows[i]);
            if (_below.TryGetValue(i, out var lines))
                screen.Prose(lines, BelowIndent);
        }
    }

    private int[] Widths(int total)
    {
        var widths = new int[columns.Length];
        for (var i = 0; i < columns.Length; i++)
            widths[i] = _rows.Aggregate(columns[i].Heading.Length, (widest, row) => Math.Max(widest, Columns.Of(row[i].Text)));
        var flexible = Array.FindIndex(columns, c => c.Flexible);
        if (flexible >= 0)
        {
            var rest = total - widths.Sum() + widths[flexible] - (Gap * (columns.Length - 1));
            widths[flexible] = Math.Min(widths[flexible], Math.Max(rest, LeastFlexible));
        }
        return widths;
    }

    private void WriteRow(Screen screen, int[] widths, TableCell[] cells)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Length; i++)
        {
            var text = Columns.Cut(cells[i].Text, widths[i]);
            var padding = new string(' ', Math.Max(0, widths[i] - Columns.Of(text)));
            var last = i == cells.Length - 1;
            if (i > 0)
                line.Append(' ', Gap);
            if (columns[i].RightAligned)
                line.Append(padding);
            line.Append(screen.Paint(text, cells[i].Tone));
            if (!columns[i].RightAligned && !last)
                line.Append(padding);
        }
        screen.Line(line.ToString().TrimEnd());
    }
}

/// <param name="Text">Already plain: safe for a terminal.</param>
internal readonly record struct TableCell(string Text, Tone Tone = Tone.Plain)
{
    /// <summary>Text of the daemon's is never trusted with the terminal.</summary>
    public static implicit operator TableCell(string text) => new(Words.Plain(text));
}

/// <param name="Flexible">Cut short where the row would not fit.</param>
internal sealed record TableColumn(string Heading, bool RightAligned = false, bool Flexible = false)
{
    public static implicit operator TableColumn(string heading) => new(heading);
}
