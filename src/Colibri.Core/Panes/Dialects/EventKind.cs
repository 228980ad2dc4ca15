namespace Colibri.Core.Panes.Dialects;

/// <summary>What an agent's event means to Colibri, whatever the agent calls it.</summary>
public enum EventKind
{
    /// <summary>Nothing Colibri knows or needs.</summary>
    Ignored,

    /// <summary>The agent gave its session an id and waits for work.</summary>
    SessionOpened,

    /// <summary>A run begins; what an earlier one ended in is over.</summary>
    RunStarted,

    /// <summary>Work is going on.</summary>
    Working,

    /// <summary>Belongs to work going on, but also happens outside a run, where it means nothing.</summary>
    Progress,

    /// <summary>The model is asked. A run has many turns.</summary>
    TurnStarted,
    TurnEnded,

    /// <summary>A message of the assistant is complete.</summary>
    MessageEnded,
    ToolStarted,
    ToolEnded,

    /// <summary>The agent waits for an answer.</summary>
    Asked,

    /// <summary>Messages wait to be taken up by the agent.</summary>
    Queued,

    /// <summary>A run's end, until something shows that it goes on.</summary>
    RunEnded,

    /// <summary>As <see cref="RunEnded"/>, in error.</summary>
    RunFailed,

    /// <summary>A run that had ended goes on.</summary>
    RunResumed,
    CompactionStarted,

    /// <summary>Back to what was before the compaction.</summary>
    CompactionEnded,

    /// <summary>A run's end for good.</summary>
    Settled,

    /// <summary>As <see cref="Settled"/>, in error.</summary>
    Failed,

    /// <summary>Usage on its own, without a message.</summary>
    UsageReported,

    /// <summary>An error worth showing that is none of the run's.</summary>
    Noted,

    /// <summary>The agent has told which work of its own is open in the background.</summary>
    BackgroundChanged,

    /// <summary>The process is gone and somebody had asked it to end.</summary>
    ProcessStopped,

    /// <summary>The process is gone and nobody had asked.</summary>
    ProcessDied,
}
