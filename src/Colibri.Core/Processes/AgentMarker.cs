namespace Colibri.Core.Processes;

/// <summary>
/// The environment entry that every agent is started with and every descendant inherits. It proves that a process is ours, whatever its parent
/// is by then, and even after this daemon was killed.
/// </summary>
public static class AgentMarker
{
    public const string Variable = "COLIBRI_AGENT_ID";

    public static string For(string agentId) => $"{Variable}={agentId}";
}
