using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Retention;
using Colibri.Core.Sessions;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Retention;

/// <summary>A board, sessions and tasks' directories, with the clock of the board.</summary>
internal sealed class RetentionFixture : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-retention-").FullName;

    public RetentionFixture()
    {
        Settings = new ColibriSettings { Daemon = new DaemonConfiguration { SocketPath = "/s", DatabasePath = Board.Path, SessionsDirectory = SessionsRoot, Host = "clawdie" } };
        Sessions = new SessionStore(SessionsRoot, new CostControl(CostMode.Max, new EventHub(TimeProvider.System)), Time, Logger);
        Pruner = Open();
    }

    public BoardFixture Board { get; } = new();

    public ManualTime Time => Board.Time;

    public CollectingLogger Logger { get; } = new();

    public SessionStore Sessions { get; }

    public ColibriSettings Settings { get; set; }

    public Pruner Pruner { get; private set; }

    public string SessionsRoot => Path.Combine(_directory, "sessions");

    public string Work => Path.Combine(_directory, "work");

    public string Outside => Path.Combine(_directory, "outside");

    public static CancellationToken Token => TestContext.Current!.Execution.CancellationToken;

    /// <summary>That of another daemon on the same files.</summary>
    public Pruner Open() => Pruner = new Pruner(Board.Board, Sessions, _directory, () => Settings, Time, Logger);

    public Task<PruneReport> Prune(TimeSpan? olderThan = null) => Pruner.PruneAsync(olderThan, isDry: false, Token);

    public Task<PruneReport> DryPrune(TimeSpan? olderThan = null) => Pruner.PruneAsync(olderThan, isDry: true, Token);

    public void Pass(TimeSpan time) => Time.Now += time;

    /// <summary>Time passes as a daemon sees it that prunes every hour.</summary>
    public async Task PassHours(int hours)
    {
        for (var hour = 0; hour < hours; hour++)
        {
            Pass(TimeSpan.FromHours(1));
            await DryPrune();
        }
    }

    /// <summary>A session whose last entry was written that long ago.</summary>
    public string Session(string id, TimeSpan age, int bytes = 100)
    {
        var directory = Directory.CreateDirectory(Path.Combine(SessionsRoot, id)).FullName;
        var file = Path.Combine(directory, "0001.jsonl");
        File.WriteAllText(file, SessionFixture.Line(1, new string('x', bytes - SessionFixture.Line(1, "").Length)));
        File.SetLastWriteTimeUtc(file, (Time.Now - age).UtcDateTime);
        return id;
    }

    /// <summary>A task's own directory with a file in it.</summary>
    public string DirectoryOf(BoardTask task, int bytes = 10)
    {
        var directory = Path.Combine(Work, $"{task.Number}");
        Directory.CreateDirectory(Path.Combine(directory, "src"));
        File.WriteAllText(Path.Combine(directory, "src", "a.txt"), new string('x', bytes));
        return directory;
    }

    public string[] SessionsLeft() => Directory.Exists(SessionsRoot) ? [.. Directory.EnumerateDirectories(SessionsRoot).Select(path => Path.GetFileName(path)!).Where(name => name[0] != '.').Order()] : [];

    public async Task<long[]> TasksLeft() => [.. (await Board.Board.ListAsync(null, 1_000, null)).Tasks.Select(task => task.Number).Order()];

    /// <summary>What a prune was stopped over, as by a kill.</summary>
    public string[] Trash() => [.. new[] { SessionsRoot, Work }.Select(root => Path.Combine(root, ".pruned")).Where(Directory.Exists).SelectMany(Directory.EnumerateFileSystemEntries)];

    public async ValueTask DisposeAsync()
    {
        await Board.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
