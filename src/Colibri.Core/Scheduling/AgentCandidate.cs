using Colibri.Core.Agents.Launch;

namespace Colibri.Core.Scheduling;

/// <summary>An agent the scheduler may start for a task.</summary>
/// <param name="Name">Breaks ties.</param>
/// <param name="Offers">Whether it has a capability.</param>
/// <param name="Template">What to start; the task's id is added.</param>
public sealed record AgentCandidate(string Name, Predicate<string> Offers, SpawnRequest Template);
