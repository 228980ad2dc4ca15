using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;

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
    public static AgentCandidate? Best(IReadOnlyCollection<string> required, IEnumerable<AgentCandidate> candidates) => Suited(required, candidates) is [var best, ..] ? best : null;

    /// <summary>Those that offer any required capability, the best first.</summary>
    /// <param name="required">The capabilities.</param>
    /// <param name="candidates">The agents.</param>
    /// <param name="hasSkill">Whether an agent of that name has a skill, which counts as a capability; null without skills.</param>
    public static IReadOnlyList<AgentCandidate> Suited(IReadOnlyCollection<string> required, IEnumerable<AgentCandidate> candidates, Func<string, string, bool>? hasSkill = null) =>
    [
        .. candidates.Select(candidate => (Candidate: candidate, Score: Score(required, capability => candidate.Offers(capability) || hasSkill?.Invoke(candidate.Name, capability) is true))).Where(scored => scored.Score > 0)
            .OrderByDescending(scored => scored.Score).ThenBy(scored => scored.Candidate.Name, StringComparer.Ordinal).Select(scored => scored.Candidate),
    ];
}

/// <summary>An agent the scheduler may start for a task.</summary>
/// <param name="Name">Breaks ties.</param>
/// <param name="Offers">Whether it has a capability.</param>
/// <param name="Template">What to start; the task's id is added.</param>
public sealed record AgentCandidate(string Name, Predicate<string> Offers, SpawnRequest Template)
{
    /// <summary>The profile that it stands for; null for the one agent of the environment.</summary>
    public ProfileSettings? Profile => Template.Profile;
}
