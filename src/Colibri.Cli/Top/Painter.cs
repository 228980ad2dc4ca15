using System.Buffers;
using System.Globalization;
using System.Text;
using Colibri.Cli.Output;

namespace Colibri.Cli.Top;

/// <summary>Turns screens into what a terminal must be sent: the cells that differ from those that it shows, and nothing where none does.</summary>
/// <param name="colour">Without it, tones are bold, dim or nothing.</param>
internal sealed class Painter(bool colour)
{
    /// <summary>Alternate screen, no cursor, no wrapping at the last column, pasted text marked as such.</summary>
    public static readonly byte[] Enter = "\e[?1049h\e[?25l\e[?7l\e[?2004h"u8.ToArray();

    /// <summary>All of it as it was.</summary>
    public static readonly byte[] Leave = "\e[?2004l\e[?7h\e[0m\e[?25h\e[?1049l"u8.ToArray();

    // A cursor movement takes at least six bytes, so a shorter gap is written over.
    private const int ShortGap = 4;
    private readonly ArrayBufferWriter<byte> _bytes = new(4096);
    private Grid? _shown;
    private Style? _style;
    /// <summary>Where the terminal's cursor stands; -1 where that is not known.</summary>
    private int _column;
    private int _row;

    /// <summary>What the terminal shows is not known: the next frame is drawn whole.</summary>
    public void Forget() => _shown = null;

    /// <returns>Empty where nothing changed; valid until the next frame.</returns>
    public ReadOnlyMemory<byte> Frame(Grid next)
    {
        _bytes.ResetWrittenCount();
        (_column, _row) = (-1, -1);
        if (_shown is not { } shown || shown.Width != next.Width || shown.Height != next.Height)
        {
            shown = new Grid(next.Width, next.Height);
            _bytes.Write("\e[0m\e[2J"u8);
            _style = default(Style);
        }
        for (var y = 0; y < next.Height; y++)
            Row(shown, next, y);
        if (_bytes.WrittenCount > 0 && _style != default(Style))
            Take(default);
        _shown = next;
        return _bytes.WrittenMemory;
    }

    private void Row(Grid shown, Grid next, int y)
    {
        for (var x = 0; x < next.Width; x++)
        {
            if (shown[x, y] == next[x, y])
                continue;
            // The terminal's cursor cannot stand in the middle of a wide character.
            if (next[x, y].Glyph.Length == 0 && x > 0)
                x--;
            if (_row == y && _column >= 0 && x > _column && x - _column <= ShortGap && IsSimple(next, _column, x, y))
            {
                while (_column < x)
                    Write(next[_column, y]);
            }
            if (_row != y || _column != x)
                MoveTo(x, y);
            Write(next[x, y]);
            if (x + 1 < next.Width && next[x + 1, y].Glyph.Length == 0)
                x++;
        }
    }

    /// <summary>Whether cells can be written over without a change of style and without doubt about their width.</summary>
    private bool IsSimple(Grid grid, int from, int to, int y)
    {
        for (var x = from; x < to; x++)
        {
            if (grid[x, y] is not { Glyph: [>= ' ' and < '\x7f'] } cell || cell.Style != _style)
                return false;
        }
        return true;
    }

    private void MoveTo(int x, int y)
    {
        Ascii(string.Create(CultureInfo.InvariantCulture, $"\e[{y + 1};{x + 1}H"));
        (_column, _row) = (x, y);
    }

    private void Write(Cell cell)
    {
        if (_style != cell.Style)
            Take(cell.Style);
        Encoding.UTF8.GetBytes(cell.Glyph, _bytes);
        // Terminals differ about the width of some characters, so the cursor is placed anew behind all but the plainest.
        if (cell.Glyph is [>= ' ' and < '\x7f'])
            _column++;
        else
            _column = -1;
    }

    private void Take(Style style)
    {
        _style = style;
        var code = style.Tone switch
        {
            Tone.Good when colour => ";32",
            Tone.Bad when colour => ";31",
            Tone.Attention when colour => ";33",
            Tone.Quiet => ";2",
            Tone.Strong => ";1",
            _ => "",
        };
        Ascii($"\e[0{code}{(style.Reversed ? ";7" : "")}m");
    }

    private void Ascii(string text) => Encoding.ASCII.GetBytes(text, _bytes);
}
