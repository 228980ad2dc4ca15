using System.Numerics;

namespace Colibri.Jsonl;

/// <summary>The properties a reader wants of an object: a fixed list of names, each a column of what is read.</summary>
/// <remarks>Of duplicate names the first wins. Everything else is walked, so the answer says whether the whole of it is well-formed.</remarks>
public sealed class JsonFields
{
    private readonly byte[][] _names;
    private readonly sbyte[] _slots;
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
        _slots = new sbyte[(int)BitOperations.RoundUpToPowerOf2((uint)names.Length * 4)];
        Array.Fill(_slots, (sbyte)-1);
        for (var i = names.Length - 1; i >= 0; i--)
        {
            var slot = Slot(_names[i]);
            while (_slots[slot] >= 0) slot = (slot + 1) & (_slots.Length - 1);
            _slots[slot] = (sbyte)i;
        }
    }

    private JsonFields(JsonFields of, string name, JsonFields inner)
    {
        (_names, _slots) = (of._names, of._slots);
        (_inner, _innerColumns) = ([.. of._inner], [.. of._innerColumns]);
        var column = Array.FindIndex(_names, known => known.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(name)));
        ArgumentOutOfRangeException.ThrowIfNegative(column, nameof(name));
        (_inner[column], _innerColumns[column]) = (inner, of.Count);
        Count = of.Count + inner.Count;
    }

    /// <summary>Columns, those of inner objects included.</summary>
    public int Count { get; }

    /// <summary>
    /// The same, and behind all columns so far those of the object under one of the names: it is read in the same walk. They stay empty where
    /// the value is no object or not read to its end.
    /// </summary>
    public JsonFields With(string name, JsonFields inner) => new(this, name, inner);

    /// <summary>Reads a line that must be one object.</summary>
    /// <param name="line">A whole line.</param>
    /// <param name="values">At least <see cref="Count"/> of them; a field that is not there has kind none.</param>
    /// <param name="utf8IsChecked">The line is known to be UTF-8.</param>
    /// <returns>False if the line is malformed or no object. What came before the fault has been read even so.</returns>
    public bool TryRead(ReadOnlySpan<byte> line, Span<JsonValue> values, bool utf8IsChecked = false)
    {
        values[..Count].Clear();
        var reader = new JsonLineReader(line, line.Length, utf8IsChecked);
        if (!reader.EnterObject()) return false;
        ReadObject(ref reader, line, values);
        return reader.Finish();
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

    private int Column(ReadOnlySpan<byte> line, JsonValue name)
    {
        if (name.HasEscapes) return EscapedColumn(line, name);
        var text = name.Raw(line);
        for (var slot = Slot(text); _slots[slot] >= 0; slot = (slot + 1) & (_slots.Length - 1))
            if (text.SequenceEqual(_names[_slots[slot]])) return _slots[slot];

        return -1;
    }

    private int EscapedColumn(ReadOnlySpan<byte> line, JsonValue name)
    {
        for (var i = 0; i < _names.Length; i++)
            if (name.StringEquals(line, _names[i])) return i;

        return -1;
    }

    private int Slot(ReadOnlySpan<byte> name) =>
        name.IsEmpty ? 0 : ((name.Length * 31) + (name[0] * 7) + (name[name.Length / 2] * 13) + (name[^1] * 3)) & (_slots.Length - 1);
}
