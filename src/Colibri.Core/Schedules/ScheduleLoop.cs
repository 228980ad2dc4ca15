using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Scheduling;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Schedules;

/// <summary>
/// Fires schedules. The times are those of the wall clock; the waits for them are on the monotonic clock, and none is longer than <see cref="LongestWait"/>,
/// so that a clock that was set is noticed. What fires a time once is the board, not this loop.
/// </summary>
public sealed class ScheduleLoop
{
    /// <summary>The longest wait while there are schedules: by so much a firing is late where the clock was set forward past it.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    /// <summary>After so long a schedule that cannot fire is tried again.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromSeconds(30);

    /// <summary>After so long the data of zones is read anew, and every next time is worked out by it.</summary>
    public static readonly TimeSpan DataAge = TimeSpan.FromDays(1);

    private static readonly TimeSpan WaitWithout = TimeSpan.FromHours(1);

    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

    private readonly BoardSchedules _schedules;
    private readonly Func<NewTask, string?> _whyNever;
    private readonly Action<BoardTask> _replaced;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ClockWatch _clock;
    private readonly WakeUp _wake = new();

    // By name: of which revision one was tried that cannot fire, and when. None is here that is not due.
    private readonly Dictionary<string, (long Revision, long Since)> _tried = new(StringComparer.Ordinal);
    private long? _dataSince;
    private volatile bool _isRetrying;
    private volatile StatusSchedules? _status;

    /// <param name="schedules">Those of the board.</param>
    /// <param name="whyNever">Why no agent can ever take a task; null where one may.</param>
    /// <param name="replaced">Called with each task that was cancelled for a newer one: its agent may be at work.</param>
    /// <param name="time">The board's clock.</param>
    /// <param name="logger">The log.</param>
    public ScheduleLoop(BoardSchedules schedules, Func<NewTask, string?> whyNever, Action<BoardTask> replaced, TimeProvider time, ILogger logger)
    {
        (_schedules, _whyNever, _replaced, _time, _logger) = (schedules, whyNever, replaced, time, logger);
        _clock = new ClockWatch(time);
    }

    /// <summary>Called when what people are told of has changed.</summary>
    public Action? Told { get; set; }

    /// <summary>How many schedules there are, and which fires next; null for none.</summary>
    public StatusSchedules? Status => _status;

    /// <summary>Looks at once. Never blocks.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Tries at once what could not fire, because the configuration is another. Never blocks.</summary>
    public void Retry()
    {
        _isRetrying = true;
        Wake();
    }

    /// <summary>Fires until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var failures = 0;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var wait = await LookAsync().ConfigureAwait(false);
                failures = 0;
                await _wake.WaitAsync(wait, _time, stopping).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                if (e is BoardUnavailableException)
                    _logger.BoardUnavailable(e.Message);
                else if (e is not ObjectDisposedException || !stopping.IsCancellationRequested)
                    _logger.UnexpectedFailure("the schedules", e);
                // By itself, because a change of a schedule wakes the loop and must not make it a spin.
                var rest = TimeSpan.FromSeconds(1 << Math.Min(failures++, 5));
                await Task.Delay(rest < LongestRest ? rest : LongestRest, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>One look: fires for the times that have come.</summary>
    /// <returns>How long to wait for the next one.</returns>
    internal async Task<TimeSpan> LookAsync()
    {
        await FollowClockAsync().ConfigureAwait(false);
        if (_isRetrying)
        {
            _isRetrying = false;
            _tried.Clear();
        }
        var due = await _schedules.DueAsync(Now).ConfigureAwait(false);
        foreach (var gone in _tried.Keys.Except(due.Select(one => one.Name)).ToList())
            _tried.Remove(gone);
        foreach (var (name, revision) in due)
        {
            // A schedule that a client has changed meanwhile is another, and is tried at once.
            if (_tried.TryGetValue(name, out var tried) && tried.Revision == revision && _time.GetElapsedTime(tried.Since) < Again)
                continue;
            // Read one by one, because the texts of all together may be long.
            if (await _schedules.GetAsync(name).ConfigureAwait(false) is { } row)
                await FireAsync(row).ConfigureAwait(false);
        }
        var glance = await _schedules.GlanceAsync().ConfigureAwait(false);
        _status = glance.Count == 0 ? null : new StatusSchedules(glance.Count, glance.Name, glance.NextAt, glance.Problems);
        if (glance.Count == 0)
            return WaitWithout;
        var wait = glance.NextAt is { } next && next - Now is var left && left < LongestWait ? left : LongestWait;
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    // To the millisecond, as the board's times are: a look that comes a tick too early would find nothing due and wait for nothing.
    private DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());

    private async Task FireAsync(ScheduleRow row)
    {
        var name = row.Given.Name;
        if (row.IsPaused || row.NextAt is not { } first || first > Now)
            return;
        if (Rule(row.Given, out var problem) is not { } rule || (problem = _whyNever(row.Given.Task)) is not null)
        {
            await TroubleAsync(row, problem!).ConfigureAwait(false);
            return;
        }
        var due = DueTimes.Of(rule, first, Now, row.Given.Missed, row.Given.MissedMax);
        var times = due.Fire.Select(at => (at, row.Given.JitterMs > 0 ? at + Jitter.Of(name, at, row.Given.JitterMs) : (DateTimeOffset?)null)).ToList();
        var fired = await _schedules.FireAsync(new ScheduleFiring(name, row.Revision, first, times, due.Missed, due.Last, due.Next)).ConfigureAwait(false);
        if (fired is null)
            return;
        if (fired.Problem is not null)
        {
            await TroubleAsync(row, fired.Problem).ConfigureAwait(false);
            return;
        }
        if (_tried.Remove(name) || row.Problem is not null)
        {
            _logger.ScheduleWell(name);
            Told?.Invoke();
        }
        foreach (var task in fired.Replaced)
            _replaced(task);
        foreach (var task in fired.Created)
            _logger.ScheduleFired(name, task.Number);
        if (due.Missed > 0)
            _logger.ScheduleMissed(name, due.Missed);
        if (fired.Skipped > 0)
            _logger.ScheduleSkipped(name, fired.Skipped);
    }

    private async Task TroubleAsync(ScheduleRow row, string problem)
    {
        _tried[row.Given.Name] = (row.Revision, _time.GetTimestamp());
        var isNew = await _schedules.TroubleAsync(row, problem).ConfigureAwait(false) || row.Problem != problem;
        if (!isNew)
            return;
        _logger.ScheduleTroubled(row.Given.Name, problem);
        Told?.Invoke();
    }

    /// <summary>
    /// At the first look, once a day, and when the clock was set back, every next time is worked out anew: the data of zones may be new, and a time far ahead
    /// may follow from a clock that was wrong. A clock that was set forward makes times due, which the missed ones' rule decides.
    /// </summary>
    private async Task FollowClockAsync()
    {
        var step = _clock.Step();
        var isOld = _dataSince is not { } since || _time.GetElapsedTime(since) >= DataAge;
        if (step is null && !isOld)
            return;
        if (isOld)
            HostZones.Forget();
        if (isOld || step is { By.Ticks: < 0 })
        {
            foreach (var row in await _schedules.ListAsync().ConfigureAwait(false))
                await AlignAsync(row, step is { By: var by } && by < TimeSpan.Zero ? by : TimeSpan.Zero).ConfigureAwait(false);
        }
        if (isOld)
            _dataSince = _time.GetTimestamp();
        if (step is { } taken)
            _clock.Accept(taken.By);
        // Those that cannot fire may be able to now.
        _tried.Clear();
    }

    private async Task AlignAsync(ScheduleRow row, TimeSpan by)
    {
        var now = Now;
        if (row.IsPaused || row.NextAt is not { } next || (next <= now && by == TimeSpan.Zero) || Rule(row.Given, out _) is not { } rule)
            return;
        DateTimeOffset? aligned = rule.Every is { } every
            ? Between(next + by, now, now + every)
            : rule.Next(now);
        if (aligned is null || aligned == next)
            return;
        var fired = await _schedules.FiredAfterAsync(row.Given.Name, now).ConfigureAwait(false);
        while (aligned is { } at && fired.Contains(at))
            aligned = rule.Every is null ? rule.Next(at) : at + TimeSpan.FromMilliseconds(1);
        if (aligned is { } moved && moved != next && await _schedules.MoveAsync(row, moved).ConfigureAwait(false))
            _logger.ScheduleMoved(row.Given.Name, next, moved);
    }

    private static DateTimeOffset Between(DateTimeOffset at, DateTimeOffset earliest, DateTimeOffset latest) => at < earliest ? earliest : at > latest ? latest : at;

    private static ScheduleRule? Rule(NewSchedule schedule, out string? problem)
    {
        problem = null;
        try
        {
            return ScheduleRule.Of(schedule);
        }
        catch (ScheduleRefusedException e)
        {
            problem = e.Message;
            return null;
        }
    }
}
