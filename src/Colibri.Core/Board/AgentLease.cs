namespace Colibri.Core.Board;

/// <summary>How long an agent from outside keeps its tasks without a sign of life.</summary>
public static class AgentLease
{
    /// <summary>A registered agent silent for longer has lost the tasks it claimed.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromMinutes(5);
}
