using Colibri.Core.Board.Storage;
using Colibri.Core.Board.Verbs;
using Colibri.Core.Cost;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Board;

/// <summary>
/// The durable task board. A verb that writes is answered only after its commit is on the disk, and a read begun after that sees it.
/// Verbs that write throw <see cref="BoardUnavailableException"/> while the disk refuses, <see cref="ObjectDisposedException"/> once the board
/// is closed. Long, because it is the board's one door: each verb has its lines here, and lies in <c>Verbs/</c>.
/// </summary>
public sealed class TaskBoard : IAsyncDisposable
{
    /// <summary>
    /// The most starts of one task in any hour, whatever its runs end with: after the n-th start it rests for at least half of 2^(n-1) s or of
    /// 5 min, whichever is less. What clients ask for by <c>spawn-agent</c> is not held back, and a clock set forward while no daemon runs counts as
    /// time.
    /// </summary>
    public const int MostStartsInAnHour = 32;

    private readonly BoardOptions _options;
    private readonly BoardHold _hold;
    private readonly BoardWriter _writer;
    private readonly ReaderPool _readers;
    private readonly Hearing _hearing;
    private readonly FileProbe _probe;
    private int _disposed;

    private TaskBoard(BoardOptions options, BoardHold held, BoardConnection connection)
    {
        _options = options;
        _hold = held;
        _readers = new ReaderPool(held.Path, held.Loss);
        _hearing = new Hearing(options.Time);
        _writer = new BoardWriter(options, held, connection, _readers);
        _probe = new FileProbe(_hold, _writer, options);
    }

    /// <summary>How many tasks are in each state, as of the latest commit. Costs nothing.</summary>
    public StatusTasks Counts => _writer.Counts.Current;

    /// <summary>The groups of which a task is queued, claimed or started, as of the latest commit. Costs nothing.</summary>
    public IReadOnlyDictionary<string, GroupLoad> Groups => _writer.Groups.Current;

    /// <summary>How many writes have found the queue of 4,096 full since opening, and waited for room.</summary>
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
        var path = BoardFiles.Resolve(options.Path);
        var held = BoardFiles.Claim(path);
        BoardConnection? connection = null;
        try
        {
            connection = BoardConnection.OpenWriter(path, options.BusySeconds);
            Migrations.Apply(connection, path);
            if (held.Loss() is not null)
                throw new BoardOpenException($"the board {path} was removed or replaced while it was opened: start again");
            held.NoteLog();
            return new TaskBoard(options, held, connection);
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

    /// <summary>Commits every accepted write, then closes the files. Later calls throw.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        // The readers close first, because the last connection to close checkpoints the log into the database.
        await _readers.DisposeAsync();
        await _writer.DisposeAsync();
        _hold.Dispose();
    }

    /// <summary>Completes when the writer has processed it, whether or not the disk accepts writes: a probe of the writer's thread.</summary>
    public async Task AnswerAsync()
    {
        try
        {
            await _writer.WriteAsync(static _ => true).ConfigureAwait(false);
        }
        catch (BoardUnavailableException)
        {
            // This is an answer too: the writer works, the disk does not.
        }
    }

    /// <summary>
    /// What is wrong with the board's files, and whether the disk takes writes. Makes anew what it safely can, and tries whether the disk takes
    /// writes again. Looks by stat(2) and does not wait for the writer.
    /// </summary>
    public IReadOnlyList<StatusFile> LookAtFiles() => _probe.Look();

    /// <summary>Runs the caller's verb in the writer; tests use it for failing verbs.</summary>
    internal Task<T> WriteAsync<T>(Func<WriteScope, T> verb) => _writer.WriteAsync(verb);

    /// <summary>As <see cref="WriteAsync"/>, answered when committed: the change outlives the daemon, but not a power cut.</summary>
    internal Task<T> CommitAsync<T>(Func<WriteScope, T> verb) => _writer.WriteAsync(verb, waitsForSync: false);

    internal Task<T> ReadAsync<T>(Func<BoardConnection, T> read) => _readers.ReadAsync(read);

    /// <summary>Puts a task on the board, queued. A known key answers the task it was first used for, unchanged.</summary>
    /// <exception cref="ArgumentException">No title, or fewer than one attempt.</exception>
    /// <exception cref="TaskRefusedException">It is to come after a task that is not there.</exception>
    public Task<BoardTask> CreateAsync(NewTask task)
    {
        Check(task);
        return WriteAsync(scope => TaskVerbs.Create(scope, task));
    }

    /// <summary>Puts a task into the intake; the next drain adds it to the board. Returns its id, or for a known key that of the key's task.</summary>
    /// <exception cref="ArgumentException">No title, or fewer than one attempt.</exception>
    public async Task<string> IntakeAsync(NewTask task) => (await TakeInAsync(task).ConfigureAwait(false)).IntakeId;

    /// <summary>The same, and says whether the key was known.</summary>
    /// <exception cref="ArgumentException">No title, or fewer than one attempt.</exception>
    /// <exception cref="TaskRefusedException">It is to come after a task that is not there.</exception>
    public Task<IntakeReceipt> TakeInAsync(NewTask task)
    {
        Check(task);
        return WriteAsync(scope => TaskVerbs.TakeIn(scope, task));
    }

    /// <summary>Moves up to so many tasks from the intake to the board, oldest first, and returns them.</summary>
    public Task<IReadOnlyList<BoardTask>> DrainIntakeAsync(int max)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        return WriteAsync(scope => TaskVerbs.DrainIntake(scope, max));
    }

    /// <param name="name">Its id or its number; every verb takes either.</param>
    public Task<BoardTask?> GetAsync(string name) => ReadAsync(connection => TaskVerbs.Get(connection, name));

    /// <summary>The task with the tasks that it comes after; null for an unknown one.</summary>
    public Task<BoardTask?> GetWithParentsAsync(string name) =>
        ReadAsync(connection => TaskVerbs.Get(connection, name) is { } task ? ParentVerbs.With(connection, task) : null);

    /// <summary>What a client would have to state to make this task anew; null for an unknown one.</summary>
    public Task<NewTask?> GivenAsync(string taskId) => ReadAsync(connection => RetryVerbs.Given(connection, taskId));

    /// <summary>The id of the agent with this label; what is no known label stays as it is.</summary>
    public Task<string> AgentIdAsync(string name) => ReadAsync(connection => BoardNames.Agent(connection, name));

    /// <summary>A number that no agent on the board has, of which its label is made.</summary>
    public long NextAgentNumber() => _writer.Agents.Next();

    /// <summary>A page in order of creation, at most so many in this state, after the task of this id.</summary>
    public Task<TaskList> ListAsync(TaskState? status, int limit, string? after, int maxCharacters = int.MaxValue) =>
        ListAsync(new TaskQuery { Status = status, Limit = limit, After = after, MaxCharacters = maxCharacters });

    /// <returns>The page, and the id to continue after; without one at the end.</returns>
    /// <exception cref="ArgumentException">No task has the id to continue after.</exception>
    public Task<TaskList> ListAsync(TaskQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        return ReadAsync(connection => ListVerbs.List(connection, query));
    }

    /// <summary>
    /// Queued tasks that are not held, wait for no other and whose back-off is over, highest priority first, then oldest first, with the fields needed to choose among
    /// them.
    /// </summary>
    /// <param name="limit">At least 1.</param>
    /// <param name="now">The current time.</param>
    /// <param name="after">Only those behind this place of the queue; null for its head.</param>
    public Task<IReadOnlyList<ReadyTask>> ReadyAsync(int limit, DateTimeOffset now, QueuePlace? after = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return ReadAsync(connection => TaskVerbs.ListReady(connection, limit, now, after, LastChance));
    }

    /// <summary>Whether a run is open of a task that <see cref="ReadyTask.RunsApart"/>.</summary>
    public Task<bool> IsOneApartAsync() => ReadAsync(connection => TaskVerbs.IsOneApart(connection, LastChance));

    /// <summary>Puts on record that the daemon stops in order: what a kill then cuts short is no sign that a task kills it.</summary>
    public Task MarkStoppingAsync() => WriteAsync(RegistryVerbs.MarkStopping);

    /// <summary>When the next back-off after <paramref name="now"/> is over; null when no queued task waits for one.</summary>
    public Task<DateTimeOffset?> NextReadyAtAsync(DateTimeOffset now) => ReadAsync(connection => TaskVerbs.NextReadyAt(connection, now));

    /// <summary>
    /// Moves a task from queued to claimed, as one more attempt. Of several concurrent claimants one wins. A conflict while its group has its limit running.
    /// </summary>
    /// <returns>Applied, with the task and the tasks that it comes after.</returns>
    public Task<EdgeResult> ClaimAsync(string taskId, string agentId)
    {
        ArgumentException.ThrowIfNullOrEmpty(agentId);
        _hearing.Hear(agentId, isRegistered: false);
        return WriteAsync(scope =>
        {
            var claimant = BoardNames.Agent(scope, agentId);
            if (claimant != agentId)
                _hearing.Hear(claimant, isRegistered: false);
            return EdgeVerbs.Claim(scope, BoardNames.Task(scope, taskId), claimant);
        });
    }

    /// <summary>
    /// A step that an outside claimant or the operator asks for: claimed to started, started to done or failed, either back to queued,
    /// any of the three to cancelled. Everything else is a conflict, and so is all but cancelling while the daemon itself runs the task.
    /// </summary>
    /// <param name="taskId">The task.</param>
    /// <param name="to">The state wanted.</param>
    /// <param name="error">Kept with the task; without one, done and failed clear the latest error and the other states keep it.</param>
    /// <param name="agentId">The agent that asks: a conflict unless it holds the task. Not checked when null, nor for a cancellation.</param>
    public Task<EdgeResult> TransitionAsync(string taskId, TaskState to, TaskError? error, string? agentId = null)
    {
        if (agentId is not null)
            _hearing.Hear(agentId, isRegistered: false);
        return WriteAsync(scope =>
        {
            if (agentId is not null && BoardNames.Agent(scope, agentId) is var named && named != agentId)
                _hearing.Hear(named, isRegistered: false);
            return EdgeVerbs.Transition(scope, BoardNames.Task(scope, taskId), to, error, agentId);
        });
    }

    /// <summary>Keeps a queued task from being claimed or started, until it is released. A conflict unless it is queued.</summary>
    public Task<EdgeResult> HoldAsync(string taskId) => WriteAsync(scope => HoldVerbs.Hold(scope, BoardNames.Task(scope, taskId)));

    /// <summary>
    /// Lets a held task start, and forgets its interruptions. One that is held because a task that it comes after is over without being done comes after that
    /// no longer. A conflict unless it is held.
    /// </summary>
    public Task<EdgeResult> ReleaseAsync(string taskId) => WriteAsync(scope => HoldVerbs.Release(scope, BoardNames.Task(scope, taskId)));

    /// <summary>Queues a task that is over once more, with fresh attempts. A conflict while it is not over, or its agent is still being ended.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="feedback">What its next run is told besides; null takes away what was said before.</param>
    public Task<EdgeResult> RetryAsync(string taskId, string? feedback) =>
        WriteAsync(scope => RetryVerbs.Again(scope, BoardNames.Task(scope, taskId), feedback));

    /// <summary>Changes what a client said of a queued task. A conflict unless it is queued.</summary>
    /// <exception cref="TaskRefusedException">The task cannot be so: a key of another, a task that is not there, a task that would wait for itself.</exception>
    public Task<EdgeResult> EditAsync(string taskId, TaskEdit edit)
    {
        ArgumentNullException.ThrowIfNull(edit);
        return WriteAsync(scope => RetryVerbs.Edit(scope, BoardNames.Task(scope, taskId), edit));
    }

    /// <summary>
    /// Takes a task that is over from the board, with its runs. What it cost stays in the ledger, and its session on the disk. A conflict while it is
    /// not over, an agent of it is still being ended, its change waits for a person, or a task waits for it in vain.
    /// </summary>
    /// <returns>The task as it was.</returns>
    public Task<EdgeResult> DeleteAsync(string taskId) => WriteAsync(scope => RetryVerbs.Remove(scope, BoardNames.Task(scope, taskId)));

    /// <summary>Sets what became of a task's change. A conflict unless its state is the expected one; null expects none.</summary>
    /// <param name="taskId">The task.</param>
    /// <param name="expected">The state that it has now.</param>
    /// <param name="change">The change from now on.</param>
    /// <param name="head">The head that it has now, where a run may have moved it meanwhile; null is any.</param>
    public Task<EdgeResult> SetChangeAsync(string taskId, ChangeState? expected, WorkChange change, string? head = null)
    {
        ArgumentNullException.ThrowIfNull(change);
        return WriteAsync(scope => RetryVerbs.SetChange(scope, BoardNames.Task(scope, taskId), expected, change, head));
    }

    /// <summary>The same as a transition to cancelled. An open run stays open until its agent's end is recorded.</summary>
    public Task<EdgeResult> CancelAsync(string taskId) => TransitionAsync(taskId, TaskState.Cancelled, null);

    /// <summary>
    /// Queues again, with error <c>agent-lost</c>, the tasks of registered agents without a sign of life for a lease. A sign of life is a
    /// registration, a heartbeat, a claim or a transition of their own. Tasks that the daemon itself runs are left alone.
    /// </summary>
    /// <param name="lease">On the monotonic clock; every registered agent has a full lease from the board's opening.</param>
    /// <param name="unknown">Which tasks held under a name that is no registered agent's id are released too.</param>
    /// <returns>The tasks, queued, in order of creation.</returns>
    public Task<IReadOnlyList<BoardTask>> ReleaseLostAsync(TimeSpan lease, UnknownClaims unknown) =>
        WriteAsync(scope => EdgeVerbs.ReleaseLost(scope, _hearing.Within(lease), unknown));

    /// <summary>The daemon stood still, and heard no claimant meanwhile: their leases are longer by that.</summary>
    public void StoodStill(TimeSpan length) => _hearing.StoodStill(length);

    /// <summary>Moves the ends of back-offs by as much as the wall clock was set, so that the time left stays the same.</summary>
    /// <param name="by">How far the clock was set.</param>
    /// <param name="since">The earliest that the clock as it is set now can have shown: tasks changed from then to now have their back-off by it.</param>
    public Task<int> ShiftBackoffsAsync(TimeSpan by, DateTimeOffset since) => WriteAsync(scope => TaskVerbs.ShiftBackoffs(scope, by, since));

    /// <summary>Bounds each back-off to its length at its start, for a clock that was set back between two daemons.</summary>
    public Task<int> BoundBackoffsAsync() => WriteAsync(TaskVerbs.BoundBackoffs);

    /// <summary>Ends the back-offs of queued tasks whose latest attempt ended with this error.</summary>
    public Task<int> ReleaseBackoffsAsync(string errorCode) => WriteAsync(scope => TaskVerbs.ReleaseBackoffs(scope, errorCode));

    /// <summary>The interruptions of a task that its next one holds.</summary>
    private int LastChance => Math.Max(1, _options.MaxInterruptions - 1);

    private static void Check(NewTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentException.ThrowIfNullOrWhiteSpace(task.Title);
        ArgumentOutOfRangeException.ThrowIfLessThan(task.MaxAttempts, 1);
        if (task is { Workspace: not null, Cwd: not null })
            throw new ArgumentException("a task works in a workspace or in a directory, not in both", nameof(task));
    }

    /// <summary>
    /// Begins a run: claims its task, persists its agent if that is new, and opens the run, all or nothing. It is answered when committed: that
    /// outlives the daemon but not a power cut, after which there is no agent, and the task is queued as if it had never been claimed.
    /// If the agent lives already, the claim also starts the task.
    /// </summary>
    /// <returns>Applied, with the whole task and the claim if a task was asked for; else not found or a conflict, and nothing is written.</returns>
    /// <exception cref="InvalidOperationException">No new agent is given, and the board has no living agent of that id; nothing is written.</exception>
    public Task<RunBegun> BeginRunAsync(RunStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        return CommitAsync(scope => RunVerbs.Begin(scope, start));
    }

    /// <summary>Records where a run works, answered when committed; false if it has lost its task, or is over.</summary>
    public Task<bool> PlaceRunAsync(RunClaim claim, string cwd)
    {
        ArgumentNullException.ThrowIfNull(claim);
        return CommitAsync(scope => RunVerbs.PlaceAt(scope, claim, cwd));
    }

    /// <summary>
    /// Records what an agent has told of its own session, so that a run that the daemon does not see end can be gone on with; false if the run has lost its
    /// task, or is over.
    /// </summary>
    /// <param name="claim">The run.</param>
    /// <param name="conversation">The session; null leaves what is on record.</param>
    /// <param name="hasAnswered">Whether the model has answered in the run.</param>
    public Task<bool> NoteSessionAsync(RunClaim claim, Conversation? conversation, bool hasAnswered)
    {
        ArgumentNullException.ThrowIfNull(claim);
        return WriteAsync(scope => RunVerbs.NoteOwnSession(scope, claim, conversation, hasAnswered));
    }

    /// <summary>Records that a run begins in no earlier session after all, answered when committed; false if it has lost its task, or is over.</summary>
    /// <param name="claim">The run.</param>
    /// <param name="agentId">Its agent.</param>
    /// <param name="arguments">What the agent is started with.</param>
    /// <param name="given">The new session, where the agent is given its id.</param>
    public Task<bool> BeginAnewAsync(RunClaim claim, string agentId, IReadOnlyList<string> arguments, Conversation? given)
    {
        ArgumentNullException.ThrowIfNull(claim);
        return CommitAsync(scope => RunVerbs.BeginAnew(scope, claim, agentId, arguments, given));
    }

    /// <summary>
    /// Persists the agent's process, answered when committed; its task goes from claimed to started, unless it was cancelled meanwhile.
    /// </summary>
    /// <param name="agentId">The agent.</param>
    /// <param name="claim">The run it was started for; null for none.</param>
    /// <param name="pid">Its process.</param>
    /// <param name="startTime">The process's start time in the kernel's own unit.</param>
    /// <param name="bootId">The boot that pid and start time belong to.</param>
    /// <returns>The run's task; null if it has none.</returns>
    public Task<BoardTask?> ProcessStartedAsync(string agentId, RunClaim? claim, int pid, long startTime, string bootId) =>
        CommitAsync(scope => RunVerbs.Started(scope, agentId, claim, pid, startTime, bootId));

    /// <summary>
    /// Ends a run: closes it and moves its task as the ending says. If the agent has ended, its other claimed tasks are queued again with error
    /// <c>agent-lost</c>. A second call for the same run changes nothing.
    /// </summary>
    public Task<RunClosed> EndRunAsync(RunEnd end)
    {
        ArgumentNullException.ThrowIfNull(end);
        return WriteAsync(scope => RunVerbs.End(scope, end));
    }

    /// <summary>Spawned agents whose end is not recorded, oldest first. Right after opening these are what an earlier daemon may have left.</summary>
    public Task<IReadOnlyList<SpawnRow>> LiveSpawnsAsync() => ReadAsync(RunVerbs.ListLive);

    /// <summary>Whether it is a spawned agent whose end is recorded.</summary>
    public Task<bool> HasEndedAsync(string agentId) => ReadAsync(connection => RunVerbs.HasEnded(connection, agentId));

    /// <summary>The attempts at a task, oldest first; none for an unknown task.</summary>
    public Task<IReadOnlyList<RunRow>> RunsAsync(string taskId) => ReadAsync(connection => RunVerbs.ListRuns(connection, BoardNames.Task(connection, taskId)));

    /// <summary>A page of the attempts at one task, or at all, the newest first.</summary>
    /// <returns>The page, and the run to go on after, without one at the end; null where the task is unknown.</returns>
    /// <exception cref="ArgumentException">No run has the id to go on after.</exception>
    public Task<RunList?> ListRunsAsync(RunQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        return ReadAsync(connection => RunListVerbs.List(connection, query));
    }

    /// <summary>Registers an agent from outside. The same name on the same host keeps its id and takes the new capabilities. It is a sign of life.</summary>
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

    /// <summary>Records a sign of life; null when no registered agent has this id.</summary>
    public Task<Agent?> HeartbeatAsync(string agentId)
    {
        // Before the write: a disk that refuses must not make the agent look silent.
        _hearing.Hear(agentId, isRegistered: false);
        return WriteAsync(scope =>
        {
            var agent = RegistryVerbs.Heartbeat(scope, BoardNames.Agent(scope, agentId));
            if (agent is not null)
                _hearing.Hear(agent.Id, isRegistered: true);
            return agent;
        });
    }

    /// <summary>Registered agents by name, then host, each with the oldest task that it holds.</summary>
    public Task<IReadOnlyList<Agent>> RegisteredAgentsAsync() => ReadAsync(RegistryVerbs.ListAgents);

    /// <summary>Books what an agent has used so far. The rows replace those booked before. An agent that the board does not know is skipped.</summary>
    /// <param name="agentId">The agent.</param>
    /// <param name="rows">What its runs have used.</param>
    /// <param name="sessions">What its own sessions have used in all, also before these runs.</param>
    public Task BookUsageAsync(string agentId, IReadOnlyList<UsageRow> rows, IReadOnlyList<SessionUsage>? sessions = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return WriteAsync(scope =>
        {
            SessionVerbs.Set(scope, sessions ?? []);
            return LedgerVerbs.Book(scope, agentId, rows);
        });
    }

    /// <summary>What agents' own sessions have used in all, the latest last.</summary>
    public Task<IReadOnlyList<SessionUsage>> SessionTotalsAsync() => ReadAsync(SessionVerbs.List);

    /// <summary>
    /// Right after opening: counts tokens whose cost agents of an earlier daemon were still to tell as tokens without a price. Writes only if
    /// there are any.
    /// </summary>
    public async Task GiveUpAwaitedCostsAsync()
    {
        if (await ReadAsync(LedgerVerbs.AreCostsAwaited).ConfigureAwait(false))
            await WriteAsync(LedgerVerbs.GiveUpAwaited).ConfigureAwait(false);
    }

    /// <summary>The sum of all bookings of a day, in UTC.</summary>
    public Task<Usage> UsageOfDayAsync(DateOnly day) => ReadAsync(connection => LedgerVerbs.OfDay(connection, day));

    /// <summary>The ledger's sums, the most expensive first; days the latest first.</summary>
    /// <param name="by">What each line sums up.</param>
    /// <param name="limit">The most lines, at least 1.</param>
    public Task<CostSummary> SummariseCostAsync(CostGrouping by, int limit) => ReadAsync(connection => LedgerVerbs.Summarise(connection, by, limit));

    /// <summary>Sums over the whole life of the board, deleted tasks included, all of one instant.</summary>
    public Task<BoardTotals> TotalsAsync() => ReadAsync(MetricsVerbs.Read);

    public Task<string?> GetSettingAsync(string name) => ReadAsync(connection => RegistryVerbs.Get(connection, name));

    public Task SetSettingAsync(string name, string value)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return WriteAsync(scope => RegistryVerbs.Set(scope, name, value));
    }

    /// <summary>The settings whose names begin with the prefix, by name, at most so many.</summary>
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

/// <summary>A setting that the daemon itself keeps on the board.</summary>
public sealed record NamedSetting(string Name, string Value);

/// <summary>Where a board lies, and the receiver of its changes.</summary>
public sealed record BoardOptions
{
    private static readonly Dictionary<string, int> NoLimits = [];

    /// <summary>The database file. Its directory is created (0750) and so is the file (0640) where they are missing.</summary>
    public required string Path { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Called on the writer's thread after a commit, once for each change and in order, before the verb's caller is answered. Like a reader, it
    /// sees the commit before the sync. It must not block, because every write waits behind it. Its exceptions are logged and dropped.
    /// </summary>
    public Action<BoardTask>? TaskChanged { get; init; }
    public ILogger? Logger { get; init; }

    /// <summary>A task is held when so many of its runs in a row were interrupted because the daemon was killed; at least 1.</summary>
    public int MaxInterruptions { get; init; } = 3;

    /// <summary>The most tasks that are claimed or started at once, by group; a group without an entry has no limit. Asked at each claim; must not block.</summary>
    public Func<IReadOnlyDictionary<string, int>> GroupLimits { get; init; } = static () => NoLimits;

    /// <summary>Spreads the back-offs.</summary>
    internal Random Random { get; init; } = Random.Shared;

    /// <summary>For tests that make the disk small or statements fail; runs on every connection that the writer opens.</summary>
    internal Action<SqliteConnection>? WriterOpened { get; init; }

    /// <summary>For tests that delay a sync, or fail it with an <see cref="IOException"/>; runs before each, on the thread that syncs.</summary>
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
/// The disk refused: it is full, failing or read-only, or another program holds the lock. Nothing of the verb is on the board. Only if the
/// message says that the disk did not keep it, it may be there. The same verb works again once the disk does, without a restart.
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
