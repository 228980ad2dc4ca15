using Colibri.Core;
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
using Colibri.Daemon.Commands;
using Colibri.Daemon.Logging;
using Colibri.Daemon.Server;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;

namespace Colibri.Daemon.Hosting;

/// <summary>Assembles <c>status</c> from the state of every part. It reads memory alone, except that it checks whether the file of keys has changed.</summary>
internal sealed class StatusView(
    DaemonConfiguration configuration, Engine engine, PromptPrefix prefix, ServerCounters server, FileWatch files, LineLoggerProvider log, TimeProvider time)
{
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private readonly long _startTimestamp = time.GetTimestamp();

    /// <summary>What tasks may name; null where nothing is configured.</summary>
    public ConfiguredPlaces? Places { get; init; }

    public long UptimeMs => (long)time.GetElapsedTime(_startTimestamp).TotalMilliseconds;

    public StatusReport Report()
    {
        var panes = engine.Supervisor.Panes.Snapshot();
        var tick = engine.Scheduler.Status;
        return new StatusReport
        {
            Version = BuildVersion.Text,
            Pid = InitProcess.ServicePid,
            Host = configuration.Host,
            StartedAt = _startedAt,
            UptimeMs = UptimeMs,
            Paths = new StatusPaths(configuration.SocketPath, configuration.DatabasePath, configuration.SessionsDirectory),
            Files = files.Found,
            Cost = engine.Cost.State,
            Scheduler = new StatusScheduler((long)configuration.SchedulerInterval.TotalMilliseconds, tick.LastTickAt, tick.Ticks, tick.Unmatched, tick.MissingAgent, tick.MissingReason),
            Tasks = engine.Board.Counts,
            Agents = new StatusAgents(
                engine.Supervisor.Running,
                configuration.MaxAgents,
                [.. panes.Where(pane => pane.Lifecycle != Lifecycle.Stopped).Select(pane => new StatusAgent(pane.Id, pane.Agent, pane.Activity, pane.TaskId, pane.Label, pane.TaskNumber))],
                Places?.Profiles),
            Workspaces = Places?.Workspaces,
            Groups = GroupsNow(),
            Panes = panes.Count,
            Cache = CacheOf(engine.Supervisor.TotalUsage),
            Budget = engine.Budgets.State,
            Breakers = engine.Breaker.Status() is { Count: > 0 } resting ? resting : null,
            Cgroup = engine.Cgroups?.Status,
            Autospawn = engine.Resident?.Status,
            Leftovers = engine.Leftovers.Status,
            Providers = ProvidersNow(),
            Disk = engine.Disk.State,
            Queue = engine.Pauses.State,
            Notify = engine.Sinks,
            Schedules = engine.SchedulesNow,
            Prompt = new StatusPrompt(prefix.Sha256, prefix.Bytes),
            Headroom = engine.Headroom?.State ?? new StatusHeadroom(Enabled: false, configuration.HeadroomSocket, Connected: false),
            Counters = new StatusCounters
            {
                Connections = server.Accepted,
                ConnectionsRefused = server.Refused,
                ConnectionsEvicted = server.Evicted,
                RequestsTooLarge = server.TooLarge,
                EventsMissed = engine.Events.Missed,
                PanesEvicted = engine.Supervisor.Panes.Evicted,
                LogLinesDropped = log.Dropped,
                SessionEntriesDropped = engine.Supervisor.SessionEntriesDropped,
                BoardQueueFull = engine.Board.QueueFullCount,
            },
        };
    }

    public Snapshot Snapshot() => new(Protocol.Wire.Snapshot.CurrentSchema, configuration.Host, time.GetUtcNow(), engine.Supervisor.Panes.Snapshot());

    /// <summary>One line for a service manager to show.</summary>
    public string Line()
    {
        var tasks = engine.Board.Counts;
        return files.Found?[0].Reason ?? engine.Board.Trouble ?? engine.Disk.WhyHeld ?? $"{engine.Supervisor.Running} of {configuration.MaxAgents} agents running, {tasks.Queued} tasks queued, cost mode {engine.Cost.State.Mode.ToString().ToLowerInvariant()}";
    }

    private IReadOnlyList<StatusRoute>? ProvidersNow()
    {
        IReadOnlyList<StatusRoute> all = [.. engine.Router.Status(), .. engine.Holds.Status()];
        return all.Count > 0 ? all : null;
    }

    private List<StatusGroup>? GroupsNow()
    {
        var loads = engine.Board.Groups;
        List<StatusGroup>? groups = null;
        foreach (var group in engine.Settings.Current.Groups)
        {
            var load = loads.TryGetValue(group.Name, out var known) ? known : GroupLoad.None;
            (groups ??= []).Add(new StatusGroup(group.Name, group.Limit, load.Running.Count, load.Queued));
        }
        return groups;
    }

    private static StatusCache CacheOf(Usage usage) => new(usage.SentTokens, usage.CacheReadTokens, usage.HitRate);
}
