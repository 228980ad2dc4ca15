using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Colibri.Mcp.Output;

/// <summary>
/// A JSON object that keeps within <see cref="Bounds.MaxChars"/>. One that is longer gets shorter texts and shorter lists, and its member
/// <c>left_out</c> says so. It keeps its shape: no member goes away.
/// </summary>
internal static class BoundedJson
{
    private const int Unlimited = int.MaxValue;

    // Tried in this order until one fits. The last one is small enough for any object whose members are known.
    private static readonly (int Chars, int Items)[] Steps =
        [(Unlimited, Unlimited), (16_384, Unlimited), (4_096, 500), (1_024, 200), (512, 100), (256, 50), (128, 25), (64, 10), (32, 4), (16, 1)];

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="data">One JSON object, already redacted.</param>
    /// <param name="keepEnd">Keep the end of the lists, not the beginning.</param>
    public static (JsonElement Data, string Text) Fit(JsonElement data, bool keepEnd = false)
    {
        foreach (var (chars, items) in Steps)
        {
            var copy = new Copy(chars, items, keepEnd);
            var text = copy.Of(data);
            if (text.Length <= Bounds.MaxChars)
                return (copy.IsWhole ? data : JsonElement.Parse(text), text);
        }
        throw new InvalidDataException("the answer has too many members to be shortened");
    }

    private sealed class Copy(int maxChars, int maxItems, bool keepEnd)
    {
        private int _texts;
        private long _items;

        public bool IsWhole => _texts == 0 && _items == 0;

        public string Of(JsonElement data)
        {
            var bytes = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(bytes, Readable))
            {
                writer.WriteStartObject();
                foreach (var member in data.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value);
                }
                if (!IsWhole)
                    writer.WriteString("left_out", $"this answer was longer than {Bounds.MaxChars} characters: {_texts} texts were cut and {_items} list items left out; ask for less");
                writer.WriteEndObject();
            }
            return Encoding.UTF8.GetString(bytes.WrittenSpan);
        }

        private void Write(Utf8JsonWriter writer, JsonElement value)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.Object:
                    writer.WriteStartObject();
                    foreach (var member in value.EnumerateObject())
                    {
                        writer.WritePropertyName(member.Name);
                        Write(writer, member.Value);
                    }
                    writer.WriteEndObject();
                    break;
                case JsonValueKind.Array:
                    WriteItems(writer, value);
                    break;
                case JsonValueKind.String when value.GetString()!.Length > maxChars:
                    _texts++;
                    writer.WriteStringValue(Bounds.Cut(value.GetString()!, maxChars));
                    break;
                case JsonValueKind.String:
                    writer.WriteStringValue(value.GetString());
                    break;
                default:
                    value.WriteTo(writer);
                    break;
            }
        }

        private void WriteItems(Utf8JsonWriter writer, JsonElement list)
        {
            var length = list.GetArrayLength();
            var left = Math.Max(0, length - maxItems);
            _items += left;
            var (first, end) = keepEnd ? (left, length) : (0, length - left);
            writer.WriteStartArray();
            for (var i = first; i < end; i++)
                Write(writer, list[i]);
            writer.WriteEndArray();
        }
    }
}
