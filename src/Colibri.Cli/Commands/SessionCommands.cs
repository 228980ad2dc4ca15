using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>Session logs and the prompts made of them.</summary>
internal sealed class SessionCommands(BoundCommand bound)
{
    private static readonly PositionalSpec SessionId = new("SESSION_ID", "--session-id", "the session");

    public static readonly CommandSpec[] All =
    [
        new("list-sessions", CommandGroup.Sessions, "list sessions")
        {
            Example = "list-sessions",
        },
        new("get-session", CommandGroup.Sessions, "read a session")
        {
            Positional = SessionId,
            Options =
            [
                OptionSpec.Flag("--all", "every generation, not just the live one"),
                OptionSpec.Flag("--full", "long tool results whole"),
            ],
            Example = "get-session 019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77 --full | less",
        },
        new("compact-session", CommandGroup.Sessions, "summarise a session's oldest turns")
        {
            Positional = SessionId,
            Example = "compact-session 019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77",
        },
        new("append-session", CommandGroup.Sessions, "add an entry to a session")
        {
            Positional = SessionId,
            Options =
            [
                OptionSpec.OneOf("--kind", "KIND", Choices.EntryKinds, "what the entry is") with { Required = true },
                OptionSpec.Text("--text", "TEXT", "its words; - reads them from standard input"),
                OptionSpec.Text("--tool", "NAME", "with tool_result: the tool"),
                OptionSpec.Flag("--is-error", "with tool_result: the tool failed"),
                OptionSpec.Number("--input-tokens", "with usage: tokens sent that no cache held"),
                OptionSpec.Number("--output-tokens", "with usage: tokens answered"),
                OptionSpec.Number("--cache-read-tokens", "with usage: tokens read from the cache"),
                OptionSpec.Number("--cache-write-tokens", "with usage: tokens written to the cache"),
                OptionSpec.Number("--cost-microcents", "with usage: what it cost; 100,000,000 is one US dollar"),
            ],
            Example = "append-session review-42 --kind user --text 'Now the tests'",
        },
        new("get-prompt", CommandGroup.Sessions, "show the prompt a session makes now")
        {
            Positional = SessionId,
            Options = [OptionSpec.Text("--scratch", "TEXT", "words for its end that are not kept; - reads them from standard input")],
            Example = "get-prompt review-42 --scratch 'It is Sunday'",
        },
    ];

    public void List() => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.ListSessions },
        (screen, reply) => SessionView.List(screen, reply.Read(ProtocolJson.Wire.SessionList)));

    public void Get(string sessionId, bool all = false, bool full = false) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.GetSession, SessionId = sessionId, All = all ? true : null },
        (screen, reply) => SessionView.Transcript(screen, reply.Read(ProtocolJson.Wire.SessionEntries), full));

    public void Compact(string sessionId) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.CompactSession, SessionId = sessionId },
        (screen, reply) => SessionView.Compacted(screen, reply.Read(ProtocolJson.Wire.Compaction)));

    public void Append(string sessionId, [EntryKind] SessionEntryKind kind, string? text = null, string? tool = null, bool isError = false,
        long inputTokens = 0, long outputTokens = 0, long cacheReadTokens = 0, long cacheWriteTokens = 0, long costMicrocents = 0)
    {
        var usage = new Usage
        {
            InputTokens = inputTokens,
            OutputTokens = outputTokens,
            CacheReadTokens = cacheReadTokens,
            CacheWriteTokens = cacheWriteTokens,
            CostMicrocents = costMicrocents,
        };
        bound.WillAsk(
            () => new CommandRequest
            {
                Cmd = CommandNames.AppendSession,
                SessionId = sessionId,
                Entry = new SessionEntry
                {
                    Kind = kind,
                    Text = bound.TextOrStdin("--text", text),
                    Tool = tool,
                    IsError = isError ? true : null,
                    Usage = usage == new Usage() ? null : usage,
                },
            },
            (screen, reply) => SessionView.Appended(screen, reply.Read(ProtocolJson.Wire.AppendReceipt)));
    }

    public void Prompt(string sessionId, string? scratch = null) => bound.WillAsk(
        () => new CommandRequest { Cmd = CommandNames.GetPrompt, SessionId = sessionId, Scratch = bound.TextOrStdin("--scratch", scratch) },
        (screen, reply) => SessionView.Prompt(screen, reply.Read(ProtocolJson.Wire.JsonElement)));
}
