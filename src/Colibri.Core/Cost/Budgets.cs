using System.Globalization;
using Colibri.Core.Events;
using Colibri.Core.Panes.Dialects;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Cost;

/// <summary>
/// The money that may be spent: by one task over all its attempts, and by all agents in a day of UTC. Tokens of unknown cost count towards no
/// budget; they are summed up separately. Safe from any thread.
/// </summary>
/// <param name="taskMicrocents">What a task may cost; null is no budget.</param>
/// <param name="dayMicrocents">What a day may cost; null is no budget.</param>
/// <param name="events">Where it is published that starts are held, or go on.</param>
/// <param name="time">The clock that decides which day it is.</param>
public sealed class Budgets(long? taskMicrocents, long? dayMicrocents, EventHub events, TimeProvider time)
{
    // Held while publishing, which never waits: the last event that a subscriber sees is the state in force.
    private readonly Lock _gate = new();
    private DateOnly _day = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
    private long _spent;
    private long _unpriced;
    private DateTimeOffset? _liftedAt;

    public long? TaskMicrocents => taskMicrocents;

    /// <summary>Whether a task or the day has a budget.</summary>
    public bool HasAny => (taskMicrocents ?? dayMicrocents) is not null;

    /// <summary>Today, in UTC like every time on the wire: no change of the host's zone makes a day of 23 hours.</summary>
    public DateOnly Today => DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);

    /// <summary>
    /// Whether the day's budget is used up and was not lifted: no agent is started then. It holds starts and ends no run: running work is half paid
    /// for, and the task's budget bounds each run.
    /// </summary>
    public bool IsHeld => State.Held;

    public BudgetState State
    {
        get
        {
            lock (_gate)
            {
                Roll();
                var held = IsHeldNow();
                return new BudgetState
                {
                    TaskMicrocents = taskMicrocents,
                    DayMicrocents = dayMicrocents,
                    Day = _day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                    SpentMicrocents = _spent,
                    UnpricedTokens = _unpriced,
                    Held = held,
                    LiftsAt = held ? new DateTimeOffset(_day.AddDays(1), TimeOnly.MinValue, TimeSpan.Zero) : null,
                    LiftedAt = _liftedAt,
                };
            }
        }
    }

    /// <summary>Whether a task that has cost so much is over its budget.</summary>
    /// <param name="microcents">What it has cost.</param>
    /// <param name="own">Its own budget, or its profile's; null where the daemon's applies.</param>
    public bool IsOverTask(long microcents, long? own = null) => microcents > (own ?? taskMicrocents);

    /// <summary>Restores what was booked before this daemon started, and whether the day's budget was lifted.</summary>
    public void Restore(DateOnly day, Usage spent, DateTimeOffset? liftedAt)
    {
        ArgumentNullException.ThrowIfNull(spent);
        lock (_gate)
        {
            Roll();
            if (day != _day)
                return;
            (_spent, _unpriced) = (spent.CostMicrocents, spent.UnpricedTokens);
            _liftedAt = liftedAt is { } at && DateOnly.FromDateTime(at.UtcDateTime) == day ? at : null;
        }
    }

    /// <summary>Adds newly reported usage.</summary>
    /// <returns>Whether this usage is what exhausted the day's budget.</returns>
    public bool Spend(long microcents, long unpricedTokens)
    {
        lock (_gate)
        {
            Roll();
            var before = IsHeldNow();
            _spent = Sum(_spent, microcents);
            _unpriced = Sum(_unpriced, unpricedTokens);
            var crossed = !before && IsHeldNow();
            if (crossed)
                events.Publish(State);
            return crossed;
        }
    }

    /// <summary>Lets agents start for the rest of the day, whatever they cost.</summary>
    public BudgetState Lift(DateTimeOffset at)
    {
        lock (_gate)
        {
            Roll();
            _liftedAt = at;
            var state = State;
            events.Publish(state);
            return state;
        }
    }

    private static long Sum(long total, long added) => Math.Min(UsageReport.MaxSum, total + Math.Min(UsageReport.MaxSum, added));

    private bool IsHeldNow() => dayMicrocents is { } budget && _spent >= budget && _liftedAt is null;

    private void Roll()
    {
        var today = Today;
        // The day never moves back: a clock that is set back over midnight must not give the day's money a second time.
        if (today <= _day)
            return;
        (_day, _spent, _unpriced, _liftedAt) = (today, 0, 0, null);
    }
}
