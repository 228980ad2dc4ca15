using System.Text;
using Colibri.Core.Panes.Dialects;
using Colibri.Core.Providers;
using Colibri.Jsonl;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>Adds events to a <see cref="PaneState"/>. Allocates only for what is new: a session id, an error's words, a tool's name. Long,
/// because each kind of event changes the same state.</summary>
/// <param name="news">Collects the news of a chunk.</param>
/// <param name="pricing">For reports of usage without a cost.</param>
/// <param name="keepsWords">Whether what the agent says and answers goes into <paramref name="news"/>; else no text is decoded.</param>
/// <param name="secrets">The keys to redact in everything that the fold keeps.</param>
internal sealed class PaneFold(PaneNews news, UsagePricing pricing, bool keepsWords, Secrets secrets) : IEventSink
{
    private const int MaxErrorChars = 2_048;
    private const int MaxErrors = 8;
    private const int MaxEventChars = 64;
    private const int MaxEvents = 32;
    private const string WordlessRefusal = "the agent refused the prompt without saying why";
    private const string WordlessQuestion = "the agent asks, and does not say what";
    private const int MaxIdChars = 256;
    private const int MaxNameChars = 128;
    private const int MaxNames = 8;
    private const int MaxToolNames = 32;
    private const int MaxPathChars = 4_096;
    private const int MaxStepChars = 200;
    private const int MaxLastWordsChars = 200;
    private const int MaxPrintedChars = 200;
    private const string UnknownTool = "tool";

    private readonly RunningTools _tools = new();
    private readonly CallEntries? _calls = keepsWords ? new CallEntries(news, secrets) : null;

    // Most agents need none of these.
    private RunningTools? _unended;
    private DeniedCalls? _denied;
    private Func<ulong, bool>? _isDenied;
    private BackgroundStarts? _starts;
    private MessagePieces? _pieces;
    private string? _said;
    private bool _namesBackground;
    private long _errorAt;
    private long _askedAt;
    private string? _asked;
    private UsageAccount _usage = new(pricing, news);
    private UsageReport _usedBefore;
    private ulong _sessionHash;
    private ulong _cwdHash;
    private string? _provider;
    private string? _model;
    private ulong _turn;
    private UsageReport _entered;
    private readonly LatestTexts _errors = new(secrets.Excerpt, MaxErrors, MaxErrorChars);
    private readonly LatestTexts _events = new(secrets.Name, MaxEvents, MaxEventChars);
    private readonly LatestTexts _names = new(secrets.Name, MaxNames, MaxNameChars);
    private readonly LatestTexts _sessions = new(secrets.Name, MaxNames, MaxIdChars);
    private readonly LatestTexts _toolNames = new(secrets.Name, MaxToolNames, MaxNameChars);

    public PaneState State = new() { Signs = new RunSigns { AreCounted = true } };

    /// <summary>A line could not be read.</summary>
    public void Missed(ReadOnlySpan<byte> line)
    {
        State.MalformedLines++;
        MissedIn(line);
    }

    /// <summary>What stood in a line could not be read, or not all of it.</summary>
    /// <param name="line">What is left of it.</param>
    public void MissedIn(ReadOnlySpan<byte> line)
    {
        if (line is [(byte)'{', ..])
        {
            State.Signs.Unread++;
            _tools.AwaitNone();
            _unended?.AwaitNone();
            State.Signs.Unended = null;
        }
        else
        {
            State.Signs.Printed ??= secrets.Excerpt(Encoding.UTF8.GetString(line).Trim(), MaxPrintedChars);
        }
    }

    /// <summary>The answer that was given last.</summary>
    public GivenAnswer? Answered { get; set; }

    /// <summary>Of the clock that <see cref="PaneState.Stamp"/> is read from.</summary>
    public long TicksPerSecond { get; init; } = TimeSpan.TicksPerSecond;

    public void On(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        State.LastEvent = e.Name ?? _events.Of(line, e.UnknownName);
        if (e.IsPartial || e.IsCut) MissedIn(line);
        if (e.SessionId.IsString && IsNew(line, e.SessionId, ref _sessionHash))
        {
            var session = _sessions.Of(line, e.SessionId);
            if (State.HarnessSessionId is { } before && session != before) BeginAccount();
            news.HarnessSessionId = State.HarnessSessionId = session;
        }
        if (e.Cwd.IsString && IsNew(line, e.Cwd, ref _cwdHash))
            State.Cwd = secrets.Name(e.Cwd.GetString(line)!, MaxPathChars);
        if (e.Provider.IsString) _provider = _names.Of(line, e.Provider);
        if (e.Model.IsString) _model = _names.Of(line, e.Model);
        if (e.IsAnswer) State.Answers++;
        if (e.Plan is { } plan) State.Plan = plan with { Current = plan.Current is { } step ? secrets.Name(step, MaxStepChars) : null };

        if (keepsWords && e.ResponseId.IsString)
            news.Add(new CommandReply(e.ResponseId.GetString(line, MaxIdChars) ?? "", e.Succeeded ? null : _errors.Of(line, e.Error) ?? WordlessRefusal));

        NoteRefusal(e);
        // Claude opens its session again when background work wakes it; the same run goes on.
        var kind = e.Kind == EventKind.SessionOpened && State.IsEndHeld ? EventKind.RunResumed : e.Kind;

        // Of a turn that is told again the message goes on, and a note or usage of its own is no part of what the agent says.
        if (!e.IsPiece && kind is not (EventKind.TurnStarted or EventKind.Ignored or EventKind.Noted or EventKind.UsageReported)) EndMessage();

        // Whatever wakes an agent that has ended its run was the work that it had started in the background.
        if (State is { IsBackgroundGuessed: true, IsEndHeld: true } && (e.Kind is EventKind.SessionOpened or EventKind.TurnStarted || IsEnd(e.Kind)))
        {
            _starts!.Clear();
            CountStarts();
        }

        var (isNews, wasSettled) = (true, State.IsSettled);
        switch (kind)
        {
            case EventKind.RunStarted:
                ForgetRun();
                State.Error = null;
                break;
            case EventKind.Denied:
                NoteDenied(IdOf(line, e), NameOf(line, e), line, e.Error);
                break;
            case EventKind.BackgroundEnded:
                _starts?.Close(IdOf(line, e), HashOf(line, e.BackgroundTask));
                CountStarts();
                break;
            case EventKind.TurnStarted:
                StartTurn(line, e);
                break;
            case EventKind.MessageEnded or EventKind.TurnEnded:
                State.IsCut |= e.IsCut;
                NoteStop(line, e.Stop, e.Error);
                break;
            case EventKind.ToolStarted:
                isNews = StartTool(line, e);
                break;
            case EventKind.ToolEnded:
                EndTool(line, e);
                break;
            case EventKind.ToolCalled:
                _calls?.Told(line, e, IdOf(line, e), NameOf(line, e) ?? UnknownTool);
                break;
            case EventKind.Asked:
                EnterQuestion(e);
                State.Question = e.Question?.Shortened(secrets.Excerpt);
                _askedAt = State.Events;
                break;
            case EventKind.CompactionStarted:
                if (State.Activity is Activity.Idle or Activity.Done or Activity.Error) State.SetAside ??= State.Activity;
                State.IsCompacting = State.SetAside is not null;
                break;
            case EventKind.BackgroundChanged:
                isNews = NoteBackground(line, e);
                break;
            case EventKind.CompactionEnded or EventKind.Noted:
                if (_errors.Of(line, e.Error) is { } noted) SetError(noted);
                if (e.IsPromptRefusal) State.PromptRefused = _errors.Of(line, e.Error) ?? WordlessRefusal;
                break;
            case EventKind.RunEnded or EventKind.RunFailed or EventKind.Settled or EventKind.Failed:
                kind = EndRun(line, e);
                if (keepsWords && e.IsPromptRefusal) news.Add(new SessionEntry { Kind = SessionEntryKind.Note, Text = $"the agent refused the prompt: {State.RunError ?? WordlessRefusal}" });
                break;
        }

        if (e.HasWords || ((e.Kind == EventKind.MessageEnded || IsEnd(e.Kind)) && ContentText.HasWords(line, e.Text))) State.Signs.Words++;
        if (e.Usage is { } usage && !AddUsage(line, usage, e) && kind == EventKind.UsageReported) isNews = false;
        if (isNews) NoteSign(kind, e, wasSettled);
        if (keepsWords && (kind == EventKind.MessageEnded || IsEnd(kind)) && ContentText.Decode(line, e.Text) is { Length: > 0 } text)
            Enter(kind, text, e);
        Step(kind);
        // Only now: a message may be what begins the run.
        ShowSaid();
    }

    private void ShowSaid()
    {
        if (_said is null) return;
        State.LastWords = _said;
        _said = null;
    }

    // What a run comes to, as its end says it, repeats its last message: that is in the session already.
    private void Enter(EventKind kind, string words, in AgentEvent e)
    {
        if (e.IsPiece)
        {
            State.OversizeLines += (_pieces ??= new MessagePieces(secrets)).Add(words, e.IsNested) ? 0 : 1;
            return;
        }
        Enter(kind, words, e.IsNested);
    }

    private void EndMessage()
    {
        if (_pieces?.Take() is { } whole) Enter(EventKind.MessageEnded, whole.Words, whole.IsNested);
    }

    private void Enter(EventKind kind, string words, bool isNested)
    {
        if (kind == EventKind.MessageEnded) news.Add(new SessionEntry { Kind = SessionEntryKind.Assistant, Text = words });
        if (isNested || string.IsNullOrWhiteSpace(words)) return;
        news.Words = words;
        _said = secrets.Name(words.Trim(), MaxLastWordsChars);
    }

    // An agent may tell again of the question that it waits with.
    private void EnterQuestion(in AgentEvent e)
    {
        var isOpen = State.Activity == Activity.Blocked && !State.IsAnswered(Answered);
        if (!keepsWords || (isOpen && _asked == e.Question?.Request)) return;
        _asked = e.Question?.Request;
        // Part by part, one after another: what stands between two parts in the entry would hide a key that is split over them.
        string? before = null;
        var clean = e.Question?.Shortened((text, _) => secrets.Redact(text, ref before));
        news.Add(new SessionEntry { Kind = SessionEntryKind.Question, Text = clean?.Words is { Length: > 0 } words ? words : WordlessQuestion });
    }

    private void Step(EventKind kind)
    {
        var before = State.Activity;
        Move(kind);
        if (State.Activity != Activity.Blocked) State.Question = null;
        if (before == Activity.Blocked && (State.Activity != before || (kind == EventKind.Asked && State.IsAnswered(Answered)))) State.EndWait(Answered);
        if (State.Activity == Activity.Blocked && State.BlockedSince is null) State.BlockedSince = State.Stamp;

        // A refusal means that no run will begin. Once the agent works, the refusal concerned another prompt.
        if (State.RestingActivity != Activity.Idle) State.PromptRefused = null;
        if (before is Activity.Idle or Activity.Done or Activity.Error && State.Activity is Activity.Working or Activity.Blocked && State.SetAside is null)
        {
            State.Runs++;
            State.Plan = null;
            State.LastWords = null;
        }
        // A question outside a run is no run of its own: what begins after it is one.
        if (kind == EventKind.Asked && before != Activity.Blocked) State.AskedFrom = before == Activity.Working ? null : before;
        else if (before == Activity.Blocked && State is { Activity: Activity.Working, AskedFrom: not null }) State.Runs++;
    }

    private void Move(EventKind kind)
    {
        if (kind == EventKind.CompactionEnded && State.SetAside is { } before)
        {
            State.IsCompacting = false;
            RestAt(before);
            return;
        }

        // An event that changes nothing after an end changes nothing while the end is held open either.
        if (State is { IsEndHeld: true, SetAside: { } end } && !IsEnd(kind) && ActivityTable.Next(end, kind) == end) return;
        // A permission stays asked for until it is answered, withdrawn or its run has ended, whatever else the agent does beside.
        if (State.Activity == Activity.Blocked && State.Question is { Method: AgentQuestion.Permission } permission && permission.Request != Answered?.Request
            && !IsEnd(kind) && kind is not (EventKind.Asked or EventKind.RunStarted or EventKind.RunResumed)) return;
        // Another tool at work beside the one that asks, for as long as one runs that may have asked.
        if (State.Question is { } open && open.Request != Answered?.Request
            && (kind == EventKind.ToolProgress || (kind is EventKind.ToolStarted or EventKind.ToolEnded && _tools.HasOneFrom(_askedAt)))) return;
        var next = ActivityTable.Next(State.Activity, kind);
        if (kind is not (EventKind.CompactionStarted or EventKind.Ignored or EventKind.ToolCalled or EventKind.Noted or EventKind.UsageReported
            or EventKind.BackgroundChanged or EventKind.BackgroundEnded or EventKind.Denied))
            (State.SetAside, State.IsCompacting) = (null, false);
        if (IsEnd(kind)) RestAt(next);
        else State.Activity = next;
    }

    // While background work is open, the agent counts as working even after a run's end.
    private void RestAt(Activity activity) => (State.SetAside, State.Activity) =
        State.BackgroundWork > 0 && activity is Activity.Done or Activity.Error ? ((Activity?)activity, Activity.Working) : (null, activity);

    private static bool IsEnd(EventKind kind) => kind is EventKind.RunEnded or EventKind.RunFailed or EventKind.Settled or EventKind.Failed;

    // False where it is what was told before.
    private bool NoteBackground(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        if (e.BackgroundTasks is not { } tasks) return false;
        // An agent that names its work is believed, whatever its calls said.
        (_namesBackground, State.IsBackgroundGuessed, _starts) = (true, false, null);
        return HoldEnd(tasks, _names.Of(line, e.BackgroundTask));
    }

    private bool HoldEnd(long tasks, string? first)
    {
        var before = (State.BackgroundWork, State.BackgroundTask);
        State.BackgroundWork = tasks;
        State.BackgroundTask = first;
        if (tasks == 0) return before.BackgroundWork > 0;
        State.IsSettled = false;
        if (State.SetAside is null) RestAt(State.Activity);
        return before != (tasks, State.BackgroundTask);
    }

    private void CountStarts()
    {
        if (_starts is null || _namesBackground) return;
        State.IsBackgroundGuessed = true;
        HoldEnd(_starts.Count, _starts.First);
    }

    private void NoteDenied(ulong call, string? tool, ReadOnlySpan<byte> line, JsonValue reason)
    {
        _denied ??= new DeniedCalls();
        if (!_denied.IsNew(call)) return;
        var words = reason.IsString ? secrets.Excerpt(reason.GetString(line)!, DeniedCalls.MaxReasonChars) : null;
        State.Signs.Denied = DeniedCalls.With(State.Signs.Denied, tool ?? UnknownTool, string.IsNullOrWhiteSpace(words) ? null : words);
        State.Signs.MovesAtDenial = Math.Max(State.Signs.MovesAtDenial, _denied.MovesAt(call, State.Signs.Moves));
    }

    private void SetError(string words) => (State.Error, _errorAt) = (words, State.Events);

    /// <summary>Keeps the times that a run's limits are measured from.</summary>
    private void NoteSign(EventKind kind, in AgentEvent e, bool wasSettled)
    {
        var sign = WorkSigns.Of(kind, e, State.IsCompacting);
        // An opening line or an end that is told again says nothing new.
        var isRepeated = State.LastSign is not null
            && ((kind == EventKind.SessionOpened && State.Activity == Activity.Idle) || (WorkSigns.IsGoodEnd(kind) && State.RestingActivity == Activity.Done));
        if (sign == WorkSign.None || isRepeated) return;
        State.LastSign = State.Stamp;
        State.IsRetrying = e.WillRetry || kind == EventKind.Retrying;
        if (sign == WorkSign.Failure)
        {
            State.NoteFailure(e.WaitMs, TicksPerSecond);
            return;
        }

        // An agent that asks its provider again repeats the first steps of its run. An answer, or another run, shows that it gets on.
        if (sign == WorkSign.Answer || wasSettled) State.FailingSince = null;
        if (State.FailingSince is null || kind == EventKind.CompactionStarted) State.LastWork = State.Stamp;
    }

    private void ShowTools() => (State.Tool, State.OldestTool, State.OldestToolAt) = (_tools.Latest, _tools.Oldest, _tools.OldestAt);

    private void ForgetRun()
    {
        State.Stop = StopReason.None;
        State.RunError = null;
        State.IsSettled = false;
        State.IsCut = false;
    }

    private void NoteRefusal(in AgentEvent e)
    {
        if (e.Refusal is { } refusal)
        {
            State.ProviderStatus = refusal.Status ?? State.ProviderStatus;
            State.ResumeAt = refusal.ResumesAfter(State.Now) ?? State.ResumeAt;
        }
        else if (e.Kind == EventKind.RunStarted || (e.Kind is EventKind.MessageEnded or EventKind.TurnEnded && e.Stop < StopReason.Length))
        {
            State.ProviderStatus = 0;
            State.ResumeAt = null;
        }
    }

    private void StartTurn(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        var turn = e.TurnId.IsString ? RunningTools.Hash(e.TurnId.Raw(line)) : 0;
        if (turn != 0 && turn == _turn) return;
        EndMessage();
        _turn = turn;
        State.Turns++;
        // The main loop goes on once its own calls have ended.
        _tools.DropUnawaited();
        ShowTools();
        ForgetRun();
    }

    private void NoteStop(ReadOnlySpan<byte> line, StopReason stop, JsonValue error)
    {
        if (stop == StopReason.None) return;
        State.IsCut = false;
        State.Stop = stop;
        State.RunError = stop < StopReason.Length ? null : _errors.Of(line, error) ?? WordsFor(stop);
        if (State.RunError is not null) SetError(State.RunError);
    }

    // The stop reason of the last message decides whether the run has failed, unless the event says so itself.
    private EventKind EndRun(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        var final = e.Kind is EventKind.Settled or EventKind.Failed;
        var stop = e.Kind is EventKind.RunFailed or EventKind.Failed && e.Stop < StopReason.Length ? StopReason.Error : e.Stop;
        var addsNothing = stop >= StopReason.Length && State.Stop >= StopReason.Length && !e.Error.IsString;
        if (!addsNothing) NoteStop(line, stop, e.Error);
        if (final) State.IsSettled = State.BackgroundWork == 0;
        State.Turns += e.Turns;
        if (_tools.LatestAwaited.Name is not null) _tools.MoveAwaited(_unended ??= new RunningTools(), _isDenied ??= call => _denied?.Has(call) == true);
        _tools.Clear();
        _calls?.Flush();
        ShowTools();
        NoteUnended();
        if (State is { Stop: < StopReason.Length, Error: { } overcome })
            (State.Error, State.Signs.Overcome, State.Signs.OvercomeAt) = (null, overcome, _errorAt);
        return (final, State.Stop >= StopReason.Length) switch
        {
            (true, true) => EventKind.Failed,
            (true, false) => EventKind.Settled,
            (false, true) => EventKind.RunFailed,
            (false, false) => EventKind.RunEnded,
        };
    }

    private bool StartTool(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        var (call, name) = (IdOf(line, e), NameOf(line, e) ?? UnknownTool);
        if (e.Background == BackgroundStep.Stops) _starts?.Stopping(call, HashOf(line, e.BackgroundTask));
        if (e.Background == BackgroundStep.Starts && !_namesBackground)
        {
            (_starts ??= new BackgroundStarts()).Open(call, 0, _names.Of(line, e.BackgroundTask) ?? name);
            CountStarts();
        }
        var since = State.Stamp - State.WaitedBy(State.Stamp, Answered);
        if (!_tools.Start(call, name, since, State.Events, isAwaited: !e.IsNested && e.Background != BackgroundStep.Starts)) return false;
        State.Tools++;
        State.Answers++;
        _calls?.Started(line, e, call, name);
        ShowTools();
        return true;
    }

    private void NoteUnended() => (State.Signs.Unended, State.Signs.UnendedAt) = _unended?.LatestAwaited ?? default;

    private void NoteOutcome(ReadOnlySpan<byte> line, in AgentEvent e, ulong call, string? name)
    {
        if (e.IsDenied) NoteDenied(call, name, line, e.Text);
        else if (e.IsError) (_denied ??= new DeniedCalls()).Failed(call, State.Signs.Moves);
        else if (!e.IsUnfinished) State.Signs.Successes++;

        if (e.Background == BackgroundStep.Starts && !_namesBackground)
            (_starts ??= new BackgroundStarts()).Open(call, HashOf(line, e.BackgroundTask), name);
        if (_starts is null) return;
        if (e.IsError) _starts.Failed(call);
        _starts.Ended(call, e.IsError);
        CountStarts();
    }

    private void EndTool(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        var call = IdOf(line, e);
        var wasRunning = _tools.End(call, out var name);
        if (!wasRunning && _unended?.End(call, out name) == true)
        {
            wasRunning = true;
            NoteUnended();
        }
        if (!wasRunning && e.MayBeUnannounced) (State.Tools, State.Answers) = (State.Tools + 1, State.Answers + 1);
        ShowTools();
        name = NameOf(line, e) ?? name;
        if (e.IsUnfinished)
        {
            (_unended ??= new RunningTools()).Start(call, name ?? UnknownTool, 0, State.Events);
            NoteUnended();
        }
        NoteOutcome(line, e, call, name);
        if (_calls is null) return;
        if (!wasRunning && e.MayBeUnannounced) _calls.Told(line, e, call, name ?? UnknownTool);
        else _calls.Ended(line, e, call);
        news.Add(new SessionEntry { Kind = SessionEntryKind.ToolResult, Tool = name, IsError = e.IsError || e.IsUnfinished, Text = ContentText.Decode(line, e.Text) });
    }

    // A total never falls: if the agent reports less than before, the higher total was counted and booked already.
    // False where nothing was used.
    private bool AddUsage(ReadOnlySpan<byte> line, UsageReport report, in AgentEvent e)
    {
        var model = e.UsageModel.IsString ? _names.Of(line, e.UsageModel) : _model;
        var before = State.Usage;
        _usage.Add(report, e.Totals, new UsageOrigin(_provider, model, HashOf(line, e.UsageId), State.HarnessSessionId));
        State.Usage = _usedBefore + _usage.Total;
        if (State.Usage.Output > before.Output) State.Answers++;
        if (e.Totals is not (UsageTotals.Message or UsageTotals.Base or UsageTotals.Model)) EnterUsage();
        return State.Usage != before;
    }

    /// <summary>A file of the agent's tells what its session has used in all.</summary>
    public void Used(IReadOnlyList<ModelUsage> models)
    {
        var origin = new UsageOrigin(_provider, _model, 0, State.HarnessSessionId);
        foreach (var model in models)
            _usage.Add(model.Used, UsageTotals.Model, origin with { Model = secrets.Name(model.Model, MaxNameChars) });
        _usage.Add(default, UsageTotals.Cost, origin);
        if (_usage.Total.Output > State.Usage.Output) State.Answers++;
        State.Usage = _usage.Total;
    }

    /// <summary>The agent reports no more usage.</summary>
    public void CompleteUsage()
    {
        _usage.Complete();
        State.Usage = _usedBefore + _usage.Total;
        EnterUsage();
    }

    // Totals of a session say nothing of another one.
    private void BeginAccount()
    {
        if (!_usage.HasTotals) return;
        CompleteUsage();
        _usedBefore = State.Usage;
        _usage = new UsageAccount(pricing, news);
    }

    /// <summary>The agent says nothing more.</summary>
    public void Complete()
    {
        EndMessage();
        ShowSaid();
        _calls?.Flush();
        CompleteUsage();
    }

    // The session gets what was used since its latest entry; what messages tell is entered with the total that includes it.
    private void EnterUsage()
    {
        var added = State.Usage - _entered;
        _entered = State.Usage;
        if (keepsWords && added != default) news.Add(new SessionEntry { Kind = SessionEntryKind.Usage, Usage = added.ToWire() });
    }

    private static ulong IdOf(ReadOnlySpan<byte> line, in AgentEvent e) => HashOf(line, e.ToolId);

    private static ulong HashOf(ReadOnlySpan<byte> line, JsonValue id) => id.IsString ? RunningTools.Hash(id.Raw(line)) : 0;

    private string? NameOf(ReadOnlySpan<byte> line, in AgentEvent e) =>
        e.ToolLabel ?? (e.ToolName is { IsString: true, Length: > 0 } ? _toolNames.Of(line, e.ToolName) : null);

    private static bool IsNew(ReadOnlySpan<byte> line, JsonValue value, ref ulong seen)
    {
        var hash = RunningTools.Hash(value.Raw(line));
        if (hash == seen) return false;
        seen = hash;
        return true;
    }

    private static string WordsFor(StopReason stop) => stop switch
    {
        StopReason.Length => "answer cut by the token limit",
        StopReason.Aborted => "the run was aborted",
        _ => "the agent reported an error without saying which",
    };
}
