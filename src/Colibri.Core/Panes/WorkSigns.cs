using Colibri.Core.Panes.Dialects;

namespace Colibri.Core.Panes;

/// <summary>What an event shows of an agent's work.</summary>
internal enum WorkSign
{
    /// <summary>Nothing: heartbeats, notes, a queue, and what a tool at work prints. Each of them may be printed for ever.</summary>
    None,

    /// <summary>It goes on, unless it goes round in a circle of errors and retries.</summary>
    Step,

    /// <summary>It got something: words of its model, the end of a tool.</summary>
    Answer,

    /// <summary>It got an error, or waits for another try after one.</summary>
    Failure,
}

/// <summary>The sign of work of every kind of event; of one that may carry an error, without it.</summary>
internal static class WorkSigns
{
    public static WorkSign Of(EventKind kind) => kind switch
    {
        EventKind.Ignored or EventKind.Noted or EventKind.Queued or EventKind.ToolCalled or EventKind.ToolProgress or EventKind.ProcessStopped or EventKind.ProcessDied => WorkSign.None,
        EventKind.SessionOpened or EventKind.RunStarted or EventKind.Progress or EventKind.MessageStarted or EventKind.TurnStarted or EventKind.TurnEnded
            or EventKind.RunResumed or EventKind.CompactionStarted => WorkSign.Step,
        EventKind.RunFailed or EventKind.Failed or EventKind.Retrying => WorkSign.Failure,
        _ => WorkSign.Answer,
    };

    /// <summary>With what the event carries.</summary>
    /// <param name="kind">Its kind as the fold takes it.</param>
    /// <param name="e">The event.</param>
    /// <param name="isCompacting">A compaction has begun, which this may end.</param>
    public static WorkSign Of(EventKind kind, in AgentEvent e, bool isCompacting) => kind switch
    {
        EventKind.MessageEnded or EventKind.TurnEnded when e.Stop == StopReason.Error => WorkSign.Failure,
        EventKind.CompactionEnded when e.Error.IsString => WorkSign.Failure,
        EventKind.RunResumed when isCompacting => WorkSign.Answer,
        _ => Of(kind),
    };

    public static bool IsGoodEnd(EventKind kind) => kind is EventKind.RunEnded or EventKind.Settled;
}
