namespace Colibri.Protocol.Wire;

/// <summary>The <c>data</c> of a reply that says no more than that it is one.</summary>
public sealed record Nothing;

public sealed record TaskList(IReadOnlyList<BoardTask> Tasks, string? Next = null);

public sealed record AgentList(IReadOnlyList<Agent> Agents);

public sealed record SessionList(IReadOnlyList<SessionSummary> Sessions);

/// <param name="SessionId">The session.</param>
/// <param name="Generation">Number of the live generation.</param>
/// <param name="Entries">In the order of the file, or of their numbers.</param>
/// <param name="UnreadableLines">Whole lines of the files that are no entries; absent where there are none.</param>
public sealed record SessionEntries(string SessionId, int Generation, IReadOnlyList<SessionEntry> Entries, long? UnreadableLines = null);

public sealed record SkillList(IReadOnlyList<Skill> Skills);

public sealed record TenantList(IReadOnlyList<Tenant> Tenants);

/// <param name="IntakeId">The task's id.</param>
/// <param name="Existing">True where the key was known, so that no second task was made; else absent.</param>
public sealed record IntakeReceipt(string IntakeId, bool? Existing = null);

/// <param name="SessionId">The session whose entries follow, each on a line.</param>
public sealed record FollowedSession(string SessionId);

public sealed record Subscription(IReadOnlyList<string> Topics);
