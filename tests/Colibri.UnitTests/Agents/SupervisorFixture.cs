using System.Collections.Concurrent;
using System.Text;
using Colibri.Core;
using Colibri.Core.Agents;
using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Prompts;
using Colibri.Core.Settings;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Polling;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Agents;

/// <summary>A supervisor with a board and sessions of its own, whose agents are shell scripts.</summary>
internal sealed class SupervisorFixture : IAsyncDisposable
{
    /// <summary>What Pi prints over a run that goes well: 10 + 5 tokens, 2 read from and 1 written to the cache, a tenth of a cent.</summary>
    public const string LifeCycle = """
        cat <<'END'
        {"type":"session","version":3,"id":"harness-1","timestamp":"2026-11-22T06:07:10.893Z","cwd":"/w"}
        {"type":"agent_start"}
        {"type":"turn_start"}
        {"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"mended"}],"usage":{"input":10,"output":5,"cacheRead":2,"cacheWrite":1,"cost":{"total":0.001}},"stopReason":"stop"}}
        {"type":"turn_end"}
        {"type":"agent_end","messages":[],"willRetry":false}
        {"type":"agent_settled","aborted":false}
        END
        """;

    /// <summary>An agent in the middle of its run, for as long as it is let.</summary>
    public const string Working = """echo '{"type":"agent_start"}'; exec sleep 300""";

    /// <summary>Far longer than a test: what happens sooner was woken.</summary>
    public static readonly TimeSpan SchedulerInterval = TimeSpan.FromMinutes(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-supervisor-").FullName;
    private readonly ConcurrentQueue<BoardTask> _changes = new();
    private readonly EventLoop _loop = new("agents", LoopPace.Gather);

    public SupervisorFixture(int maxAgents = 4, TimeProvider? boardTime = null, Budgets? budgets = null, PriceTable? prices = null, Func<DaemonConfiguration, DaemonConfiguration>? configure = null, JailHost? jailHost = null, OwnCgroup? cgroups = null, string searchPath = "/usr/bin:/bin", TimeSpan? closedOutputGrace = null, RunSteps? steps = null, Secrets? secrets = null, AgentEnvironment? environment = null, Random? random = null, Func<string, FileSystemSpace?>? spaceOf = null, Func<DaemonConfiguration, LiveSettings>? settings = null)
    {
        Programs = new ProgramPath(searchPath, null, _directory);
        var configuration = (configure ?? (plain => plain))(new DaemonConfiguration
        {
            SocketPath = Path.Combine(_directory, "colibri.sock"),
            DatabasePath = Path.Combine(_directory, "board.sqlite"),
            SessionsDirectory = Path.Combine(_directory, "sessions"),
            Host = "clawdie",
            CostMode = CostMode.Max,
            MaxAgents = maxAgents,
            SchedulerInterval = SchedulerInterval,
        });
        Engine = Engine.Open(new EngineParts
        {
            Processes = SharedChildren.Instance,
            Loop = _loop,
            FindCgroups = cgroups is null ? null : () => new AgentCgroups(cgroups, null, TimeProvider.System, Logger, TrampolineProcess.Trampoline),
            Budgets = budgets,
            Secrets = secrets ?? Secrets.None,
            Prices = prices ?? PriceTable.Empty,
            Programs = Programs,
            Configuration = configuration,
            Settings = settings?.Invoke(configuration) ?? LiveSettings.Of(configuration),
            Time = TimeProvider.System,
            BoardTime = boardTime,
            Random = random ?? Random.Shared,
            Logger = Logger,
            JailHost = jailHost ?? new JailHost(),
            ClosedOutputGrace = closedOutputGrace ?? TimeSpan.FromSeconds(5),
            Steps = steps,
            Environment = environment,
            SpaceOf = spaceOf ?? FileSystemSpace.Of,
            TaskChanged = task =>
            {
                _changes.Enqueue(task);
                TaskChanged?.Invoke(task);
            },
        });
        // What the board remembers is read by its own threads: nothing here waits for the caller's.
        Engine.PrepareAsync().GetAwaiter().GetResult();
    }

    /// <summary>As the daemon has it.</summary>
    public Engine Engine { get; }

    public TaskBoard Board => Engine.Board;

    public Budgets Budgets => Engine.Budgets;

    public AgentCgroups? Cgroups => Engine.Cgroups;

    public ProgramPath Programs { get; }

    public SessionStore Sessions => Engine.Sessions;

    public AgentSupervisor Supervisor => Engine.Supervisor;

    public CollectingLogger Logger { get; } = new();

    public IReadOnlyCollection<BoardTask> Changes => _changes;

    /// <summary>Called on the board's writer, after a commit and before its caller is answered.</summary>
    public Action<BoardTask>? TaskChanged { get; set; }

    /// <summary>Everything that is kept: board, sessions, and what was logged.</summary>
    public IEnumerable<(string Where, string Text)> Kept() => Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories)
        .Where(path => !path.EndsWith(".lock", StringComparison.Ordinal))
        .Select(path => (path, ReadOpen(path))).Append(("the log", string.Join('\n', Logger.All)));

    private static string ReadOpen(string path)
    {
        using var file = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete), Encoding.Latin1);
        return file.ReadToEnd();
    }

    public string PathOf(string name) => Path.Combine(_directory, name);

    public Task<BoardTask> Create(string title = "mend the roof", string description = "", int maxAttempts = 3, params string[] capabilities) =>
        Board.CreateAsync(new NewTask { Title = title, Description = description, MaxAttempts = maxAttempts, Capabilities = capabilities });

    public async Task<BoardTask> Get(BoardTask task) => (await Board.GetAsync(task.Id))!;

    public async Task<RunRow> OnlyRun(BoardTask task) => (await Board.RunsAsync(task.Id)).ShouldHaveSingleItem();

    /// <summary>A script read as Pi would be; the prompt is its <c>$0</c>.</summary>
    public static SpawnRequest Request(string script, BoardTask? task = null) =>
        new() { Binary = "sh", Runtime = "pi", Arguments = ["-c", script], TaskId = task?.Id };

    public Task<SupervisedAgent> Spawn(string script, BoardTask? task = null) => Supervisor.SpawnAsync(Request(script, task));

    /// <summary>Starts an agent and returns when the events it has printed say that it works.</summary>
    public async Task<SupervisedAgent> SpawnWorking(BoardTask? task = null)
    {
        var agent = await Spawn(Working, task);
        Shell.Until(() => agent.ToPane().Activity == Activity.Working, "the agent works");
        return agent;
    }

    public static Task End(SupervisedAgent agent) => agent.Ended.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);

    public async Task<BoardTask> RunToEnd(string script, BoardTask task)
    {
        await End(await Spawn(script, task));
        return await Get(task);
    }

    public async ValueTask DisposeAsync()
    {
        // No test has a limit for this part of it: a tree that does not end would hold up the whole run.
        await Supervisor.StopAllAsync(TimeSpan.Zero).WaitAsync(Shell.Deadline);
        await Engine.DisposeAsync();
        _loop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
