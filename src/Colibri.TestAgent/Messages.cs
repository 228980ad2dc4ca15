using System.Globalization;
using System.Text.Json;

namespace Colibri.TestAgent;

/// <summary>Pi's message objects: what the user, the assistant and a tool said.</summary>
internal static class Messages
{
    public static Action<Utf8JsonWriter> System(string workingDirectory, long time) => json =>
    {
        json.WriteStartObject();
        json.WriteString("role"u8, "system"u8);
        json.WriteString("content"u8, ""u8);
        json.WriteStartObject("sections"u8);
        json.WriteString("preamble"u8, "You are a stand-in for a coding agent."u8);
        json.WriteString("cwd"u8, workingDirectory);
        json.WriteEndObject();
        json.WriteNumber("timestamp"u8, time);
        json.WriteEndObject();
    };

    public static Action<Utf8JsonWriter> User(string text, long time) => json =>
    {
        json.WriteStartObject();
        json.WriteString("role"u8, "user"u8);
        json.WriteStartArray("content"u8);
        WriteText(json, text);
        json.WriteEndArray();
        json.WriteNumber("timestamp"u8, time);
        json.WriteEndObject();
    };

    public static Action<Utf8JsonWriter> Assistant(AssistantMessage message) => json =>
    {
        json.WriteStartObject();
        json.WriteString("role"u8, "assistant"u8);
        json.WriteStartArray("content"u8);
        if (message.Text is { } text)
            WriteText(json, text);
        if (message.Call is { } call)
            call.WriteContent(json);
        json.WriteEndArray();
        json.WriteString("api"u8, "test"u8);
        json.WriteString("provider"u8, message.Provider);
        json.WriteString("model"u8, message.Model);
        WriteUsage(json, message.Usage);
        json.WriteString("stopReason"u8, message.StopReason);
        json.WriteNumber("timestamp"u8, message.Time);
        if (message.Error is { } error)
            json.WriteString("errorMessage"u8, error);
        json.WriteEndObject();
    };

    public static Action<Utf8JsonWriter> ToolResult(ToolCall call, long time) => json =>
    {
        json.WriteStartObject();
        json.WriteString("role"u8, "toolResult"u8);
        call.WriteNames(json);
        json.WriteStartArray("content"u8);
        WriteText(json, call.Output);
        json.WriteEndArray();
        json.WriteBoolean("isError"u8, call.IsError);
        json.WriteNumber("timestamp"u8, time);
        json.WriteEndObject();
    };

    public static void WriteText(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "text"u8);
        json.WriteString("text"u8, text);
        json.WriteEndObject();
    }

    /// <summary>Pi splits the cost by kind of token; here all of it stands under "output".</summary>
    public static void WriteUsage(Utf8JsonWriter json, TokenUsage usage)
    {
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input"u8, usage.Input);
        json.WriteNumber("output"u8, usage.Output);
        json.WriteNumber("cacheRead"u8, usage.CacheRead);
        json.WriteNumber("cacheWrite"u8, usage.CacheWrite);
        json.WriteNumber("totalTokens"u8, usage.Total);
        json.WriteStartObject("cost"u8);
        json.WriteNumber("input"u8, 0);
        json.WriteNumber("output"u8, usage.CostUsd);
        json.WriteNumber("cacheRead"u8, 0);
        json.WriteNumber("cacheWrite"u8, 0);
        json.WriteNumber("total"u8, usage.CostUsd);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}

/// <summary>One message of the assistant; <see cref="StopReason"/> is "pending" until it has been said.</summary>
internal sealed record AssistantMessage(string Provider, string Model, long Time)
{
    public string? Text { get; init; }
    public ToolCall? Call { get; init; }
    public TokenUsage Usage { get; init; }
    public string StopReason { get; init; } = "pending";
    public string? Error { get; init; }
}

/// <summary>What one assistant message is said to have used: tokens, and cost in US dollars.</summary>
internal readonly record struct TokenUsage(long Input, long Output, long CacheRead, long CacheWrite, decimal CostUsd)
{
    public static readonly TokenUsage Example = new(1200, 340, 8000, 150, 0.01834m);

    public long Total => Input + Output + CacheRead + CacheWrite;

    /// <summary>Reads "INPUT,OUTPUT,CACHE_READ,CACHE_WRITE,COST_USD"; none of them may be negative.</summary>
    public static bool TryParse(string text, out TokenUsage usage)
    {
        usage = default;
        var parts = text.Split(',');
        if (parts.Length != 5)
            return false;
        Span<long> tokens = stackalloc long[4];
        for (var i = 0; i < tokens.Length; i++)
        {
            if (!long.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out tokens[i]))
                return false;
        }
        if (!decimal.TryParse(parts[4], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var cost))
            return false;
        usage = new TokenUsage(tokens[0], tokens[1], tokens[2], tokens[3], cost);
        return true;
    }
}
