using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>zot, which is always long-lived: <c>zot rpc</c>.</summary>
internal static class Zot
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "zot",
        Dialect = new ZotDialect(),
        TaskArguments = ["rpc"],
        RpcArguments = ["rpc"],
        AlwaysRpc = true,
        Commands = new(null, null),
        Rights = KindRights.Unheld("zot has"),
        ModelArguments = static (provider, model) => [.. AgentProfile.Flag("--provider", provider), .. AgentProfile.Flag("--model", model)],
    };
}

/// <summary>
/// zot, <c>zot rpc</c>. A turn is a <c>turn_start</c>. A tool call is announced twice; <c>tool_use_start</c> counts, <c>tool_call</c>
/// repeats it with the whole arguments. A call within a call has its <c>tool_call</c> alone.
/// </summary>
internal sealed class ZotDialect() : LineDialect(Events)
{
    private const int AssistantMessage = 1;
    private const int ToolStart = 2;
    private const int ToolResult = 3;
    private const int Usage = 4;
    private const int TurnEnd = 5;
    private const int Failure = 6;
    private const int Response = 7;
    private const int TextDelta = 8;
    private const int ToolCall = 9;
    private const int EventColumns = 12;

    private static readonly KnownEvents Events = new(
        new("turn_start", EventKind.TurnStarted),
        new("user_message", EventKind.Working),
        new("assistant_start", EventKind.MessageStarted),
        new("text_delta", EventKind.Working, TextDelta),
        new("assistant_message", EventKind.MessageEnded, AssistantMessage),
        new("tool_use_start", EventKind.ToolStarted, ToolStart),
        new("tool_use_args", EventKind.Working),
        new("tool_use_end", EventKind.Working),
        new("tool_progress", EventKind.ToolProgress),
        new("tool_call", EventKind.ToolCalled, ToolCall),
        new("tool_result", EventKind.ToolEnded, ToolResult),
        new("usage", EventKind.UsageReported, Usage),
        new("turn_end", EventKind.TurnEnded, TurnEnd),
        new("error", EventKind.RunFailed, Failure),
        new("done", EventKind.Settled),
        new("response", EventKind.Ignored, Response));

    private static readonly JsonFields EventFields = new(
        "id", "name", "tool", "is_error", "content", "text", "stop", "message", "success", "error", "cumulative", "args");

    private static readonly JsonFields UsageFields = new("input", "output", "cache_read", "cache_write", "cost_usd", "cumulative");

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name };
        Span<JsonValue> values = stackalloc JsonValue[EventColumns];
        if (known.Detail == Usage)
        {
            if (!TryReadFields(UsageFields, line, truncated, look, values)) return false;
            ReadUsage(line, values, ref read);
            return Emit(line, sink, read);
        }

        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        switch (known.Detail)
        {
            case TextDelta:
                read.HasWords = true;
                break;
            case AssistantMessage:
                read.Text = values[4].Exists ? values[4] : values[5];
                read.HasWords = MayLackWords(line, read.Text, truncated, look, 1);
                break;
            case ToolStart or ToolCall:
                read.ToolId = values[0];
                read.ToolName = values[1].IsString ? values[1] : values[2];
                read.Arguments = values[11];
                read.ArgumentsFollow = known.Detail == ToolStart;
                break;
            case ToolResult:
                read.ToolId = values[0];
                read.IsError = values[3].Kind == ValueKind.True;
                read.IsPartial = !read.ToolId.Exists && MayLack(truncated, look, 1);
                read.Text = values[4];
                break;
            case TurnEnd when !values[6].Exists && MayLack(truncated, look, 1):
                read.IsCut = true;
                break;
            case TurnEnd:
                read.Stop = ReadStop(line, values[6]);
                if (read.Stop >= StopReason.Length) read.Kind = EventKind.RunFailed;
                break;
            case Failure:
                read.Stop = StopReason.Error;
                read.Error = values[7];
                break;
            case Response when values[8].Kind == ValueKind.True:
                (read.ResponseId, read.Succeeded) = (values[0], true);
                break;
            case Response when values[8].Kind == ValueKind.False:
                read.Kind = EventKind.Noted;
                read.ResponseId = values[0];
                read.Error = values[9];
                break;
        }

        return Emit(line, sink, read);
    }

    // Totals so far, as an object or in an event that calls its numbers totals, correct what was missed.
    private static void ReadUsage(ReadOnlySpan<byte> line, Span<JsonValue> values, ref AgentEvent read)
    {
        if (values[5].Kind is ValueKind.True or ValueKind.Object) read.Totals = UsageTotals.All;
        if (values[5].Kind == ValueKind.Object) UsageFields.TryRead(line, values[5], values);
        read.Usage = UsageReport.Of(
            Count(line, values[0]), Count(line, values[1]), Count(line, values[2]), Count(line, values[3]), Microcents(line, values[4]));
    }

    private static StopReason ReadStop(ReadOnlySpan<byte> line, JsonValue stop)
    {
        if (stop.StringEquals(line, "error"u8)) return StopReason.Error;
        if (stop.StringEquals(line, "length"u8)) return StopReason.Length;
        return stop.StringEquals(line, "aborted"u8) ? StopReason.Aborted : StopReason.Stop;
    }
}
