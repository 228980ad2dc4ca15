using Colibri.Core.Board.Storage;

namespace Colibri.Core.Board;

/// <summary>
/// When agents from outside last gave a sign of life, by the monotonic clock: setting the host's clock must not take a task from a claimant
/// that is alive. The times are in memory alone, so every registered agent has a full lease from the board's opening. Safe from any thread.
/// </summary>
internal sealed class Hearing(TimeProvider time)
{
    /// <summary>The most names kept of claimants that are not known to be registered; a further one is recorded with its next heartbeat.</summary>
    public const int MaxUnknown = 65_536;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _heard = new(StringComparer.Ordinal);
    private long _opened = time.GetTimestamp();

    public void Hear(string agentId, bool isRegistered)
    {
        lock (_gate)
        {
            if (isRegistered || _heard.Count < MaxUnknown || _heard.ContainsKey(agentId))
                _heard[agentId] = time.GetTimestamp();
        }
    }

    /// <summary>The daemon stood still, and heard nobody: that time is no part of a lease.</summary>
    public void StoodStill(TimeSpan length)
    {
        var now = time.GetTimestamp();
        var ticks = (long)(length.TotalSeconds * time.TimestampFrequency);
        lock (_gate)
        {
            _opened = Math.Min(_opened + ticks, now);
            foreach (var (agentId, at) in _heard)
                _heard[agentId] = Math.Min(at + ticks, now);
        }
    }

    /// <summary>
    /// The claimants that were heard within the lease, as a JSON array; the others are forgotten. Null until one lease after the opening.
    /// </summary>
    public string? Within(TimeSpan lease)
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_opened) < lease)
                return null;
            foreach (var (agentId, at) in _heard)
            {
                if (time.GetElapsedTime(at) >= lease)
                    _heard.Remove(agentId);
            }
            return TaskRow.Json([.. _heard.Keys]);
        }
    }
}
