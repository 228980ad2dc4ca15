namespace Colibri.Core.Scheduling;

/// <summary>
/// Tasks whose matching or start failed before anything was claimed: each is left out for an interval, on the monotonic clock, while the others go
/// on. Safe from any thread, because concurrent starts add to it.
/// </summary>
internal sealed class LeftOutTasks(TimeSpan interval, TimeProvider time)
{
    /// <summary>The most tasks remembered; beyond that the one that was left out first is forgotten.</summary>
    public const int Most = 4_096;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _since = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    /// <summary>Whether the task is left out now.</summary>
    public bool Has(string taskId)
    {
        lock (_gate)
        {
            if (!_since.TryGetValue(taskId, out var since))
                return false;
            _seen.Add(taskId);
            return time.GetElapsedTime(since) < interval;
        }
    }

    /// <summary>Leaves a task out from now on.</summary>
    /// <returns>Whether it is the first time since it came into the queue.</returns>
    public bool Add(string taskId)
    {
        lock (_gate)
        {
            var isNew = !_since.ContainsKey(taskId);
            if (isNew && _since.Count >= Most)
                Forget(_since.MinBy(entry => entry.Value).Key);
            _since[taskId] = time.GetTimestamp();
            _seen.Add(taskId);
            return isNew;
        }
    }

    /// <summary>A whole pass through the queue is over: a task that it did not meet has left the queue, and is forgotten after its interval.</summary>
    public void ForgetUnseen()
    {
        lock (_gate)
        {
            foreach (var (taskId, since) in _since)
            {
                if (!_seen.Contains(taskId) && time.GetElapsedTime(since) >= interval)
                    Forget(taskId);
            }
            _seen.Clear();
        }
    }

    private void Forget(string taskId)
    {
        _since.Remove(taskId);
        _seen.Remove(taskId);
    }
}
