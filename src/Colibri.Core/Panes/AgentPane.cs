using System.Runtime.CompilerServices;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Providers;
using Colibri.Jsonl;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>Everything the glasspane knows of one agent, folded from the lines it prints and from what happens to its process.</summary>
/// <remarks>
/// <see cref="Feed"/> and <see cref="Complete"/> belong to one thread at a time. All else is safe from any thread: the fold works on a state of
/// its own and, at the end of each chunk, copies it under a lock that is held for that copy alone.
/// </remarks>
public sealed class AgentPane
{
    /// <summary>Longest line kept, in bytes.</summary>
    public const int MaxLineBytes = 4 << 20;

    private readonly LineFramer _framer = new(MaxLineBytes);
    private readonly Fold _fold;
    private readonly IDialect _dialect;
    private readonly TimeProvider _clock;
    private readonly Action<AgentPane>? _changed;

    private readonly Lock _gate = new();
    private readonly PaneIdentity _identity;
    private readonly DateTimeOffset _startedAt;
    private PaneState _published;
    private Lifecycle _lifecycle = Lifecycle.Starting;
    private string? _startFailure;
    private int? _pid;
    private ProcessExit? _exit;
    private bool _stopRequested;
    private bool _overBudget;
    private string? _taskId;
    private string? _answered;
    private long _revision;

    /// <param name="identity">What the pane is about.</param>
    /// <param name="dialect">How to read the agent.</param>
    /// <param name="clock">Tells when an event came.</param>
    /// <param name="transcript">Takes down what the agent says; none when null, and then no text is decoded.</param>
    /// <param name="changed">
    /// Called with no lock held, on the thread that made the change, when <see cref="Revision"/> has moved: at most once for each chunk fed.
    /// </param>
    /// <param name="meter">Prices and books usage; none when null.</param>
    /// <param name="replies">Hears what the agent answers to commands; nobody when null.</param>
    /// <param name="secrets">Whose keys stand in nothing that the pane shows; none when null.</param>
    public AgentPane(
        PaneIdentity identity, IDialect dialect, TimeProvider clock, ITranscript? transcript = null, Action<AgentPane>? changed = null,
        IUsageMeter? meter = null, IAgentReplies? replies = null, Secrets? secrets = null)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(dialect);
        ArgumentNullException.ThrowIfNull(clock);
        _identity = identity;
        _dialect = dialect;
        _clock = clock;
        _changed = changed;
        _fold = new Fold(transcript, meter, replies, secrets ?? Secrets.None);
        _taskId = identity.TaskId;
        _startedAt = clock.GetUtcNow();
    }

    public string Id => _identity.Id;

    /// <summary>Moves whenever something changed that a subscriber would show: not for one more event of the same kind.</summary>
    public long Revision => Volatile.Read(ref _revision);

    /// <summary>How many events there were in all chunks fed so far: the same number later means that none has come since.</summary>
    public long Events
    {
        get
        {
            lock (_gate) return _published.Events;
        }
    }

    /// <summary>What the events of all chunks fed so far say about the run.</summary>
    public RunState Run
    {
        get
        {
            lock (_gate) return _published.Run();
        }
    }

    /// <summary>Time since its latest event, or since it was started.</summary>
    public TimeSpan SilentFor()
    {
        lock (_gate) return _clock.GetUtcNow() - (_published.LastEventAt ?? _startedAt);
    }

    /// <summary>How long it has reported nothing but errors; zero while it reports other things.</summary>
    public TimeSpan FailingFor()
    {
        lock (_gate) return _published.FailingSince is { } since ? _clock.GetUtcNow() - since : TimeSpan.Zero;
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

    /// <summary>Takes in what was read from the agent's standard output, cut anywhere.</summary>
    [SkipLocalsInit]
    public void Feed(ReadOnlySpan<byte> chunk)
    {
        scoped var input = chunk;
        Span<ulong> marks = stackalloc ulong[LineLook.MarkWords];
        var any = false;
        var events = _fold.State.Events;
        while (_framer.TryRead(ref input, out var line, out var kind, marks, out var look))
        {
            if (!any) _fold.State.Now = _clock.GetUtcNow();
            any = true;
            if (kind == LineKind.Oversize) ReadOversize(line);
            else if (_dialect.Read(line, truncated: false, _fold, look)) _fold.State.Events++;
            else _fold.State.MalformedLines++;
        }

        if (_fold.State.Events != events) _fold.State.LastEventAt = _fold.State.Now;
        if (any) Publish();
    }

    /// <summary>
    /// The agent's standard output has ended. A last line without its newline counts as malformed unless it is a whole object.
    /// </summary>
    public void Complete()
    {
        _fold.State.Now = _clock.GetUtcNow();
        if (_framer.Complete(out var torn))
        {
            // The exact reading: a line cut inside a number or a literal could not be told from a whole one otherwise.
            if (JsonLine.IsWellFormedObject(torn) && _dialect.Read(torn, truncated: false, _fold))
            {
                _fold.State.Events++;
                _fold.State.LastEventAt = _fold.State.Now;
            }
            else
            {
                _fold.State.MalformedLines++;
                _fold.State.IsTorn = true;
            }
        }

        _framer.Reset();
        _fold.State.IsComplete = true;
        Publish();
    }

    /// <summary>The process was seen to run.</summary>
    public void Started(int pid) => Live(ProcessEvent.Started, pid: pid);

    /// <summary>Somebody asked the agent to end.</summary>
    public void StopRequested() => Live(ProcessEvent.StopRequested);

    /// <summary>The process ended; its descendants may not have.</summary>
    public void Exited(ProcessExit exit) => Live(ProcessEvent.Exited, exit: exit);

    /// <summary>The process and every descendant are gone.</summary>
    public void TreeGone() => Live(ProcessEvent.TreeGone);

    /// <summary>There never was a process, and why.</summary>
    public void FailedToStart(string reason)
    {
        lock (_gate)
        {
            _startFailure = reason;
        }

        Live(ProcessEvent.TreeGone);
    }

    /// <summary>Says what the agent works on from now; null for nothing.</summary>
    public void SetTask(string? taskId)
    {
        lock (_gate)
        {
            if (_taskId == taskId) return;
            _taskId = taskId;
            _revision++;
        }

        _changed?.Invoke(this);
    }

    /// <summary>What the agent asks and nobody has answered yet; null when it asks nothing.</summary>
    public AgentQuestion? Question
    {
        get
        {
            lock (_gate) return OpenQuestion();
        }
    }

    /// <summary>Takes the question for answering it: true for one caller alone, and only while it is open.</summary>
    public bool TryAnswer(string request)
    {
        lock (_gate)
        {
            if (OpenQuestion()?.Request != request) return false;
            _answered = request;
            _revision++;
        }

        _changed?.Invoke(this);
        return true;
    }

    /// <summary>Says whether the agent's session is larger than even the widest cost mode allows.</summary>
    public void SetOverBudget(bool overBudget)
    {
        lock (_gate)
        {
            if (_overBudget == overBudget) return;
            _overBudget = overBudget;
            _revision++;
        }

        _changed?.Invoke(this);
    }

    private AgentQuestion? OpenQuestion() => _exit is null && _published.Question is { } question && question.Request != _answered ? question : null;

    private void ReadOversize(ReadOnlySpan<byte> head)
    {
        _fold.State.MalformedLines++;
        _fold.State.OversizeLines++;

        // The cut may fall inside a character, and half a character is no UTF-8.
        while (head is [.., >= 0x80]) head = head[..^1];
        if (_dialect.Read(head, truncated: true, _fold)) _fold.State.LastEventAt = _fold.State.Now;
    }

    private void Live(ProcessEvent what, int? pid = null, ProcessExit? exit = null)
    {
        lock (_gate)
        {
            var next = LifecycleTable.Next(_lifecycle, what);
            if (next == _lifecycle && (pid ?? _pid) == _pid && (exit ?? _exit) == _exit && what != ProcessEvent.StopRequested) return;
            _lifecycle = next;
            _pid = pid ?? _pid;
            _exit = exit ?? _exit;
            if (what == ProcessEvent.StopRequested && _exit is null) _stopRequested = true;
            _revision++;
        }

        _changed?.Invoke(this);
    }

    private void Publish()
    {
        bool changed;
        lock (_gate)
        {
            changed = !_published.ShowsTheSameAs(_fold.State);
            _published = _fold.State;
            if (changed) _revision++;
        }

        if (changed) _changed?.Invoke(this);
    }

    /// <summary>The pane at this instant.</summary>
    /// <param name="now">For telling whether the agent has gone silent.</param>
    /// <param name="stallAfter">An agent that lives and has said nothing for so long is stalled.</param>
    public Pane ToWire(DateTimeOffset now, TimeSpan stallAfter)
    {
        PaneState state;
        Lifecycle lifecycle;
        ProcessExit? exit;
        string? startFailure;
        int? pid;
        bool stopRequested;
        bool overBudget;
        string? taskId;
        AgentQuestion? question;
        lock (_gate)
        {
            (taskId, question) = (_taskId, OpenQuestion());
            (state, lifecycle, exit, startFailure, pid, stopRequested, overBudget) =
                (_published, _lifecycle, _exit, _startFailure, _pid, _stopRequested, _overBudget);
        }

        // Only when all it printed has been read: the news of its end is often faster than its last words.
        var activity = exit is not null && state.IsComplete
            ? ActivityTable.Next(state.RestingActivity, stopRequested ? EventKind.ProcessStopped : EventKind.ProcessDied)
            : state.Activity;
        if (startFailure is not null) activity = Activity.Error;
        var lives = exit is null && lifecycle != Lifecycle.Stopped;
        var stalled = lives && now - (state.LastEventAt ?? _startedAt) >= stallAfter;
        return new Pane
        {
            Id = _identity.Id,
            Agent = _identity.Agent,
            Runtime = _identity.Runtime,
            Pid = pid,
            Lifecycle = lifecycle,
            Activity = activity,
            Stalled = stalled,
            NeedsAttention = stalled || overBudget || activity is Activity.Error or Activity.Blocked,
            TaskId = taskId,
            SessionId = _identity.SessionId,
            OverBudget = overBudget ? true : null,
            HarnessSessionId = state.HarnessSessionId,
            Cwd = state.Cwd ?? _identity.Cwd,
            StartedAt = _startedAt,
            LastEventAt = state.LastEventAt,
            LastEvent = state.LastEvent,
            Events = state.Events,
            MalformedLines = state.MalformedLines,
            OversizeLines = state.OversizeLines,
            Turns = state.Turns,
            Tools = state.Tools,
            Tool = lives ? state.Tool : null,
            Usage = state.Usage.ToWire(),
            Question = question,
            Error = startFailure ?? state.Error,
            Exit = exit,
        };
    }
}

/// <summary>What a pane is about, before its agent has said anything.</summary>
/// <param name="Id">The agent's id.</param>
/// <param name="Agent">Its name.</param>
/// <param name="Runtime">The name of the agent's kind.</param>
public sealed record PaneIdentity(string Id, string Agent, string Runtime)
{
    public string? TaskId { get; init; }

    public string? SessionId { get; init; }

    /// <summary>Where it was started; shown until the agent says where it is.</summary>
    public string? Cwd { get; init; }
}
