namespace Colibri.Protocol.Wire;

/// <summary>An agent the board knows: started by the daemon, or registered from outside.</summary>
public sealed record Agent
{
    public required string Id { get; init; }

    /// <summary><c>a1</c>, <c>a2</c>, …: taken wherever the id is. Absent of an agent that the board does not know.</summary>
    public string? Label { get; init; }
    public required string Name { get; init; }

    /// <summary><c>spawned</c> or <c>registered</c>.</summary>
    public required string Kind { get; init; }
    public string? Runtime { get; init; }
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    public string? Host { get; init; }
    public int? Pid { get; init; }

    /// <summary>Only of a spawned agent.</summary>
    public Lifecycle? Lifecycle { get; init; }

    /// <summary>Only of a spawned agent.</summary>
    public Activity? Activity { get; init; }
    public string? TaskId { get; init; }
    public long? TaskNumber { get; init; }
    public string? SessionId { get; init; }
    public required DateTimeOffset RegisteredAt { get; init; }

    /// <summary>Only of a registered agent. One silent beyond its lease of 5 minutes loses the tasks it holds.</summary>
    public DateTimeOffset? LastHeartbeatAt { get; init; }
    public ProcessExit? Exit { get; init; }

    /// <summary>How it is confined, in words; absent where it is not.</summary>
    public string? Confinement { get; init; }

    /// <summary>What its program said of its version; absent where that is not known.</summary>
    public string? Version { get; init; }
}
