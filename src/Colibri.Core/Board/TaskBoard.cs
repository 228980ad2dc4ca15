using Colibri.Core.Board.Storage;
using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Board;

/// <summary>
/// The durable task board. A verb that writes is answered only after its commit is on the disk, and a read begun after that sees it.
/// Writers throw <see cref="BoardUnavailableException"/> while the disk refuses, <see cref="ObjectDisposedException"/> once it is closed.
/// </summary>
public sealed class TaskBoard : IAsyncDisposable
{
    private readonly FileStream _lock;
    private readonly BoardWriter _writer;
    private readonly ReaderPool _readers;
    private readonly Hearing _hearing;
    private int _disposed;

    private TaskBoard(BoardOptions options, string path, FileStream held, BoardConnection connection)
    {
        _lock = held;
        _readers = new ReaderPool(path);
        _hearing = new Hearing(options.Time);
        _writer = new BoardWriter(options, path, connection, _readers);
    }

    /// <summary>How many tasks are in each state, as of the latest commit. Costs nothing.</summary>
    public StatusTasks Counts => _writer.Counts.Current;

    /// <summary>How often since opening a write found the queue of 4,096 full and had to wait for room.</summary>
    public long QueueFullCount => _writer.QueueFullCount;

    /// <summary>Why the last write was refused; null once one went through. Costs nothing.</summary>
    public string? Trouble => _writer.Trouble;

    /// <summary>Opens the board, creating or migrating it where needed, and keeps every other daemon out until it is disposed.</summary>
    /// <exception cref="BoardOpenException">
    /// Another daemon has it, its place is not writable, or the file is no board, damaged, or of a newer version.
    /// </exception>
    public static TaskBoard Open(BoardOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Path);
        var path = Path.GetFullPath(options.Path);
        var held = BoardFiles.Claim(path);
        BoardConnection? connection = null;
        try
        {
            connection = BoardConnection.OpenWriter(path, options.BusySeconds);
            Migrations.Apply(connection, path);
            return new TaskBoard(options, path, held, connection);
        }
        catch (SqliteException error)
        {
            connection?.Dispose();
            held.Dispose();
            throw Migrations.Refusal(path, error);
        }
        catch
        {
            connection?.Dispose();
            held.Dispose();
            throw;
        }
    }

    /// <summary>Commits every write that was accepted, then lets go of the files. Later calls throw.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        // The readers first: the last connection to close is the one that may fold the log into the database.
        await _readers.DisposeAsync();
        await _writer.DisposeAsync();
        await _lock.DisposeAsync();
    }

    /// <summary>Completes when the writer has come to it, whether or not the disk lets it write.</summary>
    public async Task AnswerAsync()
    {
        try
        {
            await _writer.WriteAsync(static _ => true).ConfigureAwait(false);
        }
        catch (BoardUnavailableException)
        {
            // An answer as well: the disk's trouble is not the writer's.
        }
    }

    /// <summary>Runs a verb of the caller's own in the writer, for tests of what a failing one does.</summary>
    internal Task<T> WriteAsync<T>(Func<WriteScope, T> verb) => _writer.WriteAsync(verb);

    /// <summary>As <see cref="WriteAsync"/>, answered when committed, which outlives the daemon but no power cut.</summary>
    internal Task<T> CommitAsync<T>(Func<WriteScope, T> verb) => _writer.WriteAsync(verb, waitsForSync: false);

    internal Task<T> ReadAsync<T>(Func<BoardConnection, T> read) => _readers.ReadAsync(read);

    /// <summary>Puts a task on the board, queued. A known key answers the task it was first used for, unchanged.</summary>
    /// <exception cref="ArgumentException">No title, or fewer than one attempt.</exception>
    public Task<BoardTask> CreateAsync(NewTask task)
    {
        Check(task);
        return WriteAsync(scope => TaskVerbs.Create(scope, task));
    }

    /// <summary>Takes a task in, to be put on the board at the next drain. The answer is its id now and then; a known key answers its id.</summary>
    /// <exception cref="ArgumentException">No title, or fewer than one attempt.</exception>
    public Task<string> IntakeAsync(NewTask task)
    {
        Check(task);
        return WriteAsync(scope => TaskVerbs.TakeIn(scope, task));
    }

    /// <summary>Puts up to so many tasks that were taken in onto the board, oldest first, and answers them.</summary>
    public Task<IReadOnlyList<BoardTask>> DrainIntakeAsync(int max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        return WriteAsync(scope => TaskVerbs.DrainIntake(scope, max));
    }

    public Task<BoardTask?> GetAsync(string id) => ReadAsync(connection => TaskVerbs.Get(connection, id));

    /// <summary>A page in order of creation.</summary>
    /// <param name="status">Only tasks in this state; null for all.</param>
    /// <param name="limit">At least 1.</param>
    /// <param name="after">The id of the last task already seen, in whatever state it is by now.</param>
    /// <param name="maxCharacters">
    /// The page ends before the task whose title and description would bring those of the page above this many UTF-16 units; its first
    /// task is there whatever its length. No more than that one task is read beyond it.
    /// </param>
    /// <returns>The page, and the id to continue after; without one at the end.</returns>
    /// <exception cref="ArgumentException">No task has the id <paramref name="after"/>.</exception>
    public Task<TaskList> ListAsync(TaskState? status, int limit, string? after, int maxCharacters = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return ReadAsync(connection => TaskVerbs.List(connection, status, limit, after, maxCharacters));
    }

    /// <summary>Queued tasks whose back-off is over, highest priority first, then oldest first; only what it takes to choose among them.</summary>
    public Task<IReadOnlyList<ReadyTask>> ReadyAsync(int limit, DateTimeOffset now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return ReadAsync(connection => TaskVerbs.ListReady(connection, limit, now));
    }

    /// <summary>When the next back-off after <paramref name="now"/> is over; null when no queued task waits for one.</summary>
    public Task<DateTimeOffset?> NextReadyAtAsync(DateTimeOffset now) => ReadAsync(connection => TaskVerbs.NextReadyAt(connection, now));

    /// <summary>Queued to claimed, as one more attempt. Of any number of claimants one wins.</summary>
    public Task<EdgeResult> ClaimAsync(string taskId, string agentId)
    {
        ArgumentException.ThrowIfNullOrEmpty(agentId);
        _hearing.Hear(agentId, isRegistered: false);
        return WriteAsync(scope => EdgeVerbs.Claim(scope, taskId, agentId));
    }

    /// <summary>
    /// A step that an outside claimant or the operator asks for: claimed to started, started to done or failed, either back to queued,
    /// any of the three to cancelled. Everything else is a conflict, and so is all but cancelling while the daemon itself runs the task.
    /// </summary>
    /// <param name="taskId">The task.</param>
    /// <param name="to">The state wanted.</param>
    /// <param name="error">Kept with the task; without one, done and failed clear the latest error and the other states keep it.</param>
    /// <param name="agentId">Who asks: a conflict unless it holds the task. Null does not look; cancelling never does.</param>
    public Task<EdgeResult> TransitionAsync(string taskId, TaskState to, TaskError? error, string? agentId = null)
    {
        if (agentId is not null)
            _hearing.Hear(agentId, isRegistered: false);
        return WriteAsync(scope => EdgeVerbs.Transition(scope, taskId, to, error, agentId));
    }

    /// <summary>As a transition to cancelled. A run that is open stays so until its agent's end is told.</summary>
    public Task<EdgeResult> CancelAsync(string taskId) => TransitionAsync(taskId, TaskState.Cancelled, null);

    /// <summary>
    /// Queues again, with error <c>agent-lost</c>, what is held by registered agents that were not heard for a lease: neither registered
    /// nor by a heartbeat, a claim or a transition of their own. A task that the daemon itself runs is never among them.
    /// </summary>
    /// <param name="lease">By the monotonic clock; those on record have a full one from the board's opening.</param>
    /// <param name="unknownBefore">Also what is held under a name that is no registered agent's id and has not changed since; the least value for none.</param>
    /// <returns>The tasks, queued, in order of creation.</returns>
    public Task<IReadOnlyList<BoardTask>> ReleaseLostAsync(TimeSpan lease, DateTimeOffset unknownBefore) =>
        WriteAsync(scope => EdgeVerbs.ReleaseLost(scope, _hearing.Within(lease), unknownBefore));

    /// <summary>Moves the ends of back-offs with the wall clock, so that what is left of them stays.</summary>
    /// <param name="by">By how much the clock was set.</param>
    /// <param name="before">What it would show without: tasks changed later have their back-off by the new clock.</param>
    public Task<int> ShiftBackoffsAsync(TimeSpan by, DateTimeOffset before) => WriteAsync(scope => TaskVerbs.ShiftBackoffs(scope, by, before));

    /// <summary>Where the clock was set back between two daemons: no back-off is longer than it was when it began.</summary>
    public Task<int> BoundBackoffsAsync() => WriteAsync(TaskVerbs.BoundBackoffs);

    private static void Check(NewTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentException.ThrowIfNullOrWhiteSpace(task.Title);
        ArgumentOutOfRangeException.ThrowIfLessThan(task.MaxAttempts, 1);
    }

    /// <summary>
    /// Begins a run: claims its task, puts its agent on record, where that is not there yet, and opens the run, all or nothing. That
    /// outlives the daemon, not a power cut: after one there is no agent, and the task is queued as if it had never been claimed.
    /// The task of an agent that lives is started with the claim.
    /// </summary>
    /// <returns>Applied, with the whole task and the claim, if a task was asked for; else not found or a conflict, and nothing is written.</returns>
    /// <exception cref="InvalidOperationException">The agent is to live already and is not on record as living; nothing is written.</exception>
    public Task<RunBegun> BeginRunAsync(RunStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        return CommitAsync(scope => RunVerbs.Begin(scope, start));
    }

    /// <summary>Records the agent's process, against the daemon's end alone; its task goes from claimed to started, unless it was cancelled meanwhile.</summary>
    /// <param name="agentId">The agent.</param>
    /// <param name="claim">The run it was started on; null for none.</param>
    /// <param name="pid">Its process.</param>
    /// <param name="startTime">The process's start time in the kernel's own unit.</param>
    /// <param name="bootId">The boot that pid and start time belong to.</param>
    /// <returns>The run's task; null if it has none.</returns>
    public Task<BoardTask?> ProcessStartedAsync(string agentId, RunClaim? claim, int pid, long startTime, string bootId) =>
        CommitAsync(scope => RunVerbs.Started(scope, agentId, claim, pid, startTime, bootId));

    /// <summary>
    /// Ends a run: closes it and moves its task as the ending says. With the agent's end, what else it had claimed under its id is queued
    /// again with error <c>agent-lost</c>. Told twice, the second changes nothing.
    /// </summary>
    public Task<RunClosed> EndRunAsync(RunEnd end)
    {
        ArgumentNullException.ThrowIfNull(end);
        return WriteAsync(scope => RunVerbs.End(scope, end));
    }

    /// <summary>Spawned agents with no end on record, oldest first. Right after opening: what an earlier daemon may have left.</summary>
    public Task<IReadOnlyList<SpawnRow>> LiveSpawnsAsync() => ReadAsync(RunVerbs.ListLive);

    /// <summary>Whether it is a spawned agent with its end on record.</summary>
    public Task<bool> HasEndedAsync(string agentId) => ReadAsync(connection => RunVerbs.HasEnded(connection, agentId));

    /// <summary>The attempts at a task, oldest first; none for an unknown task.</summary>
    public Task<IReadOnlyList<RunRow>> RunsAsync(string taskId) => ReadAsync(connection => RunVerbs.ListRuns(connection, taskId));

    /// <summary>Registers an agent from outside. The same name on the same host keeps its id, takes the new capabilities and counts as heard of.</summary>
    public Task<Agent> RegisterAgentAsync(string name, IReadOnlyList<string> capabilities, string? host)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(capabilities);
        return WriteAsync(scope =>
        {
            var agent = RegistryVerbs.RegisterAgent(scope, name, capabilities, host);
            _hearing.Hear(agent.Id, isRegistered: true);
            return agent;
        });
    }

    /// <summary>A sign of life; null when no registered agent has this id.</summary>
    public Task<Agent?> HeartbeatAsync(string agentId)
    {
        // At once: a disk that refuses does not make the agent silent.
        _hearing.Hear(agentId, isRegistered: false);
        return WriteAsync(scope =>
        {
            var agent = RegistryVerbs.Heartbeat(scope, agentId);
            if (agent is not null)
                _hearing.Hear(agentId, isRegistered: true);
            return agent;
        });
    }

    /// <summary>By name, then host. Each with the oldest task it holds.</summary>
    public Task<IReadOnlyList<Agent>> RegisteredAgentsAsync() => ReadAsync(RegistryVerbs.ListAgents);

    /// <summary>Books what an agent has used so far. The rows replace those booked before; an agent that is not on record has none.</summary>
    public Task BookUsageAsync(string agentId, IReadOnlyList<UsageRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return WriteAsync(scope => LedgerVerbs.Book(scope, agentId, rows));
    }

    /// <summary>All that was booked on a day, in UTC.</summary>
    public Task<Usage> UsageOfDayAsync(DateOnly day) => ReadAsync(connection => LedgerVerbs.OfDay(connection, day));

    /// <summary>The ledger's sums, the dearest first, days the latest first.</summary>
    /// <param name="by">One line for each of these.</param>
    /// <param name="limit">At most so many lines, from 1.</param>
    public Task<CostSummary> SummariseCostAsync(CostGrouping by, int limit) => ReadAsync(connection => LedgerVerbs.Summarise(connection, by, limit));

    /// <summary>A known name takes the new description and category, and keeps its time of registration.</summary>
    public Task<Skill> RegisterSkillAsync(string name, string description, string category)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return WriteAsync(scope => RegistryVerbs.RegisterSkill(scope, name, description, category));
    }

    /// <summary>By name.</summary>
    public Task<IReadOnlyList<Skill>> SkillsAsync() => ReadAsync(RegistryVerbs.ListSkills);

    /// <summary>A known id takes the new path, and keeps its time of registration.</summary>
    public Task<Tenant> RegisterTenantAsync(string tenantId, string jailRootPath)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(tenantId);
        return WriteAsync(scope => RegistryVerbs.RegisterTenant(scope, tenantId, jailRootPath));
    }

    /// <summary>By id.</summary>
    public Task<IReadOnlyList<Tenant>> TenantsAsync() => ReadAsync(RegistryVerbs.ListTenants);

    /// <summary>The tenant as it was; null when there was none.</summary>
    public Task<Tenant?> DeleteTenantAsync(string tenantId) => WriteAsync(scope => RegistryVerbs.DeleteTenant(scope, tenantId));

    public Task<string?> GetSettingAsync(string name) => ReadAsync(connection => RegistryVerbs.Get(connection, name));

    public Task SetSettingAsync(string name, string value)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return WriteAsync(scope => RegistryVerbs.Set(scope, name, value));
    }

    /// <summary>The settings whose names begin so, by name, at most so many.</summary>
    public Task<IReadOnlyList<NamedSetting>> SettingsAsync(string prefix, int limit)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(prefix);
        return ReadAsync(connection => RegistryVerbs.Below(connection, prefix, limit));
    }

    public Task DropSettingAsync(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return WriteAsync(scope => RegistryVerbs.Drop(scope, name));
    }
}

/// <summary>One of the daemon's own notes on the board.</summary>
public sealed record NamedSetting(string Name, string Value);

/// <summary>Where a board lies and who hears of its changes.</summary>
public sealed record BoardOptions
{
    /// <summary>The database file. Its directory is created (0750) and so is the file (0640) where they are missing.</summary>
    public required string Path { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Called on the writer's thread after a commit, once for each change and in their order, before the verb's caller is answered and
    /// without waiting for the disk, as readers do. It must not block: every write waits behind it. What it throws is logged and goes no further.
    /// </summary>
    public Action<BoardTask>? TaskChanged { get; init; }
    public ILogger? Logger { get; init; }

    /// <summary>Lets a test make the disk small or the statements fail; runs on every connection the writer opens.</summary>
    internal Action<SqliteConnection>? WriterOpened { get; init; }

    /// <summary>Lets a test hold a sync up, or fail it with an <see cref="IOException"/>; runs before each, on the thread that syncs.</summary>
    internal Action? Syncing { get; init; }

    /// <summary>How long the writer waits for another program's lock, in seconds, at least 1.</summary>
    internal int BusySeconds { get; init; } = 5;
}

/// <summary>The board cannot be opened. The message is one line for the operator: the path, what is wrong, what to do.</summary>
public sealed class BoardOpenException : Exception
{
    public BoardOpenException(string message)
        : base(message)
    {
    }

    public BoardOpenException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// The disk refused: full, failing, read-only, or held by another program. Nothing of the verb is on the board, unless the
/// message says that the disk did not keep it: then it may be. The same verb works again once the disk does, with no restart.
/// </summary>
public sealed class BoardUnavailableException : Exception
{
    public BoardUnavailableException(string message)
        : base(message)
    {
    }

    public BoardUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
