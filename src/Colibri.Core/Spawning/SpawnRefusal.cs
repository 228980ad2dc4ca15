namespace Colibri.Core.Spawning;

/// <summary>Why no agent was started.</summary>
public enum SpawnRefusal
{
    /// <summary>No such task.</summary>
    TaskNotFound,

    /// <summary>The task is not queued: another has it.</summary>
    TaskConflict,

    /// <summary>As many agents run as may.</summary>
    NoSlot,

    /// <summary>The daemon is on its way out.</summary>
    Stopping,

    /// <summary>The program is not there, or cannot be started.</summary>
    ProgramUnusable,
}
