using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Cursor's agent, one task a process, as its documents have it: <c>cursor-agent --print --output-format stream-json</c>.</summary>
internal static class Cursor
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "cursor",
        Dialect = new CursorDialect(),
        Provider = "cursor",
        Providers = ["cursor"],
        TaskArguments = ["--print", "--output-format", "stream-json"],
        AcpArguments = ["acp"],
        ModelArguments = static (_, model) => AgentProfile.Flag("--model", model),
        Cost = CostReport.Never,
        Resumes = static arguments => arguments.Any(argument =>
            argument is "--resume" or "--continue" || argument.StartsWith("--resume=", StringComparison.Ordinal)),
        ResumeArguments = static session => [$"--resume={session}"],
        Tells = new() { Usage = UsageReporting.Never, Turns = false, TokenLimit = false, Failures = false },
        Rights = CursorRights.All,
        ChildVariables = new("CURSOR_", ["CURSOR_AGENT", "CURSOR_TRACE_ID"]),
    };
}

/// <summary>What the runs of Cursor's agent may do by its documents. Nobody has seen it hold a run, so it counts as held in none.</summary>
internal static class CursorRights
{
    public static KindRights All { get; } = new()
    {
        Read = new("cannot be held for sure: its documents alone say that its mode for questions changes nothing; confine it", "--mode=ask") { IsHeld = false },
        Edit = new("cannot be held for sure: its documents alone say that it asks before it writes outside its directory; confine it") { IsHeld = false },
        Full = new("does all that its user may", "--force"),
    };
}

/// <summary>
/// Cursor's agent. Its outer shape is Claude Code's; a call is a <c>tool_call</c> that has started or completed, and wraps the call in an object named after its
/// tool. It tells no turns and no usage.
/// </summary>
internal sealed class CursorDialect() : LineDialect(Events)
{
    private const int System = 1;
    private const int Assistant = 2;
    private const int ToolCall = 3;
    private const int Result = 4;

    private static readonly KnownEvents Events = new(
        new("system", EventKind.Ignored, System),
        new("user", EventKind.Working),
        new("assistant", EventKind.MessageEnded, Assistant),
        new("thinking", EventKind.Working),
        new("tool_call", EventKind.Working, ToolCall),
        new("result", EventKind.Settled, Result));

    private static readonly string[] Tools =
    [
        "shellToolCall", "readToolCall", "writeToolCall", "editToolCall", "grepToolCall", "globToolCall", "lsToolCall", "deleteToolCall", "updateTodosToolCall", "mcpToolCall", "function",
    ];

    private static readonly JsonFields EventFields = new("session_id", "subtype", "cwd", "model", "message", "call_id", "tool_call", "is_error", "result");
    private static readonly JsonFields MessageFields = new("content");
    private static readonly JsonFields CallFields = new(Tools);
    private static readonly JsonFields InnerFields = new("args", "result");
    private static readonly JsonFields OutcomeFields = new("success", "rejected", "error", "failure", "permissionDenied");
    private static readonly JsonFields ReasonFields = new("reason", "errorMessage", "error", "message");

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> values = stackalloc JsonValue[9];
        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name, SessionId = values[0] };
        switch (known.Detail)
        {
            case System when values[1].StringEquals(line, "init"u8):
                (read.Kind, read.Cwd, read.Model) = (EventKind.SessionOpened, values[2], values[3]);
                break;
            case Assistant:
                Span<JsonValue> message = stackalloc JsonValue[1];
                MessageFields.TryRead(line, values[4], message);
                read.Text = message[0];
                read.HasWords = MayLackWords(line, message[0], truncated, look, 2);
                break;
            case ToolCall:
                read.ToolId = values[5];
                ReadCall(line, values[1], values[6], ref read);
                break;
            case Result:
                read.Text = values[8];
                if (values[7].Kind == ValueKind.True || (values[1].IsString && !values[1].StringEquals(line, "success"u8)))
                    (read.Kind, read.Stop, read.Error) = (EventKind.Failed, StopReason.Error, values[8].IsString ? values[8] : values[1]);
                break;
        }

        return Emit(line, sink, read);
    }

    private static void ReadCall(ReadOnlySpan<byte> line, JsonValue subtype, JsonValue call, ref AgentEvent read)
    {
        var isEnd = subtype.StringEquals(line, "completed"u8);
        read.Kind = isEnd ? EventKind.ToolEnded : subtype.StringEquals(line, "started"u8) ? EventKind.ToolStarted : EventKind.ToolProgress;
        Span<JsonValue> tools = stackalloc JsonValue[11];
        Span<JsonValue> inner = stackalloc JsonValue[2];
        CallFields.TryRead(line, call, tools);
        for (var i = 0; i < tools.Length; i++)
        {
            if (!tools[i].Exists) continue;
            InnerFields.TryRead(line, tools[i], inner);
            read.ToolLabel = Tools[i].EndsWith("ToolCall", StringComparison.Ordinal) ? Tools[i][..^"ToolCall".Length] : Tools[i];
            if (isEnd) ReadOutcome(line, inner[1], ref read);
            else read.Arguments = inner[0];
            return;
        }
    }

    // One of several, each in a property of its name.
    private static void ReadOutcome(ReadOnlySpan<byte> line, JsonValue result, ref AgentEvent read)
    {
        Span<JsonValue> outcome = stackalloc JsonValue[5];
        Span<JsonValue> words = stackalloc JsonValue[4];
        OutcomeFields.TryRead(line, result, outcome);
        read.IsDenied = outcome[1].Exists || outcome[4].Exists;
        read.IsError = read.IsDenied || outcome[2].Exists || outcome[3].Exists;
        foreach (var value in outcome)
        {
            if (value.Kind != ValueKind.Object) continue;
            ReasonFields.TryRead(line, value, words);
            foreach (var word in words)
                if (read.IsError && word.IsString && !read.Text.Exists) read.Text = word;

            if (!read.Text.Exists) read.Text = new JsonValue(ValueKind.String, HasEscapes: false, value.Offset, value.Length);
        }
    }
}
