using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Colibri.Tests;

/// <summary>
/// Holds a JSON value against a JSON Schema, by the keywords of draft 2020-12 that the protocol's schema uses. Any other keyword is an error, because
/// what is not understood would hold nothing.
/// </summary>
internal sealed class SchemaCheck(JsonElement document)
{
    private static readonly string[] Words = ["$schema", "$defs", "title", "description"];

    public IEnumerable<string> Definitions => document.GetProperty("$defs").EnumerateObject().Select(definition => definition.Name);

    /// <summary>The first thing that is wrong, with its place; null where nothing is.</summary>
    public string? Wrong(string definition, JsonElement value) => Wrong(document.GetProperty("$defs").GetProperty(definition), value, definition);

    /// <summary>By the whole document.</summary>
    public string? Wrong(JsonElement value) => Wrong(document, value, "document");

    private string? Wrong(JsonElement schema, JsonElement value, string place)
    {
        foreach (var keyword in schema.EnumerateObject())
        {
            if (Words.Contains(keyword.Name))
                continue;
            if (Wrong(keyword.Name, keyword.Value, value, place) is { } wrong)
                return wrong;
        }
        return null;
    }

    private string? Wrong(string keyword, JsonElement rule, JsonElement value, string place) => keyword switch
    {
        "$ref" => Wrong(Target(rule.GetString()!), value, place),
        "type" => Types(rule).Any(type => Is(type, value)) ? null : $"{place} is {value.ValueKind}, not {rule}",
        "const" => JsonElement.DeepEquals(rule, value) ? null : $"{place} is {value}, not {rule}",
        "enum" => rule.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)) ? null : $"{place} is {value}, which is none of {rule}",
        "required" => value.ValueKind == JsonValueKind.Object && rule.EnumerateArray().FirstOrDefault(name => !value.TryGetProperty(name.GetString()!, out _)) is { ValueKind: JsonValueKind.String } lacking
            ? $"{place} has no {lacking}" : null,
        "properties" => value.ValueKind != JsonValueKind.Object ? null
            : rule.EnumerateObject().Select(property => value.TryGetProperty(property.Name, out var own) ? Wrong(property.Value, own, $"{place}.{property.Name}") : null).FirstOrDefault(wrong => wrong is not null),
        "additionalProperties" => value.ValueKind != JsonValueKind.Object ? null
            : value.EnumerateObject().Select(property => Wrong(rule, property.Value, $"{place}.{property.Name}")).FirstOrDefault(wrong => wrong is not null),
        "items" => value.ValueKind != JsonValueKind.Array ? null
            : value.EnumerateArray().Select((item, at) => Wrong(rule, item, string.Create(CultureInfo.InvariantCulture, $"{place}[{at}]"))).FirstOrDefault(wrong => wrong is not null),
        "anyOf" => rule.EnumerateArray().Select(one => Wrong(one, value, place)).ToList() is var wrongs && wrongs.Contains(null) ? null : wrongs[0],
        "oneOf" => rule.EnumerateArray().Select(one => Wrong(one, value, place)).ToList() switch
        {
            var wrongs when wrongs.Count(wrong => wrong is null) == 1 => null,
            var wrongs => wrongs.Contains(null) ? $"{place} fits more than one" : string.Join("; or ", wrongs.Take(3)),
        },
        "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() >= rule.GetDouble() ? null : $"{place} is {value}, less than {rule}",
        "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() <= rule.GetDouble() ? null : $"{place} is {value}, more than {rule}",
        "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.EnumerateRunes().Count() >= rule.GetInt32() ? null : $"{place} is too short",
        "maxLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.EnumerateRunes().Count() <= rule.GetInt32() ? null : $"{place} is too long",
        "maxItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() <= rule.GetInt32() ? null : $"{place} has too many",
        "pattern" => value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, rule.GetString()!) ? null : $"{place} is {value}, which is not as {rule}",
        _ => throw new NotSupportedException($"the check does not know the keyword {keyword}"),
    };

    private JsonElement Target(string reference) => reference.StartsWith("#/$defs/", StringComparison.Ordinal)
        ? document.GetProperty("$defs").GetProperty(reference["#/$defs/".Length..])
        : throw new NotSupportedException($"the check does not know the reference {reference}");

    private static IEnumerable<string> Types(JsonElement rule) =>
        rule.ValueKind == JsonValueKind.Array ? rule.EnumerateArray().Select(type => type.GetString()!) : [rule.GetString()!];

    private static bool Is(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) && decimal.Truncate(number) == number,
        _ => throw new NotSupportedException($"the check does not know the type {type}"),
    };
}
