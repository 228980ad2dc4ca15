using System.Runtime.CompilerServices;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Pi: one task a process with <c>--mode json</c>, or long-lived with <c>--mode rpc</c>.</summary>
internal static class Pi
{
    /// <summary>By its name.</summary>
    public static AgentProfile Profile { get; } = new()
    {
        Name = "pi",
        Dialect = new PiDialect(),
        TaskArguments = ["--mode", "json"],
        PromptByInput = [],
        RpcArguments = ["--mode", "rpc"],
        Commands = new("steer", "new_session", "get_state"),
        AsksByRpc = true,
        Recognises = static answer => VersionWords.Are(answer),
        Login = new("PI_CODING_AGENT_DIR", ".pi/agent", "auth.json", "pi (then type /login)"),
        ModelArguments = static (provider, model) => [.. AgentProfile.Flag("--provider", provider), .. AgentProfile.Flag("--model", model)],
        // Not --session-id, which begins an empty session where it finds none.
        ResumeArguments = static session => ["--session", session],
        ChildVariables = new("PI_", ["PI_CODING_AGENT", "PI_SESSION_ID"]),
        // Its own list of tools: two words, because it takes no value behind an equals sign.
        Rights = KindRights.Unheld("Pi has") with
        {
            Read = new("has only the tools that read (read, grep, find, ls), and those of MCP servers that its user has set up", "--tools", "read,grep,find,ls"),
        },
    };

    /// <summary>A program of another name, which is taken to print Pi's events: it gets its arguments and its prompt, nothing else.</summary>
    public static AgentProfile Lookalike { get; } = new()
    {
        Name = "pi",
        Dialect = Profile.Dialect,
        RpcArguments = [],
        Commands = new("steer", "new_session"),
    };
}

/// <summary>
/// Pi in all its versions, and every agent that prints Pi's events. Before 0.84 an update repeats its whole message and nothing follows
/// <c>agent_end</c>; later updates are deltas and <c>agent_settled</c> ends the run; from 1.1 on it says whether the run was aborted.
/// A turn is a <c>turn_start</c>.
/// </summary>
internal sealed class PiDialect() : LineDialect(Events)
{
    private const int Session = 1;
    private const int MessageStart = 2;
    private const int MessageEnd = 3;
    private const int ToolStart = 4;
    private const int ToolEnd = 5;
    private const int AgentEnd = 6;
    private const int AgentSettled = 7;
    private const int RetryEnd = 8;
    private const int CompactionEnd = 9;
    private const int UiRequest = 10;
    private const int Response = 11;
    private const int RetryStart = 12;

    private static readonly KnownEvents Events = new(
        new("session", EventKind.SessionOpened, Session),
        new("agent_start", EventKind.RunStarted),
        new("turn_start", EventKind.TurnStarted),
        new("message_start", EventKind.Progress, MessageStart),
        new("message_update", EventKind.Working),
        new("message_end", EventKind.Progress, MessageEnd),
        new("tool_execution_start", EventKind.ToolStarted, ToolStart),
        new("tool_execution_update", EventKind.ToolProgress),
        new("tool_execution_end", EventKind.ToolEnded, ToolEnd),
        new("turn_end", EventKind.TurnEnded),
        new("agent_end", EventKind.RunEnded, AgentEnd),
        new("agent_settled", EventKind.Settled, AgentSettled),
        new("auto_retry_start", EventKind.Retrying, RetryStart),
        new("auto_retry_end", EventKind.Progress, RetryEnd),
        new("compaction_start", EventKind.CompactionStarted),
        new("compaction_end", EventKind.CompactionEnded, CompactionEnd),
        new("queue_update", EventKind.Queued),
        new("extension_ui_request", EventKind.Ignored, UiRequest),
        new("response", EventKind.Ignored, Response),
        new("entry_appended", EventKind.Ignored),
        new("session_info_changed", EventKind.Ignored),
        new("bash_execution_update", EventKind.Ignored));

    private static readonly JsonFields ContentField = new("content");
    private static readonly JsonFields UsageFields = new JsonFields("input", "output", "cacheRead", "cacheWrite", "cost").With("cost", new("total"));
    private static readonly JsonFields MessageFields = new JsonFields(
        "role", "content", "usage", "stopReason", "errorMessage", "provider", "model").With("usage", UsageFields);

    private static readonly JsonFields EventFields = new JsonFields(
        "message", "toolCallId", "toolName", "result", "isError", "id", "cwd", "willRetry",
        "aborted", "success", "finalError", "errorMessage", "method", "error", "command", "args").With("message", MessageFields).With("result", ContentField);

    // Where the columns of the message and of the result begin.
    private const int Message = 16;
    private const int Result = 29;
    private const int Columns = 30;

    private static readonly JsonFields StateField = new JsonFields("data").With("data", new("sessionId"));
    private static readonly JsonFields DelayField = new("delayMs");
    private static readonly JsonFields QuestionFields = new("title", "message", "options");

    private static readonly KnownEvent AssistantStarts = new("message_start", EventKind.MessageStarted);
    private static readonly KnownEvent RunGoesOn = new("agent_end", EventKind.RunResumed);

    // Most lines give a ready-made event. An AgentEvent on the stack is cleared on entry, so it is made in another method.
    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        if (known.Detail is MessageStart or MessageEnd && TryReadRole(line, known.Name.Length, out var isAssistant)
            && (known.Detail == MessageStart || !isAssistant))
        {
            return Emit(line, sink, (isAssistant ? AssistantStarts : known).Plain);
        }

        if (known.Detail == AgentEnd && !truncated && TryReadWillRetry(line, out var willRetry))
            return Emit(line, sink, (willRetry ? RunGoesOn : known).Plain);

        return ReadFields(line, known, truncated, look, sink);
    }

    [SkipLocalsInit]
    private static bool ReadFields(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> values = stackalloc JsonValue[Columns];
        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name };
        switch (known.Detail)
        {
            case Session:
                read.SessionId = values[5];
                read.Cwd = values[6];
                break;
            case MessageStart or MessageEnd:
                ReadMessage(line, values[Message..Result], known.Detail, ref read);
                if (known.Detail == MessageEnd && !values[Message + 3].Exists && MayLack(truncated, look, 2) && IsAssistants(line, values[Message])) LeaveOpen(ref read);
                if (read.Kind == EventKind.MessageEnded) read.HasWords = MayLackWords(line, read.Text, truncated, look, 2);
                break;
            case ToolStart or ToolEnd:
                read.ToolId = values[1];
                read.ToolName = values[2];
                read.IsError = values[4].Kind == ValueKind.True;
                read.Text = values[Result];
                read.Arguments = values[15];
                read.IsPartial = !read.ToolId.Exists && MayLack(truncated, look, 1);
                break;
            case AgentEnd when values[7].Kind == ValueKind.True:
                read.Kind = EventKind.RunResumed;
                break;
            case AgentEnd when !values[7].Exists && MayLack(truncated, look, 1):
            case AgentSettled when !values[8].Exists && MayLack(truncated, look, 1):
                read.Kind = EventKind.Working;
                break;
            case AgentSettled when values[8].Kind == ValueKind.True:
                read.Stop = StopReason.Aborted;
                break;
            case RetryStart:
                Span<JsonValue> delay = stackalloc JsonValue[1];
                if (DelayField.TryRead(line, delay)) read.WaitMs = delay[0].Int64OrZero(line);
                break;
            case RetryEnd when values[9].Kind == ValueKind.False:
                read.Kind = EventKind.Failed;
                read.Stop = StopReason.Error;
                read.Error = values[10];
                break;
            case CompactionEnd:
                if (values[7].Kind == ValueKind.True || (!values[7].Exists && MayLack(truncated, look, 1))) read.Kind = EventKind.RunResumed;
                read.Error = values[11];
                break;
            case UiRequest when WantsAnAnswer(line, values[12]):
                read.Kind = EventKind.Asked;
                read.Question = ReadQuestion(line, values[5], values[12]);
                break;
            case Response when values[9].Kind == ValueKind.True:
                (read.ResponseId, read.Succeeded) = (values[5], true);
                // In this mode it prints no session event.
                Span<JsonValue> state = stackalloc JsonValue[2];
                if (values[14].StringEquals(line, "get_state"u8) && StateField.TryRead(line, state)) read.SessionId = state[1];
                break;
            case Response when values[9].Kind == ValueKind.False:
                read.Kind = EventKind.Noted;
                read.ResponseId = values[5];
                read.Error = values[13];
                read.IsPromptRefusal = values[14].StringEquals(line, "prompt"u8);
                break;
        }

        return Emit(line, sink, read);
    }

    // Most messages are not the assistant's, and some are long. The role stands first in every version, so it is read alone.
    private static bool TryReadRole(ReadOnlySpan<byte> line, int nameLength, out bool isAssistant)
    {
        isAssistant = false;
        var head = "{\"type\":\"\",".Length + nameLength;
        if (line.Length < head) return false;
        var message = "\"message\":{\"role\":\""u8;
        var rest = line[head..];
        if (!rest.StartsWith(message)) return false;
        isAssistant = rest[message.Length..].StartsWith("assistant\""u8);
        return true;
    }

    // The event carries the whole conversation before this property. A line with the form of an object that ends so can only end in this property.
    private static bool TryReadWillRetry(ReadOnlySpan<byte> line, out bool willRetry)
    {
        willRetry = line.EndsWith(",\"willRetry\":true}"u8);
        return willRetry || line.EndsWith(",\"willRetry\":false}"u8);
    }

    private static void ReadMessage(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> fields, int detail, ref AgentEvent read)
    {
        if (!fields[0].StringEquals(line, "assistant"u8)) return;
        if (detail == MessageStart)
        {
            read.Kind = EventKind.MessageStarted;
            return;
        }

        read.Kind = EventKind.MessageEnded;
        read.Text = fields[1];
        read.Stop = ReadStop(line, fields[3]);
        read.Error = fields[4];
        read.Provider = fields[5];
        read.Model = fields[6];
        if (fields[2].Kind != ValueKind.Object) return;
        read.Usage = UsageReport.Of(
            Count(line, fields[7]), Count(line, fields[8]), Count(line, fields[9]), Count(line, fields[10]), Microcents(line, fields[12]));
    }

    // Where the role is left out as well, it may have been the assistant's.
    private static bool IsAssistants(ReadOnlySpan<byte> line, JsonValue role) => !role.Exists || role.StringEquals(line, "assistant"u8);

    private static void LeaveOpen(ref AgentEvent read) => (read.Stop, read.IsCut) = (StopReason.None, true);

    private static StopReason ReadStop(ReadOnlySpan<byte> line, JsonValue reason)
    {
        if (reason.StringEquals(line, "error"u8)) return StopReason.Error;
        if (reason.StringEquals(line, "length"u8)) return StopReason.Length;
        return reason.StringEquals(line, "aborted"u8) ? StopReason.Aborted : StopReason.Stop;
    }

    private static AgentQuestion? ReadQuestion(ReadOnlySpan<byte> line, JsonValue id, JsonValue method)
    {
        const int MaxOptions = 32;
        if (!id.IsString) return null;
        Span<JsonValue> words = stackalloc JsonValue[3];
        QuestionFields.TryRead(line, words);
        List<string>? options = null;
        var listed = new JsonElements(line, words[2]);
        while (listed.Next() && (options?.Count ?? 0) < MaxOptions)
            if (listed.Current.IsString) (options ??= []).Add(listed.Current.GetString(line) ?? "");

        return new AgentQuestion(
            id.GetString(line) ?? "",
            method.GetString(line) ?? "",
            words[0].GetString(line),
            words[1].GetString(line),
            options);
    }

    private static bool WantsAnAnswer(ReadOnlySpan<byte> line, JsonValue method) =>
        method.StringEquals(line, "confirm"u8) || method.StringEquals(line, "select"u8)
        || method.StringEquals(line, "input"u8) || method.StringEquals(line, "editor"u8);
}
