namespace Colibri.Core.Spawning;

/// <summary>Why an agent was asked to end; decides what becomes of its task.</summary>
internal enum StopCause
{
    /// <summary>Nobody asked.</summary>
    None,

    /// <summary>A long-lived agent has finished what it was started for.</summary>
    Settled,

    /// <summary>The operator, or a cancelled task.</summary>
    Requested,

    /// <summary>The daemon is going down: the attempt is given back.</summary>
    DaemonStopping,
}
