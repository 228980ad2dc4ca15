using Colibri.Protocol.Wire;

namespace Colibri.Core.Sessions;

/// <summary>What it took to hold the limits of the cost mode.</summary>
internal readonly record struct Enforced(Compaction? Compacted, Escalation? Escalated, bool OverBudget)
{
    public bool IsNothing => Compacted is null && Escalated is null && !OverBudget;
}
