using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>Adds tasks to the board, directly or through the intake, and reads them.</summary>
internal static class TaskVerbs
{
    private const string Insert = """
        INSERT INTO tasks (id, key, title, description, status, capabilities, priority, max_attempts, session_id, created_at, updated_at)
        VALUES ($id, $key, $title, $description, 'queued', $capabilities, $priority, $max_attempts, $session, $created, $now)
        """;

    private const string ByKey = $"SELECT {TaskRow.Columns} FROM tasks WHERE key = $key";

    private const string InsertIntake = """
        INSERT INTO intake (id, key, title, description, capabilities, priority, max_attempts, session_id, created_at)
        VALUES ($id, $key, $title, $description, $capabilities, $priority, $max_attempts, $session, $now)
        """;

    private const string IntakeColumns = "id, key, title, description, capabilities, priority, max_attempts, session_id, created_at";

    private const string IntakeByKey = $"SELECT {IntakeColumns} FROM intake WHERE key = $key";

    private const string IntakeHead = $"SELECT {IntakeColumns} FROM intake ORDER BY seq LIMIT $max";

    private const string DeleteIntake = "DELETE FROM intake WHERE id = $id";

    private const string AfterSequence = $"SELECT {TaskRow.Columns} FROM tasks WHERE seq > $after ORDER BY seq LIMIT $limit";

    // The index is named, because without statistics the planner would sort the whole queue instead.
    private const string Ready = """
        SELECT id, capabilities FROM tasks INDEXED BY tasks_ready
        WHERE status = 'queued' AND (not_before IS NULL OR not_before <= $now)
        ORDER BY priority DESC, seq LIMIT $limit
        """;

    private const string Shift = """
        UPDATE tasks SET not_before = max(not_before + $by, 0) WHERE status = 'queued' AND not_before IS NOT NULL AND updated_at <= $before
        """;

    private const string Bound = """
        UPDATE tasks SET not_before = $now + not_before - updated_at WHERE status = 'queued' AND not_before > $now AND updated_at > $now
        """;

    private const string NextReady = """
        SELECT not_before FROM tasks INDEXED BY tasks_delayed
        WHERE status = 'queued' AND not_before > $now ORDER BY not_before LIMIT 1
        """;

    // The state is in the text and not bound, because SQLite chooses a partial index only by a constant.
    private static readonly string[] InStateAfterSequence =
    [
        .. Enum.GetValues<TaskState>().Select(state => $"""
            SELECT {TaskRow.Columns} FROM tasks WHERE status = '{TaskRow.Text(state)}' AND seq > $after ORDER BY seq LIMIT $limit
            """),
    ];

    public static BoardTask Create(WriteScope scope, NewTask task)
    {
        if (task.Key is { } key)
        {
            if (scope.First(ByKey, TaskRow.Read, ("$key", key)) is { } existing)
                return existing;
            if (scope.First(IntakeByKey, Intake.Read, ("$key", key)) is { } waiting)
                return Admit(scope, waiting);
        }
        return Add(scope, new Intake(NewId(scope), task, scope.Now));
    }

    public static string TakeIn(WriteScope scope, NewTask task)
    {
        if (task.Key is { } key)
        {
            if (scope.First(IntakeByKey, Intake.Read, ("$key", key)) is { } waiting)
                return waiting.Id;
            if (scope.First(ByKey, TaskRow.Read, ("$key", key)) is { } existing)
                return existing.Id;
        }
        var id = NewId(scope);
        scope.Execute(
            InsertIntake,
            ("$id", id),
            ("$key", task.Key),
            ("$title", task.Title),
            ("$description", task.Description),
            ("$capabilities", TaskRow.Json(task.Capabilities)),
            ("$priority", task.Priority),
            ("$max_attempts", task.MaxAttempts),
            ("$session", task.SessionId),
            ("$now", scope.Now));
        return id;
    }

    public static IReadOnlyList<BoardTask> DrainIntake(WriteScope scope, int max) =>
        scope.All(IntakeHead, Intake.Read, ("$max", max)).ConvertAll(waiting => Admit(scope, waiting));

    public static BoardTask? Get(BoardConnection connection, string id) => connection[TaskRow.ById].Bind(("$id", id)).First(TaskRow.Read);

    public static BoardTask? Get(WriteScope scope, string id) => scope.First(TaskRow.ById, TaskRow.Read, ("$id", id));

    public static TaskList List(BoardConnection connection, TaskState? status, int limit, string? after, int maxCharacters)
    {
        var sequence = 0L;
        if (after is not null)
        {
            var last = connection[TaskRow.ById].Bind(("$id", after)).All(TaskRow.Sequence);
            if (last.Count == 0)
                throw new ArgumentException($"no task {after} on the board to continue after", nameof(after));
            sequence = last[0];
        }
        var seen = 0;
        var characters = 0L;
        var fits = true;
        // One row more than requested tells whether there is a next page.
        var tasks = connection[status is { } state ? InStateAfterSequence[(int)state] : AfterSequence]
            .Bind(("$after", sequence), ("$limit", limit + 1L))
            .TakeWhile(TaskRow.Read, task =>
            {
                seen++;
                characters += task.Title.Length + task.Description.Length;
                return fits = seen == 1 || (seen <= limit && characters <= maxCharacters);
            });
        return new TaskList(tasks, fits ? null : tasks[^1].Id);
    }

    public static IReadOnlyList<ReadyTask> ListReady(BoardConnection connection, int limit, DateTimeOffset now) => connection[Ready]
        .Bind(("$now", now.ToUnixTimeMilliseconds()), ("$limit", limit))
        .All(row => new ReadyTask(row.GetString(0), TaskRow.Names(row.GetString(1))));

    public static DateTimeOffset? NextReadyAt(BoardConnection connection, DateTimeOffset now)
    {
        var next = connection[NextReady].Bind(("$now", now.ToUnixTimeMilliseconds())).All(row => row.Time(0));
        return next.Count == 0 ? null : next[0];
    }

    /// <summary>The texts whose cost must not grow with the board, for a test to hold against the query planner.</summary>
    public static int ShiftBackoffs(WriteScope scope, TimeSpan by, DateTimeOffset before) =>
        scope.Execute(Shift, ("$by", (long)by.TotalMilliseconds), ("$before", before.ToUnixTimeMilliseconds()));

    public static int BoundBackoffs(WriteScope scope) => scope.Execute(Bound, ("$now", scope.Now));

    internal static IReadOnlyList<string> Indexed => [TaskRow.ById, ByKey, AfterSequence, Ready, NextReady, .. InStateAfterSequence];

    private static BoardTask Admit(WriteScope scope, Intake waiting)
    {
        scope.Execute(DeleteIntake, ("$id", waiting.Id));
        return Add(scope, waiting);
    }

    // Assembled here instead of read back, which would double the cost of a new task.
    private static BoardTask Add(WriteScope scope, Intake intake)
    {
        var now = scope.Now;
        scope.Execute(
            Insert,
            ("$id", intake.Id),
            ("$key", intake.Task.Key),
            ("$title", intake.Task.Title),
            ("$description", intake.Task.Description),
            ("$capabilities", TaskRow.Json(intake.Task.Capabilities)),
            ("$priority", intake.Task.Priority),
            ("$max_attempts", intake.Task.MaxAttempts),
            ("$session", intake.Task.SessionId),
            ("$created", intake.CreatedAt),
            ("$now", now));
        var task = new BoardTask
        {
            Id = intake.Id,
            Title = intake.Task.Title,
            Description = intake.Task.Description,
            Status = TaskState.Queued,
            Capabilities = (string[])[.. intake.Task.Capabilities],
            Priority = intake.Task.Priority,
            MaxAttempts = intake.Task.MaxAttempts,
            SessionId = intake.Task.SessionId,
            Usage = new Usage(),
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(intake.CreatedAt),
            UpdatedAt = DateTimeOffset.FromUnixTimeMilliseconds(now),
        };
        scope.Created(task);
        return task;
    }

    private static string NewId(WriteScope scope) => Guid.CreateVersion7(DateTimeOffset.FromUnixTimeMilliseconds(scope.Now)).ToString();
}
