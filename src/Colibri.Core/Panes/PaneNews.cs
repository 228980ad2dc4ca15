using System.Runtime.InteropServices;
using Colibri.Core.Cost;
using Colibri.Core.Panes.Dialects;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>
/// The news of one chunk of an agent's output. A pane has one instance and refills it with each chunk, so its reader copies what it needs
/// before the next chunk is fed.
/// </summary>
public sealed class PaneNews
{
    private readonly List<SessionEntry> _entries = [];
    private readonly List<UsageNews> _usage = [];
    private readonly List<CommandReply> _replies = [];

    /// <summary>Something changed that a subscriber would show.</summary>
    public bool Changed { get; internal set; }

    /// <summary>
    /// What the agent said and did, in order: once for each finished message of the assistant that has words in it, for each tool call and
    /// its end, for each question, and for each report of usage with what it adds to those before it. Empty where the pane keeps no words.
    /// </summary>
    public ReadOnlySpan<SessionEntry> Entries => CollectionsMarshal.AsSpan(_entries);

    /// <summary>What the agent itself said last in the chunk, decoded and otherwise as it came; null where it said nothing.</summary>
    public string? Words { get; internal set; }

    /// <summary>Once for each report, with what it adds to those before it.</summary>
    public ReadOnlySpan<UsageNews> Usage => CollectionsMarshal.AsSpan(_usage);

    /// <summary>What the agent's own session has used in all, as the latest report of the chunk says; null where none says so.</summary>
    public SessionUsage? Session { get; internal set; }

    /// <summary>The agent's own session, where the chunk tells of another than before; else null.</summary>
    public string? HarnessSessionId { get; internal set; }

    /// <summary>What the agent answered to commands.</summary>
    public ReadOnlySpan<CommandReply> Replies => CollectionsMarshal.AsSpan(_replies);

    internal void Clear()
    {
        Changed = false;
        Session = null;
        HarnessSessionId = null;
        Words = null;
        // This runs a hundred thousand times a second, and most chunks bring none of these.
        if (_entries.Count > 0) _entries.Clear();
        if (_usage.Count > 0) _usage.Clear();
        if (_replies.Count > 0) _replies.Clear();
    }

    internal void Add(SessionEntry entry) => _entries.Add(entry);

    internal void Add(UsageNews usage) => _usage.Add(usage);

    internal void Add(CommandReply reply) => _replies.Add(reply);
}

/// <summary>Usage that an agent reported.</summary>
/// <param name="Provider">Whose model it was; null when the agent never said.</param>
/// <param name="Model">The model; null when the agent never said.</param>
/// <param name="Added">What it adds to the reports before it, priced where there is a price. No part is negative: a total never falls.</param>
public readonly record struct UsageNews(string? Provider, string? Model, UsageReport Added)
{
    /// <summary>How many requests to the model it stands for.</summary>
    public int Requests { get; init; } = 1;

    /// <summary>Of the tokens added, those whose cost the agent is still to tell. They count as unpriced once it can no longer do so.</summary>
    public long Awaited { get; init; }

    /// <summary>What has become of the costs awaited before.</summary>
    public AwaitedCosts Before { get; init; }
}

/// <summary>What has become of the costs that were awaited.</summary>
public enum AwaitedCosts
{
    StillAwaited,

    /// <summary>The agent has told them.</summary>
    Told,

    /// <summary>It will not tell them: those tokens stay without a price.</summary>
    Lost,
}

/// <summary>An agent's answer to a command.</summary>
/// <param name="Id">The command's id.</param>
/// <param name="Error">The agent's words why it did not take the command; null when it did.</param>
public readonly record struct CommandReply(string Id, string? Error);

/// <summary>
/// Prices usage that an agent reported without its cost. A cost that the agent states wins over the price table, since the agent knows its
/// provider's discounts and tiers.
/// </summary>
/// <param name="Prices">The operator's prices.</param>
/// <param name="Provider">The provider that the agent was started on, for reports that name none.</param>
/// <param name="Model">The model, likewise.</param>
public readonly record struct UsagePricing(PriceTable Prices, string? Provider = null, string? Model = null)
{
    /// <summary>What earlier runs have booked of the agents' own sessions; null where that is not kept.</summary>
    public SessionTotals? Sessions { get; init; }

    /// <summary>Whose sessions: the agent's kind.</summary>
    public string? Runtime { get; init; }

    /// <summary>Whether the agent was started to take up an earlier session.</summary>
    public bool Resumes { get; init; }

    /// <summary>The report with a cost, where there is a price for all of its tokens; else as it is.</summary>
    /// <param name="provider">The provider that the report names, or null.</param>
    /// <param name="model">The model that it names, or null.</param>
    /// <param name="report">Tokens whose cost the agent did not state.</param>
    public UsageReport Price(string? provider, string? model, UsageReport report)
    {
        if (Prices is null) return report;
        var cost = CostOf(provider, model, report);
        // A provider may name a model that was requested with the date of its version behind it.
        if (cost is null && Model is { Length: > 0 } requested && model is not null && model.StartsWith(requested, StringComparison.Ordinal))
            cost = CostOf(provider, requested, report);
        return cost is { } microcents ? report with { Microcents = microcents, Unpriced = 0 } : report;
    }

    private long? CostOf(string? provider, string? model, in UsageReport report) => Prices.CostOf(
        NameOf(provider, Provider), NameOf(model, Model), report.Input, report.Output, report.CacheRead, report.CacheWrite);

    /// <summary>The reported name, else the requested one, else <c>unknown</c>.</summary>
    public static string NameOf(string? reported, string? requested) =>
        reported is { Length: > 0 } ? reported : requested is { Length: > 0 } ? requested : Board.UsageRow.Unknown;
}
