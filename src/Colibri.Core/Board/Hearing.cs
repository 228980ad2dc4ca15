using Colibri.Core.Board.Storage;

namespace Colibri.Core.Board;

/// <summary>
/// When agents from outside were last heard, by the monotonic clock: setting the host's clock must not take a task from a claimant that was
/// heard a moment ago. Held in memory alone, so all that are on record have a full lease from the board's opening. Safe from any thread.
/// </summary>
internal sealed class Hearing(TimeProvider time)
{
    /// <summary>Names remembered of claimants that are not known to be registered; further ones are heard again with their next heartbeat.</summary>
    public const int MaxUnknown = 65_536;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _heard = new(StringComparer.Ordinal);
    private readonly long _opened = time.GetTimestamp();

    public void Hear(string agentId, bool isRegistered)
    {
        lock (_gate)
        {
            if (isRegistered || _heard.Count < MaxUnknown || _heard.ContainsKey(agentId))
                _heard[agentId] = time.GetTimestamp();
        }
    }

    /// <summary>Who was heard within the lease, as a JSON array, and forgets the others; null where the lease of the opening is not over.</summary>
    public string? Within(TimeSpan lease)
    {
        if (time.GetElapsedTime(_opened) < lease)
            return null;
        lock (_gate)
        {
            foreach (var (agentId, at) in _heard)
            {
                if (time.GetElapsedTime(at) >= lease)
                    _heard.Remove(agentId);
            }
            return TaskRow.Json([.. _heard.Keys]);
        }
    }
}
