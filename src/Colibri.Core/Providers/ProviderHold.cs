namespace Colibri.Core.Providers;

/// <summary>
/// When the tasks of one provider may start: the policy of a route and of a provider without routes. After failures the provider is held.
/// When the wait is over, one task tries first, and the others follow over some seconds once it has an answer. Not safe by itself: its owner locks.
/// </summary>
/// <remarks>The state is this wide because a hold has to remember who failed, who tries, and since when, on the monotonic clock.</remarks>
/// <param name="tasksNeeded">How many different tasks have to fail in a row by words alone before the provider is held.</param>
/// <param name="time">All waits are on its monotonic clock.</param>
/// <param name="random">Makes the jitter.</param>
internal sealed class ProviderHold(int tasksNeeded, TimeProvider time, Random random)
{
    /// <summary>The first wait; each further one is twice as long.</summary>
    public static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(30);

    /// <summary>An outage of ten minutes must not keep tasks waiting for much longer than that.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    /// <summary>The longest period of a plan's limits is a week.</summary>
    public static readonly TimeSpan LongestStated = TimeSpan.FromDays(7);

    /// <summary>Failures in a row after which the state is called resting.</summary>
    public const int RestAfter = 5;

    /// <summary>How often a task may fail while others of its provider succeed before its failures are its own.</summary>
    public const int MostAlone = 5;

    /// <summary>How long others wait for the answer of the task that tries first. A long first answer must not hold them all.</summary>
    internal static readonly TimeSpan ProbePatience = TimeSpan.FromMinutes(2);

    /// <summary>How long a task that failed last leaves the first try to another.</summary>
    internal static readonly TimeSpan Deference = TimeSpan.FromSeconds(5);

    /// <summary>How long starts are spread after an answer.</summary>
    internal static readonly TimeSpan Spreading = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LongestStep = TimeSpan.FromMilliseconds(750);
    private const int MaxTrials = 1_024;

    private readonly Dictionary<string, Trial> _trials = new(StringComparer.Ordinal);
    private readonly Queue<string> _oldest = new();
    private long _answers;
    private string? _firstTask;
    private string? _firstSilent;
    private string? _lastTask;
    private int _step;
    private bool _isHeld;
    private long _since;
    private Rest _rest;
    private string? _probe;
    private Rest _patience;
    private Rest _spread;
    private Rest _pace;
    private string? _paced;

    /// <summary>In a row, of all tasks.</summary>
    public int Failures { get; private set; }

    /// <summary>The agent's words about the latest one.</summary>
    public string? LastError { get; private set; }

    /// <summary>What the latest one was.</summary>
    public ProviderFailure LastFailure { get; private set; }

    /// <summary>The provider is held: its wait is not over, or no task has had an answer since.</summary>
    public bool IsHeld => _isHeld;

    /// <summary>The wait is not over.</summary>
    public bool IsWaiting => _isHeld && _rest.Left(time) > TimeSpan.Zero;

    /// <summary>The length of the wait; zero if there is none.</summary>
    public TimeSpan Wait => _isHeld ? _rest.Length : TimeSpan.Zero;

    /// <summary>When the wait is over, by the wall clock as it is set now; null if it is, or there is none.</summary>
    public DateTimeOffset? Until => _isHeld ? _rest.EndsAt(time) : null;

    /// <summary>Whether some task might start now.</summary>
    public bool IsOpen => !IsWaiting && (!_isHeld || _probe is null || _patience.Left(time) == TimeSpan.Zero);

    /// <summary>Whether no task may start now but one that has got leave: the wait is not over, one tries first, or starts are spread.</summary>
    public bool IsClosed => _isHeld ? !IsOpen : _spread.Left(time) > TimeSpan.Zero && _pace.Left(time) > TimeSpan.Zero;

    /// <summary>When another task may start, by the wall clock as it is set now; null if that is now.</summary>
    public DateTimeOffset? NextAt
    {
        get
        {
            if (IsWaiting)
                return _rest.EndsAt(time);
            if (_isHeld)
                return _probe is not null ? _patience.EndsAt(time) : _lastTask is not null && !IsDeferenceOver ? EndOfDeference : null;
            return _spread.Left(time) > TimeSpan.Zero ? _pace.EndsAt(time) : null;
        }
    }

    /// <summary>Asks for the start of a task. A task that has got leave gets it again.</summary>
    public bool TryAdmit(string task)
    {
        if (IsWaiting)
            return false;
        if (_isHeld)
        {
            if (_probe == task)
                return true;
            if ((_probe is not null && _patience.Left(time) > TimeSpan.Zero) || (task == _lastTask && !IsDeferenceOver))
                return false;
            (_probe, _patience) = (task, Rest.Of(ProbePatience, time));
            return true;
        }
        if (_spread.Left(time) == TimeSpan.Zero || _paced == task)
            return true;
        if (_pace.Left(time) > TimeSpan.Zero)
            return false;
        (_paced, _pace) = (task, Rest.Of(LongestStep * ((1 + (2 * random.NextDouble())) / 3), time));
        return true;
    }

    /// <summary>A start that got leave did not happen, or its run is over without news about the provider.</summary>
    public void Release(string? task)
    {
        if (task is null || _probe != task)
            return;
        // The next task may try, after a pause: a start that fails for another reason must not be repeated in a loop.
        (_probe, _lastTask) = (null, task);
        if (_isHeld && !IsWaiting)
            _rest = Rest.Of(Deference, time);
    }

    /// <summary>The model answers in a run.</summary>
    /// <param name="task">The run's task; null for none.</param>
    /// <param name="age">Since the run began; null for no time.</param>
    /// <param name="isDone">The run is done.</param>
    /// <returns>Whether a hold, or a row of failures, is over.</returns>
    public bool Answered(string? task, TimeSpan? age, bool isDone)
    {
        // An answer to a question from before the hold says nothing about a limit that was reached since.
        if (IsFromBefore(age))
            return false;
        if (isDone)
        {
            _answers++;
            if (task is not null)
                _trials.Remove(task);
        }
        else if (!_isHeld)
        {
            return false;
        }
        var wasFailing = Failures > 0;
        if (_isHeld)
            _spread = Rest.Of(Spreading, time);
        Open();
        return wasFailing;
    }

    /// <summary>A run has failed by the provider's fault.</summary>
    /// <param name="fault">What it says.</param>
    /// <param name="error">The agent's words.</param>
    /// <param name="task">The run's task; null for none.</param>
    /// <param name="age">Since it began; null for no time.</param>
    /// <param name="stated">How long the provider asks to wait, from a field; zero or less for nothing.</param>
    public ProviderRuling Failed(ProviderFault fault, string? error, string? task, TimeSpan? age, TimeSpan stated)
    {
        var isProbe = task is not null && _probe == task;
        if (isProbe)
            _probe = null;
        var trial = TrialOf(task);
        if (trial is not null)
        {
            if (trial.Failures > 0 && trial.Answers != _answers)
                trial.Alone++;
            (trial.Failures, trial.Answers) = (trial.Failures + 1, _answers);
            if (trial.Alone >= MostAlone)
            {
                if (isProbe)
                    _rest = Rest.Of(Deference, time);
                _lastTask = task;
                return default;
            }
        }
        Failures++;
        (LastError, LastFailure, _lastTask) = (error, fault.Failure, task);
        var isSilence = fault.Failure == ProviderFailure.Silence;
        ref var first = ref isSilence ? ref _firstSilent : ref _firstTask;
        var isAnother = first is not null && first != (task ?? "");
        first ??= task ?? "";
        stated = stated < LongestStated ? stated : LongestStated;
        var change = HoldChange.None;
        if (_isHeld)
        {
            // A run from before the hold tells nothing new, but for a longer time that its provider states.
            var wait = IsFromBefore(age) ? TimeSpan.Zero : WaitOf(++_step);
            wait = stated > wait ? stated : wait;
            if (wait > _rest.Left(time))
                (_rest, change) = (Rest.Of(wait, time), HoldChange.Lengthened);
        }
        else if (tasksNeeded <= 1 || isAnother || (!isSilence && (fault.IsStated || stated > TimeSpan.Zero)))
        {
            _step = 1;
            (_isHeld, _since, change) = (true, time.GetTimestamp(), HoldChange.Began);
            _rest = Rest.Of(stated > TimeSpan.Zero ? stated : WaitOf(_step), time);
            _spread = default;
        }
        // Silence alone is a guess: the first task that meets it has missed its own deadline.
        if (isSilence && !_isHeld)
            return new ProviderRuling(false, null, change);
        // Under a hold the hold says when the task may start again; before one the task itself backs off.
        return new ProviderRuling(true, _isHeld ? null : time.GetUtcNow() + WaitOf(trial?.Failures ?? 1), change);
    }

    /// <summary>The provider has refused the key: counted, and no time ends it.</summary>
    public void Refused(string? error, string? task)
    {
        if (task is not null && _probe == task)
            _probe = null;
        Failures++;
        (LastError, LastFailure, _lastTask) = (error, ProviderFailure.Authentication, task);
    }

    /// <summary>Puts back what an earlier daemon noted.</summary>
    public void Restore(TimeSpan left, int failures, int step, string? error, ProviderFailure failure)
    {
        (_isHeld, _since, _rest) = (true, time.GetTimestamp(), Rest.Of(left < LongestStated ? left : LongestStated, time));
        (Failures, _step, LastError, LastFailure) = (Math.Max(1, failures), Math.Clamp(step, 1, 16), error, failure);
    }

    /// <summary>Which wait it is, for a record: 1 for the first.</summary>
    public int Step => _step;

    /// <summary>Ends the hold by hand: the tasks start again, spread over some seconds.</summary>
    /// <returns>Whether there was anything to end.</returns>
    public bool End()
    {
        var wasFailing = Failures > 0 || _isHeld;
        if (_isHeld)
            _spread = Rest.Of(Spreading, time);
        Open();
        return wasFailing;
    }

    private bool IsFromBefore(TimeSpan? age) => _isHeld && age is { } old && old > time.GetElapsedTime(_since);

    private bool IsDeferenceOver => time.GetElapsedTime(_rest.Since) >= _rest.Length + Deference;

    private DateTimeOffset? EndOfDeference => new Rest(_rest.Since, _rest.Length + Deference).EndsAt(time);

    private void Open()
    {
        (_isHeld, _rest, _probe, _step, Failures, LastError) = (false, default, null, 0, 0, null);
        (_firstTask, _firstSilent, _lastTask, LastFailure) = (null, null, null, ProviderFailure.None);
    }

    // At least three quarters of it: other hosts may ask the same provider, and must not come back in step with this one.
    private TimeSpan WaitOf(int step)
    {
        var doubled = FirstWait * Math.Pow(2, Math.Clamp(step - 1, 0, 10));
        return (doubled < LongestWait ? doubled : LongestWait) * (0.75 + (random.NextDouble() / 4));
    }

    private Trial? TrialOf(string? task)
    {
        if (task is null)
            return null;
        if (_trials.TryGetValue(task, out var known))
            return known;
        // The oldest is forgotten: it only begins to count anew.
        if (_oldest.Count >= MaxTrials)
            _trials.Remove(_oldest.Dequeue());
        _oldest.Enqueue(task);
        return _trials[task] = new Trial();
    }

    private sealed class Trial
    {
        public int Failures { get; set; }
        public int Alone { get; set; }
        public long Answers { get; set; }
    }
}

/// <summary>What follows from a run's failure.</summary>
/// <param name="IsProviders">It is the provider's: the task gets its attempt back. Else it is the task's own.</param>
/// <param name="RetryAt">The end of the task's own back-off while nothing is held; null under a hold.</param>
/// <param name="Change">What became of the hold.</param>
public readonly record struct ProviderRuling(bool IsProviders, DateTimeOffset? RetryAt, HoldChange Change = HoldChange.None);

/// <summary>What a failure did to a hold.</summary>
public enum HoldChange
{
    None,
    Began,
    Lengthened,
}
