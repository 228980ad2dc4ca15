using Colibri.Core.Agents;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Runs;

/// <summary>
/// One agent's account: prices what it reports, counts it towards the budgets at once, and books it in the ledger while it runs, one
/// booking under way at a time, so that a daemon that is killed has lost at most the latest.
/// </summary>
/// <remarks>Fed by one thread at a time; runs are changed and booked beside it.</remarks>
internal sealed class AgentUsage(SupervisorParts parts, string agentId, string? provider, string? model) : IUsageMeter
{
    /// <summary>Different days, providers and models of one agent that are told apart; what is beyond goes to the last of them.</summary>
    private const int MaxRows = 32;

    private readonly List<(string Run, DateOnly Day, string Provider, string Model, long Requests, UsageReport Sum)> _rows = [];
    private readonly Lock _gate = new();
    private IReadOnlyList<UsageRow>? _unbooked;
    private string _runId = "";
    private bool _isBooking;
    private volatile bool _isDirty;
    private bool _isUnpricedTold;

    /// <summary>The run that what comes next belongs to; empty between runs.</summary>
    public string RunId
    {
        get
        {
            lock (_gate) return _runId;
        }
        set
        {
            lock (_gate) _runId = value;
        }
    }

    /// <summary>All rows of runs that have not been settled.</summary>
    public IReadOnlyList<UsageRow> Rows
    {
        get
        {
            lock (_gate) return ToRows();
        }
    }

    public UsageReport Price(string? reportedProvider, string? reportedModel, UsageReport report)
    {
        var cost = parts.Prices.CostOf(
            NameOf(reportedProvider, provider), NameOf(reportedModel, model), report.Input, report.Output, report.CacheRead, report.CacheWrite);
        return cost is { } microcents ? report with { Microcents = microcents, Unpriced = 0 } : report;
    }

    public void Add(string? reportedProvider, string? reportedModel, UsageReport added)
    {
        var (day, whose, which) = (parts.Budgets.Today, NameOf(reportedProvider, provider), NameOf(reportedModel, model));
        lock (_gate)
            AddTo(day, whose, which, added);
        if (added.Unpriced > 0 && !_isUnpricedTold)
        {
            _isUnpricedTold = true;
            parts.Logger.UsageUnpriced(agentId, whose, which);
        }
        if (parts.Budgets.Spend(added.Microcents, added.Unpriced))
            parts.Logger.DayBudgetSpent($"{parts.Budgets.State.LiftsAt:yyyy-MM-dd'T'HH:mm'Z'}");
    }

    /// <summary>Forgets the rows of the run: its end has booked them.</summary>
    public void Settle()
    {
        lock (_gate)
        {
            _rows.RemoveAll(row => row.Run == _runId && _runId.Length > 0);
            _runId = "";
        }
    }

    /// <summary>Books what is new, without waiting for it.</summary>
    public void Book()
    {
        if (!_isDirty)
            return;
        lock (_gate)
        {
            _isDirty = false;
            _unbooked = ToRows();
            if (_isBooking)
                return;
            _isBooking = true;
        }
        _ = BookAsync();
    }

    private UsageRow[] ToRows() => [.. _rows.Select(row => new UsageRow(row.Run, row.Day, row.Provider, row.Model, row.Requests, row.Sum.ToWire()))];

    private void AddTo(DateOnly day, string whose, string which, UsageReport added)
    {
        var index = _rows.FindIndex(row => row.Run == _runId && row.Day == day && row.Provider == whose && row.Model == which);
        if (index < 0 && _rows.Count >= MaxRows)
            index = _rows.FindLastIndex(row => row.Run == _runId);
        if (index < 0)
            _rows.Add((_runId, day, whose, which, 1, added));
        else
            _rows[index] = _rows[index] with { Requests = _rows[index].Requests + 1, Sum = _rows[index].Sum + added };
        _isDirty = true;
    }

    private async Task BookAsync()
    {
        while (TakeUnbooked() is { } rows)
        {
            try
            {
                await parts.Board.BookUsageAsync(agentId, rows).ConfigureAwait(false);
            }
            catch (Exception e) when (e is BoardUnavailableException or ObjectDisposedException)
            {
                // The run's end books all of it once more, and waits for the disk.
            }
        }
    }

    private IReadOnlyList<UsageRow>? TakeUnbooked()
    {
        lock (_gate)
        {
            var rows = _unbooked;
            _unbooked = null;
            _isBooking = rows is not null;
            return rows;
        }
    }

    private static string NameOf(string? reported, string? requested) =>
        reported is { Length: > 0 } ? reported : requested is { Length: > 0 } ? requested : UsageRow.Unknown;
}
