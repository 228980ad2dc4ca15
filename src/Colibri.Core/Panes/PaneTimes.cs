namespace Colibri.Core.Panes;

/// <summary>The lengths of time that a run's limits depend on, measured on the monotonic clock at one instant.</summary>
public readonly record struct PaneTimes
{
    /// <summary>Since the agent's latest sign of work, the latest answer it was given, or its start.</summary>
    public TimeSpan Silent { get; init; }

    /// <summary>Since its latest event that is more than a heartbeat or a note: a sign of work, an error, a retry.</summary>
    public TimeSpan Quiet { get; init; }

    /// <summary>Since its latest line of any kind, or its start.</summary>
    public TimeSpan Unheard { get; init; }

    /// <summary>For how long it has reported nothing but errors and retries; zero while it gets on.</summary>
    public TimeSpan Failing { get; init; }

    /// <summary>Since the latest of those errors and retries; zero while it gets on.</summary>
    public TimeSpan SinceFailure { get; init; }

    /// <summary>The longest wait for another try that it has stated meanwhile, and kept.</summary>
    public TimeSpan StatedWait { get; init; }

    /// <summary>How long the oldest of its running tools has run, without the time in which a question waited; null while none runs.</summary>
    public TimeSpan? Tool { get; init; }

    /// <summary>The name of that tool.</summary>
    public string? ToolName { get; init; }

    /// <summary>Since it waits for an answer; zero while it waits for none.</summary>
    public TimeSpan Asked { get; init; }

    /// <summary>How long it has waited for answers in its life.</summary>
    public TimeSpan Waited { get; init; }

    /// <param name="state">What its events add up to.</param>
    /// <param name="clock">The clock of the state's stamps.</param>
    /// <param name="start">When it was started.</param>
    /// <param name="answer">The answer that was given last; null before the first.</param>
    internal static PaneTimes Of(in PaneState state, TimeProvider clock, long start, GivenAnswer? answer)
    {
        var now = clock.GetTimestamp();
        var waited = state.WaitedBy(now, answer);
        var work = Math.Max(state.LastWork ?? start, answer?.At ?? start);
        return new PaneTimes
        {
            Silent = clock.GetElapsedTime(work, now),
            Quiet = clock.GetElapsedTime(state.LastSign ?? start, now),
            Unheard = clock.GetElapsedTime(Math.Max(state.Stamp, start), now),
            Failing = state.FailingSince is { } since ? clock.GetElapsedTime(since, now) : TimeSpan.Zero,
            SinceFailure = state.FailingSince is null ? TimeSpan.Zero : clock.GetElapsedTime(state.LastFailure.At, now),
            StatedWait = state.FailingSince is null ? TimeSpan.Zero : clock.GetElapsedTime(0, state.StatedWait),
            Tool = state.OldestTool is null ? null : clock.GetElapsedTime(state.OldestToolAt, now - waited),
            ToolName = state.OldestTool,
            Asked = state.BlockedSince is { } asked && !state.IsAnswered(answer) ? clock.GetElapsedTime(asked, now) : TimeSpan.Zero,
            Waited = clock.GetElapsedTime(0, waited),
        };
    }
}
