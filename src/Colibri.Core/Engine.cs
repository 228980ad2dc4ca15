using System.Globalization;
using Colibri.Core.Agents;
using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Landing;
using Colibri.Core.Logging;
using Colibri.Core.Notices;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Retention;
using Colibri.Core.Runs;
using Colibri.Core.Schedules;
using Colibri.Core.Scheduling;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Headroom;
using Colibri.Core.Sessions.Prompts;
using Colibri.Core.Settings;
using Colibri.Core.Workspaces;
using Colibri.Posix.Host;
using Colibri.Posix.Polling;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core;

/// <summary>The parts of an engine that only its host can provide.</summary>
public sealed record EngineParts
{
    public required DaemonConfiguration Configuration { get; init; }

    /// <summary>The settings that may change; by default those of <see cref="Configuration"/>, which never do.</summary>
    public LiveSettings Settings
    {
        get => field ??= LiveSettings.Of(Configuration);
        init;
    }

    public required ChildProcesses Processes { get; init; }

    /// <summary>Reads what agents print.</summary>
    public required EventLoop Loop { get; init; }
    public required ProgramPath Programs { get; init; }
    public required TimeProvider Time { get; init; }
    public required ILogger Logger { get; init; }

    /// <summary>The agents' keys, which are redacted in their output.</summary>
    public Secrets Secrets { get; init; } = Secrets.None;

    /// <summary>For agents that report no cost.</summary>
    public PriceTable Prices { get; init; } = PriceTable.Empty;

    /// <summary>What every assembled prompt starts with.</summary>
    public PromptPrefix Prefix { get; init; } = PromptPrefix.BuiltIn;

    /// <summary>Finds the agents' cgroups. Called once this daemon holds the board, because it may make cgroups. Null without cgroups.</summary>
    public Func<AgentCgroups>? FindCgroups { get; init; }

    /// <summary>The daemon's version, as agents are told it.</summary>
    public string Version { get; init; } = "0";

    /// <summary>What confinement has to work with.</summary>
    public JailHost JailHost { get; init; } = new();

    /// <summary>Called on the board's writer, after the commit of a change and before its caller is answered.</summary>
    public Action<BoardTask>? TaskChanged { get; init; }

    /// <summary>A clock for the board, what decides when something is started again, and the scheduler alone.</summary>
    internal TimeProvider? BoardTime { get; init; }

    /// <summary>Makes the jitter of providers' holds.</summary>
    internal Random Random { get; init; } = Random.Shared;

    /// <summary>Budgets other than those of the configuration.</summary>
    internal Budgets? Budgets { get; init; }

    /// <summary>The room of the file system of a directory.</summary>
    internal Func<string, FileSystemSpace?> SpaceOf { get; init; } = FileSystemSpace.Of;

    /// <summary>What agents inherit; null for this process's environment.</summary>
    internal AgentEnvironment? Environment { get; init; }

    /// <summary>Steps of every run other than the daemon's own.</summary>
    internal RunSteps? Steps { get; init; }

    /// <summary>How long an agent may live on once it has closed its standard output.</summary>
    internal TimeSpan ClosedOutputGrace { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// The board, the supervisor and the scheduler, connected: a task that becomes ready and a slot that becomes free wake the scheduler, and every
/// change of a task is an event. The daemon and the tests use the same one. Long because every part is connected here.
/// </summary>
/// <remarks>
/// In order: <see cref="Open"/>, <see cref="PrepareAsync"/>, <see cref="Schedule"/>, <see cref="RecoverAsync"/>, then clients may be served;
/// <see cref="Run"/>, <see cref="StopAsync"/>, disposal.
/// </remarks>
public sealed class Engine : IAsyncDisposable
{
    /// <summary>The setting on the board that holds the cost mode to start with; absent unless one was set to last.</summary>
    public const string PersistedMode = "cost_mode";

    /// <summary>The setting on the board that says when the day's budget was last lifted.</summary>
    public const string BudgetLifted = "budget.lifted_at";

    private static readonly TimeSpan DrainLook = TimeSpan.FromMilliseconds(50);

    // A file system that hangs must not keep the daemon from ending.
    private static readonly TimeSpan RetentionPatience = TimeSpan.FromSeconds(2);

    private readonly EngineParts _parts;
    private readonly CancellationTokenSource _stop = new();
    private readonly Places _places = new();
    private RouteRests? _rests;
    private BoardScheduler? _scheduler;
    private Task _scheduling = Task.CompletedTask;
    private Task _keeping = Task.CompletedTask;
    private Task _retaining = Task.CompletedTask;
    private Task _landing = Task.CompletedTask;
    private AutoLander? _autoLander;
    private Inbox? _inbox;
    private NoticeWatch? _noticeWatch;
    private Courier? _courier;
    private Task _telling = Task.CompletedTask;
    private WorkspaceHealth? _health;
    private ScheduleLoop? _scheduleLoop;
    private Task _firing = Task.CompletedTask;
    private int _isClosed;

    private Engine(EngineParts parts)
    {
        _parts = parts;
        Events = new EventHub(parts.Time);
        Router = new ProviderRouter(
            parts.Configuration.Providers, parts.Secrets.KeyOf, parts.Configuration.KeylessProviders, parts.BoardTime ?? parts.Time, parts.Random, parts.Logger);
        Holds = new ProviderHolds(Router, parts.Secrets.KeyOf, parts.BoardTime ?? parts.Time, parts.Random, parts.Logger)
        {
            Opened = () => Volatile.Read(ref _scheduler)?.Wake(),
        };
        Breaker = new CrashBreaker(parts.BoardTime ?? parts.Time, parts.Logger);
        Board = TaskBoard.Open(new BoardOptions
        {
            Path = parts.Configuration.DatabasePath,
            Time = parts.BoardTime ?? parts.Time,
            Logger = parts.Logger,
            TaskChanged = OnTaskChanged,
            MaxInterruptions = parts.Configuration.MaxInterruptions,
            GroupLimits = () => parts.Settings.Current.GroupLimits,
        });
    }

    /// <summary>Profiles, workspaces and what else may change while the daemon runs.</summary>
    public LiveSettings Settings => _parts.Settings;

    public EventHub Events { get; }

    public ProviderRouter Router { get; }

    public ProviderHolds Holds { get; }

    public CrashBreaker Breaker { get; }

    /// <summary>What operators have paused.</summary>
    public QueuePauses Pauses { get; private set; } = null!;

    /// <summary>Says why queued tasks do not start.</summary>
    public QueueView Queue { get; private set; } = null!;

    public TaskBoard Board { get; }

    /// <summary>Tenants and skills.</summary>
    public Registry Registry { get; private set; } = null!;

    /// <summary>What the programs of agents said of themselves.</summary>
    public ProgramVersions Versions { get; private set; } = null!;

    /// <summary>What decides beside capabilities whether a task may start.</summary>
    public PlaceRules Rules { get; private set; } = null!;

    /// <summary>Holds starts while the disk is low.</summary>
    public DiskGuard Disk { get; private set; } = null!;

    /// <summary>Deletes what is older than the configuration keeps.</summary>
    public Pruner Retention { get; private set; } = null!;

    /// <summary>Shows, lands and discards changes.</summary>
    public LandingDesk Landing { get; private set; } = null!;

    /// <summary>What makes tasks at certain times.</summary>
    public ScheduleDesk Schedules { get; private set; } = null!;

    /// <summary>How many schedules there are, and which fires next; null for none.</summary>
    public StatusSchedules? SchedulesNow => _scheduleLoop?.Status;

    /// <summary>Null where agents get none.</summary>
    public AgentCgroups? Cgroups { get; private set; }

    public CostControl Cost { get; private set; } = null!;

    public Budgets Budgets { get; private set; } = null!;

    /// <summary>The sidecar that shortens tool results; null where it is not used.</summary>
    public HeadroomClient? Headroom { get; private set; }

    public SessionStore Sessions { get; private set; } = null!;

    public PromptAssembler Prompts { get; private set; } = null!;

    public AgentSupervisor Supervisor { get; private set; } = null!;

    public BoardScheduler Scheduler => _scheduler ?? throw new InvalidOperationException("nothing is scheduled yet");

    /// <summary>Keeps the resident agent; null where none is wanted.</summary>
    public Autospawner? Resident { get; private set; }

    /// <summary>What an earlier daemon left behind.</summary>
    public LeftoverReconciler Leftovers { get; private set; } = null!;

    /// <summary>Opens the board, and keeps every other daemon from it.</summary>
    /// <exception cref="BoardOpenException">It cannot be opened; nothing is left behind.</exception>
    public static Engine Open(EngineParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return new Engine(parts);
    }

    /// <summary>Takes over what the board remembers (cost mode, money spent, routes at rest), and connects sessions and supervisor.</summary>
    public async Task PrepareAsync()
    {
        var (configuration, time, logger) = (_parts.Configuration, _parts.Time, _parts.Logger);
        Cgroups = _parts.FindCgroups?.Invoke();
        _rests = await RouteRests.RestoreAsync(Board, Router, _parts.BoardTime ?? time, logger, Holds).ConfigureAwait(false);
        Registry = await Registry.LoadAsync(Board).ConfigureAwait(false);
        Pauses = await QueuePauses.RestoreAsync(Board, time, logger).ConfigureAwait(false);
        Cost = new CostControl(await StartingModeAsync().ConfigureAwait(false), Events);
        await GiveUpAwaitedCostsAsync().ConfigureAwait(false);
        Budgets = _parts.Budgets ?? await BudgetsAsync().ConfigureAwait(false);
        Headroom = configuration.HeadroomEnabled ? new HeadroomClient(configuration.HeadroomSocket!, time, logger) : null;
        Headroom?.Start();
        Sessions = new SessionStore(configuration.SessionsDirectory, Cost, time, logger) { Headroom = Headroom, Secrets = _parts.Secrets };
        Prompts = new PromptAssembler(Sessions, Cost, _parts.Prefix);
        var state = StateDirectory.Of(configuration);
        Retention = new Pruner(Board, Sessions, state, () => Settings.Current, _parts.BoardTime ?? time, logger);
        Disk = new DiskGuard(
            [state, configuration.SessionsDirectory, Path.Combine(state, Pruner.WorkDirectory), Path.Combine(state, WorkspaceGit.TreesDirectory)],
            () => Settings.Current.Retention, _parts.SpaceOf, logger);
        Disk.Look();
        Versions = new ProgramVersions(
            _parts.Processes, (_parts.Environment ?? new AgentEnvironment()).ForVersions(_parts.Secrets, configuration.SocketPath), _parts.Secrets, time, logger, _stop.Token);
        var parts = new SupervisorParts
        {
            Versions = Versions,
            Version = _parts.Version,
            Processes = _parts.Processes,
            Loop = _parts.Loop,
            Board = Board,
            Registry = Registry,
            Sessions = Sessions,
            Prompts = Prompts,
            Secrets = _parts.Secrets,
            Router = Router,
            Holds = Holds,
            Breaker = Breaker,
            Cgroups = Cgroups,
            Events = Events,
            Budgets = Budgets,
            Disk = Disk,
            Prices = _parts.Prices,
            SessionTotals = await SessionTotalsAsync().ConfigureAwait(false),
            Programs = _parts.Programs,
            Configuration = configuration,
            Time = time,
            BoardTime = _parts.BoardTime,
            Logger = logger,
            JailHost = _parts.JailHost,
            ClosedOutputGrace = _parts.ClosedOutputGrace,
            Places = _places,
            Settings = () => _parts.Settings.Current,
        };
        if (_parts.Environment is { } environment)
            parts = parts with { Environment = environment };
        if (_parts.Steps is { } steps)
            parts = parts with { Steps = steps };
        Supervisor = new AgentSupervisor(parts);
        _health = parts.Health;
        Rules = new PlaceRules(parts.Settings, _places, Pauses, Supervisor.LivingOf, Registry, Supervisor.IsInstalled, _health) { WhyAnother = request => Versions.WhyAnother(request, _parts.Programs), WhyNotConfined = Supervisor.WhyNotConfined, Groups = () => Board.Groups };
        Queue = new QueueView(Supervisor, Holds, Pauses, Breaker, () => Volatile.Read(ref _scheduler), _parts.BoardTime ?? time, Rules);
        Landing = new LandingDesk(Board, Supervisor, parts.Settings, parts.Git, _parts.Secrets, logger);
        _health.AtFirstLook = new TreeSweep(Board, Landing, parts.Git, _places, logger).RunAsync;
        Retention.Worktrees = new WorktreeRetention(parts.Git, Board, parts.Settings, logger);
        _autoLander = new AutoLander(Board, Landing, _health, parts.Settings, time, logger);
        _inbox = new Inbox(new InboxParts
        {
            Board = Board,
            Supervisor = Supervisor,
            Queue = Queue,
            Router = Router,
            Holds = Holds,
            Pauses = Pauses,
            Budgets = Budgets,
            Disk = Disk,
            Health = _health,
            Secrets = _parts.Secrets,
            Settings = parts.Settings,
            Time = time,
        });
        _noticeWatch = new NoticeWatch(
            new BoardOutbox(Board), new NoticeSources { Supervisor = Supervisor, Router = Router, Holds = Holds, Budgets = Budgets, Disk = Disk, Secrets = _parts.Secrets }, time, logger)
        {
            Changed = () => _courier?.Wake(),
        };
        Events.PaneChanged = _noticeWatch.Wake;
        _courier = new Courier(new CourierParts
        {
            Board = Board,
            Landing = Landing,
            Roads = new SinkRoads(new ToolRunner(_parts.Processes, time, logger), _parts.Programs, (_parts.Environment ?? new AgentEnvironment()).ForTools(_parts.Secrets), _parts.Secrets, time),
            Events = Events,
            Settings = Settings,
            CountWaitingAsync = async () => await InboxAsync().ConfigureAwait(false) is var waiting ? waiting.Items.Count + (waiting.More ?? 0) : 0,
            Secrets = _parts.Secrets,
            Host = configuration.Host,
            Time = time,
            Logger = logger,
        });
        _scheduleLoop = new ScheduleLoop(
            new BoardSchedules(Board),
            task => Rules.WhyOutside(task) ?? Rules.WhyNever(task, Volatile.Read(ref _scheduler)?.Candidates ?? []),
            StopRunOf, _parts.BoardTime ?? time, logger)
        {
            Told = _courier.Wake,
        };
        Schedules = new ScheduleDesk(new BoardSchedules(Board), _parts.BoardTime ?? time, _scheduleLoop.Wake);
        Leftovers = new LeftoverReconciler(Board, Cgroups, parts.Jails, time, logger);
    }

    /// <summary>Connects the scheduler.</summary>
    /// <param name="candidates">The agents that it may start; none leaves tasks to agents at rest and to outside claimants.</param>
    /// <param name="resident">The agent to keep, whether there are tasks or not; null for none.</param>
    public BoardScheduler Schedule(IReadOnlyList<AgentCandidate> candidates, SpawnRequest? resident = null)
    {
        var configuration = _parts.Configuration;
        Resident = resident is null ? null : new Autospawner(Supervisor, Router, _parts.Secrets, configuration, resident, _parts.Time, _parts.Logger, Board);
        var scheduler = new BoardScheduler(
            Board, Supervisor, candidates, configuration.SchedulerInterval, _parts.BoardTime ?? _parts.Time, _parts.Logger, new StartGate(Supervisor, Router, Holds, Pauses), Rules);
        Volatile.Write(ref _scheduler, scheduler);
        Supervisor.SlotFreed += scheduler.Wake;
        _places.Freed += scheduler.Wake;
        Settings.Changed += scheduler.Wake;
        var watch = new ProfileWatch(candidates, Versions, _parts.Programs, _parts.Logger);
        watch.Look();
        Settings.Changed += watch.Look;
        Versions.Changed += scheduler.Wake;
        Registry.Changed += scheduler.Wake;
        Disk.Changed += scheduler.Wake;
        Settings.Changed += _health!.Wake;
        _health.Mended += scheduler.Wake;
        _health.Mended += _autoLander!.Wake;
        Settings.Changed += _autoLander.Wake;
        Settings.Changed += _scheduleLoop!.Retry;
        return scheduler;
    }

    /// <summary>Cleans up what an earlier daemon left, before a client is answered: no task may look claimed by an agent of that daemon.</summary>
    /// <remarks>Disposal gives it up at once.</remarks>
    public async Task RecoverAsync()
    {
        await _courier!.PrepareAsync().ConfigureAwait(false);
        await _noticeWatch!.RestoreAsync().ConfigureAwait(false);
        await Leftovers.RunAsync().ConfigureAwait(false);
        await Landing.SweepAsync(_stop.Token).ConfigureAwait(false);
    }

    /// <summary>Starts scheduling, and keeping the resident agent.</summary>
    public void Run()
    {
        _scheduling = Background.Run(_parts.Logger, "the scheduler", Task.Run(() => Scheduler.RunAsync(_stop.Token)));
        var retention = new RetentionLoop(Retention, Disk, _parts.Time, _parts.Logger);
        _retaining = Task.WhenAll(
            Background.Run(_parts.Logger, "the disk guard", Task.Run(() => Disk.RunAsync(_parts.Time, _stop.Token))),
            Background.Run(_parts.Logger, "retention", Task.Run(() => retention.RunAsync(_stop.Token))));
        _landing = Task.WhenAll(
            Background.Run(_parts.Logger, "the look at the workspaces", Task.Run(() => _health!.RunAsync(_stop.Token))),
            Background.Run(_parts.Logger, "landing", Task.Run(() => _autoLander!.RunAsync(_stop.Token))));
        _telling = Task.WhenAll(
            Background.Run(_parts.Logger, "the look for what is to be told", Task.Run(() => _noticeWatch!.RunAsync(_stop.Token))),
            Background.Run(_parts.Logger, "telling", Task.Run(() => _courier!.RunAsync(_stop.Token))));
        _firing = Background.Run(_parts.Logger, "the schedules", Task.Run(() => _scheduleLoop!.RunAsync(_stop.Token)));
        _keeping = Resident is null ? Task.CompletedTask : Background.Run(_parts.Logger, "the keeper of the resident agent", Resident.RunAsync(_stop.Token));
    }

    /// <summary>Deletes what is due, or says what would be deleted.</summary>
    /// <param name="olderThan">In place of every age of the configuration; null is as configured.</param>
    /// <param name="isDry">Deletes nothing.</param>
    /// <exception cref="OperationCanceledException">The daemon is stopping.</exception>
    public Task<PruneReport> PruneAsync(TimeSpan? olderThan, bool isDry) => Retention.PruneAsync(olderThan, isDry, _stop.Token);

    /// <summary>Who is told of what waits for a person, and how that goes; null where nobody is.</summary>
    public SinkReport? Sinks => _courier?.Report;

    /// <summary>Tells one sink something, to see whether it hears.</summary>
    /// <returns>Null where it was told; else why not.</returns>
    /// <exception cref="KeyNotFoundException">There is no such sink.</exception>
    public Task<string?> TestSinkAsync(string sink) => _courier!.TestAsync(sink, _stop.Token);

    /// <summary>Tries at once what could not be told.</summary>
    /// <exception cref="KeyNotFoundException">There is no such sink.</exception>
    public Task RetryNoticesAsync(string? sink) => _courier!.RetryAsync(sink);

    /// <summary>The latest notices.</summary>
    public Task<IReadOnlyList<Notice>> NoticesAsync(string? sink, int limit) => new BoardOutbox(Board).ListAsync(sink, limit);

    /// <summary>Everything that waits for a person.</summary>
    public Task<InboxReport> InboxAsync() => _inbox!.ReadAsync();

    /// <summary>Pauses the queue, or the tasks of one provider, agent or workspace.</summary>
    /// <exception cref="BoardUnavailableException">The disk refused, so nothing is paused.</exception>
    /// <exception cref="InvalidOperationException">There are too many pauses.</exception>
    public Task<QueueState> PauseAsync(string? provider, string? agent, string? reason, string? workspace = null) =>
        Pauses.PauseAsync(provider, agent, reason, workspace);

    /// <summary>Pauses the whole queue, and returns when no run is under way any more. Agents at rest live on, and the pause stays.</summary>
    /// <param name="timeout">How long to wait; null for as long as it takes.</param>
    /// <returns>How many runs are still under way: 0, or the time is up.</returns>
    /// <exception cref="BoardUnavailableException">The disk refused, so nothing is paused.</exception>
    /// <exception cref="InvalidOperationException">There are too many pauses.</exception>
    public async Task<int> DrainAsync(TimeSpan? timeout)
    {
        if (!Pauses.State.Paused.Any(pause => pause is { Provider: null, Agent: null, Workspace: null }))
            await Pauses.PauseAsync(null, null, "drain").ConfigureAwait(false);
        var since = _parts.Time.GetTimestamp();
        while (true)
        {
            // A look that began before the pause may still start what it has matched.
            var isLooking = Volatile.Read(ref _scheduler) is { IsLooking: true };
            if (Supervisor.RunsUnderWay is var running && running == 0 && !isLooking)
                return 0;
            if (timeout is { } most && _parts.Time.GetElapsedTime(since) >= most)
                return Math.Max(running, 1);
            await Task.Delay(DrainLook, _parts.Time, _stop.Token).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Ends a pause. With a provider it also ends that provider's hold and its routes' rests, and lets a refused key be tried again: its tasks go at once,
    /// spread over some seconds.
    /// </summary>
    /// <exception cref="BoardUnavailableException">The disk refused; the pause stays.</exception>
    public async Task<QueueState> ResumeAsync(string? provider, string? agent, string? workspace = null)
    {
        var state = await Pauses.ResumeAsync(provider, agent, workspace).ConfigureAwait(false);
        if (provider is not null)
        {
            await Board.ReleaseBackoffsAsync(RunVerdict.Provider).ConfigureAwait(false);
            Holds.End(provider);
        }
        Volatile.Read(ref _scheduler)?.Wake();
        return state;
    }

    /// <summary>Stops all starts, ends all agents, and returns when every tree has ended and every run is on disk.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        // Not awaited: a full disk must not keep the agents alive.
        _ = Background.Run(_parts.Logger, "recording the stop", MarkStoppingAsync());
        // Stop the agents before the scheduler is awaited, because a start under way may be waiting for a full disk.
        var agentsGone = Supervisor.StopAllAsync(grace);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _scheduling.ConfigureAwait(false);
        await _keeping.ConfigureAwait(false);
        await _firing.ConfigureAwait(false);
        await agentsGone.ConfigureAwait(false);
        await Task.WhenAny(Task.WhenAll(_retaining, _landing, _telling), Task.Delay(RetentionPatience, _parts.Time)).ConfigureAwait(false);
    }

    /// <summary>Leaves everything as it is: disposal closes nothing then. For a process that ends now, whatever the disk does.</summary>
    public void Abandon() => Interlocked.Exchange(ref _isClosed, 1);

    /// <summary>Closes the board last. Agents that were not stopped live on, and are leftovers to the next engine.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        if (Leftovers is not null)
            await Leftovers.DisposeAsync().ConfigureAwait(false);
        if (Headroom is not null)
            await Headroom.DisposeAsync().ConfigureAwait(false);
        if (_rests is not null)
            await _rests.DisposeAsync().ConfigureAwait(false);
        await Board.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>A task was cancelled for a newer one of its schedule: its agent ends.</summary>
    private void StopRunOf(BoardTask task)
    {
        if (Supervisor.FindByTask(task.Id) is { } agent)
            Supervisor.TryStop(agent.Id, AgentSupervisor.DefaultGrace);
    }

    private async Task MarkStoppingAsync()
    {
        try
        {
            await Board.MarkStoppingAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is BoardUnavailableException or ObjectDisposedException)
        {
            _parts.Logger.StopNotRecorded(e.Message);
        }
    }

    private void OnTaskChanged(BoardTask task)
    {
        if (_parts.Logger.IsEnabled(LogLevel.Debug))
            _parts.Logger.TaskChanged(task.Id, task.Status.ToString(), _parts.Secrets.Redact(task.Title));
        Events.PublishTask(task, changed => Queue.Show(changed));
        // What is over may be what a queued task waited for, or have had the place in its group.
        if (task.Status is not (TaskState.Claimed or TaskState.Started))
            Volatile.Read(ref _scheduler)?.Wake();
        _courier?.Wake();
        if (task is { Status: TaskState.Done, Change.State: ChangeState.Open })
            _autoLander?.Wake();
        _parts.TaskChanged?.Invoke(task);
    }

    /// <summary>A persisted mode wins over the environment; otherwise it would last only until the next restart.</summary>
    private async Task<CostMode> StartingModeAsync()
    {
        var configured = _parts.Configuration.CostMode;
        if (!Enum.TryParse<CostMode>(await Board.GetSettingAsync(PersistedMode).ConfigureAwait(false), ignoreCase: true, out var mode))
            return configured;
        if (mode != configured)
            _parts.Logger.CostModePersisted(mode.ToString().ToLowerInvariant(), configured.ToString().ToLowerInvariant());
        return mode;
    }

    private async Task<SessionTotals> SessionTotalsAsync()
    {
        var totals = new SessionTotals();
        foreach (var session in await Board.SessionTotalsAsync().ConfigureAwait(false))
            totals.Set(session);
        return totals;
    }

    // A disk that refuses must not keep the daemon from starting: then the next start counts them.
    private async Task GiveUpAwaitedCostsAsync()
    {
        try
        {
            await Board.GiveUpAwaitedCostsAsync().ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            _parts.Logger.BoardUnavailable(e.Message);
        }
    }

    private async Task<Budgets> BudgetsAsync()
    {
        var budgets = new Budgets(_parts.Configuration.TaskBudgetMicrocents, _parts.Configuration.DayBudgetMicrocents, Events, _parts.Time);
        var today = budgets.Today;
        var lifted = await Board.GetSettingAsync(BudgetLifted).ConfigureAwait(false);
        budgets.Restore(
            today,
            await Board.UsageOfDayAsync(today).ConfigureAwait(false),
            DateTimeOffset.TryParse(lifted, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null);
        return budgets;
    }
}
