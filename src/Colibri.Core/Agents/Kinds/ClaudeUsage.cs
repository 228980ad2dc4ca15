using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>
/// Reads what Claude Code tells of usage. Each line of a message repeats the message's usage so far, and streamed deltas raise its numbers. A
/// <c>result</c> has three: <c>usage</c> is that of the main loop since the last result; <c>modelUsage</c> and <c>total_cost_usd</c> are the
/// session's so far, subagents and earlier processes of the session included; <c>model_usage_since_last_result</c> is what this process adds.
/// </summary>
internal static class ClaudeUsage
{
    private static readonly JsonFields UsageFields = new(
        "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens");

    private static readonly JsonFields ModelUsageFields = new(
        "inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "costUSD");

    private static readonly JsonFields ResultFields = new("modelUsage", "model_usage_since_last_result", "result_index");
    private static readonly JsonFields LimitFields = new("api_error");
    private static readonly JsonFields MessageFields = new("id", "model", "usage");
    private static readonly JsonFields StreamFields = new("event", "session_id", "api_message_id", "parent_tool_use_id");
    private static readonly JsonFields StreamedFields = new("type", "message", "usage");

    /// <summary>Reads the usage of a message of the assistant.</summary>
    /// <returns>False for a message that no model has made.</returns>
    public static bool ReadMessage(ReadOnlySpan<byte> line, JsonValue message, ref AgentEvent read)
    {
        Span<JsonValue> fields = stackalloc JsonValue[3];
        if (!MessageFields.TryRead(line, message, fields)) return true;
        if (fields[1].StringEquals(line, "<synthetic>"u8)) return false;
        ReadUsage(line, fields[2], fields[0], fields[1], ref read);
        return true;
    }

    /// <summary>Whether a <c>stream_event</c> can be one with usage: those that come in numbers are told apart by how they begin.</summary>
    public static bool MayTell(ReadOnlySpan<byte> line)
    {
        var begins = "{\"type\":\"stream_event\",\"event\":{\"type\":\""u8;
        return !line.StartsWith(begins) || line[begins.Length..].StartsWith("message_"u8);
    }

    /// <summary>Reads the usage of a <c>stream_event</c>: a message's at its start, and what it has become with each of its deltas.</summary>
    /// <returns>False if the line is malformed.</returns>
    public static bool TryReadStreamed(ReadOnlySpan<byte> line, ref AgentEvent read)
    {
        Span<JsonValue> fields = stackalloc JsonValue[4];
        Span<JsonValue> streamed = stackalloc JsonValue[3];
        var isWhole = StreamFields.TryRead(line, fields);
        read.SessionId = fields[1];
        if (!StreamedFields.TryRead(line, fields[0], streamed)) return isWhole;
        if (streamed[1].Kind == ValueKind.Object) ReadMessage(line, streamed[1], ref read);
        else ReadUsage(line, streamed[2], fields[2], default, ref read);
        return isWhole;
    }

    /// <summary>Reads a result's own usage and the session's cost.</summary>
    public static void ReadTotals(ReadOnlySpan<byte> line, JsonValue usage, JsonValue cost, ref AgentEvent read)
    {
        Span<JsonValue> fields = stackalloc JsonValue[4];
        if (!UsageFields.TryRead(line, usage, fields) && cost.Kind != ValueKind.Number) return;
        read.Totals = UsageTotals.Cost;
        read.Usage = UsageReport.Of(
            LineDialect.Count(line, fields[0]), LineDialect.Count(line, fields[1]), LineDialect.Count(line, fields[2]), LineDialect.Count(line, fields[3]),
            LineDialect.Microcents(line, cost));
    }

    /// <summary>Emits what a result tells of each model, before the result itself.</summary>
    public static void EmitModels(ReadOnlySpan<byte> line, ref AgentEvent result, IEventSink sink)
    {
        Span<JsonValue> fields = stackalloc JsonValue[3];
        ResultFields.TryRead(line, fields);
        if (fields[0].Kind != ValueKind.Object) return;
        (result.Usage, result.Totals) = (result.Usage ?? default(UsageReport), UsageTotals.Cost);
        var isFirst = fields[1].Kind == ValueKind.Object && fields[2].TryGetInt64(line, out var index) && index == 0;
        var report = new AgentEvent { Kind = EventKind.UsageReported, Name = result.Name, SessionId = result.SessionId };
        var models = new JsonProperties(line, fields[0]);
        while (models.Next())
        {
            if (ReadModel(line, models.Value) is not { } total) continue;
            report.UsageModel = models.Name;
            if (isFirst && total.Above(Since(line, fields[1], models.Name)) is var before && before with { Unpriced = 0 } != default)
                sink.On(line, report with { Totals = UsageTotals.Base, Usage = before });
            sink.On(line, report with { Totals = UsageTotals.Model, Usage = total });
        }
    }

    /// <summary>Whether a failed result says that the answer was cut by the token limit; older versions say it in words alone.</summary>
    public static bool IsTokenLimit(ReadOnlySpan<byte> line, JsonValue words)
    {
        Span<JsonValue> fields = stackalloc JsonValue[1];
        LimitFields.TryRead(line, fields);
        return fields[0].StringEquals(line, "max_output_tokens"u8)
            || (words.IsString && words.Raw(line).StartsWith("API Error: Claude's response exceeded the "u8) && words.Raw(line).IndexOf(" output token maximum"u8) >= 0);
    }

    private static void ReadUsage(ReadOnlySpan<byte> line, JsonValue usage, JsonValue id, JsonValue model, ref AgentEvent read)
    {
        Span<JsonValue> fields = stackalloc JsonValue[4];
        // Lines of one message repeat its usage, so without an id nobody can tell what was counted already.
        if (!id.IsString || !UsageFields.TryRead(line, usage, fields)) return;
        (read.Totals, read.UsageId, read.UsageModel) = (UsageTotals.Message, id, model);
        read.Usage = UsageReport.Of(
            LineDialect.Count(line, fields[0]), LineDialect.Count(line, fields[1]), LineDialect.Count(line, fields[2]), LineDialect.Count(line, fields[3]), null);
    }

    private static UsageReport Since(ReadOnlySpan<byte> line, JsonValue models, JsonValue name)
    {
        var since = new JsonProperties(line, models);
        while (since.Next())
            if (since.Name.Raw(line).SequenceEqual(name.Raw(line))) return ReadModel(line, since.Value) ?? default;

        return default;
    }

    private static UsageReport? ReadModel(ReadOnlySpan<byte> line, JsonValue model)
    {
        Span<JsonValue> fields = stackalloc JsonValue[5];
        return ModelUsageFields.TryRead(line, model, fields)
            ? UsageReport.Of(
                LineDialect.Count(line, fields[0]), LineDialect.Count(line, fields[1]), LineDialect.Count(line, fields[2]), LineDialect.Count(line, fields[3]),
                LineDialect.Microcents(line, fields[4]))
            : null;
    }
}
