using System.Collections.Concurrent;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// What of each group is queued and running: counted from the rows, then updated with each change. Written by one thread, read by any. It decides nothing:
/// the claim's statement counts the rows themselves.
/// </summary>
internal sealed class GroupCounts
{
    private volatile ConcurrentDictionary<string, GroupLoad> _current = new(StringComparer.Ordinal);

    /// <summary>The groups of which a task is queued, claimed or started.</summary>
    public IReadOnlyDictionary<string, GroupLoad> Current => _current;

    public void Load(BoardConnection connection)
    {
        var groups = new ConcurrentDictionary<string, GroupLoad>(StringComparer.Ordinal);
        connection["SELECT task_group, count(*) FROM tasks WHERE task_group IS NOT NULL AND status = 'queued' GROUP BY task_group"]
            .All(row => groups[row.GetString(0)] = GroupLoad.None with { Queued = row.GetInt64(1) });
        connection["SELECT task_group, seq FROM tasks WHERE task_group IS NOT NULL AND status IN ('claimed', 'started') ORDER BY seq"]
            .All(row => groups[row.GetString(0)] = Of(groups, row.GetString(0)).With(Protocol.Wire.TaskState.Started, row.GetInt64(1)));
        _current = groups;
    }

    public void Add(IReadOnlyList<TaskChange> changes)
    {
        foreach (var change in changes)
        {
            var task = change.Task;
            var fromGroup = change.IsRegrouped ? change.FromGroup : task.Group;
            if (change.From == task.Status && !change.IsDeleted && fromGroup == task.Group)
                continue;
            if (change.From is { } from && fromGroup is not null)
                Set(fromGroup, Of(_current, fromGroup).Without(from, task.Number));
            if (!change.IsDeleted && task.Group is { } group)
                Set(group, Of(_current, group).With(task.Status, task.Number));
        }
    }

    private void Set(string group, GroupLoad load)
    {
        if (load is { Queued: 0, Running.Count: 0 })
            _current.TryRemove(group, out _);
        else
            _current[group] = load;
    }

    private static GroupLoad Of(ConcurrentDictionary<string, GroupLoad> groups, string group) => groups.TryGetValue(group, out var load) ? load : GroupLoad.None;
}
