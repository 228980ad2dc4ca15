using Colibri.Core.Panes.Dialects;

namespace Colibri.Core.Panes;

/// <summary>What an agent's events say about its run, for judging it.</summary>
/// <param name="Outcome">The run's outcome by its events alone.</param>
/// <param name="IsSettled">The agent said that the run is over for good; without it a run that has ended may still go on.</param>
/// <param name="Stop">Why the assistant stopped last.</param>
/// <param name="Error">The agent's own words about the run's failure.</param>
/// <param name="LastEvent">The agent's own name for its latest event.</param>
public readonly record struct RunReport(RunOutcome Outcome, bool IsSettled, StopReason Stop, string? Error, string? LastEvent)
{
    /// <summary>
    /// Why the agent refused the prompt that a run was to begin with, in its own words; null when it did not, and from the first event of
    /// a run on. An agent that was told so waits for another prompt and neither says more nor exits.
    /// </summary>
    public string? PromptRefused { get; init; }

    /// <summary>How often the agent went from rest to work. If this has grown between two looks, a run has begun between them.</summary>
    public long Runs { get; init; }

    /// <summary>How many events there were in all.</summary>
    public long Events { get; init; }

    /// <summary>Signs that the model has answered: tool calls, reports of tokens that it gave, and words of a kind that tells of both late.</summary>
    public long Answers { get; init; }

    /// <summary>A tool call has begun and not ended.</summary>
    public bool HasToolRunning { get; init; }

    /// <summary>A compaction is going on: the run goes on after it.</summary>
    public bool IsCompacting { get; init; }

    /// <summary>The latest error announces another try: the agent waits and has not ended its run.</summary>
    public bool IsRetrying { get; init; }

    /// <summary>It reports nothing but errors and retries by now.</summary>
    public bool IsFailing { get; init; }

    /// <summary>The wait that it has stated and can be believed, in ticks of the monotonic clock: a limit is longer by it.</summary>
    internal long StatedWait { get; init; }

    /// <summary>How many tasks that the agent has started in the background are not over: it goes on when they end.</summary>
    public long BackgroundTasks { get; init; }

    /// <summary>What the first of them is about, in the agent's words.</summary>
    public string? BackgroundTask { get; init; }

    /// <summary>The calls that started them are all that tells of them: the processes that are left at the end decide.</summary>
    public bool IsBackgroundGuessed { get; init; }

    public bool HasBackgroundWork => BackgroundTasks > 0;

    /// <summary>What the events show of the work, beside the end that they state.</summary>
    public RunSigns Signs { get; init; }

    /// <summary>The HTTP status of the provider's latest refusal, from a field and not from text; 0 if it answered since, or none is stated.</summary>
    public int ProviderStatus { get; init; }

    /// <summary>When the provider can be asked again, from a field and not from text; null if it answered since, or none is stated.</summary>
    public DateTimeOffset? ResumeAt { get; init; }

    /// <summary>What decides which limits hold, and for how long.</summary>
    internal RunPhase Phase => new(Outcome, HasToolRunning, IsCompacting, IsRetrying, IsFailing, HasBackgroundWork, StatedWait);
}

/// <summary>The part of the report that decides which limits apply.</summary>
internal readonly record struct RunPhase(RunOutcome Outcome, bool HasToolRunning, bool IsCompacting, bool IsRetrying, bool IsFailing, bool HasBackgroundWork, long StatedWait);

/// <summary>A run's outcome by its events alone.</summary>
public enum RunOutcome
{
    /// <summary>Not one event.</summary>
    Silent,

    /// <summary>Events, but none of a run.</summary>
    Idle,

    /// <summary>A run is on, or its end was cut off.</summary>
    Working,

    /// <summary>A run waits for an answer.</summary>
    Blocked,
    Done,
    Failed,
}
