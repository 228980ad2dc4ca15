using Colibri.Core.Panes.Dialects;

namespace Colibri.Core.Panes;

/// <summary>Prices and books what an agent used. Called on the thread that feeds the pane, between reads, with no lock held.</summary>
public interface IUsageMeter
{
    /// <summary>The report with a cost, where the agent stated none and there is a price for all of its tokens; else as it is.</summary>
    UsageReport Price(string? provider, string? model, UsageReport report);

    /// <summary>Once for each report, with what it adds to those before it.</summary>
    /// <param name="provider">Whose model it was; null when the agent never said.</param>
    /// <param name="model">The model; null when the agent never said.</param>
    /// <param name="added">Parts are negative where an agent corrects an earlier total of its own.</param>
    void Add(string? provider, string? model, UsageReport added);
}
