using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;

namespace Colibri.Core.Scheduling;

/// <summary>
/// The matches of one look: which task goes to which living agent, and for which one an agent is started. A living agent comes before one that
/// would have to be started. Tasks that need the same are looked at once, because a look at an agent's programs goes to the disk.
/// </summary>
/// <param name="free">Agents that may be started.</param>
/// <param name="usable">Those that can be started now.</param>
/// <param name="configured">All of them, of which some rest or lack their program.</param>
/// <param name="resting">Living agents that have nothing to do.</param>
/// <param name="gate">Gives a task leave to start, and chooses its provider.</param>
internal sealed class TaskMatch(
    int free, IReadOnlyList<AgentCandidate> usable, IReadOnlyList<AgentCandidate> configured, IReadOnlyList<SupervisedAgent> resting, StartGate gate)
{
    private readonly Dictionary<IReadOnlyList<string>, Suited> _suited = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<SupervisedAgent> _taken = [];
    private readonly HashSet<SupervisedAgent> _heldBack = [];
    // Agents for which the gate lets no further task through at this look, so that it is not asked again for each task of a long queue.
    private readonly HashSet<SupervisedAgent> _closedAgents = [];
    private readonly HashSet<AgentCandidate> _closed = new(ReferenceEqualityComparer.Instance);
    private bool _hasOneApart;

    public List<(ReadyTask Task, SpawnRequest Request)> Starts { get; } = [];

    public List<(ReadyTask Task, SupervisedAgent Agent)> Assignments { get; } = [];

    /// <summary>Whether another task could still be matched.</summary>
    public bool HasRoom =>
        (Starts.Count < free && usable.Any(candidate => !_closed.Contains(candidate))) || resting.Any(agent => !_taken.Contains(agent) && !_closedAgents.Contains(agent));

    public bool IsTaken(SupervisedAgent agent) => _taken.Contains(agent);

    /// <summary>Whether there is a task for the agent, which its provider keeps from it for now.</summary>
    public bool IsHeldBack(SupervisedAgent agent) => _heldBack.Contains(agent);

    /// <summary>Matches the task, if an agent is left for it.</summary>
    /// <param name="task">The task.</param>
    /// <param name="isOneApart">Whether a task runs that <see cref="ReadyTask.RunsApart"/>; asked only for another one.</param>
    /// <returns>False if no agent suits the task at all, whether it is free or not.</returns>
    public bool Offer(ReadyTask task, bool isOneApart)
    {
        var suited = Of(task.Capabilities);
        if (task.RunsApart && (isOneApart || _hasOneApart))
            return true;
        var isMatched = true;
        if (suited.Resting.Find(agent => !_taken.Contains(agent) && MayTake(agent, task)) is { } able)
        {
            _taken.Add(able);
            Assignments.Add((task, able));
        }
        else if (suited.Candidate is { } candidate && Starts.Count < free && RequestOf(candidate, task) is { } request)
        {
            Starts.Add((task, request));
        }
        else
        {
            isMatched = false;
        }
        _hasOneApart |= isMatched && task.RunsApart;
        return isMatched || suited.IsKnown;
    }

    private bool MayTake(SupervisedAgent agent, ReadyTask task)
    {
        if (gate.IsPaused(agent, task.Workspace))
            return false;
        if (!_closedAgents.Contains(agent))
        {
            if (gate.TryAdmit(agent.Source, task.Id))
                return true;
            if (gate.IsClosed(agent.Source))
                _closedAgents.Add(agent);
        }
        _heldBack.Add(agent);
        return false;
    }

    private SpawnRequest? RequestOf(AgentCandidate candidate, ReadyTask task)
    {
        if (_closed.Contains(candidate) || gate.IsPaused(candidate, task.Workspace))
            return null;
        var request = gate.RequestOf(task.Id, candidate);
        if (request is null && gate.IsClosed(candidate))
            _closed.Add(candidate);
        return request;
    }

    private Suited Of(IReadOnlyList<string> needs)
    {
        if (_suited.TryGetValue(needs, out var known))
            return known;
        var able = resting.Select(agent => (Agent: agent, Score: CapabilityMatch.Score(needs, agent.Offers)))
            .Where(match => match.Score > 0).OrderByDescending(match => match.Score).Select(match => match.Agent).ToList();
        var candidate = CapabilityMatch.Best(needs, usable);
        var suited = new Suited(able, candidate, able.Count > 0 || candidate is not null || CapabilityMatch.Best(needs, configured) is not null);
        _suited.Add(needs, suited);
        return suited;
    }

    /// <param name="Resting">Living agents that suit, the best first.</param>
    /// <param name="Candidate">The best of those that could be started now.</param>
    /// <param name="IsKnown">Whether any agent suits.</param>
    private sealed record Suited(List<SupervisedAgent> Resting, AgentCandidate? Candidate, bool IsKnown);
}
