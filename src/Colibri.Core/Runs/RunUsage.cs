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
    /// <summary>The most sessions of one agent whose totals are kept with its rows; further ones replace the first.</summary>
    private const int MaxSessions = 8;

    /// <summary>The most rows of one agent, one for each day, provider and model; further usage is added to the last row.</summary>
    private const int MaxRows = 32;

    private readonly List<(string Run, DateOnly Day, string Provider, string Model, long Requests, UsageReport Sum, long Awaited)> _rows = [];
    private readonly List<SessionUsage> _sessions = [];
    private readonly Lock _gate = new();
    private (IReadOnlyList<UsageRow> Rows, IReadOnlyList<SessionUsage> Sessions)? _unbooked;
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

    /// <summary>Called with the provider and model of usage whose cost is awaited.</summary>
    public Action<string, string>? CostIsAwaited { get; init; }

    /// <summary>Counts a report, without waiting for the disk.</summary>
    public void Add(in UsageNews news)
    {
        var (day, whose, which) = (budgets.Today, UsagePricing.NameOf(news.Provider, pricing.Provider), UsagePricing.NameOf(news.Model, pricing.Model));
        var unpriced = news.Added.Unpriced;
        lock (_gate)
        {
            if (news.Before != AwaitedCosts.StillAwaited)
                unpriced += Settle(isLost: news.Before == AwaitedCosts.Lost, run: null);
            if (news.Added != default)
                AddTo(day, whose, which, news);
        }
        if (news.Awaited > 0)
            CostIsAwaited?.Invoke(whose, which);
        if (news.Added.Unpriced > 0 && !_isUnpricedTold)
        {
            _isUnpricedTold = true;
            logger.UsageUnpriced(agentId, whose, which);
        }
        Spend(news.Added.Microcents, unpriced);
    }

    /// <summary>Keeps what a session of the agent's own has used in all; it is booked with the rows.</summary>
    public void Note(SessionUsage session)
    {
        pricing.Sessions?.Set(session);
        lock (_gate)
        {
            _sessions.RemoveAll(known => known.Session == session.Session);
            if (_sessions.Count >= MaxSessions)
                _sessions.RemoveAt(0);
            _sessions.Add(session);
            _isDirty = true;
        }
    }

    /// <summary>Closes a run's account; later reports belong to no run. Costs that the run still awaited stay unknown.</summary>
    /// <returns>All rows of runs that were not forgotten, those of this one among them, and the totals of the agent's sessions.</returns>
    public (IReadOnlyList<UsageRow> Rows, IReadOnlyList<SessionUsage> Sessions) Close()
    {
        long unpriced;
        (IReadOnlyList<UsageRow>, IReadOnlyList<SessionUsage>) booking;
        lock (_gate)
        {
            unpriced = Settle(isLost: true, _runId);
            _runId = "";
            booking = ToBooking();
        }
        Spend(0, unpriced);
        return booking;
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
            _unbooked = ToBooking();
            if (_isBooking)
                return;
            _isBooking = true;
        }
        _ = Background.Run(logger, $"booking what agent {agentId} used", BookAsync(), _ => StopBooking());
    }

    private (IReadOnlyList<UsageRow> Rows, IReadOnlyList<SessionUsage> Sessions) ToBooking() => (
        [.. _rows.Select(row => new UsageRow(row.Run, row.Day, row.Provider, row.Model, row.Requests, row.Sum.ToWire()) { AwaitedTokens = row.Awaited })],
        [.. _sessions]);

    private void AddTo(DateOnly day, string whose, string which, in UsageNews news)
    {
        var index = _rows.FindIndex(row => row.Run == _runId && row.Day == day && row.Provider == whose && row.Model == which);
        if (index < 0 && _rows.Count >= MaxRows)
            index = _rows.FindLastIndex(row => row.Run == _runId);
        if (index < 0)
            _rows.Add((_runId, day, whose, which, news.Requests, news.Added, news.Awaited));
        else
            _rows[index] = _rows[index] with { Requests = _rows[index].Requests + news.Requests, Sum = _rows[index].Sum + news.Added, Awaited = _rows[index].Awaited + news.Awaited };
        _isDirty = true;
    }

    // The awaited tokens of a run, or of all, were told a cost or will not be.
    private long Settle(bool isLost, string? run)
    {
        var lost = 0L;
        for (var i = 0; i < _rows.Count; i++)
        {
            var row = _rows[i];
            if (row.Awaited == 0 || (run is not null && row.Run != run))
                continue;
            if (isLost)
                (row.Sum, lost) = (row.Sum + new UsageReport(0, 0, 0, 0, 0, row.Awaited), lost + row.Awaited);
            _rows[i] = row with { Sum = row.Sum, Awaited = 0 };
            _isDirty = true;
        }
        return lost;
    }

    private void Spend(long microcents, long unpriced)
    {
        if (budgets.Spend(microcents, unpriced))
            logger.DayBudgetSpent($"{budgets.State.LiftsAt:yyyy-MM-dd'T'HH:mm'Z'}");
    }

    private async Task BookAsync()
    {
        while (TakeUnbooked() is var (rows, sessions))
        {
            try
            {
                await board.BookUsageAsync(agentId, rows, sessions).ConfigureAwait(false);
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

    private (IReadOnlyList<UsageRow> Rows, IReadOnlyList<SessionUsage> Sessions)? TakeUnbooked()
    {
        lock (_gate)
        {
            var unbooked = _unbooked;
            _unbooked = null;
            _isBooking = unbooked is not null;
            return unbooked;
        }
    }
}
