using System.Text;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Cline, one task a process. It goes on in none of its sessions without a terminal, and reads no prompt from standard input.</summary>
internal static class Cline
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "cline",
        Dialect = new ClineDialect(),
        TaskArguments = ["--json"],
        PromptNeedsBlank = true,
        AcpArguments = ["--acp"],
        AcpManners = new() { Asks = true, AuthMethod = "cline", Usage = UsageReporting.Never },
        // Without it a daemon is started that serves all of a user's Clines, and outlives them.
        Environment = new Dictionary<string, string> { ["CLINE_SESSION_BACKEND_MODE"] = "local" },
        ModelArguments = static (provider, model) => [.. AgentProfile.Flag("-P", provider), .. AgentProfile.Flag("-m", model)],
        Rights = ClineRights.All,
        WordsIn = ClineErrors.In,
        Recognises = static answer => VersionWords.Are(answer),
        ChildVariables = new("CLINE_", ["CLINE_ACTIVE", "CLINE_CONNECTOR_CLI_LAUNCH"]),
    };
}

/// <summary>What Cline's runs may do, as 3.0 holds it: every call is approved, or none is.</summary>
internal static class ClineRights
{
    public static KindRights All { get; } = new()
    {
        Read = new("has no use of its tools: each call is refused, one that reads too, and the third in a row ends the run", "--auto-approve=false"),
        Edit = new("cannot be held: Cline approves every call or none; confine it", "--auto-approve=true") { IsHeld = false },
        Full = new("does all that its user may", "--auto-approve=true"),
    };
}

/// <summary>Cline's last word on standard error, which is JSON there too: <c>{"ts":…,"type":"error","message":…}</c>.</summary>
internal static class ClineErrors
{
    private static readonly JsonFields Fields = new("type", "message");

    /// <summary>The message of such a line; null for another one.</summary>
    public static string? In(string line)
    {
        if (!line.StartsWith('{')) return null;
        var bytes = Encoding.UTF8.GetBytes(line);
        Span<JsonValue> values = stackalloc JsonValue[2];
        return Fields.TryRead(bytes, values) && values[0].StringEquals(bytes, "error"u8) ? values[1].GetString(bytes) : null;
    }
}

/// <summary>
/// Cline, <c>cline --json</c>. Most lines wrap an event of their own. A turn is an <c>iteration_start</c>. An <c>error</c> that can be recovered from ends nothing;
/// <c>run_result</c> is the verdict, and a <c>run_aborted</c> behind it says that Cline was asked to end, which may have been too late.
/// </summary>
internal sealed class ClineDialect() : LineDialect(Events)
{
    private const int Wrapper = 1;
    private const int Result = 2;
    private const int Content = 3;
    private const int Usage = 4;
    private const int Failure = 5;
    private const int Plain = 6;
    private const int EventColumns = 10;

    private static readonly KnownEvents Events = new(
        new("agent_event", EventKind.Working, Wrapper),
        new("hook_event", EventKind.Progress),
        new("run_result", EventKind.Settled, Result),
        new("run_aborted", EventKind.Ignored));

    private static readonly KnownEvents Wrapped = new(
        new("iteration_start", EventKind.TurnStarted, Plain),
        new("iteration_end", EventKind.TurnEnded, Plain),
        new("content_start", EventKind.Working, Content),
        new("content_update", EventKind.Working, Content),
        new("content_end", EventKind.Working, Content),
        new("usage", EventKind.UsageReported, Usage),
        new("notice", EventKind.Progress, Plain),
        new("error", EventKind.RunFailed, Failure),
        new("done", EventKind.Progress, Plain));

    private static readonly JsonFields EventField = new("event");
    private static readonly JsonFields EventFields = new("type", "contentType", "text", "toolName", "toolCallId", "input", "output", "error", "errorClass", "recoverable");
    private static readonly JsonFields UsageFields = new("totalInputTokens", "totalOutputTokens", "totalCacheReadTokens", "totalCacheWriteTokens", "totalCost");
    private static readonly JsonFields ResultFields = new("finishReason", "text", "aggregateUsage", "usage", "model");
    private static readonly JsonFields ResultUsageFields = new("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "totalCost");
    private static readonly JsonFields ModelFields = new("id", "provider");
    private static readonly JsonFields OutputFields = new("result", "error", "success");
    private static readonly JsonFields ErrorFields = new("message");

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name };
        if (known.Detail == Result)
        {
            Span<JsonValue> result = stackalloc JsonValue[5];
            if (!TryReadFields(ResultFields, line, truncated, look, result)) return false;
            ReadResult(line, result, ref read);
            // Of a failure that may have been left out no run is done.
            if (!result[0].Exists && MayLack(truncated, look, 1)) (read.Kind, read.IsCut) = (EventKind.Working, true);
            return Emit(line, sink, read);
        }

        Span<JsonValue> wrapped = stackalloc JsonValue[1];
        Span<JsonValue> values = stackalloc JsonValue[EventColumns];
        if (!TryReadFields(EventField, line, truncated, look, wrapped)) return false;
        EventFields.TryRead(line, wrapped[0], values);
        if (!values[0].IsString || Wrapped.Find(values[0].Raw(line)) is not { } inner) return Emit(line, sink, read);
        (read.Kind, read.Name) = (inner.Kind, inner.Name);
        switch (inner.Detail)
        {
            case Content:
                ReadContent(line, inner, values, truncated, look, ref read);
                break;
            case Usage:
                Span<JsonValue> usage = stackalloc JsonValue[5];
                if (UsageFields.TryRead(line, wrapped[0], usage)) ReadUsage(line, usage, ref read);
                break;
            case Failure:
                ReadError(line, values, ref read);
                break;
        }

        return Emit(line, sink, read);
    }

    private static void ReadContent(ReadOnlySpan<byte> line, KnownEvent inner, ReadOnlySpan<JsonValue> values, bool truncated, LineLook look, ref AgentEvent read)
    {
        var (isStart, isEnd) = (inner.Name == "content_start", inner.Name == "content_end");
        if (values[1].StringEquals(line, "tool"u8))
        {
            read.Kind = isStart ? EventKind.ToolStarted : isEnd ? EventKind.ToolEnded : EventKind.ToolProgress;
            (read.ToolName, read.ToolId, read.Arguments) = (values[3], values[4], isStart ? values[5] : default);
            if (isEnd) ReadOutput(line, values[6], values[7], ref read);
            // Whether the call has succeeded stands behind what it answered.
            read.IsPartial = isEnd && !read.IsError && MayLack(truncated, look, 2);
        }
        // What comes before a message's end is repeated by it, whole.
        else if (isEnd && values[1].StringEquals(line, "text"u8))
        {
            (read.Kind, read.Text) = (EventKind.MessageEnded, values[2]);
            read.HasWords = MayLackWords(line, values[2], truncated, look, 2);
        }
    }

    // A tool answers with a list, of which each item may fail by itself, or with an object that holds an error alone.
    private static void ReadOutput(ReadOnlySpan<byte> line, JsonValue output, JsonValue error, ref AgentEvent read)
    {
        read.IsError = error.IsString;
        read.Text = output.IsString ? output : error;
        Span<JsonValue> item = stackalloc JsonValue[3];
        if (OutputFields.TryRead(line, output, item))
        {
            if (item[1].IsString) read.Text = item[1];
            else if (item[0].IsString) read.Text = item[0];
            read.IsDenied = read.IsError && item[1].IsString && IsRefusal(item[1].Raw(line));
            return;
        }

        var count = 0;
        var items = new JsonElements(line, output);
        while (items.Next())
        {
            count++;
            if (!OutputFields.TryRead(line, items.Current, item)) continue;
            read.IsError |= item[2].Kind == ValueKind.False;
            if (count == 1) read.Text = item[0] is { IsString: true, Length: > 0 } ? item[0] : item[1].IsString ? item[1] : item[0];
        }

        // Of several answers the JSON, as it stands in the line.
        if (count > 1) read.Text = new JsonValue(ValueKind.String, HasEscapes: false, output.Offset, output.Length);
    }

    private static bool IsRefusal(ReadOnlySpan<byte> error) => error.StartsWith("Tool "u8) && error.IndexOf(" requires approval in a TTY session"u8) > 0;

    private static void ReadError(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> values, ref AgentEvent read)
    {
        Span<JsonValue> error = stackalloc JsonValue[1];
        ErrorFields.TryRead(line, values[7], error);
        if (error[0].IsString && IsOfTool(error[0].Raw(line)))
        {
            read.Kind = EventKind.Progress;
            return;
        }

        read.Error = error[0];
        if (values[9].Kind == ValueKind.True)
        {
            read.Kind = EventKind.Noted;
            return;
        }
        read.Stop = StopFor(line, error[0]);
        if (values[8].StringEquals(line, "auth"u8)) read.Refusal = new ProviderRefusal(401);
    }

    // "1 tool call(s) failed: …", which repeats what the call's own end has told.
    private static bool IsOfTool(ReadOnlySpan<byte> message)
    {
        var digits = message.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return digits > 0 && message[digits..].StartsWith(" tool call(s) failed"u8);
    }

    private static StopReason StopFor(ReadOnlySpan<byte> line, JsonValue message) =>
        message.IsString && message.Raw(line).StartsWith("Model reached the maximum output token limit"u8) ? StopReason.Length : StopReason.Error;

    private static void ReadResult(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> result, ref AgentEvent read)
    {
        Span<JsonValue> fields = stackalloc JsonValue[5];
        // The aggregate has what its sub-agents used as well.
        if (ResultUsageFields.TryRead(line, result[2], fields) || ResultUsageFields.TryRead(line, result[3], fields)) ReadUsage(line, fields, ref read);
        Span<JsonValue> model = stackalloc JsonValue[2];
        if (ModelFields.TryRead(line, result[4], model)) (read.Model, read.Provider) = (model[0], model[1]);
        if (result[0].StringEquals(line, "completed"u8))
        {
            read.Text = result[1];
            return;
        }

        read.Kind = EventKind.Failed;
        if (result[0].StringEquals(line, "aborted"u8))
        {
            read.Stop = StopReason.Aborted;
            return;
        }
        (read.Stop, read.Error) = (StopFor(line, result[1]), result[1].IsString ? result[1] : result[0]);
    }

    // Cached tokens are part of the input. A cost of nothing is that of a model of which Cline knows no price.
    private static void ReadUsage(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> usage, ref AgentEvent read)
    {
        var (cached, written) = (Count(line, usage[2]), Count(line, usage[3]));
        var cost = Microcents(line, usage[4]);
        read.Usage = UsageReport.Of(Math.Max(0, Count(line, usage[0]) - cached - written), Count(line, usage[1]), cached, written, cost > 0 ? cost : null);
        read.Totals = UsageTotals.All;
    }
}
