using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.Core.Board.Storage;

/// <summary>A verb's access to the writer's transaction. It collects every change of a task, to be published after the commit.</summary>
internal sealed class WriteScope(BoardConnection connection, BoardOptions options, HostEpoch epoch, AgentNumbers agents)
{
    private readonly List<TaskChange> _changes = [];

    public IReadOnlyList<TaskChange> Changes => _changes;

    /// <summary>Milliseconds since the epoch.</summary>
    public long Now => options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The host's epoch: one more than that of the start before. It is written with the first claim that names it.</summary>
    public long Epoch => epoch.Of(this);

    /// <summary>Interruptions in a row after which a task is held.</summary>
    public int MaxInterruptions => options.MaxInterruptions;

    /// <summary>The number of the row that was inserted last.</summary>
    public long LastRow => SQLitePCL.raw.sqlite3_last_insert_rowid(connection.Inner.Handle);

    /// <summary>A number that no agent has had.</summary>
    public long NextAgentNumber() => agents.Next();

    /// <summary>What is waited of a back-off, in thousandths: 500 to 1,000.</summary>
    public int Jitter() => options.Random.Next(500, 1_001);

    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> values) => connection[sql].Bind(values).Execute();

    public T? First<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> values)
        where T : class => connection[sql].Bind(values).First(read);

    public List<T> All<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> values) =>
        connection[sql].Bind(values).All(read);

    /// <summary>Runs a statement that changes this task (<c>$id</c>) or none, and returns the task; null when its guard refused the change.</summary>
    public BoardTask? Change(string taskId, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        // Read afterwards: for RETURNING SQLite makes a temporary table at each execution, which costs more than the UPDATE.
        if (connection[sql].Bind(values).Bind(("$id", taskId)).Execute() == 0)
            return null;
        var change = connection[TaskRow.ById].Bind(("$id", taskId)).All(TaskRow.ReadChange)[0];
        _changes.Add(change);
        return Dependents.Follow(this, change) ?? change.Task;
    }

    /// <summary>Records a change that was made to another task in the course of one.</summary>
    public void Tell(TaskChange change) => _changes.Add(change);

    /// <summary>Records that the latest change moved its task from another group, or from none.</summary>
    public void Regrouped(string? from) => _changes[^1] = _changes[^1] with { FromGroup = from, IsRegrouped = true };

    /// <summary>The most tasks of a group that are claimed or started at once, by group, as it is configured now.</summary>
    public IReadOnlyDictionary<string, int> GroupLimits => options.GroupLimits();

    /// <summary>Records that this task was added to the board.</summary>
    public void Created(BoardTask task) => _changes.Add(new TaskChange(task, From: null));

    /// <summary>Records that this task was taken from the board.</summary>
    public void Deleted(BoardTask task) => _changes.Add(new TaskChange(task, task.Status, IsDeleted: true));

    /// <summary>As <see cref="Change"/>, for a statement that changes several; in creation order.</summary>
    public List<BoardTask> ChangeAll(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        // The order of RETURNING's rows is undefined.
        var changes = connection[sql].Bind(values).All(row => (Seq: TaskRow.Sequence(row), Change: TaskRow.ReadChange(row)));
        changes.Sort((left, right) => left.Seq.CompareTo(right.Seq));
        _changes.AddRange(changes.Select(row => row.Change));
        return changes.ConvertAll(row => Dependents.Follow(this, row.Change) ?? row.Change.Task);
    }

    /// <summary>Forgets the changes after the first <paramref name="count"/>: their statements were rolled back.</summary>
    public void Forget(int count) => _changes.RemoveRange(count, _changes.Count - count);
}

/// <param name="Task">The task after the change.</param>
/// <param name="From">The state before, which is the same if only fields changed; null for a new task.</param>
/// <param name="IsDeleted">The task is no longer on the board.</param>
internal readonly record struct TaskChange(BoardTask Task, TaskState? From, bool IsDeleted = false)
{
    /// <summary>Whether the task was in another group before, or in none, and which.</summary>
    public bool IsRegrouped { get; init; }
    public string? FromGroup { get; init; }
}

/// <summary>
/// The numbers of agents, of which labels are made. A number is given before its agent is persisted, so that a pane has its label from the first
/// moment; one whose agent never comes onto the board may be given again after a restart. Safe from any thread.
/// </summary>
internal sealed class AgentNumbers
{
    private long _last;

    public void Load(BoardConnection connection) =>
        Interlocked.Exchange(ref _last, connection["SELECT ifnull(max(number), 0) FROM agents WHERE number IS NOT NULL"].Number());

    public long Next() => Interlocked.Increment(ref _last);
}

/// <summary>The number of this start among all starts of a daemon on this board. Used by the board's writer alone.</summary>
internal sealed class HostEpoch
{
    private const string Next = """
        INSERT INTO settings (name, value) VALUES ('host-epoch', '1')
        ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) RETURNING value
        """;

    private string? _value;

    // A rolled back transaction removes the new value from the disk, and the next start may use it again. The claim token stays unique, because
    // the number of a task's claims never repeats on one board.
    public long Of(WriteScope scope) =>
        long.Parse(_value ??= scope.First(Next, row => row.GetString(0))!, System.Globalization.CultureInfo.InvariantCulture);
}
