using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Schema;

/// <summary>A command's request: its fields by the table of commands, their types by the request that the daemon reads.</summary>
internal static class RequestSchema
{
    private const int LongestName = 256;
    private const int LongestPath = 4_096;
    private const int LongestText = 2_097_152;

    public static void Write(Utf8JsonWriter writer, WireCommand command)
    {
        writer.WriteStartObject();
        writer.WriteString("description", $"{char.ToUpperInvariant(command.Summary[0])}{command.Summary[1..]}.");
        writer.WriteString("type", "object");
        WireSchema.Required(writer, [ProtocolJson.Wire.CommandRequest.Properties[0].Name, .. Names(command, "").Where(field => field.IsRequired).Select(field => field.Name)]);
        writer.WriteStartObject("properties");
        writer.WriteStartObject("cmd");
        writer.WriteString("const", command.Name);
        writer.WriteEndObject();
        WireSchema.Id(writer);
        foreach (var field in Names(command, ""))
        {
            writer.WriteStartObject(field.Name);
            Field(writer, command, field, ProtocolJson.Wire.CommandRequest, field.Name);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>Its fields, or those of one of them that is an object.</summary>
    private static IEnumerable<WireField> Names(WireCommand command, string prefix) => command.Fields.Where(
        field => field.Name.StartsWith(prefix, StringComparison.Ordinal) && !field.Name.AsSpan(prefix.Length).Contains('.'));

    private static void Field(Utf8JsonWriter writer, WireCommand command, WireField field, JsonTypeInfo owner, string name)
    {
        writer.WriteString("description", $"{field.Help} ({field.Form}; {(field.IsRequired ? "" : "without it: ")}{field.Default})");
        var property = owner.Properties.First(one => one.Name == name);
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (property.CustomConverter is NamesConverter or NameListConverter)
            Types(writer, field, "string", "integer", "array");
        else if (property.CustomConverter is NameConverter)
            Types(writer, field, "string", "integer");
        else if (type == typeof(TaskError))
            Types(writer, field, "string", "object");
        else if (type == typeof(IReadOnlyList<string>))
            Texts(writer, field);
        else if (type == typeof(IReadOnlyDictionary<string, string>))
            Variables(writer, field);
        else if (type == typeof(JailRequest))
            Object(writer, command, field, ProtocolJson.Wire.JailRequest);
        else if (type == typeof(TaskTemplate))
            Object(writer, command, field, ProtocolJson.Wire.TaskTemplate);
        else if (type == typeof(SessionEntry))
            Object(writer, command, field, ProtocolJson.Wire.SessionEntry);
        else if (type == typeof(Usage))
            Types(writer, field, "object");
        else if (type == typeof(DateTimeOffset) || type.IsEnum || type == typeof(string))
            Text(writer, field);
        else
            Number(writer, command, field, type);
    }

    // A field that is null counts as left out.
    private static void Types(Utf8JsonWriter writer, WireField field, params ReadOnlySpan<string> types)
    {
        if (field.IsRequired)
            WireSchema.Types(writer, types);
        else
            WireSchema.Types(writer, [.. types, "null"]);
    }

    private static void Text(Utf8JsonWriter writer, WireField field)
    {
        if (field.Values.Count > 0)
        {
            Words(writer, field.Values, isNull: !field.IsRequired);
            return;
        }
        Types(writer, field, "string");
        if (field.IsRequired)
            writer.WriteNumber("minLength", 1);
        if (Longest(field.Form) is { } longest)
            writer.WriteNumber("maxLength", longest);
    }

    private static void Texts(Utf8JsonWriter writer, WireField field)
    {
        Types(writer, field, "array");
        if (Count(field.Form, "up to ") is { } most)
            writer.WriteNumber("maxItems", most);
        writer.WriteStartObject("items");
        if (field.Values.Count > 0)
            Words(writer, field.Values, isNull: false);
        else
            writer.WriteString("type", "string");
        writer.WriteEndObject();
    }

    private static void Variables(Utf8JsonWriter writer, WireField field)
    {
        Types(writer, field, "object");
        writer.WriteStartObject("additionalProperties");
        writer.WriteString("type", "string");
        writer.WriteEndObject();
    }

    private static void Object(Utf8JsonWriter writer, WireCommand command, WireField field, JsonTypeInfo type)
    {
        Types(writer, field, "object");
        var fields = Names(command, field.Name + ".").ToList();
        if (fields.Any(one => one.IsRequired))
            WireSchema.Required(writer, fields.Where(one => one.IsRequired).Select(one => one.Name[(field.Name.Length + 1)..]));
        writer.WriteStartObject("properties");
        foreach (var one in fields)
        {
            var name = one.Name[(field.Name.Length + 1)..];
            writer.WriteStartObject(name);
            Field(writer, command, one, type, name);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter writer, WireCommand command, WireField field, Type type)
    {
        Types(writer, field, TypeSchemas.Simple(type));
        if (Count(field.Form, "") is not { } least)
            return;
        // 0 takes a number of a task away.
        writer.WriteNumber("minimum", command == WireCommand.EditTask && field.Name is ("run_timeout_ms" or "budget_microcents") ? 0 : least);
        if (field.Form.IndexOf(" to ", StringComparison.Ordinal) is > 0 and var to && Count(field.Form[(to + 4)..], "") is { } most)
            writer.WriteNumber("maximum", most);
    }

    private static void Words(Utf8JsonWriter writer, IReadOnlyList<string> words, bool isNull)
    {
        writer.WriteStartArray("enum");
        foreach (var word in words)
            writer.WriteStringValue(word);
        if (isNull)
            writer.WriteNullValue();
        writer.WriteEndArray();
    }

    // Code units bound code points from above, which is what a schema counts.
    private static long? Longest(string form) => form switch
    {
        "name" => LongestName,
        "text" => LongestText,
        _ when form.StartsWith("path", StringComparison.Ordinal) || form == "absolute path" => LongestPath,
        _ when form.Contains(" code units", StringComparison.Ordinal) => Count(form, "name of ") ?? Count(form, "text of ") ?? Count(form, ""),
        _ => null,
    };

    /// <summary>The number that stands after some words at the beginning; null where none does.</summary>
    private static long? Count(string form, string after)
    {
        if (!form.StartsWith(after, StringComparison.Ordinal))
            return null;
        var rest = form.AsSpan(after.Length);
        var end = 0;
        while (end < rest.Length && (char.IsAsciiDigit(rest[end]) || rest[end] == ','))
            end++;
        return long.TryParse(rest[..end], NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
