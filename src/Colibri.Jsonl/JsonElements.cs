namespace Colibri.Jsonl;

/// <summary>Enumerates the elements of an array inside a line that has already been walked: <c>while (elements.Next())</c>.</summary>
public ref struct JsonElements
{
    private JsonLineReader _reader;
    private readonly bool _isArray;

    /// <param name="line">The line the array was read from.</param>
    /// <param name="array">The array; any other value has no elements.</param>
    public JsonElements(ReadOnlySpan<byte> line, JsonValue array)
    {
        if (array.Kind != ValueKind.Array) return;
        _reader = new JsonLineReader(line, array.Offset + array.Length, utf8IsChecked: true, array.Offset);
        _isArray = _reader.EnterArray();
    }

    /// <summary>The whole element; offsets are those of the line.</summary>
    public readonly JsonValue Current => _reader.Value;

    public bool Next() => _isArray && _reader.NextElement() && _reader.Skip();
}
