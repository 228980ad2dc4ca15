namespace Colibri.Core.Panes.Dialects;

/// <summary>What an agent's event means to Colibri, whatever the agent calls it.</summary>
public enum EventKind
{
    /// <summary>An event that Colibri does not know or need.</summary>
    Ignored,

    /// <summary>The agent gave its session an id and waits for work.</summary>
    SessionOpened,

    /// <summary>A run begins; the outcome of an earlier one no longer counts.</summary>
    RunStarted,

    /// <summary>Work is going on.</summary>
    Working,

    /// <summary>A sign of work during a run; outside a run it means nothing.</summary>
    Progress,

    /// <summary>The assistant begins a message: the model was asked, and nothing of its answer is there.</summary>
    MessageStarted,

    /// <summary>The model is asked. A run has many turns.</summary>
    TurnStarted,
    TurnEnded,

    /// <summary>A message of the assistant is complete.</summary>
    MessageEnded,
    ToolStarted,

    /// <summary>The arguments of a tool call are whole.</summary>
    ToolCalled,

    /// <summary>A tool at work has printed something.</summary>
    ToolProgress,
    ToolEnded,

    /// <summary>The agent waits for an answer.</summary>
    Asked,

    /// <summary>Messages wait in the agent's queue. It waits for nobody.</summary>
    Queued,

    /// <summary>A run's end, unless a later event shows that it goes on.</summary>
    RunEnded,

    /// <summary>As <see cref="RunEnded"/>, in error.</summary>
    RunFailed,

    /// <summary>A run that had ended goes on.</summary>
    RunResumed,

    /// <summary>The agent waits before it asks its provider once more, after an error.</summary>
    Retrying,
    CompactionStarted,

    /// <summary>Back to what was before the compaction.</summary>
    CompactionEnded,

    /// <summary>A run's end for good.</summary>
    Settled,

    /// <summary>As <see cref="Settled"/>, in error.</summary>
    Failed,

    /// <summary>Usage on its own, without a message.</summary>
    UsageReported,

    /// <summary>An error that is shown and does not concern the run.</summary>
    Noted,

    /// <summary>The agent has reported which background work is open.</summary>
    BackgroundChanged,

    /// <summary>Work that a call had started in the background is over.</summary>
    BackgroundEnded,

    /// <summary>A tool call was refused.</summary>
    Denied,

    /// <summary>The process is gone, after it was asked to end.</summary>
    ProcessStopped,

    /// <summary>The process is gone without having been asked to end.</summary>
    ProcessDied,
}
