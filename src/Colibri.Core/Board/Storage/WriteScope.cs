using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Storage;

/// <summary>What a verb works with inside the writer's transaction. It notes every change of a task, to be told after the commit.</summary>
internal sealed class WriteScope(BoardConnection connection, TimeProvider time, HostEpoch epoch)
{
    private readonly List<TaskChange> _changes = [];

    public IReadOnlyList<TaskChange> Changes => _changes;

    /// <summary>Milliseconds since the epoch.</summary>
    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The host's epoch: one more than that of the start before. Put on record with the first claim that names it.</summary>
    public long Epoch => epoch.Of(this);

    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> values) => connection[sql].Bind(values).Execute();

    public T? First<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> values)
        where T : class => connection[sql].Bind(values).First(read);

    public List<T> All<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> values) =>
        connection[sql].Bind(values).All(read);

    /// <summary>Runs a statement that changes this task (<c>$id</c>) or none, and returns it; null when its guard did not let it through.</summary>
    public BoardTask? Change(string taskId, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        // Read afterwards, not by RETURNING: for that SQLite makes a table of its own at each execution, which costs more than the UPDATE.
        if (connection[sql].Bind(values).Bind(("$id", taskId)).Execute() == 0)
            return null;
        var change = connection[TaskRow.ById].Bind(("$id", taskId)).All(TaskRow.ReadChange)[0];
        _changes.Add(change);
        return change.Task;
    }

    /// <summary>Notes a task that has been put onto the board as it is given.</summary>
    public void Created(BoardTask task) => _changes.Add(new TaskChange(task, From: null));

    /// <summary>As <see cref="Change"/>, for a statement that changes several; in creation order.</summary>
    public List<BoardTask> ChangeAll(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        // RETURNING has no order of its own.
        var changes = connection[sql].Bind(values).All(row => (Seq: TaskRow.Sequence(row), Change: TaskRow.ReadChange(row)));
        changes.Sort((left, right) => left.Seq.CompareTo(right.Seq));
        _changes.AddRange(changes.Select(row => row.Change));
        return changes.ConvertAll(row => row.Change.Task);
    }

    /// <summary>Forgets the changes after the first <paramref name="count"/>: their statements were rolled back.</summary>
    public void Forget(int count) => _changes.RemoveRange(count, _changes.Count - count);
}

/// <param name="Task">The task after the change.</param>
/// <param name="From">The state it was in, the same one where only its fields changed; null when it is new.</param>
internal readonly record struct TaskChange(BoardTask Task, TaskState? From);

/// <summary>Which start of a daemon on this board it is. Used by the board's writer alone.</summary>
internal sealed class HostEpoch
{
    private const string Next = """
        INSERT INTO settings (name, value) VALUES ('host-epoch', '1')
        ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) RETURNING value
        """;

    private string? _value;

    // A transaction that is rolled back takes the new value off the disk, and the next start may have the same. The token stays unique all the
    // same: on one board the number of a task's claims never repeats.
    public long Of(WriteScope scope) =>
        long.Parse(_value ??= scope.First(Next, row => row.GetString(0))!, System.Globalization.CultureInfo.InvariantCulture);
}
