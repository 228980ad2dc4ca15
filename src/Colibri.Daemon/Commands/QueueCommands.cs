using Colibri.Core;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about what of the queue may start.</summary>
internal sealed class QueueCommands(Engine engine)
{
    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.PauseQueue, PauseAsync),
        new(WireCommand.ResumeQueue, ResumeAsync),
    ];

    private async ValueTask<Reply> PauseAsync(CommandContext context)
    {
        var (provider, agent) = SelectorsOf(context);
        try
        {
            return ReplyOf(await engine.PauseAsync(provider, agent, CommandContext.OptionalName(context.Request.Reason, "reason")).ConfigureAwait(false));
        }
        catch (InvalidOperationException e)
        {
            throw new RequestException(ErrorCodes.Conflict, e.Message);
        }
    }

    private async ValueTask<Reply> ResumeAsync(CommandContext context)
    {
        var (provider, agent) = SelectorsOf(context);
        return ReplyOf(await engine.ResumeAsync(provider, agent).ConfigureAwait(false));
    }

    // An empty selector is a slip of a script, and must not mean the whole queue.
    private static (string? Provider, string? Agent) SelectorsOf(CommandContext context) => (
        context.Request.Provider is { } provider ? CommandContext.Name(provider, "provider") : null,
        context.Request.Agent is { } agent ? CommandContext.Name(agent, "agent") : null);

    private static Reply ReplyOf(QueueState state) => Reply.Of(new QueueAnswer(state), ProtocolJson.Wire.QueueAnswer);
}
