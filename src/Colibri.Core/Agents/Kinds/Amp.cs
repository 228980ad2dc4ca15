using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Amp, one task a process, as its documents have it. It goes on in a thread by a command of its own, which takes its place before all options.</summary>
internal static class Amp
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "amp",
        Dialect = new AmpDialect(),
        Provider = "amp",
        Providers = ["amp"],
        TaskArguments = ["--stream-json"],
        PromptOption = "--execute",
        PromptByInput = ["--execute"],
        Cost = CostReport.Never,
        Resumes = static arguments => arguments.Contains("continue"),
        Tells = new() { Turns = false, Refusals = false, TokenLimit = false },
        Rights = AmpRights.All,
    };
}

/// <summary>What Amp's runs may do by its documents: what its user's settings allow, or everything.</summary>
internal static class AmpRights
{
    private static readonly AccessRights Unheld = new("cannot be held: Amp goes by the permissions in its user's settings; confine it") { IsHeld = false };

    public static KindRights All { get; } = new()
    {
        Read = Unheld,
        Edit = Unheld,
        Full = new("does all that its user may", "--dangerously-allow-all"),
    };
}

/// <summary>
/// Amp, <c>amp --stream-json --execute</c>. The shape is Claude Code's, with two differences: a message has no id, so that turns cannot be told apart, and it
/// alone tells usage, with what was cached counted in the input.
/// </summary>
internal sealed class AmpDialect() : LineDialect(Events)
{
    private const int System = 1;
    private const int Assistant = 2;
    private const int User = 3;
    private const int Result = 4;

    private static readonly KnownEvents Events = new(
        new("system", EventKind.Ignored, System),
        new("assistant", EventKind.Working, Assistant),
        new("user", EventKind.Working, User),
        new("result", EventKind.Settled, Result));

    private static readonly JsonFields EventFields = new("session_id", "subtype", "cwd", "message", "parent_tool_use_id", "is_error", "result", "error");
    private static readonly JsonFields MessageFields = new("content", "usage");
    private static readonly JsonFields BlockFields = new("type", "id", "name", "input", "tool_use_id", "is_error", "content");
    private static readonly JsonFields UsageFields = new("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens");

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> values = stackalloc JsonValue[8];
        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name, SessionId = values[0] };
        Span<JsonValue> message = stackalloc JsonValue[2];
        MessageFields.TryRead(line, values[3], message);
        switch (known.Detail)
        {
            case System when values[1].StringEquals(line, "init"u8):
                (read.Kind, read.Cwd) = (EventKind.SessionOpened, values[2]);
                break;
            case Assistant:
                var isNested = values[4].IsString;
                sink.On(line, read with
                {
                    Kind = EventKind.MessageEnded,
                    Text = message[0],
                    IsNested = isNested,
                    Usage = UsageOf(line, message[1]),
                    HasWords = MayLackWords(line, message[0], truncated, look, 2),
                });
                EmitCalls(line, message[0], read with { IsNested = isNested }, sink);
                return true;
            case User:
                read.IsPartial = MayLack(truncated, look, 3);
                sink.On(line, read);
                EmitCalls(line, message[0], read with { IsPartial = false }, sink);
                return true;
            case Result:
                read.Text = values[6];
                if (values[5].Kind == ValueKind.True || (values[1].IsString && !values[1].StringEquals(line, "success"u8)))
                    (read.Kind, read.Stop, read.Error) = (EventKind.Failed, StopReason.Error, values[7].IsString ? values[7] : values[6].IsString ? values[6] : values[1]);
                break;
        }

        return Emit(line, sink, read);
    }

    private static void EmitCalls(ReadOnlySpan<byte> line, JsonValue content, AgentEvent read, IEventSink sink)
    {
        Span<JsonValue> block = stackalloc JsonValue[7];
        var blocks = new JsonElements(line, content);
        while (blocks.Next())
        {
            if (!BlockFields.TryRead(line, blocks.Current, block)) continue;
            if (block[0].StringEquals(line, "tool_use"u8))
                sink.On(line, read with { Kind = EventKind.ToolStarted, ToolId = block[1], ToolName = block[2], Arguments = block[3] });
            else if (block[0].StringEquals(line, "tool_result"u8))
                sink.On(line, read with { Kind = EventKind.ToolEnded, ToolId = block[4], IsError = block[5].Kind == ValueKind.True, Text = block[6], IsNested = false });
        }
    }

    private static UsageReport? UsageOf(ReadOnlySpan<byte> line, JsonValue usage)
    {
        Span<JsonValue> fields = stackalloc JsonValue[4];
        if (!UsageFields.TryRead(line, usage, fields)) return null;
        var (cached, written) = (Count(line, fields[2]), Count(line, fields[3]));
        return UsageReport.Of(Math.Max(0, Count(line, fields[0]) - cached - written), Count(line, fields[1]), cached, written, microcents: null);
    }
}
