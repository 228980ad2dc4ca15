namespace Colibri.Core.Board;

/// <summary>How long an agent from outside keeps its tasks without a sign of life.</summary>
public static class AgentLease
{
    /// <summary>
    /// A registered agent that is silent for longer loses the tasks that it claimed. Long enough for a lost heartbeat, short enough for a lost host.
    /// </summary>
    public static readonly TimeSpan Duration = TimeSpan.FromMinutes(5);
}
