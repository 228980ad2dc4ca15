using System.Globalization;
using Colibri.Core.Board;
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
internal sealed class DaemonCommands(StatusView status, CostControl cost, TaskBoard board, TimeProvider time, ILogger logger)
{
    /// <summary>The setting that holds the mode to start with; absent unless one was set to last.</summary>
    public const string PersistedMode = "cost_mode";

    private const string LatestMode = "cost_mode.latest";

    public IEnumerable<KeyValuePair<string, CommandHandler>> Handlers =>
    [
        new(CommandNames.Ping, new(static _ => ValueTask.FromResult(Reply.Empty))),
        new(CommandNames.Status, new(_ => ValueTask.FromResult(Reply.Of(status.Report(), ProtocolJson.Wire.StatusReport)))),
        new(CommandNames.Snapshot, new(_ => ValueTask.FromResult(Reply.Of(status.Snapshot(), ProtocolJson.Wire.Snapshot)))),
        new(CommandNames.SetCostMode, new(SetCostModeAsync)),
    ];

    private async ValueTask<Reply> SetCostModeAsync(CommandContext context)
    {
        var mode = context.Request.Mode switch
        {
            "fast" => CostMode.Fast,
            "smart" => CostMode.Smart,
            "max" => CostMode.Max,
            null => throw CommandContext.Bad("mode", "is missing"),
            var other => throw CommandContext.Bad("mode", $"is '{other}'; it can be fast, smart or max"),
        };
        // Before it holds: a mode that was answered as lasting must last.
        if (context.Request.Persist is true)
            await board.SetSettingAsync(PersistedMode, context.Request.Mode).ConfigureAwait(false);
        var state = cost.Set(mode);
        logger.CostModeSet(context.Request.Mode);
        await RecordAsync(context.Request.Mode).ConfigureAwait(false);
        return Reply.Of(state, ProtocolJson.Wire.CostState);
    }

    /// <summary>A full disk must not keep an operator from lowering the mode.</summary>
    private async Task RecordAsync(string mode)
    {
        try
        {
            await board.SetSettingAsync(LatestMode, string.Create(CultureInfo.InvariantCulture, $"{mode} {time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'}"))
                .ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            logger.CostModeNotRecorded(mode, e.Message);
        }
    }
}
