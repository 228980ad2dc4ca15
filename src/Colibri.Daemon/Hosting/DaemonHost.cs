using System.Runtime.InteropServices;
using Colibri.Core;
using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Doctor;
using Colibri.Core.Logging;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Scheduling;
using Colibri.Core.Sessions.Prompts;
using Colibri.Core.Settings;
using Colibri.Daemon.Commands;
using Colibri.Daemon.Logging;
using Colibri.Daemon.Server;
using Colibri.Posix.Host;
using Colibri.Posix.Polling;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>Builds the parts in the order of their dependencies, and disposes them in the reverse order.</summary>
internal static class DaemonHost
{
    /// <summary>After a second signal: how long the killed trees may take to be gone and their runs to be on disk.</summary>
    private static readonly TimeSpan ForcedStop = TimeSpan.FromSeconds(1.5);

    /// <summary>Runs until SIGTERM or SIGINT.</summary>
    /// <param name="reading">The settings.</param>
    /// <param name="readAgain">Reads them once more.</param>
    /// <param name="pidFilePath">Where to write the process id, or null.</param>
    /// <returns>The exit code: 0, or 1 where a second signal left runs open or the board unclosed.</returns>
    /// <exception cref="ConfigurationException">It cannot start; nothing is left behind.</exception>
    /// <exception cref="BoardOpenException">The same, because of the database.</exception>
    public static async Task<int> RunAsync(SettingsReading reading, Func<SettingsReading> readAgain, string? pidFilePath)
    {
        var (configuration, settings) = (reading.Settings.Daemon, new LiveSettings(reading.Settings, readAgain));
        var time = TimeProvider.System;
        SignalSetup.ResetInherited();
        // No core files: this process's memory holds keys.
        ResourceLimits.ForbidCoreDumps();
        // Descriptors for every connection, three streams of every agent, and reading /proc.
        var openFiles = SocketListener.MaxConnections + 3L * configuration.MaxAgents + 256;
        ResourceLimits.RaiseOpenFiles(openFiles);
        using var log = new LineLoggerProvider(configuration.LogLevel, configuration.LogFormat, time);
        var throttle = new LogThrottle(log.CreateLogger("colibri"), time);
        ILogger logger = throttle;
        using var unobserved = new UnobservedFailures(logger);
        HostEnvironment.LeaveMissingWorkingDirectory(logger);
        using var manager = ServiceManager.Find(Environment.GetEnvironmentVariable, InitProcess.ServicePid, logger);
        using var stop = StopSignals.Register(time);
        var reload = new SettingsReload(settings, logger);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            reload.Start();
        });
        foreach (var variable in reading.Unknown)
            logger.UnknownVariable(variable.Name, variable.Hint);

        var prices = PriceTable.Load(configuration.PricesFile);
        var prefix = PromptPrefix.Load(configuration.PromptPrefixFile);
        var secrets = new Secrets(HostEnvironment.Variables(), configuration.ProviderEnvFile, logger);
        log.RedactWith(secrets.Redact);
        using var processes = ChildProcesses.Start();
        // Two loops, so that an agent that prints without end does not keep clients waiting.
        using var clients = new EventLoop("clients", LoopPace.Attend);
        using var agents = new EventLoop("agents", LoopPace.Gather);
        var counters = new ServerCounters();
        // Checked first for the better message. The socket is bound only under the board's lock: of two daemons that start at once, the loser
        // never touches the winner's socket.
        SocketListener.RefuseIfServed(configuration.SocketPath);
        var programs = new ProgramPath(
            Environment.GetEnvironmentVariable("PATH"), Environment.GetEnvironmentVariable("HOME"), AppContext.BaseDirectory);
        await using var engine = Engine.Open(new EngineParts
        {
            Configuration = configuration,
            Settings = settings,
            Processes = processes,
            Loop = agents,
            Programs = programs,
            Secrets = secrets,
            Prices = prices,
            Prefix = prefix,
            Version = BuildVersion.Text,
            FindCgroups = () => AgentCgroups.Find(time, logger),
            Time = time,
            Logger = logger,
        });
        HostEnvironment.RequireWritableDirectory(configuration.SessionsDirectory, "COLIBRI_SESSIONS_DIR");
        await using var listener = SocketListener.Bind(configuration.SocketPath, clients, counters, time, logger);
        using var pidFile = PidFile.Write(pidFilePath, logger);
        await engine.PrepareAsync().ConfigureAwait(false);
        var probed = configuration.AgentBinary is null && !configuration.Autospawn ? [] : await CapabilityProbe.AskAsync(processes, programs, stop.Stopping).ConfigureAwait(false);
        var candidates = new SchedulerCandidates(() => engine.Settings.Current, programs, probed);
        var resident = configuration.Autospawn ? SchedulerCandidates.Resident(configuration, programs, probed) : null;
        engine.Schedule(candidates, resident);
        WarnOfSettingsWithoutEffect(reading, logger);

        var watch = new FileWatch(
            [
                () => listener.Look() is { } socket ? [socket] : [],
                () => pidFile?.Look() is { } file ? [file] : [],
                engine.Board.LookAtFiles,
                engine.Sessions.LookAtFiles,
                FileWatch.LookAtWorkingDirectory,
            ],
            throttle, time, logger);
        var places = new ConfiguredPlaces(() => engine.Settings.Current) { WhyNever = task => engine.Rules.WhyOutside(task) ?? engine.Rules.WhyNever(task, candidates) };
        var status = new StatusView(configuration, engine, prefix, counters, watch, log, time) { Places = places };
        var examination = new Examination(new ExaminationParts
        {
            Settings = () => engine.Settings.Current,
            Reread = () => new SettingsReader(HostEnvironment.Variables(), HostEnvironment.IsWritableDirectory, Environment.MachineName).Read(),
            Environment = HostEnvironment.Variables(),
            Candidates = () => candidates,
            Resident = resident,
            Tenants = () => engine.Registry.Tenants,
            Programs = programs,
            Processes = processes,
            Versions = engine.Versions,
            Plan = engine.Supervisor.PlanAsync,
            Secrets = secrets,
            Cgroup = () => engine.Cgroups?.Status,
            WhyMemoryIsLookedAt = () => engine.Cgroups?.WhyMemoryIsLookedAt,
            WhyProcessesAreNotLimited = () => engine.Cgroups?.WhyProcessesAreNotLimited,
            Files = () => watch.Found,
            OpenFilesWanted = openFiles,
            Daemon = $"colibri-daemon {BuildVersion.Text}, pid {InitProcess.ServicePid}",
            Time = time,
            Logger = logger,
            Stopping = stop.Stopping,
        });
        // A stop does not wait for what an earlier daemon left: that stays on record, for the next start.
        var recovering = engine.RecoverAsync();
        await Task.WhenAny(recovering, stop.First).ConfigureAwait(false);
        if (stop.First.IsCompleted)
        {
            logger.DaemonStopping(stop.First.Result.ToString(), engine.Supervisor.Running);
            manager?.Tell("STOPPING=1", $"STATUS=stopping on {stop.First.Result} before the start was over");
            // Its failure is not hidden by the disposal, which gives it up.
            if (recovering.IsFaulted)
                await recovering.ConfigureAwait(false);
            logger.DaemonStopped(status.UptimeMs);
            return 0;
        }
        await recovering.ConfigureAwait(false);

        var tasks = new TaskCommands(engine.Board, engine.Supervisor, engine.Queue, secrets, places);
        listener.Serve(
            new CommandTable(
            [
                .. new DaemonCommands(status, reload, secrets, examination).Handlers,
                .. new MetricsCommands(engine, time).Handlers,
                .. new CostCommands(engine.Cost, engine.Budgets, engine.Board, engine.Scheduler, time, logger).Handlers,
                .. tasks.Handlers,
                .. new ScheduleCommands(engine.Schedules, tasks.NewTaskOf).Handlers,
                .. new RunCommands(engine.Board).Handlers,
                .. new QueueCommands(engine).Handlers,
                .. new LandingCommands(engine).Handlers,
                .. new NoticeCommands(engine).Handlers,
                .. new RetentionCommands(engine).Handlers,
                .. new AgentCommands(engine.Board, engine.Supervisor, new KindsView(programs, engine.Versions, () => candidates), configuration.Host).Handlers,
                .. new SessionCommands(engine.Sessions, engine.Prompts, engine.Board).Handlers,
                .. new RegistryCommands(engine.Registry).Handlers,
            ]),
            engine.Events);
        engine.Run();
        using var heartbeatStop = new CancellationTokenSource();
        var heartbeat = manager is null
            ? Task.CompletedTask
            : Background.Run(logger, "the heartbeat", Heartbeat.Of(manager, configuration.SocketPath, engine.Board, engine.Scheduler, status.Line, time, logger).RunAsync(heartbeatStop.Token));
        var watching = Background.Run(logger, "watching the daemon's files", Task.Run(() => watch.RunAsync(heartbeatStop.Token)));
        logger.DaemonStarted(BuildVersion.Text, InitProcess.ServicePid, configuration.SocketPath, configuration.DatabasePath);

        var signal = await stop.First.ConfigureAwait(false);
        logger.DaemonStopping(signal.ToString(), engine.Supervisor.Running);
        manager?.Tell("STOPPING=1", $"STATUS=stopping on {signal}: {engine.Supervisor.Running} agents to end");
        var ending = EndAsync();
        var isForced = await Task.WhenAny(ending, stop.Second).ConfigureAwait(false) != ending;
        if (isForced && !await IsEndedByForceAsync().ConfigureAwait(false))
            return 1;
        await ending.ConfigureAwait(false);
        logger.DaemonStopped(status.UptimeMs);
        if (!isForced || engine.Supervisor.OpenRuns == 0)
            return 0;
        logger.StopLeft(engine.Supervisor.OpenRuns);
        return 1;

        async Task EndAsync()
        {
            await heartbeatStop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAny(watching, Task.Delay(FileWatch.StopPatience, time)).ConfigureAwait(false);
            await engine.StopAsync(AgentSupervisor.DefaultGrace).ConfigureAwait(false);
            await heartbeat.ConfigureAwait(false);
            throttle.Flush();
            // The listener ends before the board closes, so that a late request finds no daemon instead of one without a board.
            await listener.DisposeAsync().ConfigureAwait(false);
            await engine.DisposeAsync().ConfigureAwait(false);
        }

        async Task<bool> IsEndedByForceAsync()
        {
            logger.StopForced(stop.Second.Result.ToString(), engine.Supervisor.Running);
            manager?.Tell($"STATUS=killing {engine.Supervisor.Running} agents on a second {stop.Second.Result}");
            _ = Background.Run(logger, "killing all agents", engine.Supervisor.StopAllAsync(TimeSpan.Zero));
            if (await Task.WhenAny(ending, Task.Delay(ForcedStop, time)).ConfigureAwait(false) == ending)
                return true;
            logger.StopLeft(engine.Supervisor.OpenRuns);
            // The disk is not waited for: closing the board would. What is not on it is the next start's to put in order.
            engine.Abandon();
            listener.Abandon();
            _ = Background.Run(logger, "the end of the daemon", ending);
            return false;
        }
    }

    private static void WarnOfSettingsWithoutEffect(SettingsReading reading, ILogger logger)
    {
        // bwrap confines without jails, and needs neither rights nor staged files.
        if (HostPlatform.Kind != OperatingSystemKind.Linux)
            return;
        foreach (var setting in DaemonConfiguration.All.Where(setting => setting.Name is "COLIBRI_JAIL_PRIV_MODE" or "COLIBRI_JAIL_STAGE_DIR"))
        {
            if (reading.IsStated(setting))
                logger.SettingWithoutEffect(setting.Name);
        }
    }
}
