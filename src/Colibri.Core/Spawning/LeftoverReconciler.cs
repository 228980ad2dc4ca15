using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Spawning.Confinement;
using Colibri.Posix;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Spawning;

/// <summary>
/// What an earlier daemon left behind, put in order before anybody is answered: its agents ended, tree and all, their runs closed as
/// interrupted, their tasks queued again. A process counts as ours only by pid and start time, by the marker in its environment, or by
/// being in the cgroup that bears the agent's id.
/// </summary>
public sealed class LeftoverReconciler(TaskBoard board, AgentCgroups? cgroups, JailKeeper? jails, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PidLook = TimeSpan.FromSeconds(1);

    /// <summary>Whether processes can be told apart here at all; a test says otherwise.</summary>
    internal bool ProcessesCanBeSeen { get; init; } = ProcessTree.CanBeSeen;

    public async Task RunAsync()
    {
        var leftovers = await board.LiveSpawnsAsync().ConfigureAwait(false);
        await Task.WhenAll(leftovers.Select(SettleAsync)).ConfigureAwait(false);
        if (cgroups is not null)
            await cgroups.RemoveEndedAsync(board.HasEndedAsync).ConfigureAwait(false);
        // A claim by an id that no registered agent holds cannot be told from one by a process that is gone.
        foreach (var task in await board.ReleaseLostAsync(time.GetUtcNow() - AgentLease.Duration, releaseUnknownClaimants: true).ConfigureAwait(false))
            logger.ClaimReleased(task.Id, task.AgentId);
    }

    private async Task SettleAsync(SpawnRow spawn)
    {
        if (!ProcessesCanBeSeen)
        {
            // Nothing is ended that cannot be told from a stranger, and nothing queued again that may still run.
            logger.LeftoverUnprovable(spawn.AgentId, spawn.Pid);
            _ = CloseLaterAsync(spawn, PidFreeAsync(spawn.Pid));
            return;
        }
        var ended = EndAsync(spawn);
        if (await Task.WhenAny(ended, Task.Delay(GiveUpAfter, time)).ConfigureAwait(false) == ended)
        {
            await ended.ConfigureAwait(false);
            await CloseAsync(spawn).ConfigureAwait(false);
            return;
        }
        // The daemon starts without it; the run is closed when its processes are gone at last.
        logger.LeftoverSurvives(spawn.AgentId, spawn.Pid);
        _ = CloseLaterAsync(spawn, ended);
    }

    private async Task PidFreeAsync(int? pid)
    {
        while (pid is not { } recorded || !ProcessTree.IsPidFree(recorded))
            await Task.Delay(PidLook, time).ConfigureAwait(false);
    }

    private async Task CloseLaterAsync(SpawnRow spawn, Task ended)
    {
        try
        {
            await ended.ConfigureAwait(false);
            await CloseAsync(spawn).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or BoardUnavailableException or ObjectDisposedException)
        {
            logger.UnexpectedFailure($"closing the run of agent {spawn.AgentId}", e);
        }
    }

    private async Task CloseAsync(SpawnRow spawn)
    {
        await board.EndSpawnAsync(spawn.AgentId, new SpawnEnd
        {
            Ending = RunEnding.Interrupted,
            Verdict = "interrupted",
            Error = new("interrupted", "the daemon ended while the agent was running"),
        }).ConfigureAwait(false);
        logger.RunInterrupted(spawn.AgentId, spawn.TaskId);
        if (cgroups is not null)
            await cgroups.RemoveAsync(cgroups.Of(spawn.AgentId)).ConfigureAwait(false);
    }

    private async Task EndAsync(SpawnRow spawn)
    {
        var trees = Trees(spawn);
        if (trees.Exists(tree => tree.CountLeft() > 0))
            logger.LeftoverFound(spawn.AgentId, spawn.Pid);
        TellOfStranger(spawn, trees);
        var ends = trees.Select(tree =>
        {
            var ender = new TreeEnder(tree, spawn.AgentId, time, logger, jails?.SignalsFor(spawn.Jail, spawn.AgentId));
            ender.KillAfter(Grace);
            return ender.EndAsync(polite: null);
        });
        await Task.WhenAll(ends).ConfigureAwait(false);
        if (jails is not null)
            await jails.CloseAsync(spawn.Jail, spawn.JailRoot, spawn.AgentId).ConfigureAwait(false);
    }

    private List<ProcessTree> Trees(SpawnRow spawn)
    {
        var marker = AgentMarker.For(spawn.AgentId);
        var cgroup = cgroups?.Of(spawn.AgentId);
        if (spawn is { Pid: { } pid, StartTime: { } startTime, BootId: { } bootId })
            return [ProcessTree.Of(new ProcessIdentity(pid, startTime, bootId), marker, cgroup)];
        // Killed between starting the process and putting its pid on record: marker and cgroup alone tell.
        var found = ProcessTree.FindByMarker(marker).Select(identity => ProcessTree.Of(identity, marker));
        return cgroup is null ? [.. found] : [ProcessTree.Of(default, marker, cgroup), .. found];
    }

    /// <summary>Somebody else has the pid on record, in the same boot: whoever looks for the agent by it should know that it was not ended.</summary>
    private void TellOfStranger(SpawnRow spawn, List<ProcessTree> trees)
    {
        if (spawn is not { Pid: { } pid, StartTime: { } recorded } || spawn.BootId != BootId.Current)
            return;
        if (ProcessIdentity.TryRead(pid, out var now) && now.StartTime != recorded && !trees.Exists(tree => tree.Members().Contains(now)))
            logger.StrangerLeftAlone(pid, spawn.AgentId, now.StartTime, recorded);
    }
}
