using System.Numerics;

namespace Colibri.Jsonl;

/// <summary>The properties to read from an object: a fixed list of names, each with a column in the result.</summary>
/// <remarks>Of duplicate names the first wins. All other properties are walked too, so the answer says whether the whole line is well-formed.</remarks>
public sealed class JsonFields
{
    private readonly byte[][] _names;
    private readonly (uint Key, int Column)[] _slots;
    private readonly int _slotShift;
    private readonly JsonFields?[] _inner;
    private readonly int[] _innerColumns;

    /// <param name="names">In the order of the columns; each 1 to 63 bytes of UTF-8.</param>
    public JsonFields(params ReadOnlySpan<string> names)
    {
        _names = new byte[names.Length][];
        _inner = new JsonFields?[names.Length];
        _innerColumns = new int[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            var name = System.Text.Encoding.UTF8.GetBytes(names[i]);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, 63, nameof(names));
            _names[i] = name;
        }

        Count = names.Length;
        _slots = new (uint, int)[(int)BitOperations.RoundUpToPowerOf2((uint)names.Length * 4)];
        _slotShift = 32 - BitOperations.Log2((uint)_slots.Length);
        for (var i = 0; i < names.Length; i++)
        {
            var key = Key(_names[i]);
            var slot = Slot(key);
            while (_slots[slot].Key != 0) slot = (slot + 1) & (_slots.Length - 1);
            _slots[slot] = (key, i);
        }
    }

    private JsonFields(JsonFields of, string name, JsonFields inner)
    {
        (_names, _slots, _slotShift) = (of._names, of._slots, of._slotShift);
        (_inner, _innerColumns) = ([.. of._inner], [.. of._innerColumns]);
        var column = Array.FindIndex(_names, known => known.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(name)));
        ArgumentOutOfRangeException.ThrowIfNegative(column, nameof(name));
        (_inner[column], _innerColumns[column]) = (inner, of.Count);
        Count = of.Count + inner.Count;
    }

    /// <summary>Columns, those of inner objects included.</summary>
    public int Count { get; }

    /// <summary>
    /// The same list, extended by the columns of the object under one of the names, which is read in the same walk. Those columns follow all
    /// earlier ones. They stay empty if the value is no object or is not read to its end.
    /// </summary>
    public JsonFields With(string name, JsonFields inner) => new(this, name, inner);

    /// <summary>Reads a line that must be one object.</summary>
    /// <param name="line">A whole line.</param>
    /// <param name="values">At least <see cref="Count"/> of them; a field that is not there has kind none.</param>
    /// <param name="utf8IsChecked">The line is known to be UTF-8.</param>
    /// <returns>False if the line is malformed or no object. The fields before the fault have been read even so.</returns>
    public bool TryRead(ReadOnlySpan<byte> line, Span<JsonValue> values, bool utf8IsChecked = false)
    {
        values[..Count].Clear();
        var reader = new JsonLineReader(line, line.Length, utf8IsChecked);
        if (!reader.EnterObject()) return false;
        ReadObject(ref reader, line, values);
        return reader.Finish();
    }

    /// <summary>Reads a line that is known to be UTF-8, with what its framing has learned of it.</summary>
    /// <param name="line">A whole line.</param>
    /// <param name="look">What was learned; default is nothing.</param>
    /// <param name="values">As in the overload above.</param>
    /// <returns>As in the overload above.</returns>
    public bool TryRead(ReadOnlySpan<byte> line, LineLook look, Span<JsonValue> values)
    {
        values[..Count].Clear();
        return (look.IsMarked && new FieldWalk(line, look).TryRead(this, values)) || TryRead(line, values, utf8IsChecked: true);
    }

    /// <summary>Reads an object inside a line that has already been walked. Offsets stay those of the line.</summary>
    /// <returns>False if the value is no object.</returns>
    public bool TryRead(ReadOnlySpan<byte> line, JsonValue value, Span<JsonValue> values)
    {
        values[..Count].Clear();
        if (value.Kind != ValueKind.Object) return false;
        var reader = new JsonLineReader(line, value.Offset + value.Length, utf8IsChecked: true, value.Offset);
        if (!reader.EnterObject()) return false;
        ReadObject(ref reader, line, values);
        return !reader.IsMalformed;
    }

    private void ReadObject(ref JsonLineReader reader, ReadOnlySpan<byte> line, Span<JsonValue> values)
    {
        while (reader.NextProperty())
        {
            var column = Column(line, reader.Name);
            if (column < 0 || values[column].Exists) continue;
            var value = reader.Value;
            if (value.Kind is ValueKind.Object or ValueKind.Array)
            {
                if (_inner[column] is { } inner && value.Kind == ValueKind.Object)
                {
                    var columns = values.Slice(_innerColumns[column], inner.Count);
                    reader.EnterObject();
                    inner.ReadObject(ref reader, line, columns);
                    if (reader.IsMalformed) columns.Clear();
                    value = value with { Length = reader.Offset - value.Offset };
                }
                else
                {
                    reader.Skip();
                    value = reader.Value;
                }

                if (reader.IsMalformed) return;
            }

            values[column] = value;
        }
    }

    /// <summary>The column of a name as it stands in a line; -1 where it is not in the list.</summary>
    internal int Column(ReadOnlySpan<byte> line, int start, int end, in LineLook look)
    {
        var column = Column(line[start..end]);
        return column < 0 && look.HasEscapes(line, start, end) ? EscapedColumn(line[start..end]) : column;
    }

    /// <summary>What is read of the object in a column, and the columns for it; null where it is not read.</summary>
    internal JsonFields? Inner(int column, Span<JsonValue> values, out Span<JsonValue> columns)
    {
        var inner = _inner[column];
        columns = inner is null ? default : values.Slice(_innerColumns[column], inner.Count);
        return inner;
    }

    private int Column(ReadOnlySpan<byte> line, JsonValue name) => name.HasEscapes ? EscapedColumn(name.Raw(line)) : Column(name.Raw(line));

    private int Column(ReadOnlySpan<byte> name)
    {
        var key = Key(name);
        for (var slot = Slot(key); _slots[slot].Key != 0; slot = (slot + 1) & (_slots.Length - 1))
            if (_slots[slot].Key == key && name.SequenceEqual(_names[_slots[slot].Column])) return _slots[slot].Column;

        return -1;
    }

    private int EscapedColumn(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _names.Length; i++)
            if (JsonText.DecodedEquals(name, _names[i])) return i;

        return -1;
    }

    // Hashes a name by its length, first and last byte; few names collide. Never 0.
    private static uint Key(ReadOnlySpan<byte> name) => name.IsEmpty ? uint.MaxValue : ((uint)name.Length << 16) | ((uint)name[^1] << 8) | name[0];

    private int Slot(uint key) => (int)((key * 0x9E37_79B1) >> _slotShift);
}
