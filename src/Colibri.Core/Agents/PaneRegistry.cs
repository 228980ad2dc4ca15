using System.Collections.Concurrent;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

/// <summary>Every agent there is a pane of: the living ones, and the last that stopped.</summary>
public sealed class PaneRegistry
{
    /// <summary>Stopped agents whose panes are kept; the oldest goes first.</summary>
    public const int KeptStopped = 256;

    private readonly ConcurrentDictionary<string, SupervisedAgent> _agents = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _stopped = new();
    private long _evicted;

    /// <summary>Panes of stopped agents dropped since the start.</summary>
    public long Evicted => Interlocked.Read(ref _evicted);

    /// <summary>In the order in which they were started.</summary>
    public IReadOnlyList<SupervisedAgent> Agents => [.. _agents.Values.OrderBy(agent => agent.Id, StringComparer.Ordinal)];

    public SupervisedAgent? Find(string agentId) => _agents.GetValueOrDefault(agentId);

    public IReadOnlyList<Pane> Snapshot() => [.. Agents.Select(agent => agent.ToPane())];

    internal void Add(SupervisedAgent agent) => _agents[agent.Id] = agent;

    /// <summary>Takes out one that was never started.</summary>
    internal void Remove(SupervisedAgent agent) => _agents.TryRemove(agent.Id, out _);

    internal void Stopped(SupervisedAgent agent)
    {
        _stopped.Enqueue(agent.Id);
        while (_stopped.Count > KeptStopped && _stopped.TryDequeue(out var oldest))
        {
            if (_agents.TryRemove(oldest, out _))
                Interlocked.Increment(ref _evicted);
        }
    }
}
