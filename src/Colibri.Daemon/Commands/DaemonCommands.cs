using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Daemon.Hosting;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about the daemon itself.</summary>
internal sealed class DaemonCommands(StatusView status, CostControl cost, ILogger logger)
{
    public IEnumerable<KeyValuePair<string, CommandHandler>> Handlers =>
    [
        new(CommandNames.Ping, new(static _ => ValueTask.FromResult(Reply.Empty))),
        new(CommandNames.Status, new(_ => ValueTask.FromResult(Reply.Of(status.Report(), ProtocolJson.Wire.StatusReport)))),
        new(CommandNames.Snapshot, new(_ => ValueTask.FromResult(Reply.Of(status.Snapshot(), ProtocolJson.Wire.Snapshot)))),
        new(CommandNames.SetCostMode, new(SetCostMode)),
    ];

    private ValueTask<Reply> SetCostMode(CommandContext context)
    {
        var mode = context.Request.Mode switch
        {
            "fast" => CostMode.Fast,
            "smart" => CostMode.Smart,
            "max" => CostMode.Max,
            null => throw CommandContext.Bad("mode", "is missing"),
            var other => throw CommandContext.Bad("mode", $"is '{other}'; it can be fast, smart or max"),
        };
        var state = cost.Set(mode);
        logger.CostModeSet(context.Request.Mode!);
        return ValueTask.FromResult(Reply.Of(state, ProtocolJson.Wire.CostState));
    }
}
