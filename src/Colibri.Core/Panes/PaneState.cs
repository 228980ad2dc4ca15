using Colibri.Core.Panes.Dialects;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>What the events of one agent add up to. A value, so that publishing it is copying it.</summary>
internal struct PaneState
{
    /// <summary>When the chunk that is being read came.</summary>
    public DateTimeOffset Now { get; set; }

    /// <summary>The same on the monotonic clock, in its own ticks.</summary>
    public long Stamp { get; set; }
    public DateTimeOffset? LastEventAt { get; set; }

    /// <summary>When the latest event came that is a sign of work, on the monotonic clock; null before the first.</summary>
    public long? LastSign { get; set; }
    public long Events { get; set; }
    public long MalformedLines { get; set; }
    public long OversizeLines { get; set; }
    public long Turns { get; set; }
    public long Tools { get; set; }
    public UsageReport Usage { get; set; }
    public Activity Activity { get; set; }

    /// <summary>The activity to go back to: that which a compaction outside a run interrupted, or that of an end which background work keeps open.</summary>
    public Activity? SetAside { get; set; }

    /// <summary>A compaction has begun and not ended.</summary>
    public bool IsCompacting { get; set; }
    public StopReason Stop { get; set; }
    public bool IsSettled { get; set; }
    public bool IsTorn { get; set; }
    public bool IsComplete { get; set; }
    public string? Tool { get; set; }
    public string? RunError { get; set; }
    public string? PromptRefused { get; set; }
    public AgentQuestion? Question { get; set; }

    /// <summary>How often the agent went to work from rest.</summary>
    public long Runs { get; set; }
    public string? Error { get; set; }

    /// <summary>Since when every event was an error or changed nothing, on the monotonic clock; null while the last that counts was none.</summary>
    public long? FailingSince { get; set; }

    /// <summary>The latest sign of work is an error that promises another try.</summary>
    public bool IsRetrying { get; set; }

    /// <summary>How many tasks the agent has in the background, as it says.</summary>
    public long BackgroundWork { get; set; }

    /// <summary>What the first of them is about.</summary>
    public string? BackgroundTask { get; set; }

    /// <summary>The HTTP status the provider refused with last; 0 since it answered.</summary>
    public int ProviderStatus { get; set; }

    /// <summary>When the provider said it can be asked again; null since it answered.</summary>
    public DateTimeOffset? ResumeAt { get; set; }
    public string? HarnessSessionId { get; set; }
    public string? Cwd { get; set; }

    /// <summary>The agent's own name for its latest event.</summary>
    public string? LastEvent { get; set; }

    /// <summary>What the activity would be without the compaction or the background work that goes on.</summary>
    public readonly Activity RestingActivity => SetAside ?? Activity;

    /// <summary>What a process that ends leaves undone: an end with work of its own still open is none.</summary>
    public readonly Activity LastActivity => BackgroundWork > 0 ? Activity : RestingActivity;

    /// <summary>The agent has ended its run, and work of its own was open: the run goes on when it is woken.</summary>
    public readonly bool IsEndHeld => SetAside is not null && !IsCompacting;

    public readonly RunReport Run()
    {
        var outcome = RestingActivity switch
        {
            Activity.Working => RunOutcome.Working,
            Activity.Blocked => RunOutcome.Blocked,

            // What was torn off after a run's end may have said that it goes on.
            Activity.Done => IsTorn && !IsSettled ? RunOutcome.Working : RunOutcome.Done,
            Activity.Error => RunOutcome.Failed,
            _ => Events == 0 ? RunOutcome.Silent : RunOutcome.Idle,
        };
        return new RunReport(outcome, IsSettled, Stop, RunError, LastEvent)
        {
            PromptRefused = PromptRefused,
            Runs = Runs,
            Events = Events,
            HasToolRunning = Tool is not null,
            IsCompacting = IsCompacting,
            IsRetrying = IsRetrying,
            BackgroundTasks = BackgroundWork,
            BackgroundTask = BackgroundTask,
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
        && ReferenceEquals(Error, other.Error)
        && ReferenceEquals(PromptRefused, other.PromptRefused)
        && ReferenceEquals(Question, other.Question)
        && ReferenceEquals(HarnessSessionId, other.HarnessSessionId)
        && ReferenceEquals(Cwd, other.Cwd)
        && MalformedLines == other.MalformedLines;
}
