namespace Colibri.Core.Board;

/// <summary>How long an agent from outside keeps its tasks without a sign of life.</summary>
public static class AgentLease
{
    /// <summary>
    /// A registered agent that is silent for longer loses the tasks that it claimed. Long enough for a lost heartbeat, short enough for a lost host.
    /// </summary>
    public static readonly TimeSpan Duration = TimeSpan.FromMinutes(5);
}

/// <summary>Claims under a name that is no registered agent's id: nothing tells whether such a claimant lives.</summary>
public enum UnknownClaims
{
    /// <summary>All of them hold.</summary>
    None,

    /// <summary>Those that were made before this daemon opened the board have ended. Decided by the start that a claim names, and by no clock.</summary>
    OfEarlierStarts,

    /// <summary>All of them have ended, before the first client is answered.</summary>
    All,
}
