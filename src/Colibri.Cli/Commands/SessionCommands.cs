using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>Session logs and the prompts made of them.</summary>
internal static class SessionCommands
{
    private static readonly PositionalSpec SessionId = new("SESSION_ID", "--session-id", "the session");

    public static readonly CommandSpec[] All =
    [
        new("list-sessions", CommandGroup.Sessions, "list sessions")
        {
            Example = "list-sessions",
            Request = _ => new CommandRequest { Cmd = CommandNames.ListSessions },
            Show = (screen, reply, _) => SessionView.List(screen, reply.Read(ProtocolJson.Wire.SessionList)),
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
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.GetSession, SessionId = a.Required("--session-id"), All = a.FlagOrAbsent("--all"),
            },
            Show = (screen, reply, a) => SessionView.Transcript(screen, reply.Read(ProtocolJson.Wire.SessionEntries), a.Flag("--full")),
        },
        new("compact-session", CommandGroup.Sessions, "summarise a session's oldest turns")
        {
            Positional = SessionId,
            Example = "compact-session 019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77",
            Request = a => new CommandRequest { Cmd = CommandNames.CompactSession, SessionId = a.Required("--session-id") },
            Show = (screen, reply, _) => SessionView.Compacted(screen, reply.Read(ProtocolJson.Wire.Compaction)),
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
                OptionSpec.Text("--input-tokens", "NUMBER", "with usage: tokens sent that no cache held"),
                OptionSpec.Text("--output-tokens", "NUMBER", "with usage: tokens answered"),
                OptionSpec.Text("--cache-read-tokens", "NUMBER", "with usage: tokens read from the cache"),
                OptionSpec.Text("--cache-write-tokens", "NUMBER", "with usage: tokens written to the cache"),
                OptionSpec.Text("--cost-microcents", "NUMBER", "with usage: what it cost; 100,000,000 is one US dollar"),
            ],
            Example = "append-session review-42 --kind user --text 'Now the tests'",
            Request = a => new CommandRequest { Cmd = CommandNames.AppendSession, SessionId = a.Required("--session-id"), Entry = EntryOf(a) },
            Show = (screen, reply, _) => SessionView.Appended(screen, reply.Read(ProtocolJson.Wire.AppendReceipt)),
        },
        new("get-prompt", CommandGroup.Sessions, "show the prompt a session makes now")
        {
            Positional = SessionId,
            Options = [OptionSpec.Text("--scratch", "TEXT", "words for its end that are not kept; - reads them from standard input")],
            Example = "get-prompt review-42 --scratch 'It is Sunday'",
            Request = a => new CommandRequest
            {
                Cmd = CommandNames.GetPrompt, SessionId = a.Required("--session-id"), Scratch = a.TextOrStdin("--scratch"),
            },
            Show = (screen, reply, _) => SessionView.Prompt(screen, reply.Read(ProtocolJson.Wire.JsonElement)),
        },
    ];

    private static SessionEntry EntryOf(Arguments a)
    {
        var kind = Enum.GetValues<SessionEntryKind>().First(known => Words.Of(known) == a.Required("--kind"));
        var usage = new Usage
        {
            InputTokens = a.LongNumber("--input-tokens") ?? 0,
            OutputTokens = a.LongNumber("--output-tokens") ?? 0,
            CacheReadTokens = a.LongNumber("--cache-read-tokens") ?? 0,
            CacheWriteTokens = a.LongNumber("--cache-write-tokens") ?? 0,
            CostMicrocents = a.LongNumber("--cost-microcents") ?? 0,
        };
        return new SessionEntry
        {
            Kind = kind,
            Text = a.TextOrStdin("--text"),
            Tool = a.Text("--tool"),
            IsError = a.FlagOrAbsent("--is-error"),
            Usage = usage == new Usage() ? null : usage,
        };
    }
}
