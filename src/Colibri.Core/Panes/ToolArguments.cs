using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Colibri.Core.Providers;
using Colibri.Jsonl;

namespace Colibri.Core.Panes;

/// <summary>The arguments of a tool call as a session shows them.</summary>
internal static class ToolArguments
{
    // A line with deeper nesting is malformed.
    private const int MaxDepth = 512;

    private static readonly JsonReaderOptions Reading = new() { MaxDepth = MaxDepth };
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MaxDepth };

    /// <summary>
    /// A string decoded, anything else as JSON without blanks. Each string in that JSON is made plain and redacted before it is escaped again, because an
    /// escape in a key would hide the key. The text is no longer than the line allows.
    /// </summary>
    /// <param name="line">The line that the arguments stand in.</param>
    /// <param name="arguments">Them.</param>
    /// <param name="secrets">The keys to redact.</param>
    public static string Of(ReadOnlySpan<byte> line, JsonValue arguments, Secrets secrets)
    {
        switch (arguments.Kind)
        {
            case ValueKind.None or ValueKind.Null:
                return "";
            case ValueKind.String:
                return arguments.GetString(line)!;
            case ValueKind.Object or ValueKind.Array:
                try
                {
                    return Rewritten(arguments.Raw(line), secrets);
                }
                catch (Exception e) when (e is JsonException or InvalidOperationException)
                {
                    // Cut, or a surrogate without its other half: no JSON, but words.
                    return (arguments with { Kind = ValueKind.String, HasEscapes = true }).GetString(line)!;
                }
            default:
                return Encoding.UTF8.GetString(arguments.Raw(line));
        }
    }

    private static string Rewritten(ReadOnlySpan<byte> json, Secrets secrets)
    {
        var text = new ArrayBufferWriter<byte>(json.Length + 16);
        using var writer = new Utf8JsonWriter(text, Writing);
        var reader = new Utf8JsonReader(json, Reading);
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    writer.WriteStartObject();
                    break;
                case JsonTokenType.EndObject:
                    writer.WriteEndObject();
                    break;
                case JsonTokenType.StartArray:
                    writer.WriteStartArray();
                    break;
                case JsonTokenType.EndArray:
                    writer.WriteEndArray();
                    break;
                case JsonTokenType.PropertyName:
                    writer.WritePropertyName(secrets.Redact(reader.GetString()!));
                    break;
                case JsonTokenType.String:
                    writer.WriteStringValue(secrets.Redact(reader.GetString()!));
                    break;
                default:
                    writer.WriteRawValue(reader.ValueSpan, skipInputValidation: true);
                    break;
            }
        }
        writer.Flush();
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }
}
