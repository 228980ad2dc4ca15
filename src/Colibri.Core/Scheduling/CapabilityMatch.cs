using Colibri.Core.Agents.Launch;

namespace Colibri.Core.Scheduling;

/// <summary>Finds the agent that suits a task best: the one with the largest share of the required capabilities, ties by name.</summary>
public static class CapabilityMatch
{
    /// <summary>Matched over required, 0 to 1; 1 where nothing is required.</summary>
    public static double Score(IReadOnlyCollection<string> required, Predicate<string> offers)
    {
        ArgumentNullException.ThrowIfNull(required);
        ArgumentNullException.ThrowIfNull(offers);
        return required.Count == 0 ? 1 : (double)required.Count(capability => offers(capability)) / required.Count;
    }

    /// <summary>The best of several agents; null if none offers any required capability.</summary>
    public static AgentCandidate? Best(IReadOnlyCollection<string> required, IEnumerable<AgentCandidate> candidates)
    {
        AgentCandidate? best = null;
        var bestScore = 0.0;
        foreach (var candidate in candidates)
        {
            var score = Score(required, candidate.Offers);
            if (score == 0 || score < bestScore || (score == bestScore && string.CompareOrdinal(candidate.Name, best?.Name) >= 0))
                continue;
            (best, bestScore) = (candidate, score);
        }
        return best;
    }
}

/// <summary>An agent the scheduler may start for a task.</summary>
/// <param name="Name">Breaks ties.</param>
/// <param name="Offers">Whether it has a capability.</param>
/// <param name="Template">What to start; the task's id is added.</param>
public sealed record AgentCandidate(string Name, Predicate<string> Offers, SpawnRequest Template);
