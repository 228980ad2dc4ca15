namespace Colibri.Core.Runs;

/// <summary>Why the daemon ended an agent; decides the next state of its task.</summary>
internal enum StopCause
{
    /// <summary>The daemon did not end it.</summary>
    None,

    /// <summary>A long-lived agent has finished what it was started for.</summary>
    Settled,

    /// <summary>
    /// An operator or client stopped the agent, or its task was cancelled. Counts as a failed attempt: stopping an agent says nothing about whether the
    /// task is still wanted. Cancelling ends the task.
    /// </summary>
    Requested,

    /// <summary>Its task has cost more than it may: not tried again.</summary>
    Budget,

    /// <summary>It missed a deadline.</summary>
    Deadline,

    /// <summary>Its tree held more memory than it may.</summary>
    Memory,

    /// <summary>It closed its standard output and lived on: no further event can come from it.</summary>
    OutputClosed,

    /// <summary>It left too many answers unread to what it had asked itself.</summary>
    InputUnread,

    /// <summary>Its start could not be persisted, so the next daemon would not find it after a crash. The attempt is given back.</summary>
    Unrecorded,

    /// <summary>A defect of the daemon's own while it read the agent's output. The attempt is given back.</summary>
    Defect,

    /// <summary>The daemon is going down: the attempt is given back.</summary>
    DaemonStopping,
}
