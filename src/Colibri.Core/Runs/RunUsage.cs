using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Logging;
using Colibri.Core.Panes;
using Colibri.Core.Panes.Dialects;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Runs;

/// <summary>
/// One agent's account, run by run. It counts each report towards the budgets at once, and books it in the ledger during the run. One booking
/// is under way at a time, so a killed daemon loses at most the latest.
/// </summary>
/// <remarks>One thread at a time feeds it; other threads may change runs and book meanwhile.</remarks>
internal sealed class RunUsage(TaskBoard board, Budgets budgets, UsagePricing pricing, string agentId, ILogger logger)
{
    /// <summary>The most rows of one agent, one for each day, provider and model; further usage is added to the last row.</summary>
    private const int MaxRows = 32;

    private readonly List<(string Run, DateOnly Day, string Provider, string Model, long Requests, UsageReport Sum)> _rows = [];
    private readonly Lock _gate = new();
    private IReadOnlyList<UsageRow>? _unbooked;
    private string _runId = "";
    private bool _isBooking;
    private volatile bool _isDirty;
    private bool _isUnpricedTold;

    /// <summary>The run that the next reports belong to; null for none.</summary>
    public void Begin(RunClaim? claim)
    {
        lock (_gate)
            _runId = claim?.RunId ?? "";
    }

    /// <summary>Counts a report, without waiting for the disk.</summary>
    public void Add(in UsageNews news)
    {
        var added = news.Added;
        var (day, whose, which) = (budgets.Today, UsagePricing.NameOf(news.Provider, pricing.Provider), UsagePricing.NameOf(news.Model, pricing.Model));
        lock (_gate)
            AddTo(day, whose, which, added);
        if (added.Unpriced > 0 && !_isUnpricedTold)
        {
            _isUnpricedTold = true;
            logger.UsageUnpriced(agentId, whose, which);
        }
        if (budgets.Spend(added.Microcents, added.Unpriced))
            logger.DayBudgetSpent($"{budgets.State.LiftsAt:yyyy-MM-dd'T'HH:mm'Z'}");
    }

    /// <summary>Closes a run's account; later reports belong to no run.</summary>
    /// <returns>All rows of runs that were not forgotten, those of this one among them.</returns>
    public IReadOnlyList<UsageRow> Close()
    {
        lock (_gate)
        {
            _runId = "";
            return ToRows();
        }
    }

    /// <summary>Forgets the rows of a run whose end, which booked them, is on disk.</summary>
    public void Forget(RunClaim? claim)
    {
        lock (_gate)
            _rows.RemoveAll(row => claim is not null && row.Run == claim.RunId);
    }

    /// <summary>Starts a booking of new usage, without waiting for it.</summary>
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
        _ = Background.Run(logger, $"booking what agent {agentId} used", BookAsync(), _ => StopBooking());
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
                await board.BookUsageAsync(agentId, rows).ConfigureAwait(false);
            }
            catch (Exception e) when (e is BoardUnavailableException or ObjectDisposedException)
            {
                // The run's end books all rows again, and waits for the disk.
            }
        }
    }

    // Rows whose booking failed are booked with the next report, or with the run's end.
    private void StopBooking()
    {
        lock (_gate)
            _isBooking = false;
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
}
