using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Colibri.Cli.PrefixCheck;

/// <summary>
/// What of a recorded request body a provider reads as its prompt, in the order in which its cache takes it: model, tools, system,
/// messages. Everything else (temperature, limits, metadata) leaves the cache as it is, and so do the <c>cache_control</c> marks that
/// clients move along from request to request.
/// </summary>
internal sealed class RequestPrefix : IDisposable
{
    private const string Mark = "cache_control";

    // The names of the makers: Anthropic's, OpenAI's chat completions and responses, Google's.
    private static readonly string[] Parts =
        ["model", "tools", "toolConfig", "system", "systemInstruction", "instructions", "messages", "input", "contents"];

    private readonly JsonDocument _document;
    private readonly List<(string Path, byte[] Bytes, JsonElement Value)> _elements = [];

    private RequestPrefix(JsonDocument document, int line)
    {
        (_document, Line) = (document, line);
        foreach (var part in Parts)
        {
            if (!document.RootElement.TryGetProperty(part, out var value) || value.ValueKind == JsonValueKind.Null)
                continue;
            if (value.ValueKind != JsonValueKind.Array)
            {
                Add(part, value);
                continue;
            }
            var index = 0;
            foreach (var element in value.EnumerateArray())
                Add(string.Create(CultureInfo.InvariantCulture, $"{part}[{index++}]"), element);
        }
    }

    /// <summary>From 1.</summary>
    public int Line { get; }

    /// <summary>Of all that counts, as compact JSON in UTF-8.</summary>
    public long Bytes => _elements.Sum(element => (long)element.Bytes.Length);

    /// <exception cref="JsonException">The line is no JSON object.</exception>
    public static RequestPrefix Parse(ReadOnlyMemory<byte> json, int line)
    {
        var document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = 512 });
        try
        {
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new RequestPrefix(document, line)
                : throw new JsonException("it is no JSON object");
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    /// <summary>How far this request begins as the one before did, and where it stops doing so.</summary>
    public PrefixComparison CompareTo(RequestPrefix before)
    {
        var shared = 0L;
        for (var i = 0; i < before._elements.Count; i++)
        {
            var was = before._elements[i];
            if (i >= _elements.Count)
                return new PrefixComparison(Line, before.Bytes, Bytes, shared, new PrefixBreak(was.Path, Excerpt(was.Bytes, 0), null));
            var now = _elements[i];
            if (was.Path == now.Path && was.Bytes.AsSpan().SequenceEqual(now.Bytes))
            {
                shared += was.Bytes.Length;
                continue;
            }
            var common = was.Path == now.Path ? was.Bytes.AsSpan().CommonPrefixLength(now.Bytes) : 0;
            var path = was.Path == now.Path ? PathOfDifference(was.Value, now.Value, now.Path) ?? now.Path : now.Path;
            return new PrefixComparison(
                Line, before.Bytes, Bytes, shared + common, new PrefixBreak(path, Excerpt(was.Bytes, common), Excerpt(now.Bytes, common)));
        }
        return new PrefixComparison(Line, before.Bytes, Bytes, shared, null);
    }

    public void Dispose() => _document.Dispose();

    private void Add(string path, JsonElement value)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { MaxDepth = 512 }))
            WriteUnmarked(writer, value);
        _elements.Add((path, bytes.WrittenSpan.ToArray(), value));
    }

    private static void WriteUnmarked(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in Unmarked(value))
                {
                    writer.WritePropertyName(property.Name);
                    WriteUnmarked(writer, property.Value);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var element in value.EnumerateArray())
                    WriteUnmarked(writer, element);
                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    /// <summary>Where two values first differ; null where they do not, but for marks.</summary>
    private static string? PathOfDifference(JsonElement was, JsonElement now, string path)
    {
        if (was.ValueKind != now.ValueKind)
            return path;
        return was.ValueKind switch
        {
            JsonValueKind.Array => InArrays(was, now, path),
            JsonValueKind.Object => InObjects(was, now, path),
            _ => was.GetRawText() == now.GetRawText() ? null : path,
        };
    }

    private static string? InArrays(JsonElement was, JsonElement now, string path)
    {
        var (wasLength, nowLength) = (was.GetArrayLength(), now.GetArrayLength());
        for (var i = 0; i < Math.Min(wasLength, nowLength); i++)
        {
            if (PathOfDifference(was[i], now[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]")) is { } found)
                return found;
        }
        return wasLength == nowLength ? null : string.Create(CultureInfo.InvariantCulture, $"{path}[{Math.Min(wasLength, nowLength)}]");
    }

    private static string? InObjects(JsonElement was, JsonElement now, string path)
    {
        var (before, after) = (Unmarked(was).ToList(), Unmarked(now).ToList());
        for (var i = 0; i < Math.Min(before.Count, after.Count); i++)
        {
            if (before[i].Name != after[i].Name)
                return $"{path}.{after[i].Name}";
            if (PathOfDifference(before[i].Value, after[i].Value, $"{path}.{after[i].Name}") is { } found)
                return found;
        }
        return before.Count == after.Count ? null : $"{path}.{(before.Count > after.Count ? before : after)[Math.Min(before.Count, after.Count)].Name}";
    }

    private static IEnumerable<JsonProperty> Unmarked(JsonElement value) => value.EnumerateObject().Where(property => !property.NameEquals(Mark));

    /// <summary>A few characters before the byte and behind it, none of them cut in two.</summary>
    private static string Excerpt(ReadOnlySpan<byte> text, int at)
    {
        const int Before = 24;
        const int Behind = 40;
        var (start, end) = (Math.Max(0, at - Before), Math.Min(text.Length, at + Behind));
        while (start > 0 && (text[start] & 0xC0) == 0x80)
            start--;
        while (end < text.Length && (text[end] & 0xC0) == 0x80)
            end++;
        return (start > 0 ? "…" : "") + System.Text.Encoding.UTF8.GetString(text[start..end]) + (end < text.Length ? "…" : "");
    }
}
