using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Json;

/// <summary>Enum values as kebab-case strings; numbers are refused.</summary>
public sealed class KebabEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>Enum values as snake_case strings, for the session log whose kinds are spelled so; numbers are refused.</summary>
public sealed class SnakeEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

/// <summary>RFC 3339 in UTC with exactly three decimals: <c>2026-11-22T06:07:10.893Z</c>.</summary>
internal sealed class TimestampConverter : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        Span<char> text = stackalloc char[24];
        value.UtcDateTime.TryFormat(text, out var length, Format, CultureInfo.InvariantCulture);
        writer.WriteStringValue(text[..length]);
    }
}

/// <summary>Reads <c>{"code","message"}</c>, and a bare string as a message a person typed in a hurry.</summary>
internal sealed class TaskErrorConverter : JsonConverter<TaskError>
{
    private const string DefaultCode = "failed";

    public override TaskError Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
            return new TaskError(DefaultCode, reader.GetString()!);
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("an error is a string or an object with code and message");
        string? code = null, message = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var isCode = reader.ValueTextEquals("code"u8);
            var isMessage = reader.ValueTextEquals("message"u8);
            reader.Read();
            if (isCode && reader.TokenType == JsonTokenType.String)
                code = reader.GetString();
            else if (isMessage && reader.TokenType == JsonTokenType.String)
                message = reader.GetString();
            else
                reader.Skip();
        }
        return new TaskError(code ?? DefaultCode, message ?? "");
    }

    public override void Write(Utf8JsonWriter writer, TaskError value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString("code"u8, value.Code);
        writer.WriteString("message"u8, value.Message);
        writer.WriteEndObject();
    }
}

/// <summary>A name that may be typed as a number, such as a task's: <c>12</c> is read as <c>"12"</c>.</summary>
internal sealed class NameConverter : JsonConverter<string>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadName(ref reader);

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    internal static string ReadName(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString()!,
        JsonTokenType.Number when reader.TryGetInt64(out var number) => number.ToString(CultureInfo.InvariantCulture),
        _ => throw new JsonException("a name is a string or a whole number"),
    };
}

/// <summary>One name, or a list of names. One alone is written as itself, as commands with one name want it.</summary>
internal sealed class NamesConverter : JsonConverter<IReadOnlyList<string>>
{
    public override IReadOnlyList<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            return [NameConverter.ReadName(ref reader)];
        var names = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            names.Add(NameConverter.ReadName(ref reader));
        return names;
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<string> value, JsonSerializerOptions options)
    {
        if (value.Count == 1)
        {
            writer.WriteStringValue(value[0]);
            return;
        }
        writer.WriteStartArray();
        foreach (var name in value)
            writer.WriteStringValue(name);
        writer.WriteEndArray();
    }
}

/// <summary>As <see cref="NamesConverter"/>, and always written as a list.</summary>
internal sealed class NameListConverter : JsonConverter<IReadOnlyList<string>>
{
    private static readonly NamesConverter Names = new();

    public override IReadOnlyList<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Names.Read(ref reader, typeToConvert, options);

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<string> value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var name in value)
            writer.WriteStringValue(name);
        writer.WriteEndArray();
    }
}
