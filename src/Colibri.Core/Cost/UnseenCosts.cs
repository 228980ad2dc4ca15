using Colibri.Core.Logging;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Cost;

/// <summary>
/// Warns of agents whose cost no budget sees in time, because their kind does not tell it before its end and the price table has no price. It
/// warns once for each program and model. Safe from any thread.
/// </summary>
internal sealed class UnseenCosts(Budgets budgets, PriceTable prices, ILogger logger)
{
    /// <summary>The most programs and models told apart; of further ones nothing is said.</summary>
    internal const int MaxTold = 1_024;

    private readonly Lock _gate = new();
    private readonly HashSet<(string Program, string Provider, string Model)> _told = [];

    /// <summary>Before a run under a budget.</summary>
    /// <param name="agentId">The agent.</param>
    /// <param name="program">Its program.</param>
    /// <param name="when">When its kind tells its cost, in words; null where it tells it as it works.</param>
    /// <param name="provider">The provider that it is started on, or null.</param>
    /// <param name="model">The model; null where the agent chooses.</param>
    public void Begin(string agentId, string program, string? when, string? provider, string? model)
    {
        // Which model an agent chooses is known once it reports usage; then the table is asked.
        if (when is null || !budgets.HasAny || (model is null && prices.Count > 0))
            return;
        Tell(agentId, program, when, Panes.UsagePricing.NameOf(provider, null), Panes.UsagePricing.NameOf(model, null));
    }

    /// <summary>At a report of usage whose cost is awaited.</summary>
    public void Report(string agentId, string program, string? when, string provider, string model)
    {
        if (when is not null && budgets.HasAny)
            Tell(agentId, program, when, provider, model);
    }

    private void Tell(string agentId, string program, string when, string provider, string model)
    {
        if (prices.HasPrice(provider, model))
            return;
        lock (_gate)
        {
            // A model that the agent chose was told of as unknown already where there is no table at all.
            if (_told.Contains((program, provider, Board.UsageRow.Unknown)) || _told.Count >= MaxTold || !_told.Add((program, provider, model)))
                return;
        }
        logger.CostUnseen(agentId, program, provider, model, when);
    }
}
