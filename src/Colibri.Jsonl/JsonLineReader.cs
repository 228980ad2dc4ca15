using System.Runtime.CompilerServices;
using System.Text.Unicode;

namespace Colibri.Jsonl;

/// <summary>
/// Reads one line forward only, exactly by RFC 8259, without allocating. Call <see cref="EnterObject"/>, then <see cref="NextProperty"/> until
/// it returns false, and read <see cref="Name"/> and <see cref="Value"/>. The next call skips the current container unless it enters it.
/// </summary>
/// <remarks>
/// What has been walked is known to be well-formed; <see cref="Finish"/> walks the rest. From the first fault on every method returns false
/// and <see cref="IsMalformed"/> is true. Malformed are also: invalid UTF-8 anywhere, control bytes inside strings, more than
/// <see cref="MaxDepth"/> levels, anything but white space after the value, a byte order mark. A lone surrogate escape is well-formed.
/// Duplicate names are all reported; <see cref="JsonFields"/> keeps the first.
/// </remarks>
public ref struct JsonLineReader
{
    /// <summary>Deepest nesting read; the outermost container is level 1.</summary>
    public const int MaxDepth = 512;

    private readonly ReadOnlySpan<byte> _line;
    private Nesting _objects;
    private int _at;
    private int _depth;
    private bool _isObject;
    private bool _pending;
    private bool _first;
    private bool _malformed;

    public JsonLineReader(ReadOnlySpan<byte> line)
        : this(line, line.Length, utf8IsChecked: false)
    {
    }

    internal JsonLineReader(ReadOnlySpan<byte> line, int end, bool utf8IsChecked, int start = 0)
    {
        _line = line[..end];
        _at = start;
        _malformed = !utf8IsChecked && !Utf8.IsValid(line);
        if (!_malformed) ReadValue();
    }

    public readonly bool IsMalformed => _malformed;

    /// <summary>How far it has read; right after a container that it has just left.</summary>
    internal readonly int Offset => _at;

    /// <summary>The property's name; none inside an array.</summary>
    public JsonValue Name { get; private set; }

    /// <summary>The current value. A container that is not walked yet spans its opening bracket only.</summary>
    public JsonValue Value { get; private set; }

    public readonly bool NameEquals(ReadOnlySpan<byte> name) => Name.StringEquals(_line, name);

    /// <summary>Enters the current object; false if the current value is no object.</summary>
    public bool EnterObject() => Enter(ValueKind.Object);

    /// <summary>Enters the current array; false if the current value is no array.</summary>
    public bool EnterArray() => Enter(ValueKind.Array);

    /// <summary>Moves to the next property of the object entered last; false at its end, which leaves it, or on a fault.</summary>
    public bool NextProperty()
    {
        if (!NextItem((byte)'}')) return false;
        if (!ReadName()) return false;
        ReadValue();
        return !_malformed;
    }

    /// <summary>Moves to the next element of the array entered last; false at its end, which leaves it, or on a fault.</summary>
    public bool NextElement()
    {
        if (!NextItem((byte)']')) return false;
        Name = default;
        ReadValue();
        return !_malformed;
    }

    /// <summary>Walks past the current container, after which <see cref="Value"/> spans all of it. Does nothing for a scalar.</summary>
    public bool Skip()
    {
        if (!_pending) return !_malformed;
        var (name, opened, outer) = (Name, Value, _depth);
        if (outer <= MaxDepth - JsonContainer.MaxLevels)
        {
            var end = JsonContainer.End(_line, _at, opened.Kind == ValueKind.Object);
            if (end == -1) return Fail();
            if (end != JsonContainer.TooDeep)
            {
                _pending = false;
                _at = end;
                Value = opened with { Length = end - opened.Offset };
                return true;
            }
        }

        _pending = false;
        Open(opened.Kind);
        if (!WalkOut(outer)) return false;
        Name = name;
        Value = opened with { Length = _at - opened.Offset };
        return true;
    }

    /// <summary>Walks to the end of the line. True when all of it was one well-formed value.</summary>
    public bool Finish()
    {
        if (_malformed || (_pending && !Skip()) || !WalkOut(0)) return false;
        SkipWhiteSpace();
        return _at == _line.Length || Fail();
    }

    private bool Enter(ValueKind kind)
    {
        if (!_pending || Value.Kind != kind) return false;
        _pending = false;
        return Open(kind);
    }

    private bool Open(ValueKind kind)
    {
        if (_depth == MaxDepth) return Fail();
        _isObject = kind == ValueKind.Object;
        _objects.Set(_depth, _isObject);
        _depth++;
        _first = true;
        return true;
    }

    private bool NextItem(byte closing)
    {
        if (_malformed || (_pending && !Skip()) || _depth == 0) return false;
        if (_isObject != (closing == '}')) return false;
        SkipWhiteSpace();
        if (_at >= _line.Length) return Fail();
        var c = _line[_at];
        if (c == closing)
        {
            _at++;
            _depth--;
            _isObject = _depth > 0 && _objects.Get(_depth - 1);
            _first = false;
            return false;
        }

        if (_first)
        {
            _first = false;
            return true;
        }

        if (c != ',') return Fail();
        _at++;
        return true;
    }

    // One loop over all levels down to the outer one: with recursion, the line's writer would decide how deep our stack grows.
    private bool WalkOut(int outer)
    {
        while (_depth > outer)
        {
            if (_isObject)
            {
                if (!NextItem((byte)'}'))
                {
                    if (_malformed) return false;
                    continue;
                }

                if (!ReadName()) return false;
            }
            else if (!NextItem((byte)']'))
            {
                if (_malformed) return false;
                continue;
            }

            ReadValue();
            if (_malformed) return false;
            if (!_pending) continue;
            _pending = false;
            if (!Open(Value.Kind)) return false;
        }

        return !_malformed;
    }

    private bool ReadName()
    {
        SkipWhiteSpace();
        if (_at >= _line.Length || _line[_at] != '"') return Fail();
        var end = JsonScan.StringEnd(_line, _at + 1, out var hasEscapes);
        if (end < 0) return Fail();
        Name = new JsonValue(ValueKind.String, hasEscapes, _at + 1, end - _at - 1);
        _at = end + 1;
        SkipWhiteSpace();
        if (_at >= _line.Length || _line[_at] != ':') return Fail();
        _at++;
        return true;
    }

    private void ReadValue()
    {
        SkipWhiteSpace();
        if (_at >= _line.Length)
        {
            Fail();
            return;
        }

        var kind = ValueKind.None;
        var hasEscapes = false;
        var offset = _at;
        var length = 1;
        var end = 0;
        switch (_line[_at])
        {
            case (byte)'"':
                end = JsonScan.StringEnd(_line, _at + 1, out hasEscapes);
                if (end < 0) break;
                kind = ValueKind.String;
                offset = _at + 1;
                length = end - offset;
                end++;
                break;
            case (byte)'{':
                kind = ValueKind.Object;
                end = _at + 1;
                break;
            case (byte)'[':
                kind = ValueKind.Array;
                end = _at + 1;
                break;
            case (byte)'t' when _line[_at..].StartsWith("true"u8):
                kind = ValueKind.True;
                end = _at + (length = 4);
                break;
            case (byte)'f' when _line[_at..].StartsWith("false"u8):
                kind = ValueKind.False;
                end = _at + (length = 5);
                break;
            case (byte)'n' when _line[_at..].StartsWith("null"u8):
                kind = ValueKind.Null;
                end = _at + (length = 4);
                break;
            default:
                length = JsonScan.NumberLength(_line[_at..]);
                if (length > 0) kind = ValueKind.Number;
                end = _at + length;
                break;
        }

        if (kind == ValueKind.None)
        {
            Fail();
            return;
        }

        Value = new JsonValue(kind, hasEscapes, offset, length);
        _pending = kind is ValueKind.Object or ValueKind.Array;
        _at = end;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SkipWhiteSpace()
    {
        while (_at < _line.Length && _line[_at] <= ' ' && _line[_at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') _at++;
    }

    private bool Fail()
    {
        _malformed = true;
        _pending = false;
        Value = default;
        return false;
    }

    [InlineArray(MaxDepth / 64)]
    private struct Nesting
    {
        private ulong _word;

        public void Set(int level, bool isObject)
        {
            var bit = 1UL << level;
            if (isObject) this[level >> 6] |= bit;
            else this[level >> 6] &= ~bit;
        }

        public readonly bool Get(int level) => (this[level >> 6] & (1UL << level)) != 0;
    }
}
