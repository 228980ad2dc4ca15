using System.Text;
using Colibri.Cli.Output;

namespace Colibri.Cli.Top.Actions;

/// <summary>One line of text that is being typed.</summary>
internal sealed class LineEditor
{
    /// <summary>In UTF-16 code units.</summary>
    public const int MostChars = 4_096;

    private int _cursor;

    public string Text { get; private set; } = "";

    /// <returns>False for a key that is not the editor's.</returns>
    public bool Take(Key key)
    {
        switch (key.Kind)
        {
            case KeyKind.Char:
                Insert(key.Text);
                break;
            case KeyKind.Paste:
                Insert(OneLine(key.Text));
                break;
            case KeyKind.Backspace when _cursor > 0:
                var before = Previous();
                Text = Text.Remove(before, _cursor - before);
                _cursor = before;
                break;
            case KeyKind.Delete when _cursor < Text.Length:
                Text = Text.Remove(_cursor, Next() - _cursor);
                break;
            case KeyKind.Left:
                _cursor = Previous();
                break;
            case KeyKind.Right:
                _cursor = Next();
                break;
            case KeyKind.Home:
                _cursor = 0;
                break;
            case KeyKind.End:
                _cursor = Text.Length;
                break;
            case KeyKind.ClearLine:
                (Text, _cursor) = ("", 0);
                break;
            case KeyKind.Backspace or KeyKind.Delete:
                break;
            default:
                return false;
        }
        return true;
    }

    /// <summary>The part of the text around the cursor that fits, with the cursor as a bar.</summary>
    public string Shown(int columns)
    {
        var (left, right) = (Text[.._cursor], Text[_cursor..]);
        var room = Math.Max(columns - 1, 1);
        while (left.Length > 0 && Columns.Of(left) > room)
            left = left[(char.IsHighSurrogate(left[0]) && left.Length > 1 ? 2 : 1)..];
        var rest = room - Columns.Of(left);
        return left + "▏" + (rest > 0 ? Columns.Cut(right, rest) : "");
    }

    private void Insert(string text)
    {
        if (Text.Length + text.Length > MostChars)
            return;
        Text = Text.Insert(_cursor, text);
        _cursor += text.Length;
    }

    // What was pasted is typed text, whatever it holds: no key, and no line end.
    private static string OneLine(string text)
    {
        var line = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
            line.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        return line.ToString().Trim();
    }

    private int Previous() => _cursor switch
    {
        0 => 0,
        >= 2 when char.IsLowSurrogate(Text[_cursor - 1]) => _cursor - 2,
        _ => _cursor - 1,
    };

    private int Next() => _cursor >= Text.Length ? Text.Length : _cursor + (char.IsHighSurrogate(Text[_cursor]) && _cursor + 1 < Text.Length ? 2 : 1);
}
