using System.Buffers.Text;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>opencode, one task a process.</summary>
internal static class Opencode
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "opencode",
        Dialect = new OpencodeDialect(),
        AcpArguments = ["acp"],
        AcpManners = new() { Asks = true, ModelName = static (provider, model) => provider is null ? model : $"{provider}/{model}", TellsLastRequestAlone = true, TellsCost = true, Environment = OpencodeRights.Asking },
        TaskArguments = ["run", "--format", "json"],
        PromptByInput = [],
        Recognises = static answer => VersionWords.Are(answer),
        Login = new("XDG_DATA_HOME", ".local/share", "opencode/auth.json", "opencode auth login"),
        ModelArguments = static (provider, model) => AgentProfile.Flag("-m", provider is null ? model : $"{provider}/{model}"),
        Rights = OpencodeRights.All,
        ResumeArguments = static session => ["-s", session],
        ChildVariables = new("OPENCODE_",
        [
            "OPENCODE", "OPENCODE_CALLER", "OPENCODE_PID", "OPENCODE_PROCESS_ROLE", "OPENCODE_RUN_ID", "OPENCODE_SESSION_ID", "OPENCODE_TERMINAL",
        ]),
    };
}

/// <summary>
/// opencode, <c>opencode run --format json</c>. A turn is a <c>step_start</c>; a tool call is printed once, when it is over. A step that
/// finished with <c>stop</c> ends the run unless another follows.
/// </summary>
internal sealed class OpencodeDialect() : LineDialect(Events)
{
    private const int Plain = 1;
    private const int Text = 2;
    private const int ToolUse = 3;
    private const int StepFinish = 4;
    private const int Failure = 5;

    private static readonly KnownEvents Events = new(
        new("step_start", EventKind.TurnStarted, Plain),
        new("text", EventKind.MessageEnded, Text),
        new("reasoning", EventKind.Working, Plain),
        new("tool_use", EventKind.Working, ToolUse),
        new("step_finish", EventKind.TurnEnded, StepFinish),
        new("error", EventKind.RunFailed, Failure));

    private static readonly JsonFields EventFields = new("sessionID", "part", "error");
    private static readonly JsonFields PartFields = new("text", "tool", "callID", "state", "reason", "tokens", "cost");
    private static readonly JsonFields StateFields = new("status", "output", "error", "input");
    private static readonly JsonFields TokenFields = new("input", "output", "reasoning", "cache");
    private static readonly JsonFields CacheFields = new("read", "write");
    private static readonly JsonFields ErrorFields = new("data", "message", "name");
    private static readonly JsonFields DataFields = new("message", "statusCode", "responseHeaders");
    private static readonly JsonFields HeaderFields = new("retry-after-ms", "retry-after");

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> values = stackalloc JsonValue[3];
        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name, SessionId = values[0] };
        Span<JsonValue> part = stackalloc JsonValue[7];
        PartFields.TryRead(line, values[1], part);
        switch (known.Detail)
        {
            case Text:
                read.Text = part[0];
                read.IsAnswer = true;
                read.HasWords = MayLackWords(line, part[0], truncated, look, 2);
                break;
            case ToolUse:
                ReadTool(line, part, ref read);
                // It prints a call once it is over, so one whose state was left out is over as well.
                if (read.Kind == EventKind.ToolStarted && MayLack(truncated, look, 3)) read.Kind = EventKind.ToolEnded;
                break;
            case StepFinish:
                read.Usage = ReadUsage(line, part);
                read.Stop = ReadStop(line, part[4]);
                if (read.Stop >= StopReason.Length) read.Kind = EventKind.RunFailed;
                else if (part[4].StringEquals(line, "stop"u8)) read.Kind = EventKind.RunEnded;
                break;
            case Failure:
                read.Stop = StopReason.Error;
                ReadError(line, values[2], ref read);
                break;
        }

        return Emit(line, sink, read);
    }

    private static void ReadTool(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> part, ref AgentEvent read)
    {
        Span<JsonValue> state = stackalloc JsonValue[4];
        StateFields.TryRead(line, part[3], state);
        read.ToolName = part[1];
        read.ToolId = part[2];
        read.MayBeUnannounced = true;
        read.Arguments = state[3];
        read.IsError = state[0].StringEquals(line, "error"u8);
        read.Kind = read.IsError || state[0].StringEquals(line, "completed"u8) ? EventKind.ToolEnded : EventKind.ToolStarted;
        read.Text = read.IsError ? state[2] : state[1];
        read.IsDenied = read.IsError && read.Text.IsString && IsRefusal(read.Text.Raw(line));
    }

    // By the user, or by the user's own rules.
    private static bool IsRefusal(ReadOnlySpan<byte> error) =>
        error.StartsWith("The user rejected permission"u8) || error.StartsWith("The user has specified a rule which prevents"u8);

    private static StopReason ReadStop(ReadOnlySpan<byte> line, JsonValue reason)
    {
        if (reason.StringEquals(line, "length"u8)) return StopReason.Length;
        return reason.StringEquals(line, "error"u8) || reason.StringEquals(line, "content-filter"u8) ? StopReason.Error : StopReason.Stop;
    }

    private static UsageReport? ReadUsage(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> part)
    {
        Span<JsonValue> tokens = stackalloc JsonValue[4];
        if (!TokenFields.TryRead(line, part[5], tokens)) return null;
        Span<JsonValue> cache = stackalloc JsonValue[2];
        CacheFields.TryRead(line, tokens[3], cache);
        return UsageReport.Of(
            Count(line, tokens[0]),
            UsageReport.Reported(Count(line, tokens[1]) + Count(line, tokens[2])),
            Count(line, cache[0]),
            Count(line, cache[1]),
            Microcents(line, part[6]));
    }

    private static void ReadError(ReadOnlySpan<byte> line, JsonValue error, ref AgentEvent read)
    {
        read.Error = error;
        Span<JsonValue> fields = stackalloc JsonValue[3];
        if (error.IsString || !ErrorFields.TryRead(line, error, fields)) return;
        read.Error = fields[1].IsString ? fields[1] : fields[2];
        Span<JsonValue> data = stackalloc JsonValue[3];
        if (!DataFields.TryRead(line, fields[0], data)) return;
        if (data[0].IsString) read.Error = data[0];
        if (data[1].Kind == ValueKind.Number) read.Refusal = new ProviderRefusal(Status(line, data[1]), ResumeIn: ReadRetryAfter(line, data[2]));
    }

    // The provider's own headers: what it asks to wait, in seconds (RFC 9110, 10.2.3) or, as some providers do beside that, in milliseconds.
    private static long ReadRetryAfter(ReadOnlySpan<byte> line, JsonValue headers)
    {
        Span<JsonValue> fields = stackalloc JsonValue[2];
        if (!HeaderFields.TryRead(line, headers, fields)) return 0;
        return Number(line, fields[0]) is var milliseconds and > 0 ? milliseconds : Math.Min(Number(line, fields[1]), long.MaxValue / 1000) * 1000;
    }

    private static long Number(ReadOnlySpan<byte> line, JsonValue header) =>
        header.IsString && Utf8Parser.TryParse(header.Raw(line), out long number, out var read) && read == header.Length ? Math.Max(0, number) : 0;
}
