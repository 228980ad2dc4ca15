using System.Collections.Concurrent;
using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

/// <summary>The agents with a pane: all living ones, and the last that stopped.</summary>
public sealed class PaneRegistry
{
    /// <summary>The most stopped agents whose panes are kept; the oldest is dropped first.</summary>
    public const int KeptStopped = 256;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, SupervisedAgent> _agents = new(StringComparer.Ordinal);
    private readonly Queue<SupervisedAgent> _stopped = new();

    // Replaced at a start and at an eviction, and read at every look of the scheduler.
    private volatile SupervisedAgent[] _inOrder = [];
    private long _evicted;

    /// <summary>Panes of stopped agents dropped since the start.</summary>
    public long Evicted => Interlocked.Read(ref _evicted);

    /// <summary>In the order in which they were started.</summary>
    public IReadOnlyList<SupervisedAgent> Agents => _inOrder;

    /// <param name="name">Its id or its label.</param>
    public SupervisedAgent? Find(string name) =>
        _agents.GetValueOrDefault(name) ?? (AgentLabel.Is(name) ? Array.Find(_inOrder, agent => agent.Label == name) : null);

    public IReadOnlyList<Pane> Snapshot() => [.. Agents.Select(agent => agent.ToPane())];

    internal void Add(SupervisedAgent agent)
    {
        lock (_gate)
        {
            var at = _inOrder.Length;
            // Ids grow with time; two starts at once may come here the other way round.
            while (at > 0 && string.CompareOrdinal(_inOrder[at - 1].Id, agent.Id) > 0)
                at--;
            _agents[agent.Id] = agent;
            _inOrder = [.. _inOrder[..at], agent, .. _inOrder[at..]];
        }
    }

    /// <summary>Removes an agent that was never started.</summary>
    internal void Remove(SupervisedAgent agent)
    {
        lock (_gate)
            TakeOut(agent);
    }

    internal void Stopped(SupervisedAgent agent)
    {
        lock (_gate)
        {
            _stopped.Enqueue(agent);
            while (_stopped.Count > KeptStopped)
            {
                if (TakeOut(_stopped.Dequeue()))
                    Interlocked.Increment(ref _evicted);
            }
        }
    }

    private bool TakeOut(SupervisedAgent agent)
    {
        if (!_agents.TryRemove(agent.Id, out _))
            return false;
        _inOrder = Array.FindAll(_inOrder, other => other != agent);
        return true;
    }
}
