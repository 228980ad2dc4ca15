using System.Globalization;
using Colibri.Core.Board;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Prompts;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about session logs.</summary>
internal sealed class SessionCommands(SessionStore sessions, PromptAssembler prompts, TaskBoard board)
{
    private const int MaxListed = 1_000;

    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.ListSessions, ListAsync),
        new(WireCommand.GetSession, GetAsync),
        new(WireCommand.FollowSession, FollowAsync),
        new(WireCommand.AppendSession, AppendAsync),
        new(WireCommand.CompactSession, CompactAsync),
        new(WireCommand.GetPrompt, PromptAsync),
    ];

    private ValueTask<Reply> ListAsync(CommandContext context)
    {
        var limit = CommandContext.Number(context.Request.Limit, "limit", MaxListed, 1, MaxListed);
        return ValueTask.FromResult(Reply.Of(new SessionList(sessions.List(limit)), ProtocolJson.Wire.SessionList));
    }

    private async ValueTask<Reply> GetAsync(CommandContext context)
    {
        var id = await KnownIdAsync(context).ConfigureAwait(false);
        var limit = context.Request.Limit is null ? (int?)null : CommandContext.Number(context.Request.Limit, "limit", MaxListed, 1, MaxListed);
        return sessions.Read(id, context.Request.All ?? false, limit) is { } entries
            ? Reply.Of(entries, ProtocolJson.Wire.SessionEntries)
            : throw NotFound(id);
    }

    private async ValueTask<Reply> FollowAsync(CommandContext context)
    {
        var request = context.Request;
        var from = CommandContext.OptionalNumber(request.From, "from", 1, long.MaxValue);
        if ((request.SessionId is null) == (request.TaskId is null))
            throw CommandContext.Bad("session_id", "or task_id is wanted, one of them");
        string id;
        if (request.TaskId is not null)
        {
            // Its first entry may be yet to come.
            var name = CommandContext.Name(request.TaskId, "task_id");
            var task = await board.GetAsync(name).ConfigureAwait(false)
                ?? throw new RequestException(ErrorCodes.NotFound, $"there is no task {name}; colibri list-tasks shows them");
            id = task.SessionId ?? throw new RequestException(ErrorCodes.NotFound, $"task {name} has no session before its first run begins");
        }
        else
        {
            id = await KnownIdAsync(context).ConfigureAwait(false);
            if (!sessions.Exists(id))
                throw NotFound(id);
        }
        return Reply.Streaming(new FollowedSession(id), ProtocolJson.Wire.FollowedSession, sessions.Follow(id, from));
    }

    private async ValueTask<Reply> AppendAsync(CommandContext context)
    {
        var id = ValidId(context);
        var entry = context.Request.Entry ?? throw CommandContext.Bad("entry", "is missing");
        // An agent's output is kept up to the same length. The request line's limit is the bound.
        var text = CommandContext.Text(entry.Text, "entry.text", maxLength: int.MaxValue);
        if (text is null && entry.Usage is null)
            throw CommandContext.Bad("entry.text", "is missing");
        if (entry.Kind is SessionEntryKind.Compaction or SessionEntryKind.Escalation)
            throw CommandContext.Bad("entry.kind", "is one that only the daemon writes");
        CommandContext.OptionalName(entry.Tool, "entry.tool");
        return Reply.Of(await sessions.AppendAsync(id, entry).ConfigureAwait(false), ProtocolJson.Wire.AppendReceipt);
    }

    private async ValueTask<Reply> CompactAsync(CommandContext context)
    {
        var id = await KnownIdAsync(context).ConfigureAwait(false);
        return await sessions.CompactAsync(id).ConfigureAwait(false) is { } compaction
            ? Reply.Of(compaction, ProtocolJson.Wire.Compaction)
            : throw NotFound(id);
    }

    private async ValueTask<Reply> PromptAsync(CommandContext context)
    {
        var id = await KnownIdAsync(context).ConfigureAwait(false);
        return prompts.Assemble(id, CommandContext.Text(context.Request.Scratch, "scratch")) is { } prompt
            ? Reply.Of(prompt, ProtocolJson.Wire.AssembledPrompt)
            : throw NotFound(id);
    }

    /// <summary>The session of that id, else that of the task with that number.</summary>
    private async Task<string> KnownIdAsync(CommandContext context)
    {
        var id = ValidId(context);
        return long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _) && !sessions.Exists(id)
            && await board.GetAsync(id).ConfigureAwait(false) is { SessionId: { } session } ? session : id;
    }

    private static string ValidId(CommandContext context) => SessionId.IsValid(context.Request.SessionId)
        ? context.Request.SessionId!
        : throw CommandContext.Bad(
            "session_id", context.Request.SessionId is null ? "is missing" : "is no session id: 1 to 128 of A-Z a-z 0-9 . _ -, not starting with a dot");

    private static RequestException NotFound(string id) => new(ErrorCodes.NotFound, $"there is no session {id}; colibri list-sessions shows them");
}
