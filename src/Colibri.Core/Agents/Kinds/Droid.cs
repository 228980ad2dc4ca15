using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Factory's droid, one task a process. It tells Factory of each session, also where its model is another's.</summary>
internal static class Droid
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "droid",
        Dialect = new DroidDialect(),
        Provider = "factory",
        Providers = ["factory"],
        TaskArguments = ["exec", "--output-format", "stream-json"],
        PromptByInput = [],
        AcpArguments = ["exec", "--output-format", "acp"],
        AcpManners = new() { Asks = true, AskingMode = "normal", Usage = UsageReporting.Never },
        ModelArguments = static (_, model) => AgentProfile.Flag("-m", model),
        Cost = CostReport.Never,
        Resumes = static arguments => arguments.Any(argument => argument is "-s" or "--session-id" || argument.StartsWith("--session-id=", StringComparison.Ordinal)),
        ResumeArguments = static session => ["-s", session],
        Tells = new() { Usage = UsageReporting.AtItsEnd, TokenLimit = false },
        Rights = DroidRights.All,
        Recognises = static answer => VersionWords.Are(answer),
        ChildVariables = new("FACTORY_", ["FACTORY_DISABLE_SETTINGS_PERSISTENCE"]),
    };
}

/// <summary>
/// What droid's runs may do, as 0.225 holds it. Its levels go by what the model itself calls the risk of a command, so they hold nothing; without a tool for
/// commands there is nothing to call.
/// </summary>
internal static class DroidRights
{
    public static KindRights All { get; } = new()
    {
        Read = new("has only the tools that read (Read, LS, Grep, Glob)", "--only-tools=Read,LS,Grep,Glob"),
        Edit = new("cannot be held: droid runs what its model calls no high risk, and writes outside its directory too; confine it", "--auto=medium") { IsHeld = false },
        Full = new("does all that its user may", "--skip-permissions-unsafe"),
    };
}

/// <summary>
/// droid, <c>droid exec --output-format stream-json</c>. A turn is a message of the assistant's, by its id; its calls bear the same. An <c>error</c> of its loop
/// ends the run, and is followed by one that says no more; <c>completion</c> has the usage of the whole session, without what was cached.
/// </summary>
internal sealed class DroidDialect() : LineDialect(Events)
{
    private const int System = 1;
    private const int Message = 2;
    private const int ToolCall = 3;
    private const int ToolResult = 4;
    private const int Failure = 5;
    private const int Completion = 6;
    private const int EventColumns = 18;

    private static readonly KnownEvents Events = new(
        new("system", EventKind.Ignored, System),
        new("message", EventKind.Working, Message),
        new("reasoning", EventKind.Working),
        new("tool_call", EventKind.ToolStarted, ToolCall),
        new("tool_result", EventKind.ToolEnded, ToolResult),
        new("error", EventKind.RunFailed, Failure),
        new("completion", EventKind.Settled, Completion));

    private static readonly JsonFields EventFields = new("session_id", "subtype", "cwd", "model", "role", "id", "text", "messageId", "toolName", "toolId", "parameters", "isError", "value", "error",
        "message", "source", "finalText", "usage");
    private static readonly JsonFields ErrorFields = new("message");
    private static readonly JsonFields UsageFields = new("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens");

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> values = stackalloc JsonValue[EventColumns];
        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name, SessionId = values[0] };
        switch (known.Detail)
        {
            case System when values[1].StringEquals(line, "init"u8):
                (read.Kind, read.Cwd, read.Model) = (EventKind.SessionOpened, values[2], values[3]);
                break;
            case Message when values[4].StringEquals(line, "assistant"u8):
                EmitTurn(line, values[5], read, sink);
                (read.Kind, read.Text, read.IsAnswer) = (EventKind.MessageEnded, values[6], true);
                read.HasWords = MayLackWords(line, values[6], truncated, look, 1);
                break;
            case ToolCall:
                EmitTurn(line, values[7], read, sink);
                (read.ToolId, read.ToolName, read.Arguments) = (values[5], values[8].IsString ? values[8] : values[9], values[10]);
                break;
            case ToolResult:
                (read.ToolId, read.IsError, read.Text) = (values[5], values[11].Kind == ValueKind.True, TextOf(values[12]));
                if (read.IsError) ReadToolError(line, values[13], ref read);
                break;
            case Failure:
                read.Stop = StopReason.Error;
                // Behind an error of its loop, and without words of its own.
                if (!values[14].StringEquals(line, "Exec failed"u8)) read.Error = values[14];
                break;
            case Completion:
                read.Text = values[16];
                Span<JsonValue> usage = stackalloc JsonValue[4];
                if (!UsageFields.TryRead(line, values[17], usage)) break;
                read.Usage = UsageReport.Of(Count(line, usage[0]), Count(line, usage[1]), Count(line, usage[2]), Count(line, usage[3]), microcents: null);
                read.Totals = UsageTotals.All;
                break;
        }

        return Emit(line, sink, read);
    }

    private static void EmitTurn(ReadOnlySpan<byte> line, JsonValue message, AgentEvent read, IEventSink sink)
    {
        if (message.IsString) sink.On(line, read with { Kind = EventKind.TurnStarted, TurnId = message });
    }

    private static void ReadToolError(ReadOnlySpan<byte> line, JsonValue error, ref AgentEvent read)
    {
        Span<JsonValue> fields = stackalloc JsonValue[1];
        if (!ErrorFields.TryRead(line, error, fields) || !fields[0].IsString) return;
        read.Text = fields[0];
        var words = fields[0].Raw(line);
        if (words.StartsWith("Error: "u8)) words = words["Error: "u8.Length..];
        read.IsDenied = words.StartsWith("Exec ended early: insufficient permission"u8)
            || (words.StartsWith("Tool "u8) && words.IndexOf(" is not permitted in this exec session"u8) > 0);
    }

    // What is neither words nor blocks of words is shown as the JSON that it is.
    private static JsonValue TextOf(JsonValue value) =>
        value.Kind == ValueKind.Object ? new JsonValue(ValueKind.String, HasEscapes: false, value.Offset, value.Length) : value;
}
