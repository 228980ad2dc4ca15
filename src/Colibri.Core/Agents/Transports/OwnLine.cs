using System.Buffers;
using System.Text.Json;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Transports;

/// <summary>The line of an event that no line has brought: events hold slices of one.</summary>
internal static class OwnLine
{
    private static readonly JsonFields Fields = new("id", "name", "text");

    /// <summary>Sets what the event says, from the values of the line.</summary>
    /// <param name="read">The event.</param>
    /// <param name="fields">Its id, name and text.</param>
    public delegate void Fill(ref AgentEvent read, ReadOnlySpan<JsonValue> fields);

    /// <summary>Passes such an event to the sink.</summary>
    /// <param name="id">Its id; empty for none.</param>
    /// <param name="name">Its name.</param>
    /// <param name="text">Its words.</param>
    /// <param name="sink">Called before this returns.</param>
    /// <param name="read">What it is beside.</param>
    /// <param name="fill">Sets what it says.</param>
    public static void Emit(string id, string name, string text, IEventSink sink, AgentEvent read, Fill fill)
    {
        var line = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(line))
        {
            writer.WriteStartObject();
            if (id.Length > 0) writer.WriteString("id"u8, id);
            writer.WriteString("name"u8, name);
            writer.WriteString("text"u8, text);
            writer.WriteEndObject();
        }
        Span<JsonValue> fields = stackalloc JsonValue[3];
        Fields.TryRead(line.WrittenSpan, fields);
        fill(ref read, fields);
        sink.On(line.WrittenSpan, read);
    }
}
