using System.Collections.Immutable;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Storage;

/// <summary>
/// What of each group is queued and running: counted from the rows, then updated with each change. Written by one thread, read by any. It decides nothing:
/// the claim's statement counts the rows themselves.
/// </summary>
internal sealed class GroupCounts
{
    private volatile ImmutableDictionary<string, GroupLoad> _current = Empty;

    private static ImmutableDictionary<string, GroupLoad> Empty => ImmutableDictionary.Create<string, GroupLoad>(StringComparer.Ordinal);

    /// <summary>The groups of which a task is queued, claimed or started.</summary>
    public IReadOnlyDictionary<string, GroupLoad> Current => _current;

    public void Load(BoardConnection connection)
    {
        var groups = Empty.ToBuilder();
        foreach (var (group, queued) in connection["SELECT task_group, count(*) FROM tasks WHERE task_group IS NOT NULL AND status = 'queued' GROUP BY task_group"]
            .All(row => (row.GetString(0), row.GetInt64(1))))
            groups[group] = GroupLoad.None with { Queued = queued };
        foreach (var (group, number) in connection["SELECT task_group, seq FROM tasks WHERE task_group IS NOT NULL AND status IN ('claimed', 'started')"]
            .All(row => (row.GetString(0), row.GetInt64(1))))
            groups[group] = (groups.GetValueOrDefault(group) ?? GroupLoad.None).With(TaskState.Started, number);
        _current = groups.ToImmutable();
    }

    public void Add(IReadOnlyList<TaskChange> changes)
    {
        foreach (var change in changes)
        {
            var task = change.Task;
            var fromGroup = change.IsRegrouped ? change.FromGroup : task.Group;
            if (change.From == task.Status && !change.IsDeleted && fromGroup == task.Group)
                continue;
            if (change.From is { } from && fromGroup is { } left && _current.TryGetValue(left, out var before))
                Set(left, before.Without(from, task.Number));
            if (!change.IsDeleted && task.Group is { } group)
                Set(group, (_current.GetValueOrDefault(group) ?? GroupLoad.None).With(task.Status, task.Number));
        }
    }

    private void Set(string group, GroupLoad load) =>
        _current = load is { Queued: 0, Running.Count: 0 } ? _current.Remove(group) : _current.SetItem(group, load);
}
