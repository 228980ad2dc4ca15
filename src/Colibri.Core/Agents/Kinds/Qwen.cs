using Colibri.Core.Agents.Transports;
using Colibri.Core.Panes.Dialects;
using Colibri.Jsonl;

namespace Colibri.Core.Agents.Kinds;

/// <summary>Qwen Code, one task a process.</summary>
internal static class Qwen
{
    public static AgentProfile Profile { get; } = new()
    {
        Name = "qwen",
        Dialect = new QwenDialect(),
        Provider = "openai",
        Providers = ["openai", "anthropic", "google"],
        TaskArguments = ["--output-format", "stream-json"],
        PromptByInput = [],
        PromptNeedsBlank = true,
        AcpArguments = ["--acp"],
        AcpManners = new() { Asks = true, ToolName = ["toolName"], AskingMode = "default", Usage = UsageReporting.Live, ModelByArgument = true },
        DuplexArguments = ["--input-format", "stream-json", "--output-format", "stream-json"],
        DuplexManners = new(Initializes: true, NatureOf),
        // A line about what yolo means, on its standard error.
        Environment = new Dictionary<string, string> { ["QWEN_CODE_SUPPRESS_YOLO_WARNING"] = "1" },
        ModelArguments = static (provider, model) => [.. AgentProfile.Flag("--auth-type", provider == "google" ? "gemini" : provider), .. AgentProfile.Flag("-m", model)],
        Tells = new() { Usage = UsageReporting.AtItsEnd, TokenLimit = false },
        Cost = CostReport.Never,
        Rights = QwenRights.All,
        Resumes = static arguments => arguments.Any(argument =>
            argument is "--resume" or "-r" or "--continue" or "-c" || argument.StartsWith("--resume=", StringComparison.Ordinal)),
        ResumeArguments = static session => ["--resume", session],
        Recognises = static answer => VersionWords.Are(answer),
        // Its unattended retry waits for a provider without end.
        ChildVariables = new("QWEN_CODE_", ["QWEN_CODE", "QWEN_CODE_UNATTENDED_RETRY"]),
    };

    // Its tools that do no more than read, and those that write files.
    private static ToolNature NatureOf(string tool) => tool switch
    {
        "read_file" or "read_many_files" or "list_directory" or "glob" or "grep_search" or "todo_write" => ToolNature.Reads,
        "write_file" or "edit" or "replace" or "notebook_edit" => ToolNature.Writes,
        "run_shell_command" or "web_fetch" or "web_search" => ToolNature.Executes,
        _ => ToolNature.Other,
    };
}

/// <summary>
/// Qwen Code, <c>qwen --output-format stream-json</c>: Claude Code's lines, but each block of a message has an id of its own, so that turns are told at the
/// end alone. The usage of a <c>result</c> is the whole session's, requests included that no line shows. It ends without a <c>result</c> where a limit of
/// its own has cut it (exit 53, 55).
/// </summary>
internal sealed class QwenDialect() : ClaudeDialect(QwenEvents)
{
    private static readonly KnownEvents QwenEvents = new(
        new("init", EventKind.SessionOpened),
        new("retry", EventKind.Retrying),
        new("status", EventKind.Ignored),
        new("compact_boundary", EventKind.Ignored));

    private static readonly JsonFields ResultFields = new("error", "num_turns");
    private static readonly JsonFields ErrorFields = new("message");
    private static readonly JsonFields UsageFields = new("input_tokens", "output_tokens", "cache_read_input_tokens");

    private static readonly JsonFields BlockFields = new("type", "text");

    protected override bool TellsMessages => false;

    // Its provider's failure is told in the assistant's place.
    protected override bool IsAnswer(ReadOnlySpan<byte> line, JsonValue content)
    {
        Span<JsonValue> block = stackalloc JsonValue[2];
        var blocks = new JsonElements(line, content);
        return blocks.Next() && BlockFields.TryRead(line, blocks.Current, block) && block[0].StringEquals(line, "text"u8)
            && block[1].IsString && !block[1].Raw(line).StartsWith("[API Error: "u8);
    }

    protected override void ReadEnd(ReadOnlySpan<byte> line, JsonValue usage, JsonValue cost, ref AgentEvent read)
    {
        Span<JsonValue> fields = stackalloc JsonValue[3];
        ResultFields.TryRead(line, fields);
        read.Turns = Count(line, fields[1]);
        if (read.Kind == EventKind.Failed && ErrorFields.TryRead(line, fields[0], fields) && fields[0].IsString) read.Error = fields[0];
        if (!UsageFields.TryRead(line, usage, fields)) return;
        // What was cached is a part of the input.
        var cached = Count(line, fields[2]);
        read.Totals = UsageTotals.All;
        read.Usage = UsageReport.Of(Math.Max(0, Count(line, fields[0]) - cached), Count(line, fields[1]), cached, 0, microcents: null);
    }
}
