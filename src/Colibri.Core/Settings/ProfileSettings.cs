namespace Colibri.Core.Settings;

/// <summary>A profile: a named agent of the configuration, <c>[agents.NAME]</c>. Only the kind must be stated.</summary>
public sealed record ProfileSettings
{
    /// <summary>What tasks ask for: 1 to 64 of <c>a-z A-Z 0-9 . _ -</c>, beginning with a letter or a digit.</summary>
    public required string Name { get; init; }

    /// <summary>One of the runtimes' names.</summary>
    public required string Kind { get; init; }

    /// <summary>A bare program name, or an absolute path; null is the kind's name.</summary>
    public string? Binary { get; init; }

    /// <summary>How it is told things; null is the kind's way.</summary>
    public Transport? Transport { get; init; }

    /// <summary>The version of the Agent Client Protocol that is offered, 1 or 2; null is 1. Version 2 is a draft.</summary>
    public int? AcpVersion { get; init; }
    public string? Model { get; init; }
    public string? Provider { get; init; }

    /// <summary>In place of the kind's own; null keeps those.</summary>
    public IReadOnlyList<string>? Arguments { get; init; }

    /// <summary>Behind the kind's arguments or <see cref="Arguments"/>.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];

    /// <summary>What its runs may do; each kind maps it to its own flags.</summary>
    public Access Access
    {
        get;
        init => (field, IsAccessStated) = (value, true);
    } = Access.Edit;

    /// <summary>Whether the configuration states <see cref="Access"/>.</summary>
    public bool IsAccessStated { get; private init; }

    /// <summary>Besides what is probed.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>Agents of this profile at once; null is bounded by the daemon's limit alone.</summary>
    public int? Max { get; init; }

    /// <summary>Bytes of memory for a run's whole tree; null is no limit.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Processes and threads of a run's whole tree; null is no limit.</summary>
    public int? Processes { get; init; }
    public TimeSpan? SilenceTimeout { get; init; }
    public TimeSpan? ToolTimeout { get; init; }
    public TimeSpan? RunTimeout { get; init; }
    public TimeSpan? QuestionTimeout { get; init; }

    /// <summary>What one task may cost, in micro-cents; null is the daemon's budget.</summary>
    public long? BudgetMicrocents { get; init; }

    /// <summary>Added to what its agents inherit.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Names of variables of the daemon's environment or key file that its agents get.</summary>
    public IReadOnlyList<string> PassedEnvironment { get; init; } = [];

    /// <summary>How its agents are confined; null runs them as the daemon runs.</summary>
    public ConfineSettings? Confine { get; init; }
}

/// <summary>What a run may do with files and commands.</summary>
public enum Access
{
    /// <summary>Read, and nothing else.</summary>
    Read,

    /// <summary>Write in the run's own place and nowhere else.</summary>
    Edit,

    /// <summary>All that the agent's user may do.</summary>
    Full,
}

/// <summary><c>confine</c> of a profile: the fields of <c>spawn-agent</c>'s <c>jail</c> that a profile may state.</summary>
public sealed record ConfineSettings
{
    /// <summary>The directory that becomes its root.</summary>
    public string? Path { get; init; }
    public string? User { get; init; }
    public string? Ip4 { get; init; }
}
