using System.Buffers;
using System.Text.Json;

namespace Colibri.Mcp.Output;

/// <summary>JSON that is put together by hand.</summary>
internal static class JsonParts
{
    /// <param name="members">Writes the members of the object.</param>
    public static JsonElement Object(Action<Utf8JsonWriter> members)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        return JsonElement.Parse(bytes.WrittenSpan);
    }
}
