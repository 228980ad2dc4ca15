using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>GitHub's Copilot CLI, one task a process.</summary>
internal static class Copilot
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "copilot",
        Dialect = new CopilotDialect(),
        Provider = "github",
        TaskArguments = ["--output-format", "json", "--no-auto-update"],
        PromptOption = "-p",
        PromptByInput = [],
        AcpArguments = ["--acp", "--no-auto-update"],
        // It answers a prompt well that its provider has refused.
        AcpManners = new() { Asks = true, Failures = ["Error: "], Retries = ["Info: Request failed due to a transient API error. Retrying"], CountsCached = true, ModelByArgument = true },
        ModelArguments = static (_, model) => AgentProfile.Flag("--model", model),
        Tells = new() { Usage = UsageReporting.InAFile, TokenLimit = false },
        // It tells credits, which are no money.
        Cost = CostReport.Never,
        UsageFile = new(static path => ["--usage-output-file", path], CopilotUsage.In),
        Rights = CopilotRights.All,
        Resumes = static arguments => arguments.Any(argument =>
            argument is "--resume" or "-r" or "--continue" || argument.StartsWith("--resume=", StringComparison.Ordinal)),
        ResumeArguments = static session => [$"--resume={session}"],
        SessionArguments = static session => ["--session-id", session],
        Recognises = static answer => VersionWords.Are(answer, before: "GitHub Copilot CLI ", after: "."),
        ChildVariables = new("COPILOT_", []),
    };
}

/// <summary>
/// The Copilot CLI, <c>copilot --output-format json</c>: an envelope with <c>data</c> in it. A turn is an <c>assistant.turn_start</c>; an event with an
/// <c>agentId</c> is a sub-agent's. The exit code in its <c>result</c> is 0 also after an abort.
/// </summary>
internal sealed class CopilotDialect() : LineDialect(Events)
{
    private const int TurnStart = 1;
    private const int Message = 2;
    private const int ToolStart = 3;
    private const int ToolOutput = 4;
    private const int ToolComplete = 5;
    private const int CallFailure = 6;
    private const int SessionError = 7;
    private const int Idle = 8;
    private const int Result = 9;

    private static readonly AgentEvent Aborted = new() { Kind = EventKind.TurnEnded, Stop = StopReason.Aborted };

    // What it tells of itself is no sign of work: it is told of every step of a command, in numbers.
    private static readonly KnownEvents Events = new(
        new("user.message", EventKind.Progress),
        new("assistant.turn_start", EventKind.TurnStarted, TurnStart),
        new("assistant.message_start", EventKind.MessageStarted),
        new("assistant.message_delta", EventKind.Working),
        new("assistant.reasoning_delta", EventKind.Working),
        new("assistant.tool_call_delta", EventKind.Working),
        new("assistant.message", EventKind.MessageEnded, Message),
        new("assistant.turn_end", EventKind.Progress),
        new("assistant.turn_retry", EventKind.Retrying),
        new("assistant.idle", EventKind.Progress, Idle),
        new("model.call_start", EventKind.Progress),
        new("model.call_failure", EventKind.Retrying, CallFailure),
        new("model.call_finished", EventKind.Ignored),
        new("model.call_final_result", EventKind.Ignored),
        new("tool.execution_start", EventKind.ToolStarted, ToolStart),
        new("tool.execution_partial_result", EventKind.ToolProgress),
        new("tool.shell_output", EventKind.ToolProgress),
        new("tool.execution_complete", EventKind.ToolEnded, ToolComplete),
        new("session.error", EventKind.TurnEnded, SessionError),
        new("session.info", EventKind.Ignored),
        new("session.warning", EventKind.Ignored),
        new("session.background_tasks_changed", EventKind.Ignored),
        new("session.skills_loaded", EventKind.Ignored),
        new("session.mcp_servers_loaded", EventKind.Ignored),
        new("session.tools_updated", EventKind.Ignored),
        new("agent.interrupted", EventKind.Ignored),
        new("abort", EventKind.TurnEnded, Idle),
        new("result", EventKind.Settled, Result));

    private static readonly JsonFields EventFields = new("data", "agentId", "sessionId", "exitCode");
    private static readonly JsonFields DataFields = new(
        "content", "model", "toolCallId", "toolName", "arguments", "success", "result", "error", "statusCode", "message", "aborted");
    private static readonly JsonFields ContentField = new("content");
    private static readonly JsonFields ErrorFields = new("message", "code");

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> values = stackalloc JsonValue[4];
        Span<JsonValue> data = stackalloc JsonValue[11];
        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        DataFields.TryRead(line, values[0], data);
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name, SessionId = values[2], IsNested = values[1].IsString };
        switch (known.Detail)
        {
            case TurnStart:
                // A sub-agent's turns are none of the run's.
                if (read.IsNested) read.Kind = EventKind.Working;
                break;
            case Message:
                (read.Text, read.Model, read.IsAnswer) = (data[0], data[1], true);
                read.HasWords = MayLackWords(line, data[0], truncated, look, 2);
                break;
            case ToolStart:
                (read.ToolId, read.ToolName, read.Arguments) = (data[2], data[3], data[4]);
                break;
            case ToolComplete:
                ReadToolEnd(line, data, MayLack(truncated, look, 2), ref read);
                break;
            case CallFailure:
                read.Refusal = new ProviderRefusal(Status(line, data[8]));
                break;
            case SessionError:
                (read.Stop, read.Error) = (StopReason.Error, data[9]);
                if (data[8].Kind == ValueKind.Number) read.Refusal = new ProviderRefusal(Status(line, data[8]));
                break;
            case Idle:
                if (known.Kind == EventKind.TurnEnded || data[10].Kind == ValueKind.True) read = Aborted with { Name = known.Name };
                break;
            case Result:
                ReadResult(line, values[3], MayLack(truncated, look, 1), ref read);
                break;
        }

        return Emit(line, sink, read);
    }

    private static void ReadToolEnd(ReadOnlySpan<byte> line, Span<JsonValue> data, bool mayLack, ref AgentEvent read)
    {
        Span<JsonValue> error = stackalloc JsonValue[2];
        Span<JsonValue> content = stackalloc JsonValue[1];
        ErrorFields.TryRead(line, data[7], error);
        ContentField.TryRead(line, data[6], content);
        // Without its id or its outcome, nobody can tell which call this ends, and how.
        read.IsPartial = mayLack && !(data[2].IsString && data[5].Exists);
        read.ToolId = data[2];
        read.IsError = data[5].Kind == ValueKind.False;
        read.IsDenied = read.IsError && error[1].StringEquals(line, "denied"u8);
        read.Text = error[0].IsString ? error[0] : content[0];
    }

    // An error or an abort before it has been told apart: they stand.
    private static void ReadResult(ReadOnlySpan<byte> line, JsonValue exitCode, bool mayLack, ref AgentEvent read)
    {
        if (exitCode.TryGetInt64(line, out var code) && code == 0) return;
        read.Kind = !exitCode.Exists && mayLack ? EventKind.Working : EventKind.Failed;
        if (read.Kind == EventKind.Failed) read.Stop = StopReason.Error;
    }
}

/// <summary>The file of <c>copilot --usage-output-file</c>: what the session has used of each model, with what was cached in the input.</summary>
internal static class CopilotUsage
{
    private static readonly JsonFields FileFields = new("modelMetrics");
    private static readonly JsonFields MetricFields = new("usage");
    private static readonly JsonFields UsageFields = new("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens");

    /// <summary>What a file tells; null where it is not whole, or tells of no model.</summary>
    public static IReadOnlyList<ModelUsage>? In(byte[] content)
    {
        ReadOnlySpan<byte> file = content;
        Span<JsonValue> fields = stackalloc JsonValue[4];
        if (!FileFields.TryRead(file, fields) || fields[0].Kind != ValueKind.Object) return null;
        var used = new List<ModelUsage>();
        var models = new JsonProperties(file, fields[0]);
        while (used.Count < UsageAccount.MaxModels && models.Next())
        {
            if (!MetricFields.TryRead(file, models.Value, fields) || !UsageFields.TryRead(file, fields[0], fields)) continue;
            var (read, written) = (LineDialect.Count(file, fields[2]), LineDialect.Count(file, fields[3]));
            var sent = Math.Max(0, LineDialect.Count(file, fields[0]) - read - written);
            used.Add(new ModelUsage(models.Name.GetString(file)!, UsageReport.Of(sent, LineDialect.Count(file, fields[1]), read, written, microcents: null)));
        }
        return used;
    }
}
