using Colibri.Core.Agents;
using Colibri.Core.Board;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Runs;
using Colibri.Core.Scheduling;
using Colibri.Core.Sessions.Headroom;
using Colibri.Core.Sessions.Prompts;
using Colibri.Core.Settings;
using Colibri.Daemon.Logging;
using Colibri.Daemon.Server;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Hosting;

/// <summary>Puts what every part knows about itself together. Nothing here touches the disk.</summary>
internal sealed class StatusView(
    DaemonConfiguration configuration,
    TaskBoard board,
    AgentSupervisor supervisor,
    BoardScheduler scheduler,
    CostControl cost,
    Budgets budgets,
    HeadroomClient? headroom,
    ProviderRouter router,
    CrashBreaker breaker,
    AgentCgroups cgroups,
    Autospawner? autospawner,
    LeftoverReconciler leftovers,
    PromptPrefix prefix,
    EventHub events,
    ServerCounters server,
    LineLoggerProvider log,
    TimeProvider time)
{
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly long _startTimestamp = time.GetTimestamp();

    public long UptimeMs => (long)time.GetElapsedTime(_startTimestamp).TotalMilliseconds;

    public StatusReport Report()
    {
        var panes = supervisor.Panes.Snapshot();
        var tick = scheduler.Status;
        return new StatusReport
        {
            Version = BuildVersion.Text,
            Pid = InitProcess.ServicePid,
            Host = configuration.Host,
            StartedAt = _startedAt,
            UptimeMs = UptimeMs,
            Paths = new StatusPaths(configuration.SocketPath, configuration.DatabasePath, configuration.SessionsDirectory),
            Cost = cost.State,
            Scheduler = new StatusScheduler((long)configuration.SchedulerInterval.TotalMilliseconds, tick.LastTickAt, tick.Ticks, tick.Unmatched, tick.MissingAgent),
            Tasks = board.Counts,
            Agents = new StatusAgents(
                supervisor.Running,
                configuration.MaxAgents,
                [.. panes.Where(pane => pane.Lifecycle != Lifecycle.Stopped).Select(pane => new StatusAgent(pane.Id, pane.Agent, pane.Activity, pane.TaskId))]),
            Panes = panes.Count,
            Cache = CacheOf(supervisor.TotalUsage),
            Budget = budgets.State,
            Breakers = breaker.Status() is { Count: > 0 } resting ? resting : null,
            Cgroup = cgroups.Status,
            Autospawn = autospawner?.Status,
            Leftovers = leftovers.Status,
            Providers = router.IsUsed ? router.Status() : null,
            Prompt = new StatusPrompt(prefix.Sha256, prefix.Bytes),
            Headroom = headroom?.State ?? new StatusHeadroom(Enabled: false, configuration.HeadroomSocket, Connected: false),
            Counters = new StatusCounters
            {
                Connections = server.Accepted,
                ConnectionsRefused = server.Refused,
                RequestsTooLarge = server.TooLarge,
                EventsMissed = events.Missed,
                PanesEvicted = supervisor.Panes.Evicted,
                LogLinesDropped = log.Dropped,
                SessionEntriesDropped = supervisor.SessionEntriesDropped,
                BoardQueueFull = board.QueueFullCount,
            },
        };
    }

    public Snapshot Snapshot() => new(Protocol.Wire.Snapshot.CurrentSchema, configuration.Host, time.GetUtcNow(), supervisor.Panes.Snapshot());

    /// <summary>One line for a service manager to show.</summary>
    public string Line()
    {
        var tasks = board.Counts;
        return board.Trouble ?? $"{supervisor.Running} of {configuration.MaxAgents} agents running, {tasks.Queued} tasks queued, cost mode {cost.State.Mode.ToString().ToLowerInvariant()}";
    }

    private static StatusCache CacheOf(Usage usage) => new(usage.SentTokens, usage.CacheReadTokens, usage.HitRate);
}
