using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Colibri.Core.Events;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Server;

/// <summary>A command's answer before it is written as a line.</summary>
internal abstract class Reply
{
    private static readonly JsonWriterOptions WriterOptions =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary><c>{"ok":true,"data":{}}</c>.</summary>
    public static Reply Empty { get; } = new EmptyReply();

    public static Reply Of<T>(T value, JsonTypeInfo<T> type) => new DataReply<T>(value, type);

    public static Reply Error(string code, string message) => new ErrorReply(new WireError(code, message));

    /// <summary>Appends the reply line, newline included.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="id">The request's id as it was written, or empty.</param>
    public void WriteLine(IBufferWriter<byte> output, ReadOnlySpan<byte> id)
    {
        using (var writer = new Utf8JsonWriter(output, WriterOptions))
        {
            writer.WriteStartObject();
            if (!id.IsEmpty)
            {
                writer.WritePropertyName("id"u8);
                writer.WriteRawValue(id, skipInputValidation: true);
            }
            WriteBody(writer);
            writer.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    /// <summary>The same, after which the connection streams lines until its client closes.</summary>
    public static Reply Streaming<T>(T value, JsonTypeInfo<T> type, ILineSource lines) => new DataReply<T>(value, type) { Lines = lines };

    /// <summary>What the connection streams after this answer; null for most.</summary>
    public ILineSource? Lines { get; private init; }

    /// <summary>The type of its <c>data</c>; null where it has none.</summary>
    public abstract JsonTypeInfo? Type { get; }

    protected abstract void WriteBody(Utf8JsonWriter writer);

    private sealed class EmptyReply : Reply
    {
        public override JsonTypeInfo? Type => null;

        protected override void WriteBody(Utf8JsonWriter writer)
        {
            writer.WriteBoolean("ok"u8, true);
            writer.WriteStartObject("data"u8);
            writer.WriteEndObject();
        }
    }

    private sealed class DataReply<T>(T value, JsonTypeInfo<T> type) : Reply
    {
        public override JsonTypeInfo? Type => type;

        protected override void WriteBody(Utf8JsonWriter writer)
        {
            writer.WriteBoolean("ok"u8, true);
            writer.WritePropertyName("data"u8);
            JsonSerializer.Serialize(writer, value, type);
        }
    }

    private sealed class ErrorReply(WireError error) : Reply
    {
        public override JsonTypeInfo? Type => null;

        protected override void WriteBody(Utf8JsonWriter writer)
        {
            writer.WriteBoolean("ok"u8, false);
            writer.WritePropertyName("error"u8);
            JsonSerializer.Serialize(writer, error, ProtocolJson.Wire.WireError);
        }
    }
}
