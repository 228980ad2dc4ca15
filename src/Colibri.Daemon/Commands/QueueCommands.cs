using Colibri.Core;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about what of the queue may start.</summary>
internal sealed class QueueCommands(Engine engine)
{
    private const long MaxDrainMs = 24 * 60 * 60 * 1_000;

    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.PauseQueue, PauseAsync),
        new(WireCommand.ResumeQueue, ResumeAsync),
        new(WireCommand.Drain, DrainAsync),
    ];

    private async ValueTask<Reply> PauseAsync(CommandContext context)
    {
        var (provider, agent, workspace) = SelectorsOf(context);
        try
        {
            return ReplyOf(await engine.PauseAsync(provider, agent, workspace: workspace, reason: CommandContext.OptionalName(context.Request.Reason, "reason")).ConfigureAwait(false));
        }
        catch (InvalidOperationException e)
        {
            throw new RequestException(ErrorCodes.Conflict, e.Message);
        }
    }

    private async ValueTask<Reply> ResumeAsync(CommandContext context)
    {
        var (provider, agent, workspace) = SelectorsOf(context);
        return ReplyOf(await engine.ResumeAsync(provider, agent, workspace).ConfigureAwait(false));
    }

    private async ValueTask<Reply> DrainAsync(CommandContext context)
    {
        TimeSpan? timeout = CommandContext.OptionalNumber(context.Request.TimeoutMs, "timeout_ms", 0, MaxDrainMs) is { } ms ? TimeSpan.FromMilliseconds(ms) : null;
        try
        {
            if (await engine.DrainAsync(timeout).ConfigureAwait(false) is > 0 and var running)
            {
                throw new RequestException(
                    ErrorCodes.Unavailable, $"{running} {(running == 1 ? "run is" : "runs are")} still under way after {timeout!.Value.TotalSeconds:0.#} s; the queue stays paused, go on with: colibri resume-queue");
            }
            return ReplyOf(engine.Pauses.State);
        }
        catch (InvalidOperationException e)
        {
            throw new RequestException(ErrorCodes.Conflict, e.Message);
        }
    }

    // An empty selector is a slip of a script, and must not mean the whole queue.
    private static (string? Provider, string? Agent, string? Workspace) SelectorsOf(CommandContext context) => (
        context.Request.Provider is { } provider ? CommandContext.Name(provider, "provider") : null,
        context.Request.Agent is { } agent ? CommandContext.Name(agent, "agent") : null,
        context.Request.Workspace is { } workspace ? CommandContext.Name(workspace, "workspace") : null);

    private static Reply ReplyOf(QueueState state) => Reply.Of(new QueueAnswer(state), ProtocolJson.Wire.QueueAnswer);
}
