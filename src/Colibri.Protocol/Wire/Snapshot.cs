namespace Colibri.Protocol.Wire;

/// <summary>Every pane at one instant.</summary>
public sealed record Snapshot(string Schema, string Host, DateTimeOffset Timestamp, IReadOnlyList<Pane> Panes)
{
    public const string CurrentSchema = "clawdie.glasspane.snapshot.v1";
}
