using System.Buffers.Text;

namespace Colibri.Jsonl;

/// <summary>
/// Where a value lies in its line. For a string, the bytes between its quotes, still escaped; for everything else, all its bytes.
/// Every method must be given the line the value was read from.
/// </summary>
/// <param name="Kind">The value's kind; <see cref="ValueKind.None"/> when there is none.</param>
/// <param name="HasEscapes">A string with at least one backslash in it.</param>
/// <param name="Offset">From the start of the line, in bytes.</param>
/// <param name="Length">In bytes.</param>
public readonly record struct JsonValue(ValueKind Kind, bool HasEscapes, int Offset, int Length)
{
    public bool Exists => Kind != ValueKind.None;

    public bool IsString => Kind == ValueKind.String;

    public ReadOnlySpan<byte> Raw(ReadOnlySpan<byte> line) => line.Slice(Offset, Length);

    /// <summary>An integer written as one. False for a fraction, an exponent, or anything beyond <see cref="long"/>.</summary>
    public bool TryGetInt64(ReadOnlySpan<byte> line, out long value)
    {
        value = 0;
        if (Kind != ValueKind.Number || !Utf8Parser.TryParse(Raw(line), out long number, out var read) || read != Length) return false;
        value = number;
        return true;
    }

    /// <summary>The integer; 0 where <see cref="TryGetInt64"/> returns false.</summary>
    public long Int64OrZero(ReadOnlySpan<byte> line) => TryGetInt64(line, out var value) ? value : 0;

    public bool TryGetBoolean(out bool value)
    {
        value = Kind == ValueKind.True;
        return Kind is ValueKind.True or ValueKind.False;
    }

    /// <summary>Whether it is a string that, once its escapes are decoded, is <paramref name="text"/>.</summary>
    public bool StringEquals(ReadOnlySpan<byte> line, ReadOnlySpan<byte> text)
    {
        if (!IsString) return false;
        return HasEscapes ? JsonText.DecodedEquals(Raw(line), text) : Raw(line).SequenceEqual(text);
    }

    /// <summary>The decoded string, cut after at most <paramref name="maxBytes"/> of its escaped bytes; null when it is no string.</summary>
    public string? GetString(ReadOnlySpan<byte> line, int maxBytes = int.MaxValue) =>
        IsString ? JsonText.ToString(JsonText.Cut(Raw(line), maxBytes), HasEscapes) : null;

    /// <summary>The same value with its offset in a line that starts <paramref name="by"/> bytes earlier.</summary>
    public JsonValue Shifted(int by) => Exists ? this with { Offset = Offset + by } : this;
}

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
