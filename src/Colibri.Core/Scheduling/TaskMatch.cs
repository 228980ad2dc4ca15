using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Runs;

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
/// <param name="rules">What tasks ask for beside capabilities, and which directories are busy.</param>
internal sealed class TaskMatch(
    int free, IReadOnlyList<AgentCandidate> usable, IReadOnlyList<AgentCandidate> configured, IReadOnlyList<SupervisedAgent> resting, StartGate gate, PlaceRules rules)
{
    private readonly Dictionary<TaskWish, Suited> _suited = [];
    // Starts of this look, by profile and by directory, which the agents that live do not show yet.
    private readonly Dictionary<string, int> _started = new(StringComparer.Ordinal);
    private readonly HashSet<string> _directories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _places = new(StringComparer.Ordinal);
    private readonly HashSet<SupervisedAgent> _taken = [];
    private readonly HashSet<SupervisedAgent> _heldBack = [];
    // Agents for which the gate lets no further task through at this look, so that it is not asked again for each task of a long queue.
    private readonly HashSet<SupervisedAgent> _closedAgents = [];
    private readonly HashSet<AgentCandidate> _closed = new(ReferenceEqualityComparer.Instance);
    private readonly GroupRoom _groups = new(rules.GroupLimits, rules.Groups());
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
        var suited = Of(TaskWish.Of(task));
        if (task.RunsApart && (isOneApart || _hasOneApart))
            return true;
        if (!_groups.Has(task.Group))
        {
            // There is a task for them, once another of its group has ended.
            foreach (var agent in suited.Resting)
                _heldBack.Add(agent);
            return suited.IsKnown;
        }
        var directory = rules.DirectoryOf(task) is { } named ? PlaceOf(named) : null;
        if (!suited.IsKnown || (directory is not null && (_directories.Contains(directory) || rules.IsBusy(directory, task.Id))) || rules.IsClosed(task))
            return suited.IsKnown;
        var isMatched = true;
        if (suited.Resting.Find(agent => !_taken.Contains(agent) && MayTake(agent, task)) is { } able)
        {
            _taken.Add(able);
            Assignments.Add((task, able));
        }
        else if (Starts.Count < free && RequestOf(suited.Candidates, task) is { } request)
        {
            Starts.Add((task, request));
            if (request.Profile is { } profile)
                _started[profile.Name] = _started.GetValueOrDefault(profile.Name) + 1;
        }
        else
        {
            isMatched = false;
        }
        if (isMatched && directory is not null)
            _directories.Add(directory);
        if (isMatched)
            _groups.Take(task.Group);
        _hasOneApart |= isMatched && task.RunsApart;
        return isMatched || suited.IsKnown;
    }

    // Two names of one directory are one place. Asked once in a look, because it goes to the disk.
    private string PlaceOf(string directory)
    {
        if (!_places.TryGetValue(directory, out var place))
            _places.Add(directory, place = Places.Of(directory));
        return place;
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

    // The best that has room: another profile that suits as well may take what the first one has no room for.
    private SpawnRequest? RequestOf(IReadOnlyList<AgentCandidate> candidates, ReadyTask task)
    {
        foreach (var candidate in candidates)
        {
            if (_closed.Contains(candidate) || (candidate.Profile is { } profile && !rules.HasRoom(profile, _started.GetValueOrDefault(profile.Name))) || gate.IsPaused(candidate, task.Workspace))
                continue;
            if (gate.RequestOf(task.Id, candidate) is { } request)
                return request with { Tenant = task.Tenant };
            if (gate.IsClosed(candidate))
                _closed.Add(candidate);
        }
        return null;
    }

    private Suited Of(TaskWish wish)
    {
        if (_suited.TryGetValue(wish, out var known))
            return known;
        // A living agent can change neither its directory nor its root, so it takes what works anywhere.
        var able = wish.IsPlaced ? [] : resting.Where(agent => rules.MayTake(wish, agent.ProfileName)).Select(agent => (Agent: agent, Score: CapabilityMatch.Score(wish.Needs, need => agent.Offers(need) || rules.HasSkill(agent.ProfileName ?? agent.Name, need))))
            .Where(match => match.Score > 0).OrderByDescending(match => match.Score).Select(match => match.Agent).ToList();
        var there = usable.Where(candidate => rules.MayTake(wish, candidate.Profile?.Name) && rules.WhyUnfit(candidate, wish.Tenant) is null).ToLookup(candidate => rules.HasProgram(candidate, wish.Tenant));
        // A tenant's task for which no program is inside the root is started all the same: its failure says so.
        var candidates = CapabilityMatch.Suited(wish.Needs, wish.Tenant is null || there[true].Any() ? there[true] : there[false], rules.HasSkill);
        var suited = new Suited(able, candidates, able.Count > 0 || candidates.Count > 0
            || CapabilityMatch.Suited(wish.Needs, configured.Where(candidate => rules.MayTake(wish, candidate.Profile?.Name)), rules.HasSkill).Count > 0);
        _suited.Add(wish, suited);
        return suited;
    }

    /// <param name="Resting">Living agents that suit, the best first.</param>
    /// <param name="Candidates">Those that could be started now, the best first.</param>
    /// <param name="IsKnown">Whether any agent suits.</param>
    private sealed record Suited(List<SupervisedAgent> Resting, IReadOnlyList<AgentCandidate> Candidates, bool IsKnown);
}
