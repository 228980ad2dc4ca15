using Colibri.Core.Logging;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Polling;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Processes;

/// <summary>
/// A cgroup of its own for each agent, where Linux lets the daemon make one. Without it, an agent's tree is found and ended by sweeps alone.
/// Its name is the agent's id, which was persisted before, so the next daemon knows to which agent it belongs.
/// </summary>
public sealed class AgentCgroups
{
    private const string Prefix = "colibri-";
    private const int RemoveAttempts = 20;

    private static readonly TimeSpan RemovePause = TimeSpan.FromMilliseconds(5);

    private readonly OwnCgroup? _own;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ExecTrampoline? _trampoline;
    private string? _reason;
    private string? _memoryReason;
    private string? _processReason;

    /// <param name="own">The daemon's own; null without cgroups.</param>
    /// <param name="reason">Why there are none.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    /// <param name="trampoline">What an agent's process is until it is in its cgroup; null moves it there after its start.</param>
    internal AgentCgroups(OwnCgroup? own, string? reason, TimeProvider time, ILogger logger, ExecTrampoline? trampoline = null) =>
        (_own, _reason, _time, _logger, _trampoline) = (own, reason, time, logger, trampoline);

    /// <summary>What <c>status</c> says about them; null on a system that has none.</summary>
    public StatusCgroup? Status => HostPlatform.Kind == OperatingSystemKind.Linux ? new StatusCgroup(_own?.Path, Volatile.Read(ref _reason)) : null;

    /// <summary>Why limits of memory are kept by a look each second; null where the kernel keeps them.</summary>
    public string? WhyMemoryIsLookedAt => HostPlatform.Kind != OperatingSystemKind.Linux
        ? "rctl(8) limits processes, users, jails and login classes, and no tree of processes"
        : _own is null ? $"agents have no cgroups: {Volatile.Read(ref _reason)}" : Volatile.Read(ref _memoryReason) ?? _own.WhyNoMemory();

    /// <summary>Why limits of processes are not kept; null where the kernel keeps them.</summary>
    public string? WhyProcessesAreNotLimited => HostPlatform.Kind != OperatingSystemKind.Linux
        ? "rctl(8) limits processes, users, jails and login classes, and no tree of processes"
        : _own is null ? $"agents have no cgroups: {Volatile.Read(ref _reason)}" : Volatile.Read(ref _processReason) ?? _own.WhyNoProcesses();

    /// <summary>Finds out whether the daemon may make cgroups, and logs the result once.</summary>
    public static AgentCgroups Find(TimeProvider time, ILogger logger)
    {
        var own = OwnCgroup.Find(out var reason);
        if (own is not null)
            logger.CgroupsFound(own.Path);
        else if (HostPlatform.Kind == OperatingSystemKind.Linux)
            logger.CgroupsMissing(reason);
        return new AgentCgroups(own, own is null ? reason : null, time, logger, ExecTrampoline.OfThisProgram);
    }

    /// <summary>Makes the cgroup of an agent that is persisted; null where cgroups are not used or the kernel refuses.</summary>
    internal Cgroup? Create(string agentId)
    {
        try
        {
            return _own?.Create(Prefix + agentId);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The likely cause is cgroup.max.descendants.
            Tell(agentId, e.Message);
            return null;
        }
    }

    /// <summary>Has the kernel hold an agent's tree to a limit of memory. Before its process is in the cgroup.</summary>
    /// <returns>False where a look each second has to; the log says why, once.</returns>
    internal bool TryLimit(Cgroup? cgroup, long bytes)
    {
        var reason = _own is null || cgroup is null ? WhyMemoryIsLookedAt ?? "the agent has no cgroup" : _own.EnableMemory() ?? cgroup.LimitMemory(bytes);
        // The cgroup's name differs with each agent.
        var known = cgroup is null ? reason : reason?.Replace(cgroup.Path, "AGENT_CGROUP", StringComparison.Ordinal);
        if (Interlocked.Exchange(ref _memoryReason, known) != known && known is not null)
            _logger.MemoryIsLookedAt(known);
        return reason is null;
    }

    /// <summary>Has the kernel hold an agent's tree to a number of processes. Before its process is in the cgroup.</summary>
    /// <returns>False where nothing holds it; the log says why, once.</returns>
    internal bool TryLimitProcesses(Cgroup? cgroup, long count)
    {
        var reason = _own is null || cgroup is null ? WhyProcessesAreNotLimited ?? "the agent has no cgroup" : _own.EnableProcesses() ?? cgroup.LimitProcesses(count);
        var known = cgroup is null ? reason : reason?.Replace(cgroup.Path, "AGENT_CGROUP", StringComparison.Ordinal);
        if (Interlocked.Exchange(ref _processReason, known) != known && known is not null)
            _logger.ProcessesNotLimited(known);
        return reason is null;
    }

    /// <summary>
    /// Starts an agent's process. With a cgroup it is in there before its program's first instruction; where that cannot be had, it is moved there
    /// after its start, and the log and <c>status</c> say why.
    /// </summary>
    /// <exception cref="SpawnException">The process cannot be started.</exception>
    internal async Task<ChildProcess> StartAsync(ChildProcesses processes, SpawnOptions options, EventLoop loop, string agentId)
    {
        if (options.Cgroup is null || _trampoline is not { } trampoline)
            return processes.Spawn(options);
        try
        {
            // The marker from the start: the next daemon must find it, should this one be killed meanwhile.
            var marked = trampoline with { Environment = trampoline.Environment.With([new(AgentMarker.Variable, agentId)]) };
            return await PlacedStart.StartAsync(processes, options, marked, loop, _time).ConfigureAwait(false);
        }
        catch (TrampolineException e)
        {
            var reason = $"agents are moved into their cgroups only after their start: {e.Message}";
            if (Interlocked.Exchange(ref _reason, reason) != reason)
                _logger.TrampolineFailed(agentId, e.Message);
            return processes.Spawn(options);
        }
    }

    /// <summary>The cgroup, if the agent's process is in it.</summary>
    internal Cgroup? Keep(Cgroup? cgroup, string agentId)
    {
        if (cgroup is null or { PlacementError: 0 })
            return cgroup;
        Tell(agentId, $"{cgroup.Path}/cgroup.procs: {Errno.Describe(cgroup.PlacementError)}");
        cgroup.TryRemove();
        return null;
    }

    /// <summary>The cgroup that an earlier daemon made for an agent; null where there is none.</summary>
    internal Cgroup? Of(string agentId) => _own?.Open(Prefix + agentId);

    /// <summary>Removes an agent's cgroup, in which nothing lives any more.</summary>
    internal async Task RemoveAsync(Cgroup? cgroup)
    {
        for (var attempt = 1; cgroup is not null && !cgroup.TryRemove(); attempt++)
        {
            // The kernel may take a moment to release the last process. The next daemon removes a cgroup that stays.
            if (attempt == RemoveAttempts)
            {
                _logger.CgroupStays(cgroup.Path);
                return;
            }
            await Task.Delay(RemovePause, _time).ConfigureAwait(false);
        }
    }

    /// <summary>Removes the empty cgroups that earlier daemons made for agents that have ended.</summary>
    /// <param name="hasEnded">Whether the board has an agent of that id whose end is recorded.</param>
    internal async Task RemoveEndedAsync(Func<string, Task<bool>> hasEnded)
    {
        foreach (var agentId in _own?.Names(Prefix).Select(name => name[Prefix.Length..]) ?? [])
        {
            if (await hasEnded(agentId).ConfigureAwait(false) && Of(agentId) is { } left && !left.TryRemove())
                _logger.CgroupStays(left.Path);
        }
    }

    private void Tell(string agentId, string reason)
    {
        // Logged once, not for each agent.
        reason = reason.Replace(agentId, "AGENT_ID", StringComparison.Ordinal);
        if (Interlocked.Exchange(ref _reason, reason) != reason)
            _logger.CgroupRefused(agentId, reason);
    }
}
