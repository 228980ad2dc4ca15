using System.Text;

namespace Colibri.Cli.Top;

/// <param name="Kind">Which key.</param>
/// <param name="Text">The character of <see cref="KeyKind.Char"/>; the text of <see cref="KeyKind.Paste"/>.</param>
internal readonly record struct Key(KeyKind Kind, string Text = "")
{
    public static Key Of(char character) => new(KeyKind.Char, character.ToString());

    /// <summary>The character, of one in ASCII; else NUL.</summary>
    public char Letter => Kind == KeyKind.Char && Text is [var letter] ? letter : '\0';
}

internal enum KeyKind
{
    /// <summary>A key without a meaning here.</summary>
    Other,
    Char,
    Enter,
    Escape,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,

    /// <summary>Ctrl-L.</summary>
    Redraw,

    /// <summary>Ctrl-U.</summary>
    ClearLine,
    Paste,
}

/// <summary>
/// Bytes of a terminal as keys. A sequence may come in parts. Only a lone Escape needs a clock: where nothing follows it soon, the reader says so
/// by <see cref="Settle"/>.
/// </summary>
internal sealed class Keys
{
    private const byte Esc = 0x1b;
    private const int MostSequenceBytes = 64;
    private const int MostPasteBytes = 16 * 1024;
    private static readonly byte[] PasteEnd = [Esc, (byte)'[', (byte)'2', (byte)'0', (byte)'1', (byte)'~'];
    private readonly List<byte> _held = [];
    private List<byte>? _pasted;

    /// <summary>Whether bytes are held whose meaning depends on what follows.</summary>
    public bool IsUndecided => _held.Count > 0;

    /// <summary>The keys that the bytes complete.</summary>
    public IEnumerable<Key> Take(ReadOnlySpan<byte> bytes)
    {
        List<Key> keys = [];
        foreach (var one in bytes)
        {
            if (_pasted is not null)
            {
                TakePasted(one, keys);
                continue;
            }
            _held.Add(one);
            if (Decide() is { } key)
            {
                _held.Clear();
                if (key.Kind == KeyKind.Paste)
                    _pasted = [];
                else
                    keys.Add(key);
            }
        }
        return keys;
    }

    /// <summary>Nothing follows what is held: a lone Escape is the key, and an unfinished sequence none.</summary>
    public Key? Settle()
    {
        if (_held.Count == 0)
            return null;
        var isEscape = _held is [Esc];
        _held.Clear();
        return isEscape ? new Key(KeyKind.Escape) : new Key(KeyKind.Other);
    }

    private void TakePasted(byte one, List<Key> keys)
    {
        _pasted!.Add(one);
        if (one == (byte)'~' && _pasted.Count >= PasteEnd.Length && _pasted[^PasteEnd.Length..].SequenceEqual(PasteEnd))
        {
            var text = Encoding.UTF8.GetString([.. _pasted[..^PasteEnd.Length]]);
            _pasted = null;
            keys.Add(new Key(KeyKind.Paste, text));
        }
        else if (_pasted.Count > MostPasteBytes)
        {
            // The beginning is kept, and room for the mark of the end.
            _pasted.RemoveAt(MostPasteBytes - PasteEnd.Length);
        }
    }

    /// <summary>The key of the held bytes; null where more must come.</summary>
    private Key? Decide() => _held[0] switch
    {
        Esc => DecideEscape(),
        (byte)'\r' or (byte)'\n' => new Key(KeyKind.Enter),
        (byte)'\t' => new Key(KeyKind.Tab),
        0x7f or 0x08 => new Key(KeyKind.Backspace),
        0x0c => new Key(KeyKind.Redraw),
        0x15 => new Key(KeyKind.ClearLine),
        < 0x20 => new Key(KeyKind.Other),
        _ => DecideCharacter(),
    };

    private Key? DecideCharacter()
    {
        var bytes = _held.ToArray();
        return Rune.DecodeFromUtf8(bytes, out var rune, out var used) switch
        {
            System.Buffers.OperationStatus.Done when used == bytes.Length && !Rune.IsControl(rune) => new Key(KeyKind.Char, rune.ToString()),
            System.Buffers.OperationStatus.NeedMoreData => null,
            _ => new Key(KeyKind.Other),
        };
    }

    private Key? DecideEscape()
    {
        if (_held.Count == 1)
            return null;
        var last = _held[^1];
        switch (_held[1])
        {
            case (byte)'[':
                // ECMA-48, 5.4: parameters and intermediates, then one byte from @ to ~.
                if (_held.Count == 2 || last is < 0x40 or > 0x7e)
                    return _held.Count > MostSequenceBytes ? new Key(KeyKind.Other) : null;
                return OfSequence(Encoding.ASCII.GetString([.. _held[2..^1]]), (char)last);
            case (byte)'O':
                return _held.Count == 2 ? null : OfSequence("", (char)last);
            case Esc:
                // Escape twice in one read: the first is one.
                return new Key(KeyKind.Escape);
            default:
                // Alt and a key.
                return new Key(KeyKind.Other);
        }
    }

    private static Key OfSequence(string parameters, char last) => new((parameters, last) switch
    {
        ("200", '~') => KeyKind.Paste,
        (_, 'A') => KeyKind.Up,
        (_, 'B') => KeyKind.Down,
        (_, 'C') => KeyKind.Right,
        (_, 'D') => KeyKind.Left,
        (_, 'H') or ("1" or "7", '~') => KeyKind.Home,
        (_, 'F') or ("4" or "8", '~') => KeyKind.End,
        (_, 'Z') => KeyKind.BackTab,
        ("", 'M') => KeyKind.Enter,
        ("3", '~') => KeyKind.Delete,
        ("5", '~') => KeyKind.PageUp,
        ("6", '~') => KeyKind.PageDown,
        _ => KeyKind.Other,
    });
}
