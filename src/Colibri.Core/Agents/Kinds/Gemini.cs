using System.Buffers.Text;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Gemini CLI, one task a process.</summary>
internal static class Gemini
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "gemini",
        Dialect = new GeminiDialect(),
        Provider = "google",
        Providers = ["google"],
        // It exits 55 in a folder that it does not trust.
        TaskArguments = ["--output-format", "stream-json", "--skip-trust"],
        // None by input: it says the prompt back in one line, and where its output is not read at once it ends in the middle of a line that is longer than
        // the pipe, with exit code 0.
        PromptOption = "-p",
        AcpArguments = ["--acp", "--skip-trust"],
        AcpManners = new() { Asks = true, AskingMode = "default", ReplaysLate = true, ModelByArgument = true },
        // It would start itself a second time, as a child that outlives it.
        Environment = new Dictionary<string, string> { ["GEMINI_CLI_NO_RELAUNCH"] = "true" },
        ModelArguments = static (_, model) => AgentProfile.Flag("-m", model),
        Tells = new() { Usage = UsageReporting.AtItsEnd, Turns = false, TokenLimit = false },
        Cost = CostReport.Never,
        Rights = GeminiRights.All,
        ResumeArguments = static session => ["--resume", session],
        Recognises = static answer => VersionWords.Are(answer),
        ChildVariables = new("GEMINI_CLI_", ["GEMINI_CLI"]),
    };
}

/// <summary>
/// Gemini CLI, <c>gemini --output-format stream-json</c>. Its <c>result</c> is its only verdict: a process that was asked to end exits 0 without one. It
/// tells no turns, and prints nothing while it asks its provider again. Its words come in parts.
/// </summary>
internal sealed class GeminiDialect() : LineDialect(Events)
{
    private const int Init = 1;
    private const int Message = 2;
    private const int ToolUse = 3;
    private const int ToolResult = 4;
    private const int Failure = 5;
    private const int Result = 6;

    private static readonly KnownEvents Events = new(
        new("init", EventKind.SessionOpened, Init),
        new("message", EventKind.Working, Message),
        new("tool_use", EventKind.ToolStarted, ToolUse),
        new("tool_result", EventKind.ToolEnded, ToolResult),
        // A loop that it has found, or an answer that was blocked: the run goes on.
        new("error", EventKind.Noted, Failure),
        new("result", EventKind.Settled, Result));

    private static readonly JsonFields EventFields = new(
        "session_id", "model", "role", "content", "delta", "tool_name", "tool_id", "parameters", "status", "output", "error", "message", "stats");
    private static readonly JsonFields ErrorFields = new("message", "type");
    private static readonly JsonFields StatsFields = new("total_tokens", "input_tokens", "output_tokens", "cached", "models");

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> values = stackalloc JsonValue[13];
        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name, SessionId = values[0] };
        switch (known.Detail)
        {
            case Init:
                // "auto" leaves the choice to it: the models are told at the end.
                if (!values[1].StringEquals(line, "auto"u8)) read.Model = values[1];
                break;
            case Message:
                ReadMessage(line, values, MayLack(truncated, look, 1), ref read);
                break;
            case ToolUse:
                (read.ToolId, read.ToolName, read.Arguments) = (values[6], values[5], values[7]);
                break;
            case ToolResult:
                ReadToolResult(line, values, MayLack(truncated, look, 1), ref read);
                break;
            case Failure:
                read.Error = values[11];
                break;
            case Result:
                ReadResult(line, values, MayLack(truncated, look, 1), ref read);
                EmitUsage(line, values[12], read, sink);
                break;
        }

        return Emit(line, sink, read);
    }

    private static void ReadMessage(ReadOnlySpan<byte> line, Span<JsonValue> values, bool mayLack, ref AgentEvent read)
    {
        // Its user's words come back first.
        if (values[2].StringEquals(line, "user"u8))
        {
            read.Kind = EventKind.Progress;
        }
        else
        {
            (read.Kind, read.Text, read.IsPiece) = (EventKind.MessageEnded, values[3], values[4].Kind == ValueKind.True);
            read.IsAnswer = true;
            read.HasWords = !values[3].Exists && mayLack;
        }
    }

    private static void ReadToolResult(ReadOnlySpan<byte> line, Span<JsonValue> values, bool mayLack, ref AgentEvent read)
    {
        Span<JsonValue> error = stackalloc JsonValue[2];
        ErrorFields.TryRead(line, values[10], error);
        // Without its id or its status, nobody can tell which call this ends, and how.
        read.IsPartial = mayLack && !(values[6].IsString && values[8].IsString);
        read.ToolId = values[6];
        read.IsError = values[8].StringEquals(line, "error"u8);
        read.IsDenied = read.IsError && error[0].IsString && IsRefusal(error[0].Raw(line));
        read.Text = error[0].IsString ? error[0] : values[9];
    }

    // It has no field for a refusal. A call that it would ask about, and a file outside its folder.
    private static bool IsRefusal(ReadOnlySpan<byte> words) =>
        words.IndexOf("requires user confirmation"u8) >= 0 || words.StartsWith("Path not in workspace"u8);

    private static void ReadResult(ReadOnlySpan<byte> line, Span<JsonValue> values, bool mayLack, ref AgentEvent read)
    {
        if (values[8].StringEquals(line, "success"u8))
        {
            read.Stop = StopReason.Stop;
        }
        else if (!values[8].Exists && mayLack)
        {
            read.Kind = EventKind.Working;
        }
        else
        {
            Span<JsonValue> error = stackalloc JsonValue[2];
            ErrorFields.TryRead(line, values[10], error);
            (read.Kind, read.Stop) = (EventKind.Failed, StopReason.Error);
            read.Error = error[0].IsString ? error[0] : error[1];
            if (error[0].IsString && StatusIn(error[0].Raw(line)) is > 0 and var status) read.Refusal = new ProviderRefusal(status);
        }
    }

    // The provider's own answer stands in the message, as a JSON text.
    private static int StatusIn(ReadOnlySpan<byte> message)
    {
        var begins = """[API Error: {\"error\":{\"code\":"""u8;
        return message.StartsWith(begins) && Utf8Parser.TryParse(message[begins.Length..], out int status, out _) && status is >= 400 and <= 599 ? status : 0;
    }

    // By model: a run asks a small one how hard the prompt is.
    private static void EmitUsage(ReadOnlySpan<byte> line, JsonValue stats, AgentEvent result, IEventSink sink)
    {
        Span<JsonValue> fields = stackalloc JsonValue[5];
        if (!StatsFields.TryRead(line, stats, fields)) return;
        var report = new AgentEvent { Kind = EventKind.UsageReported, Name = result.Name };
        var models = new JsonProperties(line, fields[4]);
        var any = false;
        Span<JsonValue> model = stackalloc JsonValue[5];
        while (models.Next())
        {
            if (!StatsFields.TryRead(line, models.Value, model)) continue;
            any = true;
            sink.On(line, report with { UsageModel = models.Name, Usage = ReadUsage(line, model) });
        }

        if (!any) sink.On(line, report with { Usage = ReadUsage(line, fields) });
    }

    // What was cached is a part of the input. What the model has thought is in the total alone.
    private static UsageReport ReadUsage(ReadOnlySpan<byte> line, ReadOnlySpan<JsonValue> fields)
    {
        var (total, sent, cached) = (Count(line, fields[0]), Count(line, fields[1]), Count(line, fields[3]));
        return UsageReport.Of(Math.Max(0, sent - cached), Math.Max(Count(line, fields[2]), total - sent), Math.Min(cached, sent), 0, microcents: null);
    }
}
