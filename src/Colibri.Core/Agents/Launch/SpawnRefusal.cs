namespace Colibri.Core.Agents.Launch;

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

    /// <summary>The program is not there, or is none that can be started.</summary>
    ProgramUnusable,

    /// <summary>The day's budget, or the task's, is used up.</summary>
    BudgetSpent,

    /// <summary>Confinement was asked for and cannot be given here.</summary>
    NotConfinable,

    /// <summary>What was said about its confinement is wrong: as a rule the directory is none that may confine.</summary>
    JailWrong,

    /// <summary>A step before the prompt failed.</summary>
    NotPlaced,

    /// <summary>The host is short of memory, processes or descriptors.</summary>
    HostExhausted,
}

/// <summary>No agent was started. The message is one line for a person.</summary>
public sealed class SpawnRefusedException(SpawnRefusal refusal, string message) : Exception(message)
{
    public SpawnRefusal Refusal { get; } = refusal;
}
