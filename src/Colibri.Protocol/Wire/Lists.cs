namespace Colibri.Protocol.Wire;

public sealed record TaskList(IReadOnlyList<BoardTask> Tasks, string? Next = null);

public sealed record AgentList(IReadOnlyList<Agent> Agents);

public sealed record SessionList(IReadOnlyList<SessionSummary> Sessions);

public sealed record SessionEntries(string SessionId, int Generation, IReadOnlyList<SessionEntry> Entries);

public sealed record SkillList(IReadOnlyList<Skill> Skills);

public sealed record TenantList(IReadOnlyList<Tenant> Tenants);

public sealed record IntakeReceipt(string IntakeId);

public sealed record Subscription(IReadOnlyList<string> Topics);
