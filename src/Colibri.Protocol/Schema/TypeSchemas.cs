using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Schema;

/// <summary>The types of replies and events, each defined once, by the metadata that serialises them.</summary>
internal sealed class TypeSchemas
{
    private const string Time = @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$";

    // Of these the metadata does not tell that they are left out, or null: an attribute decides that.
    private const string LeftOutAtZero = "unpriced_tokens";
    private const string NullWithoutLimit = "tool_result_max_bytes";

    private readonly SortedDictionary<string, JsonTypeInfo> _known = new(StringComparer.Ordinal);

    /// <summary>Writes the schema of a type, which is a reference where it has a definition.</summary>
    public void Write(Utf8JsonWriter writer, JsonTypeInfo type)
    {
        if (type.Kind == JsonTypeInfoKind.Object || type.Type.IsEnum)
        {
            _known[type.Type.Name] = type;
            WireSchema.Reference(writer, type.Type.Name);
            return;
        }
        writer.WriteStartObject();
        Body(writer, type, isNull: false);
        writer.WriteEndObject();
    }

    /// <summary>Writes what was referred to, and what that refers to.</summary>
    public void WriteDefinitions(Utf8JsonWriter writer)
    {
        HashSet<string> written = [];
        while (_known.FirstOrDefault(known => !written.Contains(known.Key)) is { Key: { } name, Value: { } type })
        {
            written.Add(name);
            writer.WriteStartObject(name);
            if (type.Type.IsEnum)
                Words(writer, type);
            else
                Object(writer, type);
            writer.WriteEndObject();
        }
    }

    private void Object(Utf8JsonWriter writer, JsonTypeInfo type)
    {
        writer.WriteString("type", "object");
        var required = type.Properties.Where(property => IsWritten(property) && IsAlwaysThere(property)).Select(property => property.Name).ToList();
        if (required.Count > 0)
            WireSchema.Required(writer, required);
        writer.WriteStartObject("properties");
        foreach (var property in type.Properties.Where(IsWritten))
        {
            writer.WritePropertyName(property.Name);
            var own = Of(property.PropertyType);
            if (property.Name == NullWithoutLimit)
            {
                writer.WriteStartObject();
                Body(writer, own, isNull: true);
                writer.WriteEndObject();
            }
            else
            {
                Write(writer, own);
            }
        }
        writer.WriteEndObject();
    }

    private static bool IsWritten(JsonPropertyInfo property) => property.Get is not null;

    private static bool IsAlwaysThere(JsonPropertyInfo property) =>
        property.Name == NullWithoutLimit || (!property.IsGetNullable && property.Name != LeftOutAtZero);

    private void Body(Utf8JsonWriter writer, JsonTypeInfo type, bool isNull)
    {
        if (type.Kind is JsonTypeInfoKind.Enumerable)
        {
            writer.WriteString("type", "array");
            writer.WritePropertyName("items");
            Write(writer, Of(type.ElementType!));
        }
        else if (type.Kind is JsonTypeInfoKind.Dictionary)
        {
            writer.WriteString("type", "object");
            writer.WritePropertyName("additionalProperties");
            Write(writer, Of(type.ElementType!));
        }
        else if (type.Type == typeof(TaskError))
        {
            writer.WriteString("type", "object");
            WireSchema.Required(writer, ["code", "message"]);
            writer.WriteStartObject("properties");
            foreach (var name in (ReadOnlySpan<string>)["code", "message"])
            {
                writer.WriteStartObject(name);
                writer.WriteString("type", "string");
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        else if (type.Type == typeof(DateTimeOffset))
        {
            writer.WriteString("type", "string");
            writer.WriteString("pattern", Time);
        }
        else if (Simple(type.Type) is var simple)
        {
            if (isNull)
                WireSchema.Types(writer, simple, "null");
            else
                WireSchema.Types(writer, simple);
        }
    }

    /// <exception cref="InvalidOperationException">The wire has no such type yet: say here what it is.</exception>
    internal static string Simple(Type type) =>
        type == typeof(string) ? "string"
        : type == typeof(bool) ? "boolean"
        : type == typeof(int) || type == typeof(long) ? "integer"
        : type == typeof(double) ? "number"
        : throw new InvalidOperationException($"the schema does not know {type}");

    // As they are serialised: kebab-case or snake_case is the converter's to know.
    private static void Words(Utf8JsonWriter writer, JsonTypeInfo type)
    {
        writer.WriteStartArray("enum");
        foreach (var value in Enum.GetValuesAsUnderlyingType(type.Type))
            JsonSerializer.Serialize(writer, Enum.ToObject(type.Type, value), type);
        writer.WriteEndArray();
    }

    private static JsonTypeInfo Of(Type type) => ProtocolJson.Wire.Options.GetTypeInfo(Nullable.GetUnderlyingType(type) ?? type);
}
