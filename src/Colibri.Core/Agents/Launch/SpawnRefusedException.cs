namespace Colibri.Core.Agents.Launch;

/// <summary>No agent was started. The message is one line for a person.</summary>
public sealed class SpawnRefusedException(SpawnRefusal refusal, string message) : Exception(message)
{
    public SpawnRefusal Refusal { get; } = refusal;
}
