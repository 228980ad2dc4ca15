namespace Colibri.Jsonl;

/// <summary>Enumerates the properties of an object inside a line that has already been walked: <c>while (properties.Next())</c>.</summary>
public ref struct JsonProperties
{
    private JsonLineReader _reader;
    private readonly bool _isObject;

    /// <param name="line">The line the object was read from.</param>
    /// <param name="value">The object; any other value has no properties.</param>
    public JsonProperties(ReadOnlySpan<byte> line, JsonValue value)
    {
        if (value.Kind != ValueKind.Object) return;
        _reader = new JsonLineReader(line, value.Offset + value.Length, utf8IsChecked: true, value.Offset);
        _isObject = _reader.EnterObject();
    }

    public readonly JsonValue Name => _reader.Name;

    /// <summary>The whole value; offsets are those of the line.</summary>
    public readonly JsonValue Value => _reader.Value;

    public bool Next() => _isObject && _reader.NextProperty() && _reader.Skip();
}
