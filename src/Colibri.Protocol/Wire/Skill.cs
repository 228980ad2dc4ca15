namespace Colibri.Protocol.Wire;

public sealed record Skill(string Name, string Description, string Category, DateTimeOffset RegisteredAt);
