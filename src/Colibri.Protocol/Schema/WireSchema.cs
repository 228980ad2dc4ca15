using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Schema;

/// <summary>
/// The protocol as one JSON Schema (draft 2020-12), for clients in other languages. Requests come from the table of commands, replies and events from the
/// metadata by which they are serialised, so neither can differ from what the daemon does. It is read off that metadata and not made by the class library's
/// exporter: that one writes each type out at each place, lets every reply hold null, and knows nothing of what a converter of ours takes.
/// </summary>
public static class WireSchema
{
    /// <summary>The value of <c>$schema</c>.</summary>
    public const string Dialect = "https://json-schema.org/draft/2020-12/schema";

    /// <summary>Where a definition is, by its name.</summary>
    public const string Definitions = "#/$defs/";

    /// <summary>The definition of a command's request line.</summary>
    public static string RequestOf(string command) => $"{command}.request";

    /// <summary>The definition of a command's reply line, refusals included.</summary>
    public static string ReplyOf(string command) => $"{command}.reply";

    /// <summary>The definition of the lines that follow the reply of a command that streams.</summary>
    public static string LineOf(string command) => $"{command}.line";

    /// <summary>The document, in UTF-8.</summary>
    public static ReadOnlyMemory<byte> Document(bool indented)
    {
        var output = new ArrayBufferWriter<byte>(64 * 1024);
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(writer);
        return output.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("$schema", Dialect);
        writer.WriteString("title", "The wire protocol of Colibri");
        writer.WriteString(
            "description",
            "A line is one of these. The request and the reply of a command are the definitions COMMAND.request and COMMAND.reply, and the lines after the reply "
            + "of one that streams are COMMAND.line. Fields that are not named here are ignored.");
        OneOf(writer, "anyOf", ["request", "reply", "line"]);
        writer.WriteStartObject("$defs");
        writer.WriteStartObject("request");
        OneOf(writer, "oneOf", WireCommand.All.Select(command => RequestOf(command.Name)));
        writer.WriteEndObject();
        writer.WriteStartObject("reply");
        OneOf(writer, "anyOf", WireCommand.All.Select(command => ReplyOf(command.Name)));
        writer.WriteEndObject();
        writer.WriteStartObject("line");
        OneOf(writer, "anyOf", WireCommand.All.Where(command => command.Lines is not null).Select(command => LineOf(command.Name)));
        writer.WriteEndObject();
        var types = new TypeSchemas();
        Refusal(writer, types);
        foreach (var command in WireCommand.All)
        {
            writer.WritePropertyName(RequestOf(command.Name));
            RequestSchema.Write(writer, command);
            Reply(writer, command, types);
            if (command.Lines is { } lines)
            {
                writer.WritePropertyName(LineOf(command.Name));
                types.Write(writer, lines);
            }
        }
        types.WriteDefinitions(writer);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Reply(Utf8JsonWriter writer, WireCommand command, TypeSchemas types)
    {
        writer.WriteStartObject(ReplyOf(command.Name));
        writer.WriteString("description", $"The answer to {command.Name}.");
        writer.WriteStartArray("oneOf");
        writer.WriteStartObject();
        writer.WriteString("type", "object");
        Required(writer, ["ok", "data"]);
        writer.WriteStartObject("properties");
        Id(writer);
        writer.WriteStartObject("ok");
        writer.WriteBoolean("const", true);
        writer.WriteEndObject();
        writer.WritePropertyName("data");
        types.Write(writer, command.Reply);
        writer.WriteEndObject();
        writer.WriteEndObject();
        Reference(writer, "refusal");
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Refusal(Utf8JsonWriter writer, TypeSchemas types)
    {
        writer.WriteStartObject("refusal");
        writer.WriteString("type", "object");
        Required(writer, ["ok", "error"]);
        writer.WriteStartObject("properties");
        Id(writer);
        writer.WriteStartObject("ok");
        writer.WriteBoolean("const", false);
        writer.WriteEndObject();
        writer.WritePropertyName("error");
        types.Write(writer, ProtocolJson.Wire.WireError);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    internal static void Id(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("id");
        Types(writer, "string", "number");
        writer.WriteString("description", "As the request has it.");
        writer.WriteEndObject();
    }

    internal static void Types(Utf8JsonWriter writer, params ReadOnlySpan<string> types)
    {
        if (types.Length == 1)
        {
            writer.WriteString("type", types[0]);
            return;
        }
        writer.WriteStartArray("type");
        foreach (var type in types)
            writer.WriteStringValue(type);
        writer.WriteEndArray();
    }

    internal static void Required(Utf8JsonWriter writer, IEnumerable<string> names)
    {
        writer.WriteStartArray("required");
        foreach (var name in names)
            writer.WriteStringValue(name);
        writer.WriteEndArray();
    }

    internal static void Reference(Utf8JsonWriter writer, string definition)
    {
        writer.WriteStartObject();
        writer.WriteString("$ref", Definitions + definition);
        writer.WriteEndObject();
    }

    private static void OneOf(Utf8JsonWriter writer, string keyword, IEnumerable<string> definitions)
    {
        writer.WriteStartArray(keyword);
        foreach (var definition in definitions)
            Reference(writer, definition);
        writer.WriteEndArray();
    }
}
