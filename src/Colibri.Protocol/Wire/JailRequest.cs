namespace Colibri.Protocol.Wire;

/// <summary>Confinement asked for an agent. A request that cannot be honoured is refused, never run unconfined.</summary>
public sealed record JailRequest
{
    public string? Name { get; init; }
    public string? Path { get; init; }
    public string? RootPath { get; init; }
    public string? Ip4 { get; init; }
    public string? User { get; init; }
}
