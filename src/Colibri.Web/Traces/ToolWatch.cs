using Colibri.Protocol.Wire;

namespace Colibri.Web.Traces;

/// <summary>
/// The tools of the agents, from the events of their panes: when one begins and when it ends. One that begins and ends between two events is not seen.
/// It is bounded by the agents that it watches and the tools that it keeps of each.
/// </summary>
internal sealed class ToolWatch
{
    public const int MostAgents = 4_096;
    public const int MostTools = 1_024;
    private const int LongestName = 256;

    private readonly Dictionary<string, Agent> _agents = [];

    /// <summary>Takes a pane as it is at a moment.</summary>
    public void Take(Pane pane, DateTimeOffset at)
    {
        var name = pane.Lifecycle == Lifecycle.Stopped ? null : pane.Tool;
        if (!_agents.TryGetValue(pane.Id, out var agent))
        {
            if (name is null || _agents.Count >= MostAgents)
                return;
            _agents[pane.Id] = agent = new Agent();
        }
        // The same tool twice in a row is two calls.
        if (agent.Name is { } running && (name != running || pane.Tools > agent.Count))
            agent.End(running, at);
        if (name is null)
            agent.Name = null;
        else if (agent.Name is null)
            (agent.Name, agent.Start, agent.Count) = (name, at, pane.Tools);
    }

    /// <summary>After a gap: an agent that is at the same call goes on with it. Of any other call the end is not known, so it is left out.</summary>
    public void TakeUp(IReadOnlyList<Pane> panes, DateTimeOffset at)
    {
        var known = panes.ToDictionary(pane => pane.Id);
        foreach (var (id, agent) in _agents)
        {
            if (!known.TryGetValue(id, out var pane) || pane.Tool != agent.Name || pane.Tools != agent.Count)
                agent.Name = null;
        }
        foreach (var pane in panes)
            Take(pane, at);
        foreach (var id in _agents.Where(pair => !known.ContainsKey(pair.Key) && pair.Value.Ended.Count == 0).Select(pair => pair.Key).ToList())
            _agents.Remove(id);
    }

    /// <summary>Takes the calls of a run that has ended. One that had not ended by then ended with it.</summary>
    /// <returns>The calls, and how many there were beyond those that are kept.</returns>
    public (IReadOnlyList<ToolCall> Calls, int Left) TakeRun(string agentId, DateTimeOffset start, DateTimeOffset end)
    {
        if (!_agents.TryGetValue(agentId, out var agent))
            return ([], 0);
        if (agent.Name is { } running && agent.Start < end)
        {
            agent.End(running, end);
            agent.Name = null;
        }
        var calls = agent.Ended.Where(call => call.Start >= start && call.Start <= end).Select(call => call.End <= end ? call : call with { End = end }).ToList();
        var left = agent.Left;
        agent.Left = 0;
        agent.Ended.RemoveAll(call => call.Start <= end);
        if (agent.Name is null && agent.Ended.Count == 0)
            _agents.Remove(agentId);
        return (calls, left);
    }

    private sealed class Agent
    {
        /// <summary>The tool that runs; null where none does.</summary>
        public string? Name { get; set; }
        public DateTimeOffset Start { get; set; }

        /// <summary>The calls of this agent by then, this one included.</summary>
        public long Count { get; set; }
        public List<ToolCall> Ended { get; } = [];
        public int Left { get; set; }

        public void End(string name, DateTimeOffset at)
        {
            Name = null;
            if (Ended.Count < MostTools)
                Ended.Add(new ToolCall(name.Length > LongestName ? name[..LongestName] : name, Start, at > Start ? at : Start));
            else
                Left++;
        }
    }
}

/// <summary>A call of a tool that has ended.</summary>
internal readonly record struct ToolCall(string Name, DateTimeOffset Start, DateTimeOffset End);
