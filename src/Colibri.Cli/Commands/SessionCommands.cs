using Colibri.Cli.Following;
using Colibri.Cli.Help;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ConsoleAppFramework;

namespace Colibri.Cli.Commands;

/// <summary>Session logs and the prompts made of them.</summary>
internal sealed class SessionCommands(BoundCommand bound)
{
    private static readonly PositionalSpec SessionId = PositionalSpec.Of(WireCommand.GetSession.Field("session_id")) with { Offers = CompletionValues.Tasks };

    public static readonly CommandSpec[] All =
    [
        new(WireCommand.ListSessions, CommandGroup.Sessions)
        {
            IsSeldom = true,
            Example = "list-sessions",
        },
        new(WireCommand.GetSession, CommandGroup.Sessions)
        {
            IsSeldom = true,
            Positional = SessionId,
            Options =
            [
                OptionSpec.Flag(WireCommand.GetSession.Field("all")),
                OptionSpec.Number(WireCommand.GetSession.Field("limit")),
                OptionSpec.Flag("--full", "long tool results whole"),
            ],
            Example = "get-session 019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77 --full | less",
        },
        new(WireCommand.FollowSession, CommandGroup.Sessions)
        {
            IsSeldom = true,
            Positional = PositionalSpec.Of(WireCommand.FollowSession.Field("session_id")) with { Offers = CompletionValues.Tasks },
            Options =
            [
                OptionSpec.Text(WireCommand.FollowSession.Field("task_id"), "TASK_ID"),
                OptionSpec.Number(WireCommand.FollowSession.Field("from")),
                OptionSpec.Flag("--full", "long tool results whole"),
            ],
            Example = "follow-session --task-id 12",
            Note = "It goes on until it is interrupted.",
        },
        new(WireCommand.CompactSession, CommandGroup.Sessions)
        {
            IsSeldom = true,
            Positional = SessionId,
            Example = "compact-session 019a8b1c-61f0-7b2e-b7c4-0d5b1c9e2a77",
        },
        new(WireCommand.AppendSession, CommandGroup.Sessions)
        {
            IsSeldom = true,
            Positional = SessionId with { Offers = null },
            Options =
            [
                OptionSpec.OneOf(WireCommand.AppendSession.Field("entry.kind"), "KIND", Choices.EntryKinds) with { Name = "--kind" },
                OptionSpec.Text(WireCommand.AppendSession.Field("entry.text"), "TEXT").OrStdin("them") with { Name = "--text" },
                OptionSpec.Text(WireCommand.AppendSession.Field("entry.tool"), "NAME") with { Name = "--tool" },
                OptionSpec.Flag(WireCommand.AppendSession.Field("entry.is_error")) with { Name = "--is-error" },
                OptionSpec.Number("--input-tokens", "with usage: tokens sent that no cache held"),
                OptionSpec.Number("--output-tokens", "with usage: tokens answered"),
                OptionSpec.Number("--cache-read-tokens", "with usage: tokens read from the cache"),
                OptionSpec.Number("--cache-write-tokens", "with usage: tokens written to the cache"),
                OptionSpec.Number("--cost-microcents", "with usage: what it cost; 100,000,000 is one US dollar"),
            ],
            Example = "append-session review-42 --kind user --text 'Now the tests'",
        },
        new(WireCommand.GetPrompt, CommandGroup.Sessions)
        {
            IsSeldom = true,
            Positional = SessionId,
            Options = [OptionSpec.Text(WireCommand.GetPrompt.Field("scratch"), "TEXT").OrStdin("them")],
            Example = "get-prompt review-42 --scratch 'It is Sunday'",
        },
    ];

    public static void AddTo(ConsoleApp.ConsoleAppBuilder app, BoundCommand bound)
    {
        var commands = new SessionCommands(bound);
        app.Add("list-sessions", commands.List);
        app.Add("get-session", commands.Get);
        app.Add("follow-session", commands.Follow);
        app.Add("compact-session", commands.Compact);
        app.Add("append-session", commands.Append);
        app.Add("get-prompt", commands.Prompt);
    }

    public void List() => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.ListSessions.Name },
        (screen, reply) => SessionView.List(screen, reply.Read(ProtocolJson.Wire.SessionList)));

    public void Get(string sessionId, bool all = false, int? limit = null, bool full = false) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.GetSession.Name, SessionId = sessionId, All = all ? true : null, Limit = limit },
        (screen, reply) => SessionView.Transcript(screen, reply.Read(ProtocolJson.Wire.SessionEntries), full));

    public void Follow(string? sessionId = null, string? taskId = null, long? from = null, bool full = false) => bound.Will(
        session => SessionLines.RunAsync(
            session, new CommandRequest { Cmd = WireCommand.FollowSession.Name, SessionId = sessionId, TaskId = taskId, From = from }, full));

    public void Compact(string sessionId) => bound.WillAsk(
        () => new CommandRequest { Cmd = WireCommand.CompactSession.Name, SessionId = sessionId },
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
                Cmd = WireCommand.AppendSession.Name,
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
        () => new CommandRequest { Cmd = WireCommand.GetPrompt.Name, SessionId = sessionId, Scratch = bound.TextOrStdin("--scratch", scratch) },
        (screen, reply) => SessionView.Prompt(screen, reply.Read(ProtocolJson.Wire.JsonElement)));
}
