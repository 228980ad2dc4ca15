namespace Colibri.Protocol.Wire;

/// <summary>A change of the cost mode that a session forced.</summary>
public sealed record Escalation(CostMode From, CostMode To);
