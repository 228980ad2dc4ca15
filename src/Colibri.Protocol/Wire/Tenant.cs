namespace Colibri.Protocol.Wire;

public sealed record Tenant(string TenantId, string JailRootPath, DateTimeOffset RegisteredAt);
