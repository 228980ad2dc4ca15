namespace Colibri.Protocol.Wire;

public sealed record Skill(string Name, string Description, string Category, DateTimeOffset RegisteredAt);

public sealed record Tenant(string TenantId, string JailRootPath, DateTimeOffset RegisteredAt);
