using System.Buffers;
using System.Text;

namespace Colibri.Core.Providers;

/// <summary>
/// Text without what a terminal acts on: control characters other than newline and tab, escape sequences with their payload (ECMA-48, ISO
/// 6429), and the characters that reorder a line (U+202A to U+202E and U+2066 to U+2069). A carriage return ends a line.
/// </summary>
internal static class PlainText
{
    private const char Escape = '\e';
    private const char Bell = '\a';
    private const char StringTerminator = '\u009c';

    // Three searches, each vectorised, instead of one over a set that is neither ASCII nor a range.
    private static readonly SearchValues<char> AsciiControls = SearchValues.Create([.. Enumerable.Range(0, 0x20).Append(0x7f).Select(code => (char)code).Where(c => c is not ('\n' or '\t'))]);

    /// <summary>The text as a terminal may have it; the same object where nothing had to go.</summary>
    public static string Of(string text) => Of(text, out _);

    /// <param name="text">What an agent wrote.</param>
    /// <param name="cuts">Where in the result something was left out, ascending; null where nothing was.</param>
    public static string Of(string text, out List<int>? cuts)
    {
        var search = new Search(text);
        var at = search.From(0);
        cuts = null;
        if (at == Search.None)
            return text;
        cuts = [];
        var plain = new StringBuilder(text.Length);
        var from = 0;
        for (; at != Search.None; at = search.From(from))
        {
            plain.Append(text, from, at - from);
            from = at + LengthOf(text.AsSpan(at));
            if (text[at] == '\r')
            {
                if (from == text.Length || text[from] != '\n')
                    plain.Append('\n');
            }
            else if (cuts.Count == 0 || cuts[^1] != plain.Length)
            {
                cuts.Add(plain.Length);
            }
        }
        return plain.Append(text, from, text.Length - from).ToString();
    }

    /// <summary>How much goes with the control character that stands first.</summary>
    private static int LengthOf(ReadOnlySpan<char> text) => text switch
    {
        ['\r', ..] => text.IndexOfAnyExcept('\r') is var end and >= 0 ? end : text.Length,
        [Escape, '[', ..] => 2 + ControlSequence(text[2..]),
        // OSC, DCS, SOS, PM and APC carry a payload.
        [Escape, ']' or 'P' or 'X' or '^' or '_', ..] => 2 + Payload(text[2..]),
        [Escape, >= ' ' and <= '/', ..] => 1 + Intermediates(text[1..]),
        [Escape, >= '0' and <= '~', ..] => 2,
        // The same in one character each.
        ['\u009b', ..] => 1 + ControlSequence(text[1..]),
        ['\u0090' or '\u0098' or '\u009d' or '\u009e' or '\u009f', ..] => 1 + Payload(text[1..]),
        _ => 1,
    };

    private static int ControlSequence(ReadOnlySpan<char> text)
    {
        var length = 0;
        while (length < text.Length && text[length] is >= '0' and <= '?')
            length++;
        while (length < text.Length && text[length] is >= ' ' and <= '/')
            length++;
        return length < text.Length && text[length] is >= '@' and <= '~' ? length + 1 : length;
    }

    private static int Intermediates(ReadOnlySpan<char> text)
    {
        var length = 0;
        while (length < text.Length && text[length] is >= ' ' and <= '/')
            length++;
        return length < text.Length && text[length] is >= '0' and <= '~' ? length + 1 : length;
    }

    // Without its terminator a payload ends with its line: an escape that is broken off must not hide what follows.
    private static int Payload(ReadOnlySpan<char> text)
    {
        var length = 0;
        while (length < text.Length && (!char.IsControl(text[length]) || text[length] == '\t'))
            length++;
        return text[length..] switch
        {
            [Bell or StringTerminator, ..] => length + 1,
            [Escape, '\\', ..] => length + 2,
            _ => length,
        };
    }

    /// <summary>Finds the next character that has to go. Each of its searches goes over the text once.</summary>
    private ref struct Search(ReadOnlySpan<char> text)
    {
        public const int None = int.MaxValue;

        private readonly ReadOnlySpan<char> _text = text;
        private int _ascii = -1;
        private int _c1 = -1;
        private int _bidi = -1;

        public int From(int from)
        {
            var rest = _text[from..];
            if (_ascii < from)
                _ascii = At(from, rest.IndexOfAny(AsciiControls));
            if (_c1 < from)
                _c1 = At(from, rest.IndexOfAnyInRange('\u0080', '\u009f'));
            if (_bidi < from)
                _bidi = At(from, Bidi(rest));
            return Math.Min(Math.Min(_ascii, _c1), _bidi);
        }

        private static int At(int from, int index) => index < 0 ? None : from + index;

        private static int Bidi(ReadOnlySpan<char> text)
        {
            for (var from = 0; ; from++)
            {
                var next = text[from..].IndexOfAnyInRange('\u202a', '\u2069');
                if (next < 0)
                    return -1;
                from += next;
                if (text[from] is <= '\u202e' or >= '\u2066')
                    return from;
            }
        }
    }
}
