using Colibri.Core.Panes.Dialects;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>An answer that was given to an agent's question.</summary>
/// <param name="Request">The question's id.</param>
/// <param name="At">When, on the monotonic clock.</param>
internal sealed record GivenAnswer(string Request, long At);

/// <summary>The state that the events of one agent add up to. A value type, so that publishing it is a copy.</summary>
internal struct PaneState
{
    /// <summary>When the current chunk was read.</summary>
    public DateTimeOffset Now { get; set; }

    /// <summary>The same on the monotonic clock, in its own ticks.</summary>
    public long Stamp { get; set; }
    public DateTimeOffset? LastEventAt { get; set; }

    /// <summary>When the latest event that is a sign of work was read, on the monotonic clock; null before the first.</summary>
    public long? LastWork { get; set; }

    /// <summary>The same for events that are a sign of work, an error or a retry.</summary>
    public long? LastSign { get; set; }

    /// <summary>Since when the agent has waited for an answer, on the monotonic clock; null while it waits for none.</summary>
    public long? BlockedSince { get; set; }

    /// <summary>How long it has waited for answers before, in ticks of that clock.</summary>
    public long Waited { get; set; }
    public long Events { get; set; }
    public long MalformedLines { get; set; }
    public long OversizeLines { get; set; }
    public long Turns { get; set; }
    public long Tools { get; set; }

    /// <summary>Signs that the model has answered: tool calls, and reports of tokens that it gave.</summary>
    public long Answers { get; set; }
    public UsageReport Usage { get; set; }
    public Activity Activity { get; set; }

    /// <summary>The activity to return to: the one before a compaction outside a run, or that of an end that background work keeps open.</summary>
    public Activity? SetAside { get; set; }

    /// <summary>Where it was when it asked outside a run; null for a question of a run.</summary>
    public Activity? AskedFrom { get; set; }

    /// <summary>A compaction has begun and not ended.</summary>
    public bool IsCompacting { get; set; }
    public StopReason Stop { get; set; }
    public bool IsSettled { get; set; }
    public bool IsTorn { get; set; }

    /// <summary>How the latest message ended was in the middle of a line too long to keep.</summary>
    public bool IsCut { get; set; }
    public bool IsComplete { get; set; }
    public string? Tool { get; set; }

    /// <summary>How far the agent's plan for its run has come; null where it told none.</summary>
    public PlanProgress? Plan { get; set; }

    /// <summary>The beginning of what it said last in its run, on one line; null where it said nothing.</summary>
    public string? LastWords { get; set; }

    /// <summary>The tool that has run for longest; null while none runs.</summary>
    public string? OldestTool { get; set; }

    /// <summary>When that one began, on the monotonic clock without the time waited for answers.</summary>
    public long OldestToolAt { get; set; }
    public string? RunError { get; set; }
    public string? PromptRefused { get; set; }
    public AgentQuestion? Question { get; set; }

    /// <summary>How often the agent went from rest to work.</summary>
    public long Runs { get; set; }
    public string? Error { get; set; }

    /// <summary>Since when the agent has reported nothing but errors and retries, on the monotonic clock; null while it gets on.</summary>
    public long? FailingSince { get; set; }

    /// <summary>When the latest of them was read, and the wait that it stated, in ticks of that clock.</summary>
    public (long At, long Wait) LastFailure { get; set; }

    /// <summary>The longest wait that the agent has stated meanwhile and kept, in the same ticks.</summary>
    public long LongestWait { get; set; }

    /// <summary>It has asked again before a wait that it had stated was over, so that what it states counts no more.</summary>
    public bool BreaksWaits { get; set; }

    /// <summary>Whether the latest sign of work is an error that announces another try.</summary>
    public bool IsRetrying { get; set; }

    /// <summary>How many tasks the agent has in the background, as it says.</summary>
    public long BackgroundWork { get; set; }

    /// <summary>What the first of them is about.</summary>
    public string? BackgroundTask { get; set; }

    /// <summary>The calls that started them are all that tells of them: whether they are still at work is not known.</summary>
    public bool IsBackgroundGuessed { get; set; }

    /// <summary>What the events show of the agent's work. A field, so that one of its parts can be set.</summary>
    public RunSigns Signs;

    /// <summary>The HTTP status the provider refused with last; 0 since it answered.</summary>
    public int ProviderStatus { get; set; }

    /// <summary>When, as the provider said, it can be asked again; null since it answered.</summary>
    public DateTimeOffset? ResumeAt { get; set; }
    public string? HarnessSessionId { get; set; }
    public string? Cwd { get; set; }

    /// <summary>The agent's own name for its latest event.</summary>
    public string? LastEvent { get; set; }

    /// <summary>The activity without the current compaction or background work.</summary>
    public readonly Activity RestingActivity => SetAside ?? Activity;

    /// <summary>The state that a process leaves when it ends: a run's end with background work still open counts as no end.</summary>
    public readonly Activity LastActivity => BackgroundWork > 0 && !IsBackgroundGuessed ? Activity : RestingActivity;

    /// <summary>Whether the agent has ended its run with background work open: the run goes on when that work wakes it.</summary>
    public readonly bool IsEndHeld => SetAside is not null && !IsCompacting;

    /// <summary>The wait that the agent can be believed, in ticks of the monotonic clock.</summary>
    public readonly long StatedWait => BreaksWaits ? LongestWait : Math.Max(LongestWait, LastFailure.Wait);

    /// <summary>Whether the answer was given to what the agent waits for now.</summary>
    public readonly bool IsAnswered(GivenAnswer? answer) => BlockedSince is { } since && answer is { } given && given.At >= since;

    /// <summary>How long it had waited for answers by then, in ticks: from the question to the answer.</summary>
    /// <param name="stamp">On the monotonic clock; not before <see cref="BlockedSince"/>.</param>
    /// <param name="answer">The answer that was given last.</param>
    public readonly long WaitedBy(long stamp, GivenAnswer? answer) =>
        Waited + (BlockedSince is { } since ? (IsAnswered(answer) ? Math.Min(answer!.At, stamp) : stamp) - since : 0);

    /// <summary>It waits no more, or for another answer.</summary>
    /// <param name="answer">The answer that was given last.</param>
    public void EndWait(GivenAnswer? answer) => (Waited, BlockedSince) = (WaitedBy(Stamp, answer), null);

    /// <summary>An error or a retry was read.</summary>
    /// <param name="waitMs">How long the agent says that it waits now, in milliseconds; 0 where it does not say.</param>
    /// <param name="ticksPerSecond">Of the monotonic clock.</param>
    public void NoteFailure(long waitMs, long ticksPerSecond)
    {
        if (FailingSince is null)
        {
            (FailingSince, LastFailure, LongestWait, BreaksWaits) = (Stamp, default, 0, false);
        }
        else if (LastFailure.Wait > 0)
        {
            // A fifth is allowed for the clocks and the pipe.
            if (Stamp - LastFailure.At >= LastFailure.Wait / 5 * 4) LongestWait = Math.Max(LongestWait, LastFailure.Wait);
            else BreaksWaits = true;
        }

        var longest = (long)ProviderRefusal.LongestWait.TotalMilliseconds;
        LastFailure = (Stamp, (long)(Math.Clamp(waitMs, 0, longest) / 1000.0 * ticksPerSecond));
    }

    public readonly RunReport Run()
    {
        var outcome = RestingActivity switch
        {
            Activity.Working => RunOutcome.Working,
            Activity.Blocked => RunOutcome.Blocked,

            // A torn line after a run's end may have said that the run goes on; the end of a message that was left out may have been an error.
            Activity.Done => (IsTorn && !IsSettled) || IsCut ? RunOutcome.Working : RunOutcome.Done,
            Activity.Error => RunOutcome.Failed,
            _ => Events == 0 ? RunOutcome.Silent : RunOutcome.Idle,
        };
        return new RunReport(outcome, IsSettled, Stop, RunError, LastEvent)
        {
            PromptRefused = PromptRefused,
            Runs = Runs,
            Events = Events,
            Answers = Answers,
            HasToolRunning = Tool is not null,
            IsCompacting = IsCompacting,
            IsRetrying = IsRetrying,
            IsFailing = FailingSince is not null,
            StatedWait = FailingSince is null ? 0 : StatedWait,
            BackgroundTasks = BackgroundWork,
            BackgroundTask = BackgroundTask,
            IsBackgroundGuessed = IsBackgroundGuessed && BackgroundWork > 0,
            Signs = Signs,
            ProviderStatus = ProviderStatus,
            ResumeAt = ResumeAt,
        };
    }

    public readonly bool ShowsTheSameAs(in PaneState other) =>
        Activity == other.Activity
        && Turns == other.Turns
        && Tools == other.Tools
        && Usage == other.Usage
        && IsComplete == other.IsComplete
        && ReferenceEquals(Tool, other.Tool)
        && ReferenceEquals(Plan, other.Plan)
        && ReferenceEquals(LastWords, other.LastWords)
        && ReferenceEquals(Error, other.Error)
        && ReferenceEquals(PromptRefused, other.PromptRefused)
        && ReferenceEquals(Question, other.Question)
        && ReferenceEquals(HarnessSessionId, other.HarnessSessionId)
        && ReferenceEquals(Cwd, other.Cwd)
        && ReferenceEquals(Signs.Denied, other.Signs.Denied)
        && MalformedLines == other.MalformedLines;
}
