using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>Adds tasks to the board, directly or through the intake, and reads them.</summary>
internal static class TaskVerbs
{
    private const string Insert = """
        INSERT INTO tasks (id, key, title, description, status, capabilities, priority, max_attempts, session_id, held, created_at, updated_at)
        VALUES ($id, $key, $title, $description, 'queued', $capabilities, $priority, $max_attempts, $session, $held, $created, $now)
        """;

    private const string ByKey = $"SELECT {TaskRow.Columns} FROM tasks WHERE key = $key";

    private const string InsertIntake = """
        INSERT INTO intake (id, key, title, description, capabilities, priority, max_attempts, session_id, held, created_at)
        VALUES ($id, $key, $title, $description, $capabilities, $priority, $max_attempts, $session, $held, $now)
        """;

    private const string IntakeColumns = "id, key, title, description, capabilities, priority, max_attempts, session_id, created_at, held";

    private const string IntakeByKey = $"SELECT {IntakeColumns} FROM intake WHERE key = $key";

    private const string IntakeHead = $"SELECT {IntakeColumns} FROM intake ORDER BY seq LIMIT $max";

    private const string DeleteIntake = "DELETE FROM intake WHERE id = $id";

    private const string AfterSequence = $"SELECT {TaskRow.Columns} FROM tasks WHERE seq > $after ORDER BY seq LIMIT $limit";

    private const string ReadyHead = "SELECT id, capabilities, priority, seq, interruptions >= $last_chance FROM tasks";

    // The index is named, because without statistics the planner would sort the whole queue instead.
    private const string ReadyTail = """
        INDEXED BY tasks_ready
        WHERE status = 'queued' AND held = 0 AND (not_before IS NULL OR not_before <= $now)
        """;

    private const string ReadyOrder = "ORDER BY priority DESC, seq LIMIT $limit";

    private const string Ready = $"{ReadyHead} {ReadyTail} {ReadyOrder}";

    // What is behind a place of the queue, in two statements: each one begins in the index where its rows do.
    private const string ReadyOfPriority = $"{ReadyHead} {ReadyTail} AND priority = $priority AND seq > $seq {ReadyOrder}";

    private const string ReadyBelow = $"{ReadyHead} {ReadyTail} AND priority < $priority {ReadyOrder}";

    private const string OneApart = """
        SELECT 1 FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.finished_at IS NULL AND t.interruptions >= $last_chance LIMIT 1
        """;

    private const string Shift = """
        UPDATE tasks SET not_before = max(not_before + $by, 0)
        WHERE status = 'queued' AND not_before IS NOT NULL AND NOT (updated_at >= $since AND updated_at <= $now)
        """;

    private const string ShiftRests = """
        UPDATE tasks SET last_start_at = last_start_at + $by, rest_until = rest_until + $by
        WHERE status IN ('queued', 'claimed', 'started') AND last_start_at IS NOT NULL AND NOT (last_start_at >= $since AND last_start_at <= $now)
        """;

    // A run that ended between the clock's step and its notice had its rest compared with the new clock.
    private const string KeepRests = """
        UPDATE tasks SET not_before = min(rest_until, $now + 300000) WHERE status = 'queued' AND rest_until > $now AND ifnull(not_before, 0) < rest_until
        """;

    private const string BoundStarts = """
        UPDATE tasks SET last_start_at = min(last_start_at, $now), rest_until = min(rest_until, $now + 300000)
        WHERE status IN ('queued', 'claimed', 'started') AND (last_start_at > $now OR rest_until > $now + 300000)
        """;

    private const string Bound = """
        UPDATE tasks SET not_before = $now + not_before - updated_at WHERE status = 'queued' AND not_before > $now AND updated_at > $now
        """;

    // The rest after a start stays: it bounds how often a task is started.
    private const string Release = """
        UPDATE tasks SET not_before = CASE WHEN rest_until > $now THEN min(rest_until, not_before) END
        WHERE status = 'queued' AND not_before IS NOT NULL AND error_code = $error_code
        """;

    private const string NextReady = """
        SELECT not_before FROM tasks INDEXED BY tasks_delayed
        WHERE status = 'queued' AND held = 0 AND not_before > $now ORDER BY not_before LIMIT 1
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
            ("$held", task.Hold ? 1 : 0),
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
                characters += task.Title.Length + task.Description.Length + (task.Result?.Text.Length ?? 0);
                return fits = seen == 1 || (seen <= limit && characters <= maxCharacters);
            });
        return new TaskList(tasks, fits ? null : tasks[^1].Id);
    }

    public static IReadOnlyList<ReadyTask> ListReady(BoardConnection connection, int limit, DateTimeOffset now, QueuePlace? after, int lastChance)
    {
        // Most tasks of a long queue need the same: equal needs are one list, by which the scheduler knows them again.
        var needs = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        if (after is null)
            return Rows(Ready, limit);
        var ready = Rows(ReadyOfPriority, limit);
        if (ready.Count < limit)
            ready.AddRange(Rows(ReadyBelow, limit - ready.Count));
        return ready;

        List<ReadyTask> Rows(string sql, int most)
        {
            var statement = connection[sql].Bind(("$now", now.ToUnixTimeMilliseconds()), ("$limit", most), ("$last_chance", lastChance));
            if (sql != Ready)
                statement.Bind(("$priority", after!.Value.Priority));
            if (sql == ReadyOfPriority)
                statement.Bind(("$seq", after!.Value.Sequence));
            return statement.All(row => new ReadyTask(
                row.GetString(0), Needs(row.GetString(1)), new QueuePlace(row.GetInt32(2), row.GetInt64(3)), row.GetInt64(4) != 0));
        }

        IReadOnlyList<string> Needs(string json)
        {
            if (!needs.TryGetValue(json, out var names))
                needs.Add(json, names = TaskRow.Names(json));
            return names;
        }
    }

    public static bool IsOneApart(BoardConnection connection, int lastChance) =>
        connection[OneApart].Bind(("$last_chance", lastChance)).First(row => "") is not null;

    public static DateTimeOffset? NextReadyAt(BoardConnection connection, DateTimeOffset now)
    {
        var next = connection[NextReady].Bind(("$now", now.ToUnixTimeMilliseconds())).All(row => row.Time(0));
        return next.Count == 0 ? null : next[0];
    }

    public static int ShiftBackoffs(WriteScope scope, TimeSpan by, DateTimeOffset since)
    {
        (string, object?)[] step = [("$by", (long)by.TotalMilliseconds), ("$since", since.ToUnixTimeMilliseconds()), ("$now", scope.Now)];
        var moved = scope.Execute(Shift, step);
        scope.Execute(ShiftRests, step);
        scope.Execute(KeepRests, ("$now", scope.Now));
        return moved;
    }

    public static int BoundBackoffs(WriteScope scope)
    {
        scope.Execute(BoundStarts, ("$now", scope.Now));
        return scope.Execute(Bound, ("$now", scope.Now));
    }

    public static int ReleaseBackoffs(WriteScope scope, string errorCode) => scope.Execute(Release, ("$error_code", errorCode), ("$now", scope.Now));

    /// <summary>The texts whose cost must not grow with the board, for a test to hold against the query planner.</summary>
    internal static IReadOnlyList<string> Indexed =>
        [TaskRow.ById, ByKey, AfterSequence, Ready, ReadyOfPriority, ReadyBelow, NextReady, .. InStateAfterSequence];

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
            ("$held", intake.Task.Hold ? 1 : 0),
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
            Held = intake.Task.Hold,
            Usage = new Usage(),
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(intake.CreatedAt),
            UpdatedAt = DateTimeOffset.FromUnixTimeMilliseconds(now),
        };
        scope.Created(task);
        return task;
    }

    private static string NewId(WriteScope scope) => Guid.CreateVersion7(DateTimeOffset.FromUnixTimeMilliseconds(scope.Now)).ToString();
}
