namespace Colibri.Core.Panes;

/// <summary>What happens to an agent's process.</summary>
public enum ProcessEvent
{
    /// <summary>It was seen to run.</summary>
    Started,

    /// <summary>Somebody asked it to end.</summary>
    StopRequested,

    /// <summary>It ended; descendants may be left.</summary>
    Exited,

    /// <summary>It and every descendant are gone.</summary>
    TreeGone,
}
