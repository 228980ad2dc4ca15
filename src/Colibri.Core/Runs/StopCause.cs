namespace Colibri.Core.Runs;

/// <summary>Why an agent was made to end; decides what becomes of its task.</summary>
internal enum StopCause
{
    /// <summary>Nobody made it.</summary>
    None,

    /// <summary>A long-lived agent has finished what it was started for.</summary>
    Settled,

    /// <summary>The operator, or a cancelled task.</summary>
    Requested,

    /// <summary>Its task has cost more than it may: not tried again.</summary>
    Budget,

    /// <summary>It did not do in time what it had to.</summary>
    Deadline,

    /// <summary>It closed its standard output and stayed: there is nothing left to learn from it.</summary>
    OutputClosed,

    /// <summary>Its start could not be put on record; nobody would find it again after a crash. The attempt is given back.</summary>
    Unrecorded,

    /// <summary>The daemon is going down: the attempt is given back.</summary>
    DaemonStopping,
}
