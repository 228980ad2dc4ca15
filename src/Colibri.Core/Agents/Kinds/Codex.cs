using Colibri.Core.Panes.Dialects;
using Colibri.Core.Settings;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Codex, one task a process.</summary>
internal static class Codex
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "codex",
        Dialect = new CodexDialect(),
        Provider = "openai",
        Providers = ["openai"],
        TaskArguments = ["exec", "--json", "--skip-git-repo-check"],
        PromptByInput = ["-"],
        AcpArguments = [],
        AcpProgram = "codex-acp",
        AcpManners = new()
        {
            Asks = true,
            ProgramVariable = "CODEX_PATH",
            Notices = ["Warning: "],
            OmitsEnds = true,
            Environment = static access => new Dictionary<string, string> { ["INITIAL_AGENT_MODE"] = access == Access.Full ? "agent-full-access" : "read-only" },
        },
        Recognises = static answer => VersionWords.Are(answer, before: "codex-cli "),
        Login = new("CODEX_HOME", ".codex", "auth.json", "codex login"),
        ModelArguments = static (_, model) => AgentProfile.Flag("-m", model),
        RefusalIn = CodexRefusals.In,
        Rights = CodexRights.All,
        Cost = CostReport.Never,
        Resumes = static arguments => arguments.Contains("resume"),
        ResumeArguments = static session => ["resume", session],
        // Its thread, the sandbox its commands run in, and how it was installed.
        ChildVariables = new("CODEX_",
        [
            "CODEX_CI", "CODEX_INTERNAL_ORIGINATOR_OVERRIDE", "CODEX_MANAGED_BY_BUN", "CODEX_MANAGED_BY_NPM", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "CODEX_SESSION_ID",
            "CODEX_THREAD_ID",
        ]),
    };
}

/// <summary>
/// The calls that Codex' own rules and its sandbox refuse. It prints no event for most of them, only a line on standard error:
/// <c>ERROR codex_core::tools::router: … rejected: rm -f style…</c>, and where <see cref="CodexRights"/> asks for it
/// <c>codex_otel.log_only: event.name="codex.sandbox_outcome" … outcome=denied</c>.
/// </summary>
internal static class CodexRefusals
{
    private const string Outcome = "codex_otel.log_only: event.name=\"codex.sandbox_outcome\"";

    /// <summary>The refusal that a line of standard error tells of; null for another line.</summary>
    public static ToolRefusal? In(string line)
    {
        if (line.Contains(Outcome, StringComparison.Ordinal))
            return line.Contains(" outcome=denied", StringComparison.Ordinal) ? new ToolRefusal("command_execution", "Codex' sandbox stopped it") : null;
        var at = line.IndexOf("rejected", StringComparison.OrdinalIgnoreCase);
        if (at < 0) return null;
        // The words alone may be a program's own, which a command has printed.
        var isCodex = at == 0 || line.Contains("codex_core", StringComparison.Ordinal);
        return isCodex ? new ToolRefusal("command_execution", line[at..].Trim().TrimEnd('"', '\\', ')', '}', ' ')) : null;
    }
}

/// <summary>
/// Codex, <c>codex exec --json</c>. A turn is a <c>turn.started</c>; tool calls are items, of which some are announced and some only
/// completed. An <c>error</c> is the run's end only if nothing follows: Codex prints one for every reconnection it tries, and is then silent for
/// as long as the provider asked it to wait.
/// </summary>
internal sealed class CodexDialect() : LineDialect(Events)
{
    private const int ThreadStarted = 1;
    private const int Item = 2;
    private const int TurnCompleted = 3;
    private const int Failure = 4;
    private const int ItemColumns = 13;

    private static readonly KnownEvents Events = new(
        new("thread.started", EventKind.SessionOpened, ThreadStarted),
        new("turn.started", EventKind.TurnStarted),
        new("item.started", EventKind.Working, Item),
        new("item.updated", EventKind.Working, Item),
        new("item.completed", EventKind.Working, Item),
        new("turn.completed", EventKind.Settled, TurnCompleted),
        new("turn.failed", EventKind.Failed, Failure),
        new("error", EventKind.RunFailed, Failure),
        new("request_user_input", EventKind.Asked));

    private static readonly JsonFields EventFields = new("thread_id", "item", "usage", "error", "message");
    private static readonly JsonFields ItemFields = new("id", "type", "text", "aggregated_output", "status", "tool", "result", "message", "exit_code", "command", "arguments",
        "changes", "query");
    private static readonly JsonFields ContentField = new("content");
    private static readonly JsonFields UsageFields = new(
        "input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens");

    private static readonly KnownEvents ToolItems = new(
        new("command_execution", EventKind.ToolStarted),
        new("file_change", EventKind.ToolStarted),
        new("mcp_tool_call", EventKind.ToolStarted),
        new("web_search", EventKind.ToolStarted));

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> values = stackalloc JsonValue[5];
        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name };
        switch (known.Detail)
        {
            case ThreadStarted:
                read.SessionId = values[0];
                break;
            case Item:
                ReadItem(line, values[1], truncated, look, ref read);
                break;
            case TurnCompleted:
                read.Stop = StopReason.Stop;
                read.Usage = ReadUsage(line, values[2]);
                // What the thread has used in all its turns, those of earlier processes among them.
                read.Totals = UsageTotals.All;
                break;
            case Failure:
                read.Stop = StopReason.Error;
                read.Error = values[4];
                if (values[3].IsString) read.Error = values[3];
                else if (EventFields.TryRead(line, values[3], values)) read.Error = values[4];
                if (read.Error.IsString && read.Error.Raw(line).StartsWith("Incomplete response returned, reason: max_output_tokens"u8)) read.Stop = StopReason.Length;
                read.WillRetry = known.Kind == EventKind.RunFailed && read.Error.IsString && read.Error.Raw(line).StartsWith("Reconnecting..."u8);
                break;
        }

        return Emit(line, sink, read);
    }

    private static void ReadItem(ReadOnlySpan<byte> line, JsonValue item, bool truncated, LineLook look, ref AgentEvent read)
    {
        Span<JsonValue> fields = stackalloc JsonValue[ItemColumns];
        ItemFields.TryRead(line, item, fields);
        // Without its type or its id, nobody can tell which call this ends.
        read.IsPartial = MayLack(truncated, look, 2) && !(fields[0].IsString && fields[1].IsString);
        var completed = read.Name == "item.completed";
        if (fields[1].StringEquals(line, "agent_message"u8))
        {
            if (!completed) return;
            read.Kind = EventKind.MessageEnded;
            read.IsAnswer = true;
            read.Text = fields[2];
            read.HasWords = MayLackWords(line, fields[2], truncated, look, 2);
        }
        else if (fields[1].StringEquals(line, "request_user_input"u8))
        {
            if (!completed) read.Kind = EventKind.Asked;
        }
        else if (fields[1].IsString && ToolItems.Find(fields[1].Raw(line)) is { } tool)
        {
            if (read.Name == "item.updated")
            {
                read.Kind = EventKind.ToolProgress;
                return;
            }
            read.Kind = completed ? EventKind.ToolEnded : EventKind.ToolStarted;
            read.MayBeUnannounced = true;
            read.ToolId = fields[0];
            read.ToolName = fields[5];
            if (!fields[5].IsString) read.ToolLabel = tool.Name;
            read.Arguments = FirstOf(fields[9..]);
            // What is looked for on the web is known once it was found.
            read.ArgumentsFollow = read.Arguments is { Exists: false } or { IsString: true, Length: 0 };
            if (!completed) return;
            read.IsDenied = fields[4].StringEquals(line, "declined"u8);
            read.IsError = read.IsDenied || fields[4].StringEquals(line, "failed"u8);
            // Codex ends a turn while a command runs, and then calls it completed.
            read.IsUnfinished = !read.IsError && (fields[4].StringEquals(line, "in_progress"u8) || fields[8].Kind == ValueKind.Null);
            read.Text = fields[3];
            if (ContentField.TryRead(line, fields[6], fields)) read.Text = fields[0];
        }
    }

    private static JsonValue FirstOf(ReadOnlySpan<JsonValue> values)
    {
        foreach (var value in values)
            if (value.Exists) return value;

        return default;
    }

    // Codex counts as OpenAI does: cache reads and cache writes are parts of the input.
    private static UsageReport? ReadUsage(ReadOnlySpan<byte> line, JsonValue usage)
    {
        Span<JsonValue> fields = stackalloc JsonValue[4];
        if (!UsageFields.TryRead(line, usage, fields)) return null;
        var cached = Count(line, fields[1]);
        var written = Count(line, fields[2]);
        var input = Math.Max(0, Count(line, fields[0]) - cached - written);
        return UsageReport.Of(input, Count(line, fields[3]), cached, written, microcents: null);
    }
}
