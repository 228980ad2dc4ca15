using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>The next state of an agent's life cycle, for every state and every event of its process. It never goes back.</summary>
public static class LifecycleTable
{
    public static Lifecycle Next(Lifecycle lifecycle, ProcessEvent processEvent) => (lifecycle, processEvent) switch
    {
        (Lifecycle.Starting, ProcessEvent.Started) => Lifecycle.Running,
        (Lifecycle.Starting, ProcessEvent.StopRequested) => Lifecycle.Stopping,
        (Lifecycle.Starting, ProcessEvent.Exited) => Lifecycle.Stopping,
        (Lifecycle.Starting, ProcessEvent.TreeGone) => Lifecycle.Stopped,
        (Lifecycle.Running, ProcessEvent.Started) => Lifecycle.Running,
        (Lifecycle.Running, ProcessEvent.StopRequested) => Lifecycle.Stopping,
        (Lifecycle.Running, ProcessEvent.Exited) => Lifecycle.Stopping,
        (Lifecycle.Running, ProcessEvent.TreeGone) => Lifecycle.Stopped,
        (Lifecycle.Stopping, ProcessEvent.Started) => Lifecycle.Stopping,
        (Lifecycle.Stopping, ProcessEvent.StopRequested) => Lifecycle.Stopping,
        (Lifecycle.Stopping, ProcessEvent.Exited) => Lifecycle.Stopping,
        (Lifecycle.Stopping, ProcessEvent.TreeGone) => Lifecycle.Stopped,
        (Lifecycle.Stopped, ProcessEvent.Started) => Lifecycle.Stopped,
        (Lifecycle.Stopped, ProcessEvent.StopRequested) => Lifecycle.Stopped,
        (Lifecycle.Stopped, ProcessEvent.Exited) => Lifecycle.Stopped,
        (Lifecycle.Stopped, ProcessEvent.TreeGone) => Lifecycle.Stopped,
        _ => throw new ArgumentOutOfRangeException(nameof(processEvent), $"{lifecycle}, {processEvent}"),
    };
}

/// <summary>What happens to an agent's process.</summary>
public enum ProcessEvent
{
    /// <summary>It was seen to run.</summary>
    Started,

    /// <summary>It was asked to end, by the daemon, a client or the operator.</summary>
    StopRequested,

    /// <summary>It ended; descendants may be left.</summary>
    Exited,

    /// <summary>It and every descendant are gone.</summary>
    TreeGone,
}
