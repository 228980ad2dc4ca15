namespace Colibri.Core.Panes;

/// <summary>Where an agent's events alone leave its run.</summary>
public enum RunOutcome
{
    /// <summary>Not one event.</summary>
    Silent,

    /// <summary>Events, but none of a run.</summary>
    Idle,

    /// <summary>A run is on, or its end was cut off.</summary>
    Working,

    /// <summary>A run waits for an answer.</summary>
    Blocked,
    Done,
    Failed,
}
