using System.Runtime.CompilerServices;

namespace Colibri.Jsonl;

/// <summary>
/// Reads the fields of a line whose strings are marked. It jumps from quote to quote, so no string is scanned twice. True is final; after
/// false, for whatever reason, the caller reads the line again with <see cref="JsonLineReader"/>.
/// </summary>
/// <remarks>
/// The line's form has shown that it is UTF-8, that its strings and brackets close, and how deep they nest. What stands between them is
/// checked here by RFC 8259's grammar.
/// </remarks>
internal ref struct FieldWalk(ReadOnlySpan<byte> line, in LineLook look)
{
    private readonly ReadOnlySpan<byte> _line = line;
    private readonly LineLook _look = look;
    private int _at;

    public bool TryRead(JsonFields fields, Span<JsonValue> values)
    {
        _at = 1;
        return ReadObject(fields, values) && _at == _line.Length;
    }

    // From right after its opening bracket to right after its closing one.
    private bool ReadObject(JsonFields fields, Span<JsonValue> values)
    {
        if (ByteAt(ref _at) == '}')
        {
            _at++;
            return true;
        }

        while (true)
        {
            if (!PassName(ref _at, out var nameStart, out var nameEnd)) return false;
            var column = fields.Column(_line, nameStart, nameEnd, _look);
            if (column < 0 || values[column].Exists ? !Pass(ByteAt(ref _at)) : !ReadValue(fields, column, values)) return false;
            var next = ByteAt(ref _at);
            _at++;
            if (next == '}') return true;
            if (next != ',') return false;
        }
    }

    private bool ReadValue(JsonFields fields, int column, Span<JsonValue> values)
    {
        var first = ByteAt(ref _at);
        var start = _at;
        if (first == '{' && fields.Inner(column, values, out var columns) is { } inner)
        {
            _at++;
            if (!ReadObject(inner, columns)) return false;
        }
        else if (!Pass(first))
        {
            return false;
        }

        var length = _at - start;
        values[column] = first == '"'
            ? new JsonValue(ValueKind.String, _look.HasEscapes(_line, start + 1, _at - 1), start + 1, length - 2)
            : new JsonValue(KindOf(first), HasEscapes: false, start, length);
        return true;
    }

    private static ValueKind KindOf(int first) => first switch
    {
        '{' => ValueKind.Object,
        '[' => ValueKind.Array,
        't' => ValueKind.True,
        'f' => ValueKind.False,
        'n' => ValueKind.Null,
        _ => ValueKind.Number,
    };

    // Moves past the value that begins with this byte.
    private bool Pass(int first)
    {
        switch (first)
        {
            case '"':
                _at = _look.StringEnd(_at + 1) + 1;
                return true;
            case '{' or '[':
                return PassContainer(first == '{');
            default:
                var length = JsonContainer.ScalarLength(_line, _at);
                _at += length;
                return length != 0;
        }
    }

    private bool PassContainer(bool isObject)
    {
        // One bit for each level, the innermost lowest, below a one that marks the outside. The form bounds the number of levels.
        var objects = isObject ? 3UL : 2;
        var at = _at + 1;
        if (ByteAt(ref at) == (isObject ? '}' : ']'))
        {
            _at = at + 1;
            return true;
        }

        while (true)
        {
            // At a value; in an object, at its name. A container that opens here is walked from the top of the loop.
            if ((objects & 1) != 0 && !PassName(ref at, out _, out _)) return false;
            var c = ByteAt(ref at);
            if (c == '"')
            {
                at = _look.StringEnd(at + 1) + 1;
            }
            else if (c is '{' or '[')
            {
                objects = (objects << 1) | (c == '{' ? 1UL : 0);
                at++;
                if (ByteAt(ref at) != c + 2) continue;
            }
            else
            {
                var length = JsonContainer.ScalarLength(_line, at);
                if (length == 0) return false;
                at += length;
            }

            // After a value: close containers until a comma follows.
            while ((c = ByteAt(ref at)) != ',')
            {
                if (c != ((objects & 1) != 0 ? '}' : ']')) return false;
                at++;
                objects >>= 1;
                if (objects != 1) continue;
                _at = at;
                return true;
            }

            at++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool PassName(ref int at, out int start, out int end)
    {
        end = 0;
        start = at + 1;
        if (ByteAt(ref at) != '"') return false;
        start = at + 1;
        end = _look.StringEnd(start);
        at = end + 1;
        if (ByteAt(ref at) != ':') return false;
        at++;
        return true;
    }

    // The next byte that is no white space; -1 at the line's end.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int ByteAt(ref int at)
    {
        while ((uint)at < (uint)_line.Length)
        {
            var c = _line[at];
            if (c != ' ') return c;
            at++;
        }

        return -1;
    }
}
