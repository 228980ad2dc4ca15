namespace Colibri.Core.Panes.Dialects;

/// <summary>Why the assistant stopped. From <see cref="Length"/> on, the run it ends has failed.</summary>
public enum StopReason
{
    None,

    /// <summary>It had said all it wanted, or goes on after a tool.</summary>
    Stop,

    /// <summary>Cut by the token limit.</summary>
    Length,
    Error,
    Aborted,
}
