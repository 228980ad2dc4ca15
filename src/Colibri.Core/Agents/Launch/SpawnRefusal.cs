namespace Colibri.Core.Agents.Launch;

/// <summary>Why no agent was started.</summary>
public enum SpawnRefusal
{
    /// <summary>No such task.</summary>
    TaskNotFound,

    /// <summary>The task is not queued: another agent has it, or it is over.</summary>
    TaskConflict,

    /// <summary>The most agents allowed are running.</summary>
    NoSlot,

    /// <summary>The daemon is stopping.</summary>
    Stopping,

    /// <summary>The program does not exist, or cannot be started.</summary>
    ProgramUnusable,

    /// <summary>The day's budget, or the task's, is used up.</summary>
    BudgetSpent,

    /// <summary>The requested confinement is impossible here.</summary>
    NotConfinable,

    /// <summary>The request's confinement is wrong: usually the directory must not be used as a root.</summary>
    JailWrong,

    /// <summary>The prompt is too long for the way in which the agent takes it.</summary>
    PromptTooLong,

    /// <summary>A step before the prompt failed.</summary>
    NotPlaced,

    /// <summary>The host is short of memory, processes or descriptors.</summary>
    HostExhausted,

    /// <summary>The agent's kind would not start with what its run may do, as this user.</summary>
    AccessImpossible,

    /// <summary>A file system that the daemon needs has too little room.</summary>
    DiskLow,
}

/// <summary>No agent was started. The message is one line for a person.</summary>
public sealed class SpawnRefusedException(SpawnRefusal refusal, string message) : Exception(message)
{
    public SpawnRefusal Refusal { get; } = refusal;

    /// <summary>Whether its task was claimed: then the task's row says what became of it.</summary>
    public bool IsClaimed { get; init; }
}
