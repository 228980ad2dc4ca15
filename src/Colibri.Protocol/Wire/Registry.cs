namespace Colibri.Protocol.Wire;

/// <summary>A skill: what an agent is to know for a kind of work. It counts as a capability, and a run that asks for it is told of it.</summary>
public sealed record Skill(string Name, string Description, string Category, DateTimeOffset RegisteredAt)
{
    /// <summary>Where an agent finds it, as the agent sees the path; null where the description is all.</summary>
    public string? Path { get; init; }

    /// <summary>The agents that have it, by the names of their profiles; absent for all.</summary>
    public IReadOnlyList<string>? Agents { get; init; }
}

/// <summary>A tenant: whose tasks run confined in one root.</summary>
/// <param name="TenantId">What tasks name.</param>
/// <param name="JailRootPath">The directory that becomes the root of its agents.</param>
/// <param name="RegisteredAt">When it was first registered.</param>
public sealed record Tenant(string TenantId, string JailRootPath, DateTimeOffset RegisteredAt);
