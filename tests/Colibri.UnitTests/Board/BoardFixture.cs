using Colibri.Core.Board;
using Colibri.Protocol.Wire;
using Microsoft.Data.Sqlite;

namespace Colibri.UnitTests.Board;

/// <summary>A board in a directory of its own, a clock that stands still until told, and the changes it announced.</summary>
internal sealed class BoardFixture : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-board-").FullName;
    private readonly Lock _gate = new();
    private TaskBoard? _board;

    public string Path => System.IO.Path.Combine(_directory, "board.sqlite");

    public ManualTime Time { get; } = new();

    public List<BoardTask> Changes { get; } = [];

    public Action<SqliteConnection>? WriterOpened { get; init; }

    public Action? Syncing { get; init; }

    public int BusySeconds { get; init; } = 5;

    public int MaxInterruptions { get; init; } = 3;

    /// <summary>The limits of groups, which a test may change.</summary>
    public Dictionary<string, int> GroupLimits { get; } = [];

    public Random Random { get; init; } = Random.Shared;

    public TaskBoard Board
    {
        get
        {
            lock (_gate)
                return _board ??= Open();
        }
    }

    public TaskBoard Open() => TaskBoard.Open(new BoardOptions
    {
        Path = Path,
        Time = Time,
        TaskChanged = Changes.Add,
        WriterOpened = WriterOpened,
        Syncing = Syncing,
        BusySeconds = BusySeconds,
        MaxInterruptions = MaxInterruptions,
        GroupLimits = () => GroupLimits,
        Random = Random,
    });

    public async Task<TaskBoard> Reopen()
    {
        await Board.DisposeAsync();
        return _board = Open();
    }

    public Task<BoardTask> Create(string title = "mend the roof", int priority = 0, int maxAttempts = 3, string? key = null) =>
        Board.CreateAsync(new NewTask { Title = title, Priority = priority, MaxAttempts = maxAttempts, Key = key });

    /// <summary>A task brought into this state the way an outside claimant brings it there.</summary>
    public async Task<BoardTask> CreateIn(TaskState state)
    {
        var task = await Create();
        if (state is TaskState.Claimed or TaskState.Started or TaskState.Done or TaskState.Failed)
            (await Board.ClaimAsync(task.Id, "somebody")).Outcome.ShouldBe(EdgeOutcome.Applied);
        if (state is TaskState.Started or TaskState.Done or TaskState.Failed)
            (await Board.TransitionAsync(task.Id, TaskState.Started, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        if (state is TaskState.Done or TaskState.Failed or TaskState.Cancelled)
            (await Board.TransitionAsync(task.Id, state, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        return (await Board.GetAsync(task.Id))!;
    }

    public async Task<BoardTask> Get(BoardTask task) => (await Board.GetAsync(task.Id))!;

    /// <summary>A task that an agent of the daemon's own is on record for, its process not started yet.</summary>
    public async Task<BoardTask> Spawn(string agentId, BoardTask? task = null)
    {
        task ??= await Create();
        var begun = await Board.BeginSpawnAsync(Record(agentId), task.Id);
        begun.Outcome.ShouldBe(EdgeOutcome.Applied);
        return begun.Task!;
    }

    public static RunStart Record(string agentId) => new()
    {
        AgentId = agentId,
        RunId = "run-of-" + agentId,
        SessionId = "session-of-" + agentId,
        Arguments = (_, _) => ["--mode", "json", "say \"hé\""],
        Agent = new AgentRecord
        {
            Name = "pi",
            Runtime = "pi",
            Capabilities = ["code"],
            Binary = "/usr/local/bin/pi",
            Version = "1.6.0",
            Host = "clawdie",
        },
    };

    /// <summary>Returns once the writer is inside a verb that lasts until the result is disposed.</summary>
    public async Task<IAsyncDisposable> KeepWriterBusy()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var leave = new TaskCompletionSource();
        var verb = Board.WriteAsync(_ =>
        {
            entered.TrySetResult();
            leave.Task.Wait();
            return 0;
        });
        await entered.Task;
        return new BusyWriter(leave, verb);
    }

    /// <summary>Looks at the file from outside, as another program would.</summary>
    public long Number(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are the tests' own.
        command.CommandText = sql;
#pragma warning restore CA2100
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Writes to the file from outside.</summary>
    public void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The texts are the tests' own.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    public async ValueTask DisposeAsync()
    {
        if (_board is not null)
            await _board.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private sealed class BusyWriter(TaskCompletionSource leave, Task verb) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            leave.TrySetResult();
            await verb;
        }
    }
}
