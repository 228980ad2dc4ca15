using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board.Verbs;

/// <summary>Adds tasks to the board, directly or through the intake, and reads them.</summary>
internal static class TaskVerbs
{
    private const string Insert = $"""
        INSERT INTO tasks ({TaskFields.Columns}, id, status, not_before, created_at, updated_at, schedule)
        VALUES ({TaskFields.Parameters}, $id, 'queued', CASE WHEN $asked > $now THEN $asked END, $created, $now, $schedule)
        """;

    private static readonly string ByKey = $"SELECT {TaskRow.Columns} FROM tasks WHERE key = $key";

    private const string InsertIntake = $"INSERT INTO intake ({TaskFields.Columns}, id, created_at) VALUES ({TaskFields.Parameters}, $id, $now)";

    private const string IntakeByKey = $"SELECT {Intake.Columns} FROM intake WHERE key = $key";

    private const string IntakeById = $"SELECT {Intake.Columns} FROM intake WHERE id = $id";

    private const string IntakeHead = $"SELECT {Intake.Columns} FROM intake ORDER BY seq LIMIT $max";

    private const string IntakeUpTo = $"SELECT {Intake.Columns} FROM intake WHERE seq <= $seq ORDER BY seq";

    private const string DeleteIntake = "DELETE FROM intake WHERE id = $id";

    private const string ReadyHead = "SELECT id, capabilities, priority, seq, interruptions >= $last_chance, agent, workspace, cwd, task_group, tenant FROM tasks";

    // The index is named, because without statistics the planner would sort the whole queue instead.
    private const string ReadyTail = """
        INDEXED BY tasks_ready
        WHERE status = 'queued' AND held = 0 AND waits = 0 AND (not_before IS NULL OR not_before <= $now)
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
        WHERE status = 'queued' AND not_before IS NOT NULL AND not_before IS NOT asked_not_before AND NOT (updated_at >= $since AND updated_at <= $now)
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
            AND not_before IS NOT asked_not_before
        """;

    // The rest after a start stays: it bounds how often a task is started.
    private const string Release = """
        UPDATE tasks SET not_before = CASE WHEN rest_until > $now THEN min(rest_until, not_before) END
        WHERE status = 'queued' AND not_before IS NOT NULL AND error_code = $error_code AND ifnull(asked_not_before, 0) <= $now
        """;

    private const string NextReady = """
        SELECT not_before FROM tasks INDEXED BY tasks_delayed
        WHERE status = 'queued' AND held = 0 AND waits = 0 AND not_before > $now ORDER BY not_before LIMIT 1
        """;

    /// <exception cref="TaskRefusedException">It is to come after a task that is not there, or is of no tenant that is.</exception>
    public static BoardTask Create(WriteScope scope, NewTask task)
    {
        if (task.Key is { } key)
        {
            if (scope.First(ByKey, TaskRow.Read, ("$key", key)) is { } existing)
                return existing with { Existing = true };
            if (scope.First(IntakeByKey, Intake.Read, ("$key", key)) is { } waiting)
                return AdmitUpTo(scope, waiting)[^1] with { Existing = true };
        }
        TenantVerbs.Require(scope, task.Tenant);
        var after = AfterVerbs.Resolve(scope, task.After);
        AdmitAll(scope, after);
        return Add(scope, new Intake(NewId(scope), task with { After = after }, scope.Now));
    }

    /// <exception cref="TaskRefusedException">It is to come after a task that is not there, or is of no tenant that is.</exception>
    public static IntakeReceipt TakeIn(WriteScope scope, NewTask task)
    {
        if (task.Key is { } key)
        {
            if (scope.First(IntakeByKey, Intake.Read, ("$key", key)) is { } waiting)
                return new IntakeReceipt(waiting.Id, Existing: true);
            if (scope.First(ByKey, TaskRow.Read, ("$key", key)) is { } existing)
                return new IntakeReceipt(existing.Id, Existing: true);
        }
        TenantVerbs.Require(scope, task.Tenant);
        var id = NewId(scope);
        scope.Execute(InsertIntake, TaskFields.Of(task with { After = AfterVerbs.Resolve(scope, task.After) }, ("$id", id), ("$now", scope.Now)));
        return new IntakeReceipt(id);
    }

    public static IReadOnlyList<BoardTask> DrainIntake(WriteScope scope, int max) =>
        scope.All(IntakeHead, Intake.Read, ("$max", max)).ConvertAll(waiting => Admit(scope, waiting));

    /// <summary>Puts those of the tasks that are in the intake onto the board, so that an edge can lead to them.</summary>
    public static void AdmitAll(WriteScope scope, IReadOnlyList<string> ids)
    {
        foreach (var id in ids)
        {
            if (scope.First(IntakeById, Intake.Read, ("$id", id)) is { } waiting)
                AdmitUpTo(scope, waiting);
        }
    }

    /// <param name="connection">The board.</param>
    /// <param name="name">Its id or its number.</param>
    public static BoardTask? Get(BoardConnection connection, string name) =>
        connection[TaskRow.ById].Bind(("$id", BoardNames.Task(connection, name))).First(TaskRow.Read);

    public static BoardTask? Get(WriteScope scope, string id) => scope.First(TaskRow.ById, TaskRow.Read, ("$id", id));

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
                row.GetString(0), Needs(row.GetString(1)), new QueuePlace(row.GetInt32(2), row.GetInt64(3)), row.GetInt64(4) != 0)
            {
                Number = row.GetInt64(3),
                Agent = row.TextOrNull(5),
                Workspace = row.TextOrNull(6),
                Cwd = row.TextOrNull(7),
                Group = row.TextOrNull(8),
                Tenant = row.TextOrNull(9),
            });
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
        [ByKey, Ready, ReadyOfPriority, ReadyBelow, NextReady];

    // In the order of the intake, because a task there may come after earlier ones.
    private static List<BoardTask> AdmitUpTo(WriteScope scope, Intake waiting) =>
        scope.All(IntakeUpTo, Intake.Read, ("$seq", waiting.Sequence)).ConvertAll(each => Admit(scope, each));

    private static BoardTask Admit(WriteScope scope, Intake waiting)
    {
        scope.Execute(DeleteIntake, ("$id", waiting.Id));
        return Add(scope, waiting);
    }

    // Assembled here instead of read back, which would double the cost of a new task.
    private static BoardTask Add(WriteScope scope, Intake intake)
    {
        var (now, given) = (scope.Now, intake.Task);
        scope.Execute(Insert, TaskFields.Of(given, ("$id", intake.Id), ("$created", intake.CreatedAt), ("$now", now), ("$schedule", given.Schedule)));
        var number = scope.LastRow;
        if (given.After.Count > 0)
        {
            AfterVerbs.Set(scope, intake.Id, given.After, given.OnFailed);
            var waiting = Get(scope, intake.Id)!;
            scope.Created(waiting);
            // What it comes after may have failed before it was here.
            return Dependents.FailFor(scope, waiting) ?? waiting;
        }
        var task = new BoardTask
        {
            Id = intake.Id,
            Number = number,
            Title = given.Title,
            Description = given.Description,
            Status = TaskState.Queued,
            Capabilities = (string[])[.. given.Capabilities],
            Priority = given.Priority,
            MaxAttempts = given.MaxAttempts,
            SessionId = given.SessionId,
            Held = given.Hold,
            OnFailed = TaskRow.Text(given.OnFailed),
            Agent = given.Agent,
            Model = given.Model,
            Workspace = given.Workspace,
            Cwd = given.Cwd,
            Group = given.Group,
            Tags = (string[])[.. given.Tags],
            Check = given.Check is null ? null : new TaskCheck(given.Check),
            RunTimeoutMs = (long?)given.RunTimeout?.TotalMilliseconds,
            BudgetMicrocents = given.BudgetMicrocents,
            Tenant = given.Tenant,
            Schedule = given.Schedule,
            NotBefore = given.NotBefore?.ToUnixTimeMilliseconds() is { } asked && asked > now ? DateTimeOffset.FromUnixTimeMilliseconds(asked) : null,
            Usage = new Usage(),
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(intake.CreatedAt),
            UpdatedAt = DateTimeOffset.FromUnixTimeMilliseconds(now),
        };
        scope.Created(task);
        return task;
    }

    private static string NewId(WriteScope scope) => Guid.CreateVersion7(DateTimeOffset.FromUnixTimeMilliseconds(scope.Now)).ToString();
}
