namespace Colibri.Jsonl;

/// <summary>The kind of a JSON value; <see cref="None"/> where there is no value.</summary>
public enum ValueKind : byte
{
    None,
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}
