using System.Buffers;
using Colibri.Core.Agents.Transports;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Claude Code, one task a process.</summary>
internal static class Claude
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "claude",
        Dialect = new ClaudeDialect(),
        Provider = "anthropic",
        Providers = ["anthropic"],
        TaskArguments = ["-p", "--output-format", "stream-json", "--verbose"],
        PromptByInput = [],
        DuplexArguments = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose", "--permission-prompt-tool", "stdio"],
        DuplexManners = new(Initializes: false, NatureOf),
        AcpArguments = [],
        AcpProgram = "claude-agent-acp",
        AcpManners = new() { Asks = true, ProgramVariable = "CLAUDE_CODE_EXECUTABLE", ToolName = ["claudeCode", "toolName"], AskingMode = "default", TellsCost = true, TellsTokenLimit = true },
        Recognises = static answer => VersionWords.Are(answer, after: " (Claude Code)"),
        Login = new("CLAUDE_CONFIG_DIR", ".claude", ".credentials.json", "claude /login"),
        ModelArguments = static (_, model) => AgentProfile.Flag("--model", model),
        Cost = CostReport.AtItsEnd,
        Rights = ClaudeRights.All,
        Resumes = static arguments => arguments.Any(argument =>
            argument is "--resume" or "-r" or "--continue" or "-c" || argument.StartsWith("--resume=", StringComparison.Ordinal)),
        ResumeArguments = static session => ["--resume", session],
        SessionArguments = static session => ["--session-id", session],
        // That a session is around it, which one, and how to talk to it; of hooks and plug-ins, whose they are.
        ChildVariables = new("CLAUDE_",
        [
            "CLAUDECODE", "CLAUDE_CODE", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_EXECPATH", "CLAUDE_CODE_IS_COWORK", "CLAUDE_CODE_MESSAGING_SOCKET",
            "CLAUDE_CODE_MESSAGING_TOKEN", "CLAUDE_CODE_REMOTE", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_SSE_PORT", "CLAUDE_AGENT_SDK_VERSION", "CLAUDE_EFFORT", "CLAUDE_ENV_FILE",
            "CLAUDE_PID", "CLAUDE_PLUGIN_DATA", "CLAUDE_PLUGIN_ROOT", "CLAUDE_PROJECT_DIR", "CLAUDE_SESSION_ID",
        ]),
    };

    // Its tools that do no more than read, and those that write files.
    private static ToolNature NatureOf(string tool) => tool switch
    {
        "Read" or "Glob" or "Grep" or "LS" or "NotebookRead" or "TodoWrite" => ToolNature.Reads,
        "Edit" or "MultiEdit" or "Write" or "NotebookEdit" => ToolNature.Writes,
        "Bash" or "WebFetch" or "WebSearch" => ToolNature.Executes,
        _ => ToolNature.Other,
    };
}

/// <summary>
/// Claude Code, <c>claude -p --output-format stream-json --verbose</c>. A turn is a new message id of the assistant outside a subagent;
/// a message comes in as many lines as it has blocks. The <c>result</c> has its keys in no fixed order (its usage: <see cref="ClaudeUsage"/>).
/// It is not the run's end while the last <c>background_tasks_changed</c> names a task: Claude waits for that, is woken, and prints another. A version that
/// prints no such event tells of work in the background by the call that starts it, and by <c>task_notification</c> at most.
/// </summary>
internal class ClaudeDialect : LineDialect
{
    private const int System = 1;
    private const int Assistant = 2;
    private const int User = 3;
    private const int Result = 4;
    private const int RateLimit = 5;
    private const int StreamEvent = 6;
    private const int EventColumns = 14;

    private static readonly KnownEvents Events = new(
        new("system", EventKind.Ignored, System),
        new("assistant", EventKind.Working, Assistant),
        new("user", EventKind.Working, User),
        new("stream_event", EventKind.Working, StreamEvent),
        new("rate_limit_event", EventKind.Ignored, RateLimit),
        new("result", EventKind.Settled, Result));

    private static readonly KnownEvents ClaudeEvents = new(
        new("init", EventKind.SessionOpened),
        new("api_retry", EventKind.Retrying),
        new("background_tasks_changed", EventKind.BackgroundChanged),
        new("task_notification", EventKind.BackgroundEnded),
        new("permission_denied", EventKind.Denied),
        new("status", EventKind.Ignored),
        new("compact_boundary", EventKind.Ignored));

    private const int LongestPing = 512;
    private static readonly KnownEvent Ping = new("stream_event", EventKind.Ignored);

    private static readonly JsonFields EventFields = new("subtype", "session_id", "cwd", "message", "parent_tool_use_id", "model", "error_status", "retry_delay_ms", "api_error_status", "rate_limit_info", "tasks",
        "tool_name", "tool_use_id", "task_id");
    private static readonly JsonFields TaskFields = new("description", "task_type");
    private static readonly JsonFields LimitFields = new("status", "resetsAt");
    private static readonly JsonFields MessageFields = new("id", "content");
    private static readonly JsonFields BlockFields = new("type", "id", "name", "tool_use_id", "is_error", "content", "input");
    private static readonly JsonFields InputFields = new("run_in_background", "description", "command", "shell_id", "task_id", "bash_id");
    private static readonly JsonFields DenialFields = new("tool_name", "tool_use_id");
    private static readonly JsonFields TextField = new("text");
    private static readonly SearchValues<byte> IdBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"u8);

    private static readonly JsonFields ResultFields = new(
        "subtype", "session_id", "is_error", "stop_reason", "result", "errors", "usage", "total_cost_usd", "api_error_status", "permission_denials");

    private readonly KnownEvents _systemEvents;

    public ClaudeDialect()
        : this(ClaudeEvents)
    {
    }

    /// <param name="systemEvents">The events of type <c>system</c>, by their subtype.</param>
    protected ClaudeDialect(KnownEvents systemEvents)
        : base(Events) => _systemEvents = systemEvents;

    /// <summary>Whether the lines of one message share its id, so that turns and their usage are told by messages.</summary>
    protected virtual bool TellsMessages => true;

    /// <summary>Whether a message of the assistant's shows that the model has answered, where its usage does not.</summary>
    protected virtual bool IsAnswer(ReadOnlySpan<byte> line, JsonValue content) => false;

    /// <summary>Reads what a result says of all that was used.</summary>
    protected virtual void ReadEnd(ReadOnlySpan<byte> line, JsonValue usage, JsonValue cost, ref AgentEvent read) => ClaudeUsage.ReadTotals(line, usage, cost, ref read);

    // Most lines of an agent that streams are these. An AgentEvent on the stack is cleared on entry, so it is made in another method.
    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        if (known.Detail != StreamEvent) return ReadFields(line, known, truncated, look, sink);
        if (IsPing(line)) return Emit(line, sink, Ping.Plain);
        return TellsMessages && ClaudeUsage.MayTell(line) ? ReadStreamed(line, known, truncated, sink) : Emit(line, sink, known.Plain);
    }

    private static bool ReadStreamed(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, IEventSink sink)
    {
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name };
        return (ClaudeUsage.TryReadStreamed(line, ref read) || truncated) && Emit(line, sink, read);
    }

    private bool ReadFields(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name };
        Span<JsonValue> values = stackalloc JsonValue[EventColumns];
        if (known.Detail == Result)
        {
            if (!TryReadFields(ResultFields, line, truncated, look, values)) return false;
            EmitDenials(line, values[9], sink);
            ReadResult(line, values, MayLack(truncated, look, 1), ref read);
            ReadEnd(line, values[6], values[7], ref read);
            ClaudeUsage.EmitModels(line, ref read, sink);
            return Emit(line, sink, read);
        }

        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        read.SessionId = values[1];
        switch (known.Detail)
        {
            case System:
                if (values[0].IsString && _systemEvents.Find(values[0].Raw(line)) is { } system) read.Kind = system.Kind;
                if (read.Kind == EventKind.SessionOpened) (read.Cwd, read.Model) = (values[2], values[5]);
                if (read.Kind == EventKind.BackgroundChanged) ReadBackground(line, values[10], truncated, look, ref read);
                if (read.Kind == EventKind.Denied) (read.ToolName, read.ToolId, read.Error) = (values[11], values[12], values[3]);
                if (read.Kind == EventKind.BackgroundEnded) (read.ToolId, read.BackgroundTask) = (values[12], values[13]);
                if (read.Kind == EventKind.Retrying) read.WaitMs = values[7].Int64OrZero(line);
                if (values[7].Exists) read.Refusal = new ProviderRefusal(Status(line, values[6]), ResumeIn: values[7].Int64OrZero(line));
                return Emit(line, sink, read);
            case RateLimit:
                read.Refusal = ReadLimit(line, values[9]);
                return Emit(line, sink, read);
            case Assistant:
                if (values[8].Kind == ValueKind.Number) read.Refusal = new ProviderRefusal(Status(line, values[8]));
                EmitAssistant(line, values[3], values[4].IsString, truncated, look, read, sink);
                return true;
            default:
                read.IsPartial = MayLack(truncated, look, 3);
                EmitToolResults(line, values[3], read, sink);
                return true;
        }
    }

    // The provider's own heartbeat, handed on. Quotes within a string are escaped, so this is no part of one.
    private static bool IsPing(ReadOnlySpan<byte> line) => line.Length <= LongestPing && line.IndexOf("\"type\":\"ping\""u8) >= 0;

    private void EmitAssistant(ReadOnlySpan<byte> line, JsonValue message, bool inSubagent, bool truncated, LineLook look, AgentEvent read, IEventSink sink)
    {
        Span<JsonValue> fields = stackalloc JsonValue[2];
        MessageFields.TryRead(line, message, fields);
        // What Claude Code says itself in the assistant's place, such as an error, is no turn.
        var isModels = TellsMessages && ClaudeUsage.ReadMessage(line, message, ref read);
        if (!inSubagent && isModels && fields[0].IsString) sink.On(line, read with { Kind = EventKind.TurnStarted, TurnId = fields[0], Usage = null });
        sink.On(line, read with { Kind = EventKind.MessageEnded, Text = fields[1], IsNested = inSubagent, IsAnswer = IsAnswer(line, fields[1]), HasWords = MayLackWords(line, fields[1], truncated, look, 2) });
        read.Usage = null;

        Span<JsonValue> block = stackalloc JsonValue[7];
        var blocks = new JsonElements(line, fields[1]);
        while (blocks.Next())
        {
            if (!BlockFields.TryRead(line, blocks.Current, block) || !block[0].StringEquals(line, "tool_use"u8)) continue;
            var call = read with { Kind = EventKind.ToolStarted, ToolId = block[1], ToolName = block[2], Arguments = block[6], IsNested = inSubagent };
            ReadBackgroundStep(line, block[2], block[6], ref call);
            sink.On(line, call);
        }
    }

    private static void EmitToolResults(ReadOnlySpan<byte> line, JsonValue message, AgentEvent read, IEventSink sink)
    {
        sink.On(line, read);
        read.IsPartial = false;
        Span<JsonValue> fields = stackalloc JsonValue[2];
        MessageFields.TryRead(line, message, fields);
        Span<JsonValue> block = stackalloc JsonValue[7];
        var blocks = new JsonElements(line, fields[1]);
        while (blocks.Next())
        {
            if (!BlockFields.TryRead(line, blocks.Current, block) || !block[0].StringEquals(line, "tool_result"u8)) continue;
            var failed = block[4].Kind == ValueKind.True;
            var end = read with { Kind = EventKind.ToolEnded, ToolId = block[3], IsError = failed, Text = block[5] };
            if (!failed && ReadBackgroundId(line, block[5]) is { Exists: true } id) (end.Background, end.BackgroundTask) = (BackgroundStep.Starts, id);
            sink.On(line, end);
        }
    }

    // Each refused call of the session, with those that permission_denied has told of.
    private static void EmitDenials(ReadOnlySpan<byte> line, JsonValue denials, IEventSink sink)
    {
        Span<JsonValue> fields = stackalloc JsonValue[2];
        var denied = new JsonElements(line, denials);
        while (denied.Next())
        {
            if (DenialFields.TryRead(line, denied.Current, fields))
                sink.On(line, new AgentEvent { Kind = EventKind.Denied, Name = "result", ToolName = fields[0], ToolId = fields[1] });
        }
    }

    private static void ReadBackgroundStep(ReadOnlySpan<byte> line, JsonValue tool, JsonValue input, ref AgentEvent call)
    {
        Span<JsonValue> fields = stackalloc JsonValue[6];
        if (!InputFields.TryRead(line, input, fields)) return;
        if (fields[0].Kind == ValueKind.True)
        {
            call.Background = BackgroundStep.Starts;
            call.BackgroundTask = fields[1].IsString ? fields[1] : fields[2];
        }
        else if (tool.StringEquals(line, "KillShell"u8) || tool.StringEquals(line, "KillBash"u8) || tool.StringEquals(line, "TaskStop"u8))
        {
            call.Background = BackgroundStep.Stops;
            call.BackgroundTask = fields[3].IsString ? fields[3] : fields[4].IsString ? fields[4] : fields[5];
        }
    }

    // The answer to a call whose work goes on in the background begins with one of two sentences, and then names that work.
    private static JsonValue ReadBackgroundId(ReadOnlySpan<byte> line, JsonValue content)
    {
        if (content.Kind == ValueKind.Array)
        {
            var blocks = new JsonElements(line, content);
            Span<JsonValue> text = stackalloc JsonValue[1];
            content = blocks.Next() && TextField.TryRead(line, blocks.Current, text) ? text[0] : default;
        }
        if (!content.IsString) return default;
        var words = content.Raw(line);
        var at = words.StartsWith("Command running in background with ID: "u8) ? "Command running in background with ID: "u8.Length
            : words.StartsWith("Async agent launched"u8) && words.IndexOf("agentId: "u8) is >= 0 and var name ? name + "agentId: "u8.Length
            : -1;
        if (at < 0) return default;
        var length = words[at..].IndexOfAnyExcept(IdBytes);
        if (length < 0) length = words.Length - at;
        return length == 0 ? default : new JsonValue(ValueKind.String, HasEscapes: false, content.Offset + at, length);
    }

    private static void ReadBackground(ReadOnlySpan<byte> line, JsonValue tasks, bool truncated, LineLook look, ref AgentEvent read)
    {
        if (tasks.Kind == ValueKind.Array)
        {
            Span<JsonValue> task = stackalloc JsonValue[2];
            var count = 0L;
            var open = new JsonElements(line, tasks);
            while (open.Next())
            {
                if (count++ == 0 && TaskFields.TryRead(line, open.Current, task)) read.BackgroundTask = task[0].IsString ? task[0] : task[1];
            }
            // A list that was too long to keep was not empty.
            read.BackgroundTasks = count == 0 && MayLack(truncated, look, 2) ? 1 : count;
        }
        else if (MayLack(truncated, look, 1))
        {
            read.BackgroundTasks = 1;
        }
    }

    // The event also comes while requests are accepted; it then tells how much of the limit is used.
    private static ProviderRefusal? ReadLimit(ReadOnlySpan<byte> line, JsonValue limit)
    {
        Span<JsonValue> fields = stackalloc JsonValue[2];
        return LimitFields.TryRead(line, limit, fields) && fields[0].StringEquals(line, "rejected"u8)
            ? new ProviderRefusal(null, ResumeAt: fields[1].Int64OrZero(line))
            : null;
    }

    // A run that failed can say subtype "success" and is_error true; one that ran out of turns says so in the subtype alone.
    private static void ReadResult(ReadOnlySpan<byte> line, Span<JsonValue> values, bool mayLack, ref AgentEvent read)
    {
        read.SessionId = values[1];
        var failed = values[2].Kind == ValueKind.True || (values[0].IsString && !values[0].StringEquals(line, "success"u8));
        if (failed)
        {
            read.Kind = EventKind.Failed;
            read.Stop = ClaudeUsage.IsTokenLimit(line, values[4]) ? StopReason.Length : StopReason.Error;
            read.Error = values[4];
            var errors = new JsonElements(line, values[5]);
            if (values[8].Kind == ValueKind.Number) read.Refusal = new ProviderRefusal(Status(line, values[8]));
            if (!read.Error.IsString) read.Error = errors.Next() && errors.Current.IsString ? errors.Current : values[0];
        }
        else if (!values[2].Exists && mayLack)
        {
            read.Kind = EventKind.Working;
        }
        else
        {
            var cut = values[3].StringEquals(line, "max_tokens"u8);
            read.Kind = cut ? EventKind.Failed : EventKind.Settled;
            read.Stop = cut ? StopReason.Length : StopReason.Stop;
            read.Text = values[4];
            read.HasWords = mayLack && !values[4].Exists;
        }
    }
}
