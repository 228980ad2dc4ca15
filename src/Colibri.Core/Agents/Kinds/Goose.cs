using Colibri.Core.Agents.Transports;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Settings;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>
/// goose, one task a process. Its session's id stands in a banner for people alone, and a session that was cut off goes on without the turn under way, so it
/// takes up none.
/// </summary>
internal static class Goose
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "goose",
        Dialect = new GooseDialect(),
        TaskArguments = ["run", "--output-format", "stream-json", "-q"],
        PromptOption = "-t",
        PromptByInput = ["-i", "-"],
        AcpArguments = ["acp"],
        // It answers a prompt well that its provider has refused.
        AcpManners = new()
        {
            Failures = ["Ran into this error: "],
            Asks = true,
            NatureOf = static tool => tool switch { "shell" => ToolNature.Executes, "write" or "edit" or "text_editor" => ToolNature.Writes, _ => ToolNature.Other },
            TellsLastRequestAlone = true,
            ToolName = ["goose", "toolCall", "toolName"],
            Environment = static access => new Dictionary<string, string> { ["GOOSE_MODE"] = access == Access.Full ? "auto" : "approve" },
        },
        Environment = new Dictionary<string, string> { ["GOOSE_DISABLE_KEYRING"] = "1" },
        ModelArguments = static (provider, model) => [.. AgentProfile.Flag("--provider", provider), .. AgentProfile.Flag("--model", model)],
        Cost = CostReport.Never,
        Resumes = static arguments => arguments.Any(argument => argument is "--resume" or "-r"),
        Tells = new() { Usage = UsageReporting.AtItsEnd, Refusals = false, TokenLimit = false, Failures = false },
        RefusalIn = GooseRights.RefusalIn,
        Rights = GooseRights.All,
        Recognises = static answer => VersionWords.Are(answer),
        ChildVariables = new("GOOSE_", ["GOOSE_TERMINAL"]),
    };
}

/// <summary>What goose's runs may do, as 1.34 holds it: its mode asks before every tool or before none, and nobody is there to be asked.</summary>
internal static class GooseRights
{
    public static KindRights All { get; } = new()
    {
        Read = new("has no use of its tools: its first call, one that reads too, is refused and ends the run") { Environment = Mode("approve") },
        Edit = new("cannot be held: goose asks before every tool or before none, and nobody is there to be asked; confine it") { Environment = Mode("auto"), IsHeld = false },
        Full = new("does all that its user may") { Environment = Mode("auto") },
    };

    /// <summary>The refusal that a line of standard error tells of; null for another line. It does not name the tool.</summary>
    public static ToolRefusal? RefusalIn(string line)
    {
        var at = line.IndexOf("Tool approval required in non-interactive mode", StringComparison.Ordinal);
        // A command that prints these words does not begin its line so.
        return at >= 0 && line.StartsWith("Error: ", StringComparison.Ordinal) ? new ToolRefusal("tool", line[at..].Trim()) : null;
    }

    private static Dictionary<string, string> Mode(string mode) => new() { ["GOOSE_MODE"] = mode };
}

/// <summary>
/// goose, <c>goose run --output-format stream-json</c>. A message comes in as many lines as its model streams, all with its id; a turn is a new id of the
/// assistant's. What goose says in the assistant's place has no id: an error, or that a limit was reached. <c>complete</c> follows those as well. Before its
/// events goose prints a banner unless it is told to be quiet.
/// </summary>
internal sealed class GooseDialect() : LineDialect(Events)
{
    private const int Message = 1;
    private const int Complete = 2;
    private const int Failure = 3;
    private const int ModelChange = 4;

    private static readonly KnownEvents Events = new(
        new("message", EventKind.Working, Message),
        new("notification", EventKind.ToolProgress),
        new("model_change", EventKind.Ignored, ModelChange),
        new("error", EventKind.RunFailed, Failure),
        new("complete", EventKind.Settled, Complete));

    private static readonly JsonFields EventFields = new("message", "error", "model", "input_tokens", "output_tokens");
    private static readonly JsonFields MessageFields = new("id", "role", "content");
    private static readonly JsonFields BlockFields = new("type", "id", "text", "toolCall", "toolResult");
    private static readonly JsonFields OutcomeFields = new("status", "value", "error");
    private static readonly JsonFields CallFields = new("name", "arguments");
    private static readonly JsonFields ResultFields = new("content", "isError");

    protected override bool ReadDetail(ReadOnlySpan<byte> line, KnownEvent known, bool truncated, LineLook look, IEventSink sink)
    {
        Span<JsonValue> values = stackalloc JsonValue[5];
        if (!TryReadFields(EventFields, line, truncated, look, values)) return false;
        var read = new AgentEvent { Kind = known.Kind, Name = known.Name };
        switch (known.Detail)
        {
            case Message:
                ReadMessage(line, values[0], truncated, look, read, sink);
                return true;
            case Complete:
                // The whole session's. After an error it tells none.
                if (values[3].Kind == ValueKind.Number)
                {
                    read.Usage = UsageReport.Of(Count(line, values[3]), Count(line, values[4]), 0, 0, microcents: null);
                    read.Totals = UsageTotals.All;
                }
                break;
            case Failure:
                (read.Stop, read.Error) = (StopReason.Error, values[1]);
                break;
            case ModelChange:
                read.Model = values[2];
                break;
        }

        return Emit(line, sink, read);
    }

    private static void ReadMessage(ReadOnlySpan<byte> line, JsonValue message, bool truncated, LineLook look, AgentEvent read, IEventSink sink)
    {
        Span<JsonValue> fields = stackalloc JsonValue[3];
        MessageFields.TryRead(line, message, fields);
        if (!fields[1].StringEquals(line, "assistant"u8))
        {
            read.IsPartial = MayLack(truncated, look, 3);
            sink.On(line, read);
            read.IsPartial = false;
            EmitCalls(line, fields[2], read, sink);
            return;
        }

        if (fields[0].IsString)
        {
            sink.On(line, read with { Kind = EventKind.TurnStarted, TurnId = fields[0] });
            sink.On(line, read with { Kind = EventKind.MessageEnded, Text = fields[2], IsPiece = true, IsAnswer = true, HasWords = MayLackWords(line, fields[2], truncated, look, 2) });
            EmitCalls(line, fields[2], read, sink);
            return;
        }

        // Of goose itself.
        var said = FirstText(line, fields[2]);
        read.Kind = EventKind.MessageEnded;
        read.Text = fields[2];
        if (said.IsString && (said.Raw(line).StartsWith("Ran into this error"u8) || said.Raw(line).StartsWith("I've reached the maximum number of actions"u8)))
            (read.Stop, read.Error) = (StopReason.Error, said);
        sink.On(line, read);
    }

    private static void EmitCalls(ReadOnlySpan<byte> line, JsonValue content, AgentEvent read, IEventSink sink)
    {
        Span<JsonValue> block = stackalloc JsonValue[5];
        Span<JsonValue> outcome = stackalloc JsonValue[3];
        Span<JsonValue> value = stackalloc JsonValue[2];
        var blocks = new JsonElements(line, content);
        while (blocks.Next())
        {
            if (!BlockFields.TryRead(line, blocks.Current, block)) continue;
            if (block[0].StringEquals(line, "toolRequest"u8))
            {
                OutcomeFields.TryRead(line, block[3], outcome);
                CallFields.TryRead(line, outcome[1], value);
                sink.On(line, read with { Kind = EventKind.ToolStarted, ToolId = block[1], ToolName = value[0], Arguments = value[1] });
            }
            else if (block[0].StringEquals(line, "toolResponse"u8))
            {
                OutcomeFields.TryRead(line, block[4], outcome);
                ResultFields.TryRead(line, outcome[1], value);
                var failed = value[1].Kind == ValueKind.True || outcome[0].StringEquals(line, "error"u8);
                sink.On(line, read with { Kind = EventKind.ToolEnded, ToolId = block[1], IsError = failed, Text = outcome[2].IsString ? outcome[2] : value[0] });
            }
        }
    }

    private static JsonValue FirstText(ReadOnlySpan<byte> line, JsonValue content)
    {
        Span<JsonValue> block = stackalloc JsonValue[5];
        var blocks = new JsonElements(line, content);
        while (blocks.Next())
            if (BlockFields.TryRead(line, blocks.Current, block) && block[0].StringEquals(line, "text"u8)) return block[2];

        return default;
    }
}
