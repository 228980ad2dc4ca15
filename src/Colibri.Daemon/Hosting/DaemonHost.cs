using System.Globalization;
using System.Runtime.InteropServices;
using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Logging;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Scheduling;
using Colibri.Core.Sessions;
using Colibri.Core.Sessions.Headroom;
using Colibri.Core.Sessions.Prompts;
using Colibri.Core.Settings;
using Colibri.Daemon.Commands;
using Colibri.Daemon.Logging;
using Colibri.Daemon.Server;
using Colibri.Posix.Host;
using Colibri.Posix.Polling;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>Puts the parts together in the order in which they may depend on each other, and takes them apart in the reverse one.</summary>
internal static class DaemonHost
{
    /// <summary>Runs until SIGTERM or SIGINT.</summary>
    /// <exception cref="ConfigurationException">It cannot start; nothing is left behind.</exception>
    /// <exception cref="BoardOpenException">The same, because of the database.</exception>
    public static async Task RunAsync(DaemonConfiguration configuration, string? pidFilePath)
    {
        var time = TimeProvider.System;
        SignalSetup.ResetInherited();
        // Keys are in this process's memory.
        ResourceLimits.ForbidCoreDumps();
        // Every connection open, every agent with its three streams, and room to look at /proc besides.
        ResourceLimits.RaiseOpenFiles(SocketListener.MaxConnections + 3L * configuration.MaxAgents + 256);
        var stop = new TaskCompletionSource<PosixSignal>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var log = new LineLoggerProvider(configuration.LogLevel, configuration.LogFormat, time);
        var logger = log.CreateLogger("colibri");
        HostEnvironment.LeaveMissingWorkingDirectory(logger);
        using var manager = ServiceManager.Find(Environment.GetEnvironmentVariable, InitProcess.ServicePid, logger);
        using var term = StopOn(PosixSignal.SIGTERM, stop);
        using var interrupt = StopOn(PosixSignal.SIGINT, stop);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            logger.NothingToReload();
        });

        var prices = PriceTable.Load(configuration.PricesFile);
        var prefix = PromptPrefix.Load(configuration.PromptPrefixFile);
        var secrets = new Secrets(HostEnvironment.Variables(), configuration.ProviderEnvFile, logger);
        var router = new ProviderRouter(configuration.Providers, secrets.KeyOf, configuration.KeylessProviders, time, Random.Shared, logger);
        var breaker = new CrashBreaker(time, logger);
        using var processes = ChildProcesses.Start();
        // Two: an agent that prints without end must not keep a client waiting.
        using var clients = new EventLoop("clients", LoopPace.Attend);
        using var agents = new EventLoop("agents", LoopPace.Gather);
        var counters = new ServerCounters();
        // Looked at first, for the better message; bound only by whoever holds the board's lock, so that of two daemons starting at once
        // the loser never touches the winner's socket.
        SocketListener.RefuseIfServed(configuration.SocketPath);
        var events = new EventHub(time);
        var wake = new List<Action>();
        await using var board = TaskBoard.Open(new BoardOptions
        {
            Path = configuration.DatabasePath,
            Time = time,
            Logger = logger,
            TaskChanged = task =>
            {
                if (logger.IsEnabled(LogLevel.Debug))
                    logger.TaskChanged(task.Id, task.Status.ToString(), secrets.Redact(task.Title));
                events.Publish(task);
                if (task.Status == TaskState.Queued)
                    wake.ForEach(static ring => ring());
            },
        });
        HostEnvironment.RequireWritableDirectory(configuration.SessionsDirectory, "COLIBRI_SESSIONS_DIR");
        await using var listener = SocketListener.Bind(configuration.SocketPath, clients, counters, logger);
        using var pidFile = PidFile.Write(pidFilePath, logger);
        await using var rests = await RouteRests.RestoreAsync(board, router, time, logger).ConfigureAwait(false);
        var cgroups = AgentCgroups.Find(time, logger);
        var cost = new CostControl(await StartingModeAsync(configuration, board, logger).ConfigureAwait(false), events);
        var budgets = await BudgetsAsync(configuration, board, events, time).ConfigureAwait(false);
        await using var headroom = configuration.HeadroomEnabled ? new HeadroomClient(configuration.HeadroomSocket!, time, logger) : null;
        headroom?.Start();
        var sessions = new SessionStore(configuration.SessionsDirectory, cost, time, logger) { Headroom = headroom, Secrets = secrets };
        var prompts = new PromptAssembler(sessions, cost, prefix);
        var programs = new ProgramPath(
            Environment.GetEnvironmentVariable("PATH"), Environment.GetEnvironmentVariable("HOME"), AppContext.BaseDirectory);
        var parts = new SupervisorParts
        {
            Processes = processes,
            Loop = agents,
            Board = board,
            Sessions = sessions,
            Prompts = prompts,
            Secrets = secrets,
            Router = router,
            Breaker = breaker,
            Cgroups = cgroups,
            Events = events,
            Budgets = budgets,
            Prices = prices,
            Programs = programs,
            Configuration = configuration,
            Time = time,
            Logger = logger,
        };
        var supervisor = new AgentSupervisor(parts);
        var probed = configuration.AgentBinary is null && !configuration.Autospawn ? [] : await CapabilityProbe.AskAsync(processes, programs).ConfigureAwait(false);
        var autospawner = configuration.Autospawn
            ? new Autospawner(supervisor, router, secrets, configuration, SchedulerCandidates.Resident(configuration, programs, probed), time, logger)
            : null;
        var scheduler = new BoardScheduler(
            board, supervisor, SchedulerCandidates.From(configuration, programs, probed), configuration.SchedulerInterval, time, logger, router);
        wake.Add(scheduler.Wake);
        supervisor.SlotFreed += scheduler.Wake;
        WarnOfSettingsWithoutEffect(logger);

        // Before anybody is answered: no task may look claimed by an agent that an earlier daemon left behind.
        await using var leftovers = new LeftoverReconciler(board, cgroups, parts.Jails, time, logger);
        await leftovers.RunAsync().ConfigureAwait(false);

        var status = new StatusView(configuration, board, supervisor, scheduler, cost, budgets, headroom, router, breaker, cgroups, autospawner, leftovers, prefix, events, counters, log, time);
        listener.Serve(
            new CommandTable(
            [
                .. new DaemonCommands(status).Handlers,
                .. new CostCommands(cost, budgets, board, scheduler, time, logger).Handlers,
                .. new TaskCommands(board, supervisor, secrets).Handlers,
                .. new AgentCommands(board, supervisor, configuration.Host).Handlers,
                .. new SessionCommands(sessions, prompts).Handlers,
                .. new RegistryCommands(board).Handlers,
            ]),
            events);
        using var schedulerStop = new CancellationTokenSource();
        var scheduling = Task.Run(() => scheduler.RunAsync(schedulerStop.Token));
        var resident = autospawner?.RunAsync(schedulerStop.Token) ?? Task.CompletedTask;
        var heartbeat = manager is null
            ? Task.CompletedTask
            : Heartbeat.Of(manager, configuration.SocketPath, board, scheduler, status.Line, time, logger).RunAsync(schedulerStop.Token);
        logger.DaemonStarted(BuildVersion.Text, InitProcess.ServicePid, configuration.SocketPath, configuration.DatabasePath);

        var signal = await stop.Task.ConfigureAwait(false);
        logger.DaemonStopping(signal.ToString(), supervisor.Running);
        manager?.Tell("STOPPING=1", $"STATUS=stopping on {signal}: {supervisor.Running} agents to end");
        // Said to the agents before the scheduler is waited for: a start under way may be waiting for a disk that is full.
        var agentsGone = supervisor.StopAllAsync(AgentSupervisor.DefaultGrace);
        await schedulerStop.CancelAsync().ConfigureAwait(false);
        await scheduling.ConfigureAwait(false);
        await resident.ConfigureAwait(false);
        await heartbeat.ConfigureAwait(false);
        await agentsGone.ConfigureAwait(false);
        // Before the board closes: a request that comes now finds no daemon, not a half of one.
        await listener.DisposeAsync().ConfigureAwait(false);
        logger.DaemonStopped(status.UptimeMs);
    }

    /// <summary>A mode that was set to last wins over the environment: else it would last until somebody restarts the daemon.</summary>
    private static async Task<CostMode> StartingModeAsync(DaemonConfiguration configuration, TaskBoard board, ILogger logger)
    {
        if (!Enum.TryParse<CostMode>(await board.GetSettingAsync(CostCommands.PersistedMode).ConfigureAwait(false), ignoreCase: true, out var mode))
            return configuration.CostMode;
        if (mode != configuration.CostMode)
            logger.CostModePersisted(mode.ToString().ToLowerInvariant(), configuration.CostMode.ToString().ToLowerInvariant());
        return mode;
    }

    private static async Task<Budgets> BudgetsAsync(DaemonConfiguration configuration, TaskBoard board, EventHub events, TimeProvider time)
    {
        var budgets = new Budgets(configuration.TaskBudgetMicrocents, configuration.DayBudgetMicrocents, events, time);
        var today = budgets.Today;
        var lifted = await board.GetSettingAsync(CostCommands.BudgetLifted).ConfigureAwait(false);
        budgets.Restore(
            today,
            await board.UsageOfDayAsync(today).ConfigureAwait(false),
            DateTimeOffset.TryParse(lifted, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null);
        return budgets;
    }

    private static PosixSignalRegistration StopOn(PosixSignal signal, TaskCompletionSource<PosixSignal> stop) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            stop.TrySetResult(context.Signal);
        });

    private static void WarnOfSettingsWithoutEffect(ILogger logger)
    {
        // bwrap confines without jails, and needs neither more rights nor files of its own.
        if (HostPlatform.Kind != OperatingSystemKind.Linux)
            return;
        foreach (var variable in (string[])["COLIBRI_JAIL_PRIV_MODE", "COLIBRI_JAIL_STAGE_DIR"])
        {
            if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable)))
                logger.SettingWithoutEffect(variable);
        }
    }
}
