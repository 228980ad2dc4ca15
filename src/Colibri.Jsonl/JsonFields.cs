namespace Colibri.Jsonl;

/// <summary>The properties a reader wants of an object: a fixed list of names, each a column of what is read.</summary>
/// <remarks>Of duplicate names the first wins. Everything else is walked, so the answer says whether the whole of it is well-formed.</remarks>
public sealed class JsonFields
{
    private readonly byte[][] _names;
    private readonly ulong _lengths;

    /// <param name="names">In the order of the columns; each 1 to 63 bytes of UTF-8.</param>
    public JsonFields(params ReadOnlySpan<string> names)
    {
        _names = new byte[names.Length][];
        for (var i = 0; i < names.Length; i++)
        {
            _names[i] = System.Text.Encoding.UTF8.GetBytes(names[i]);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(_names[i].Length, 63, nameof(names));
            _lengths |= 1UL << _names[i].Length;
        }
    }

    public int Count => _names.Length;

    /// <summary>Reads a line that must be one object.</summary>
    /// <param name="line">A whole line.</param>
    /// <param name="values">At least <see cref="Count"/> of them; a field that is not there has kind none.</param>
    /// <returns>False if the line is malformed or no object. What came before the fault has been read even so.</returns>
    public bool TryRead(ReadOnlySpan<byte> line, Span<JsonValue> values)
    {
        values[.._names.Length].Clear();
        var reader = new JsonLineReader(line);
        if (!reader.EnterObject()) return false;
        ReadObject(ref reader, line, values);
        return reader.Finish();
    }

    /// <summary>Reads an object inside a line that has already been walked. Offsets stay those of the line.</summary>
    /// <returns>False if the value is no object.</returns>
    public bool TryRead(ReadOnlySpan<byte> line, JsonValue value, Span<JsonValue> values)
    {
        values[.._names.Length].Clear();
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
            if (reader.Value.Kind is ValueKind.Object or ValueKind.Array && !reader.Skip()) return;
            values[column] = reader.Value;
        }
    }

    private int Column(ReadOnlySpan<byte> line, JsonValue name)
    {
        if (!name.HasEscapes && (name.Length > 63 || (_lengths & (1UL << name.Length)) == 0)) return -1;
        for (var i = 0; i < _names.Length; i++)
            if (name.StringEquals(line, _names[i])) return i;

        return -1;
    }
}
