using Colibri.Core.Board;

namespace Colibri.Core.Scheduling;

/// <summary>
/// One pass through the queue, from its head to its end, in stretches. A pass ends early once every free agent has a task. So tasks that nobody can
/// take hide nothing, and each look has bounded work.
/// </summary>
internal sealed class QueuePass
{
    /// <summary>The most tasks of one stretch.</summary>
    public const int Stretch = 4_096;

    private HashSet<string> _told = new(StringComparer.Ordinal);
    private HashSet<string> _toldBefore = new(StringComparer.Ordinal);

    /// <summary>Where the next stretch begins; null for the head of the queue.</summary>
    public QueuePlace? After { get; private set; }

    /// <summary>Whether the pass goes on with the next look.</summary>
    public bool IsUnderWay => After is not null;

    /// <summary>The tasks of this pass that no agent suits.</summary>
    public int Unmatched { get; private set; }

    /// <summary>Those of them that were counted first. Not changed once the pass is over.</summary>
    public IReadOnlySet<string> UnmatchedTasks => _told;

    /// <summary>Begins at the head, unless a pass is under way.</summary>
    public void Begin()
    {
        if (IsUnderWay)
            return;
        Unmatched = 0;
        (_toldBefore, _told) = (_told, new HashSet<string>(StringComparer.Ordinal));
    }

    /// <summary>A stretch was read.</summary>
    /// <returns>Whether there may be more behind it.</returns>
    public bool Read(IReadOnlyList<ReadyTask> stretch, int limit)
    {
        After = stretch.Count == limit ? stretch[^1].Place : null;
        return IsUnderWay;
    }

    public void End() => After = null;

    /// <summary>Counts a task that no agent suits.</summary>
    /// <returns>Whether the log has to name it: once for each task, and for the first 4,096 of the queue.</returns>
    public bool CountUnmatched(string taskId)
    {
        Unmatched++;
        return _told.Count < Stretch && _told.Add(taskId) && !_toldBefore.Contains(taskId);
    }
}
