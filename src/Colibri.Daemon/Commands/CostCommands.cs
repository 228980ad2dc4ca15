using System.Globalization;
using Colibri.Core;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Scheduling;
using Colibri.Daemon.Server;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Commands;

/// <summary>The commands about what agents may use and have used.</summary>
internal sealed class CostCommands(CostControl cost, Budgets budgets, TaskBoard board, BoardScheduler scheduler, TimeProvider time, ILogger logger)
{
    private const string LatestMode = "cost_mode.latest";
    private const int DefaultLines = 50;
    private const int MaxLines = 1_000;

    public IEnumerable<CommandHandler> Handlers =>
    [
        new(WireCommand.SetCostMode, SetCostModeAsync),
        new(WireCommand.Cost, SummariseAsync),
        new(WireCommand.Budget, BudgetAsync),
    ];

    private async ValueTask<Reply> SummariseAsync(CommandContext context)
    {
        var by = context.Request.By switch
        {
            null or "task" => CostGrouping.Task,
            "session" => CostGrouping.Session,
            "provider" => CostGrouping.Provider,
            "profile" => CostGrouping.Profile,
            "day" => CostGrouping.Day,
            "day-profile" => CostGrouping.DayProfile,
            var other => throw CommandContext.Bad("by", $"is '{other}'; it can be task, session, provider, profile, day or day-profile"),
        };
        var limit = CommandContext.Number(context.Request.Limit, "limit", DefaultLines, 1, MaxLines);
        return Reply.Of(await board.SummariseCostAsync(by, limit).ConfigureAwait(false), ProtocolJson.Wire.CostSummary);
    }

    private ValueTask<Reply> BudgetAsync(CommandContext context) => context.Request.Action switch
    {
        null => ValueTask.FromResult(Reply.Of(budgets.State, ProtocolJson.Wire.BudgetState)),
        "lift" => LiftAsync(),
        var other => throw CommandContext.Bad("action", $"is '{other}'; it can be lift, or absent"),
    };

    private async ValueTask<Reply> LiftAsync()
    {
        if (budgets.State.DayMicrocents is null)
            throw new RequestException(ErrorCodes.Conflict, "there is no day's budget to lift: COLIBRI_BUDGET_DAY_USD is not set");
        var at = time.GetUtcNow();
        // Persist it before it takes effect: an answered change must survive a restart.
        await board.SetSettingAsync(Engine.BudgetLifted, Timestamp(at)).ConfigureAwait(false);
        var state = budgets.Lift(at);
        logger.DayBudgetLifted();
        scheduler.Wake();
        return Reply.Of(state, ProtocolJson.Wire.BudgetState);
    }

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
        // Persist it before it takes effect: a mode that was answered as lasting must last.
        if (context.Request.Persist is true)
            await board.SetSettingAsync(Engine.PersistedMode, context.Request.Mode).ConfigureAwait(false);
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
            await board.SetSettingAsync(LatestMode, $"{mode} {Timestamp(time.GetUtcNow())}").ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            logger.CostModeNotRecorded(mode, e.Message);
        }
    }

    private static string Timestamp(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
