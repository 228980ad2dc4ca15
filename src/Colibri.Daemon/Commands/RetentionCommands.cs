using Colibri.Core;
using Colibri.Core.Retention;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;

namespace Colibri.Daemon.Commands;

/// <summary>The command that deletes what is old.</summary>
internal sealed class RetentionCommands(Engine engine)
{
    public IEnumerable<CommandHandler> Handlers => [new(WireCommand.Prune, PruneAsync)];

    private async ValueTask<Reply> PruneAsync(CommandContext context)
    {
        TimeSpan? olderThan = null;
        if (context.Request.OlderThan is { } text)
        {
            if (!Pruner.TryParseAge(text, out var age))
                throw CommandContext.Bad("older_than", "is no duration from 0s to 36500d, such as 30d or 12h");
            olderThan = age;
        }
        try
        {
            return Reply.Of(await engine.PruneAsync(olderThan, context.Request.DryRun ?? false).ConfigureAwait(false), ProtocolJson.Wire.PruneReport);
        }
        catch (OperationCanceledException)
        {
            throw new RequestException(ErrorCodes.Unavailable, "the daemon is stopping; what is still due is deleted after its next start");
        }
    }
}
