using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Storage;

/// <summary>How many tasks are in each state: counted once, then updated with each change. Written by one thread, read by any.</summary>
internal sealed class TaskCounts
{
    private readonly long[] _counts = new long[Enum.GetValues<TaskState>().Length];
    private volatile StatusTasks _current = new(0, 0, 0, 0, 0, 0);

    public StatusTasks Current => _current;

    public void Load(BoardConnection connection)
    {
        Array.Clear(_counts);
        foreach (var (state, count) in connection["SELECT status, count(*) FROM tasks GROUP BY status"]
            .All(row => (TaskRow.State(row.GetString(0)), row.GetInt64(1))))
            _counts[(int)state] = count;
        Publish();
    }

    public void Add(IReadOnlyList<TaskChange> changes)
    {
        foreach (var change in changes)
        {
            if (change.From is { } from)
                _counts[(int)from]--;
            if (!change.IsDeleted)
                _counts[(int)change.Task.Status]++;
        }
        Publish();
    }

    private void Publish() => _current = new StatusTasks(
        _counts[(int)TaskState.Queued],
        _counts[(int)TaskState.Claimed],
        _counts[(int)TaskState.Started],
        _counts[(int)TaskState.Done],
        _counts[(int)TaskState.Failed],
        _counts[(int)TaskState.Cancelled]);
}
