using System.Runtime.CompilerServices;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Providers;
using Colibri.Jsonl;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>
/// All that the glasspane knows of one agent, folded from the lines that it prints and from the events of its process. Long, because its state is
/// published, copied and shown under one lock.
/// </summary>
/// <remarks>
/// One thread at a time may call <see cref="Feed"/>, <see cref="Tell"/> and <see cref="Complete"/>. All other members are safe from any thread: the fold works on a
/// state of its own and copies it at the end of each chunk, under a lock that is held for that copy alone.
/// </remarks>
public sealed class AgentPane
{
    /// <summary>Longest line kept, in bytes.</summary>
    public const int MaxLineBytes = 4 << 20;

    private readonly LineFramer _framer = new(MaxLineBytes, keepsEnds: true);
    private readonly PaneNews _news = new();
    private readonly PaneFold _fold;
    private readonly IDialect _dialect;
    private readonly TimeProvider _clock;

    private readonly Lock _gate = new();
    private readonly PaneIdentity _identity;
    private readonly DateTimeOffset _startedAt;
    private readonly long _startStamp;
    private PaneState _published;
    private Lifecycle _lifecycle = Lifecycle.Starting;
    private string? _startFailure;
    private int? _pid;
    private ProcessExit? _exit;
    private bool _stopRequested;
    private (bool IsOverBudget, long Dropped, bool IsLosing) _session;
    private bool _failed;
    private IReadOnlyList<DeniedTool>? _deniedBefore;
    private IReadOnlyList<DeniedTool>? _deniedInAll;
    private (string? TaskId, long? TaskNumber, string? SessionId, string? Directory) _run;
    private volatile GivenAnswer? _answered;
    private long _revision;

    /// <param name="identity">The agent that the pane shows.</param>
    /// <param name="dialect">How to read the agent.</param>
    /// <param name="clock">Gives the times of events. Silences are measured on its monotonic clock.</param>
    /// <param name="pricing">Prices usage that the agent reports without a cost.</param>
    /// <param name="keepsWords">Whether the news hold what the agent says; else no text is decoded.</param>
    /// <param name="secrets">The keys to redact in everything that the pane shows; none when null.</param>
    public AgentPane(
        PaneIdentity identity, IDialect dialect, TimeProvider clock, UsagePricing pricing = default, bool keepsWords = false, Secrets? secrets = null)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(dialect);
        ArgumentNullException.ThrowIfNull(clock);
        _identity = identity;
        _dialect = dialect;
        _clock = clock;
        _fold = new PaneFold(_news, pricing, keepsWords, secrets ?? Secrets.None) { TicksPerSecond = clock.TimestampFrequency };
        _run = (identity.TaskId, null, identity.SessionId, identity.Cwd);
        _startedAt = clock.GetUtcNow();
        _startStamp = clock.GetTimestamp();
    }

    public string Id => _identity.Id;

    public string? TaskId
    {
        get
        {
            lock (_gate) return _run.TaskId;
        }
    }

    public string? SessionId
    {
        get
        {
            lock (_gate) return _run.SessionId;
        }
    }

    /// <summary>Grows with each change that a subscriber would show; one more event of the same kind is no change.</summary>
    public long Revision => Volatile.Read(ref _revision);

    /// <summary>The number of events in all chunks fed so far; the same number later means no event in between.</summary>
    public long Events
    {
        get
        {
            lock (_gate) return _published.Events;
        }
    }

    /// <summary>What the events of all chunks fed so far say about the run.</summary>
    public RunReport Run
    {
        get
        {
            lock (_gate) return _published.Run();
        }
    }

    /// <summary>Whether it is at work, or waits for an answer. A question that has its answer, outside a run, leaves it at rest.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate) return _published.Run().Outcome switch
            {
                RunOutcome.Working => true,
                RunOutcome.Blocked => !_published.IsAnswered(_answered),
                _ => false,
            };
        }
    }

    /// <summary>The lengths of time that limits depend on, by all chunks fed so far.</summary>
    public PaneTimes Times()
    {
        lock (_gate) return PaneTimes.Of(_published, _clock, _startStamp, _answered);
    }

    /// <summary>What all chunks fed so far report as used.</summary>
    public Usage Usage
    {
        get
        {
            lock (_gate) return _published.Usage.ToWire();
        }
    }

    public Lifecycle Lifecycle
    {
        get
        {
            lock (_gate) return _lifecycle;
        }
    }

    /// <summary>Reads what came from the agent's standard output, cut anywhere.</summary>
    /// <returns>What it brought; valid until the next call.</returns>
    [SkipLocalsInit]
    public PaneNews Feed(ReadOnlySpan<byte> chunk)
    {
        _news.Clear();
        scoped var input = chunk;
        Span<ulong> marks = stackalloc ulong[LineLook.MarkWords];
        var any = false;
        var events = _fold.State.Events;
        _fold.Answered = _answered;
        while (_framer.TryRead(ref input, out var line, out var kind, marks, out var look))
        {
            if (!any) (_fold.State.Now, _fold.State.Stamp) = (_clock.GetUtcNow(), _clock.GetTimestamp());
            any = true;
            if (kind == LineKind.Oversize) CountOversize();
            else if (kind == LineKind.Ends) ReadEnds();
            else if (_dialect.Read(line, truncated: false, _fold, look)) _fold.State.Events++;
            else _fold.Missed(line);
        }

        if (_fold.State.Events != events) _fold.State.LastEventAt = _fold.State.Now;
        if (any) _news.Changed = Publish();
        return _news;
    }

    /// <summary>Reads the events that the dialect has of its own.</summary>
    /// <returns>What they brought; valid until the next call.</returns>
    public PaneNews Tell()
    {
        _news.Clear();
        if (_dialect is not IOwnEvents own) return _news;
        (_fold.State.Now, _fold.State.Stamp) = (_clock.GetUtcNow(), _clock.GetTimestamp());
        _fold.Answered = _answered;
        if (own.Tell(_fold)) _news.Changed = Publish();
        return _news;
    }

    /// <summary>
    /// The agent's standard output has ended. A last line without its newline counts as malformed unless it is a whole object.
    /// </summary>
    /// <param name="used">What its session has used, by model, where a file of the agent's tells that and its output does not; null for nothing.</param>
    /// <returns>What that line brought; valid until the next call.</returns>
    public PaneNews Complete(IReadOnlyList<ModelUsage>? used = null)
    {
        _news.Clear();
        (_fold.State.Now, _fold.State.Stamp) = (_clock.GetUtcNow(), _clock.GetTimestamp());
        if (_framer.IsInOversizeLine) LoseLine(_framer.OversizeLine);
        if (_framer.Complete(out var torn))
        {
            // An exact reading is needed, because by its form a line cut inside a number or a literal looks whole.
            if (JsonLine.IsWellFormedObject(torn) && _dialect.Read(torn, truncated: false, _fold))
            {
                _fold.State.Events++;
                _fold.State.LastEventAt = _fold.State.Now;
            }
            else
            {
                _fold.State.MalformedLines++;
                LoseLine(torn);
            }
        }

        _framer.Reset();
        if (_dialect is IOwnEvents own) own.Complete(_fold);
        if (used is not null) _fold.Used(used);
        _fold.Complete();
        _fold.State.IsComplete = true;
        _news.Changed = Publish();
        return _news;
    }

    /// <summary>The process was seen to run.</summary>
    /// <returns>Here and in the next methods: whether something changed that a subscriber would show.</returns>
    public bool Started(int pid) => Live(ProcessEvent.Started, pid: pid);

    /// <summary>The agent was asked to end.</summary>
    public bool StopRequested() => Live(ProcessEvent.StopRequested);

    /// <summary>The process ended; its descendants may not have.</summary>
    public bool Exited(ProcessExit exit) => Live(ProcessEvent.Exited, exit: exit);

    /// <summary>The process and every descendant are gone.</summary>
    public bool TreeGone() => Live(ProcessEvent.TreeGone);

    /// <summary>There never was a process, and why.</summary>
    public bool FailedToStart(string reason)
    {
        lock (_gate)
        {
            _startFailure = reason;
        }

        return Live(ProcessEvent.TreeGone);
    }

    /// <summary>Sets what the agent works on from now.</summary>
    /// <param name="taskId">The task; null for none.</param>
    /// <param name="sessionId">The session that it is logged to.</param>
    public bool SetRun(string? taskId, string sessionId, long? taskNumber = null)
    {
        lock (_gate)
        {
            if ((_run.TaskId, _run.TaskNumber, _run.SessionId) == (taskId, taskNumber, sessionId)) return false;
            (_run.TaskId, _run.TaskNumber, _run.SessionId) = (taskId, taskNumber, sessionId);
            _revision++;
            return true;
        }
    }

    /// <summary>Where the current run works; shown until the agent says where it is.</summary>
    public bool SetPlace(string directory)
    {
        lock (_gate)
        {
            if (_run.Directory == directory) return false;
            _run.Directory = directory;
            _revision++;
            return true;
        }
    }

    /// <summary>The id that the agent itself gave its session; null before it has told it.</summary>
    public string? HarnessSessionId
    {
        get
        {
            lock (_gate) return _fold.State.HarnessSessionId;
        }
    }

    /// <summary>The agent's open question, to which no answer was given yet; null when there is none.</summary>
    public AgentQuestion? Question
    {
        get
        {
            lock (_gate) return OpenQuestion();
        }
    }

    /// <summary>The number of the task that it works on, or worked on last.</summary>
    public long? TaskNumber
    {
        get
        {
            lock (_gate) return _run.TaskNumber;
        }
    }

    /// <summary>Whether it lives and has given no sign of work for so long; never while it waits for an answer.</summary>
    public bool IsStalled(TimeSpan stallAfter, TimeSpan toolTimeout)
    {
        lock (_gate) return _exit is null && _lifecycle != Lifecycle.Stopped && IsSilent(_published, OpenQuestion(), _answered, stallAfter, toolTimeout);
    }

    /// <summary>Reserves the open question for an answer: true for one caller alone, and only while the question is open.</summary>
    public bool TryAnswer(string request)
    {
        lock (_gate)
        {
            if (OpenQuestion()?.Request != request) return false;
            _answered = new GivenAnswer(request, _clock.GetTimestamp());
            _revision++;
            return true;
        }
    }

    /// <summary>Reopens a reserved question whose answer could not be sent.</summary>
    public void Reopen(string request)
    {
        lock (_gate)
        {
            if (_answered?.Request != request) return;
            _answered = null;
            _revision++;
        }
    }

    /// <summary>Sets whether the agent's session is larger than even the widest cost mode allows.</summary>
    public bool SetOverBudget(bool overBudget)
    {
        lock (_gate)
        {
            if (_session.IsOverBudget == overBudget) return false;
            _session.IsOverBudget = overBudget;
            _revision++;
            return true;
        }
    }

    /// <summary>Another run begins: what concerned the one before is not shown any more.</summary>
    public bool BeginRun()
    {
        lock (_gate)
        {
            var changed = _failed || Denied(_published) is not null;
            (_failed, _deniedInAll, _deniedBefore) = (false, null, _published.Signs.Denied);
            if (changed) _revision++;
            return changed;
        }
    }

    /// <summary>Sets how its latest run was judged, until another begins.</summary>
    /// <param name="failed">It has failed, and the pane needs attention.</param>
    /// <param name="denied">The tools whose calls were refused in it, by whatever the agent told.</param>
    public bool EndRun(bool failed, IReadOnlyList<DeniedTool>? denied)
    {
        lock (_gate)
        {
            if (_failed == failed && (denied is null || ReferenceEquals(denied, Denied(_published)))) return false;
            (_failed, _deniedInAll) = (failed, denied);
            _revision++;
            return true;
        }
    }

    /// <summary>Sets how many entries its sessions lack, and whether the latest one was refused.</summary>
    /// <returns>Whether a screen shows something else: the count alone goes up with every entry.</returns>
    public bool SetSessionLoss(long dropped, bool isLosing)
    {
        lock (_gate)
        {
            var changed = _session.IsLosing != isLosing || (dropped > 0 && _session.Dropped == 0);
            if (_session.Dropped == dropped && !changed) return false;
            (_session.Dropped, _session.IsLosing) = (dropped, isLosing);
            _revision++;
            return changed;
        }
    }

    private IReadOnlyList<DeniedTool>? Denied(in PaneState state) => _deniedInAll ?? DeniedCalls.Since(state.Signs.Denied, _deniedBefore);

    private bool IsSilent(PaneState state, AgentQuestion? question, GivenAnswer? answered, TimeSpan stallAfter, TimeSpan toolTimeout)
    {
        var limit = (state.Tool is null && state.BackgroundWork == 0) || toolTimeout < stallAfter ? stallAfter : toolTimeout;
        // One that waits for an answer is blocked, however long.
        return question is null && state.Activity != Activity.Blocked && PaneTimes.Of(state, _clock, _startStamp, answered).Silent >= limit;
    }

    private AgentQuestion? OpenQuestion() => _exit is null && _published.Question is { } question && question.Request != _answered?.Request ? question : null;

    // What the line says is told at its end.
    private void CountOversize()
    {
        _fold.State.MalformedLines++;
        _fold.State.OversizeLines++;
    }

    private void ReadEnds()
    {
        if (!_framer.TryJoinEnds(out var line, out var look)) _fold.MissedIn(line);
        if (_dialect.Read(line, truncated: true, _fold, look)) _fold.State.LastEventAt = _fold.State.Now;
    }

    private void LoseLine(ReadOnlySpan<byte> torn)
    {
        _fold.MissedIn(torn);
        _fold.State.IsTorn = true;
        _fold.State.Signs.IsCut = torn is [(byte)'{', ..];
    }

    private bool Live(ProcessEvent what, int? pid = null, ProcessExit? exit = null)
    {
        lock (_gate)
        {
            var next = LifecycleTable.Next(_lifecycle, what);
            if (next == _lifecycle && (pid ?? _pid) == _pid && (exit ?? _exit) == _exit && what != ProcessEvent.StopRequested) return false;
            _lifecycle = next;
            _pid = pid ?? _pid;
            _exit = exit ?? _exit;
            if (what == ProcessEvent.StopRequested && _exit is null) _stopRequested = true;
            _revision++;
            return true;
        }
    }

    private bool Publish()
    {
        lock (_gate)
        {
            var changed = !_published.ShowsTheSameAs(_fold.State);
            _published = _fold.State;
            if (changed) _revision++;
            return changed;
        }
    }

    /// <summary>The pane at this instant.</summary>
    /// <param name="stallAfter">A living agent without a sign of work for this long is stalled.</param>
    /// <param name="toolTimeout">The same while one of its tools or its background work runs, which may be silent for long.</param>
    public Pane ToWire(TimeSpan stallAfter, TimeSpan toolTimeout)
    {
        PaneState state;
        Lifecycle lifecycle;
        ProcessExit? exit;
        string? startFailure;
        int? pid;
        bool stopRequested;
        bool overBudget;
        bool failed;
        IReadOnlyList<DeniedTool>? denied;
        bool isLosing;
        long dropped;
        (string? TaskId, long? TaskNumber, string? SessionId, string? Directory) run;
        AgentQuestion? question;
        GivenAnswer? answered;
        lock (_gate)
        {
            (run, question, answered, denied) = (_run, OpenQuestion(), _answered, Denied(_published));
            (overBudget, dropped, isLosing) = _session;
            (state, lifecycle, exit, startFailure, pid, stopRequested, failed) = (_published, _lifecycle, _exit, _startFailure, _pid, _stopRequested, _failed);
        }

        // Only once all its output was read: its end is often known before its last lines are.
        var activity = exit is not null && state.IsComplete
            ? ActivityTable.Next(state.LastActivity, stopRequested ? EventKind.ProcessStopped : EventKind.ProcessDied)
            : state is { Activity: Activity.Blocked, AskedFrom: { } before } && state.IsAnswered(answered) ? before : state.Activity;
        if (startFailure is not null) activity = Activity.Error;
        var lives = exit is null && lifecycle != Lifecycle.Stopped;
        var stalled = lives && IsSilent(state, question, answered, stallAfter, toolTimeout);
        return new Pane
        {
            Id = _identity.Id,
            Label = _identity.Label,
            Agent = _identity.Agent,
            Runtime = _identity.Runtime,
            Pid = pid,
            Lifecycle = lifecycle,
            Activity = activity,
            Stalled = stalled,
            NeedsAttention = stalled || overBudget || failed || isLosing || activity is Activity.Error or Activity.Blocked,
            TaskId = run.TaskId,
            TaskNumber = run.TaskNumber,
            SessionId = run.SessionId,
            OverBudget = overBudget ? true : null,
            SessionEntriesDropped = dropped > 0 ? dropped : null,
            HarnessSessionId = state.HarnessSessionId,
            Cwd = state.Cwd ?? run.Directory,
            StartedAt = _startedAt,
            LastEventAt = state.LastEventAt,
            LastEvent = state.LastEvent,
            Events = state.Events,
            MalformedLines = state.MalformedLines,
            OversizeLines = state.OversizeLines,
            Turns = state.Turns,
            Tools = state.Tools,
            Tool = lives ? state.Tool : null,
            Plan = state.Plan,
            LastWords = state.LastWords,
            Usage = state.Usage.ToWire(),
            Unknown = _identity.UnknownIn(state.Usage),
            Denied = denied,
            Question = question,
            Error = startFailure ?? state.Error,
            Exit = exit,
        };
    }
}

/// <summary>What is known of an agent before its first output.</summary>
/// <param name="Id">The agent's id.</param>
/// <param name="Agent">Its name.</param>
/// <param name="Runtime">The name of the agent's kind.</param>
public sealed record PaneIdentity(string Id, string Agent, string Runtime)
{
    /// <summary>What people type for its id.</summary>
    public string? Label { get; init; }

    public string? TaskId { get; init; }

    public string? SessionId { get; init; }

    /// <summary>Where it was started; shown until the agent says where it is.</summary>
    public string? Cwd { get; init; }

    /// <summary>What its kind does not tell. A usage that is there after all is shown, and so is a cost.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    internal const string UsageField = "usage";
    internal const string CostField = "cost";

    internal IReadOnlyList<string>? UnknownIn(UsageReport used)
    {
        if (Unknown.Count == 0) return null;
        var (hasUsage, hasCost) = (used.Tokens > 0, used.Microcents > 0);
        var unknown = Unknown.Where(field => field switch { UsageField => !hasUsage, CostField => !hasCost, _ => true }).ToList();
        return unknown.Count > 0 ? unknown : null;
    }
}
