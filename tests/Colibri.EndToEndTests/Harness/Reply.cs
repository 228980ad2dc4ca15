using System.Text.Json;

namespace Colibri.EndToEndTests.Harness;

/// <summary>A reply line, read by the contract's field names alone.</summary>
internal readonly record struct Reply(JsonElement Root)
{
    public bool Ok => Root.GetProperty("ok").GetBoolean();
    public JsonElement Data => Ok ? Root.GetProperty("data") : throw new InvalidOperationException($"expected ok, got {Root}");
    public string ErrorCode => Ok ? throw new InvalidOperationException($"expected an error, got {Root}") : Root.GetProperty("error").Text("code");
    public string ErrorMessage => Root.GetProperty("error").Text("message");

    public override string ToString() => Root.ToString();
}

internal static class JsonReading
{
    public static string Text(this JsonElement element, string name) =>
        element.Find(name) is { ValueKind: JsonValueKind.String } found
            ? found.GetString()!
            : throw new InvalidOperationException($"no text \"{name}\" in {element}");

    public static string? TextOrNull(this JsonElement element, string name) =>
        element.Find(name) is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;

    public static long Number(this JsonElement element, string name) =>
        element.Find(name) is { ValueKind: JsonValueKind.Number } found
            ? found.GetInt64()
            : throw new InvalidOperationException($"no number \"{name}\" in {element}");

    public static bool Flag(this JsonElement element, string name) =>
        element.Find(name) is { ValueKind: JsonValueKind.True or JsonValueKind.False } found
            ? found.GetBoolean()
            : throw new InvalidOperationException($"no boolean \"{name}\" in {element}");

    public static JsonElement Member(this JsonElement element, string name) =>
        element.Find(name) is { ValueKind: not JsonValueKind.Null } found
            ? found
            : throw new InvalidOperationException($"no \"{name}\" in {element}");

    public static IReadOnlyList<JsonElement> Items(this JsonElement element, string name) =>
        [.. element.Member(name).EnumerateArray()];

    public static IReadOnlyList<string> Texts(this JsonElement element, string name) =>
        [.. element.Items(name).Select(item => item.GetString()!)];

    public static bool Has(this JsonElement element, string name) => element.Find(name) is { ValueKind: not JsonValueKind.Null };

    /// <summary>The five numbers of a usage, in the order of the contract.</summary>
    public static (long Input, long Output, long CacheRead, long CacheWrite, long CostMicrocents) UsageOf(this JsonElement element)
    {
        var usage = element.Member("usage");
        return (usage.Number("input_tokens"), usage.Number("output_tokens"), usage.Number("cache_read_tokens"),
            usage.Number("cache_write_tokens"), usage.Number("cost_microcents"));
    }

    private static JsonElement? Find(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var found) ? found : null;
}
