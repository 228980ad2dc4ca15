using Colibri.Core.Agents.Confinement;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Processes;
using Colibri.Core.Runs;
using Colibri.Posix.Host;
using Colibri.Posix.Processes;
using Colibri.Posix.Trees;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Agents;

/// <summary>
/// What an earlier daemon left behind, put in order before anybody is answered: its agents ended, tree and all, their runs closed as
/// interrupted, their tasks queued again. A process counts as ours only by pid and start time, by the marker in its environment, or by
/// being in the cgroup that bears the agent's id.
/// </summary>
/// <remarks>
/// What cannot be put in order now, for want of room on the disk or since a process survives, does not keep the daemon from starting. The task
/// is held, and it is tried again: after 1 s, twice as long after each further failure, at the latest every 30 s.
/// </remarks>
public sealed class LeftoverReconciler : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PidLook = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private readonly TaskBoard _board;
    private readonly RunStore _runs;
    private readonly AgentCgroups? _cgroups;
    private readonly JailKeeper? _jails;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationToken _stopping;
    private readonly List<Task> _later = [];
    private Task _running = Task.CompletedTask;
    private int _open;
    private string? _trouble;
    private string? _told;

    /// <param name="board">Has the runs that are open.</param>
    /// <param name="cgroups">Where each agent had one of its own; null where there are none.</param>
    /// <param name="jails">What is left in jails; null where there are none.</param>
    /// <param name="time">Retries and graces are measured with it.</param>
    /// <param name="logger">Is told what was found.</param>
    public LeftoverReconciler(TaskBoard board, AgentCgroups? cgroups, JailKeeper? jails, TimeProvider time, ILogger logger)
    {
        (_board, _cgroups, _jails, _time, _logger) = (board, cgroups, jails, time, logger);
        _runs = new RunStore(board, time, logger);
        _stopping = _stop.Token;
    }

    /// <summary>Whether processes can be told apart here at all; a test says otherwise.</summary>
    internal bool ProcessesCanBeSeen { get; init; } = ProcessTree.CanBeSeen;

    /// <summary>The runs that are still open and why; null where there are none. Costs nothing.</summary>
    public StatusLeftovers? Status => Volatile.Read(ref _open) is > 0 and var runs ? new StatusLeftovers(runs, Volatile.Read(ref _trouble)) : null;

    /// <summary>Returns when all is in order, or is being tried again, or the daemon stops.</summary>
    public Task RunAsync() => _running = SettleAllAsync();

    private async Task SettleAllAsync()
    {
        var startedAt = _time.GetUtcNow();
        var leftovers = await _board.LiveSpawnsAsync().ConfigureAwait(false);
        _open = leftovers.Count;
        await Task.WhenAll(leftovers.Select(SettleAsync)).ConfigureAwait(false);
        if (_stopping.IsCancellationRequested)
            return;
        if (_cgroups is not null)
            await _cgroups.RemoveEndedAsync(_board.HasEndedAsync).ConfigureAwait(false);
        try
        {
            await ReleaseClaimsAsync(DateTimeOffset.MaxValue).ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            Tell(e.Message);
            // By then clients are answered: what they claim under a name of their own is theirs.
            Later(RetryAsync("releasing the claims of unknown agents", () => ReleaseClaimsAsync(startedAt)));
        }
    }

    /// <summary>Stops trying, at once; what is still open the next daemon puts in order.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        // Its failure is its caller's.
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Task[] later;
        lock (_later)
            later = [.. _later];
        await Task.WhenAll(later).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ReleaseClaimsAsync(DateTimeOffset unknownBefore)
    {
        // A claim by an id that no registered agent holds cannot be told from one by a process that is gone.
        foreach (var task in await _board.ReleaseLostAsync(AgentLease.Duration, unknownBefore).ConfigureAwait(false))
            _logger.ClaimReleased(task.Id, task.AgentId);
    }

    private async Task SettleAsync(SpawnRow spawn)
    {
        if (!ProcessesCanBeSeen)
        {
            // Nothing is ended that cannot be told from a stranger, and nothing queued again that may still run.
            _logger.LeftoverUnprovable(spawn.AgentId, spawn.Pid);
            Later(CloseLaterAsync(spawn, RetryAsync($"looking for pid {spawn.Pid}", () => PidFreeAsync(spawn.Pid))));
            return;
        }
        // A tree remembers its members, those too that cleared their environment since: every try asks the same one.
        List<ProcessTree>? trees = null;
        var ended = RetryAsync($"ending what agent {spawn.AgentId} left", () => EndAsync(spawn, trees = spawn.Pid is null ? Trees(spawn) : trees ?? Trees(spawn)));
        var isInTime = await Task.WhenAny(ended, Task.Delay(GiveUpAfter, _time, _stopping)).ConfigureAwait(false) == ended;
        if (_stopping.IsCancellationRequested)
        {
            Later(ended);
            return;
        }
        if (isInTime && await ended.ConfigureAwait(false))
        {
            try
            {
                await CloseAsync(spawn).ConfigureAwait(false);
                await RemoveCgroupAsync(spawn).ConfigureAwait(false);
                return;
            }
            catch (BoardUnavailableException e)
            {
                Tell(e.Message);
            }
        }
        else
        {
            // The daemon starts without it; the run is closed when its processes are gone at last.
            _logger.LeftoverSurvives(spawn.AgentId, spawn.Pid);
        }
        Later(CloseLaterAsync(spawn, ended));
    }

    private async Task PidFreeAsync(int? pid)
    {
        while (pid is not { } recorded || !ProcessTree.IsPidFree(recorded))
            await Task.Delay(PidLook, _time, _stopping).ConfigureAwait(false);
    }

    private async Task CloseLaterAsync(SpawnRow spawn, Task<bool> ended)
    {
        // A tree that does not end must not hold up the daemon's own end.
        await Task.WhenAny(ended, Task.Delay(Timeout.InfiniteTimeSpan, _stopping)).ConfigureAwait(false);
        if (ended.IsCompletedSuccessfully && ended.Result && await RetryAsync($"closing the run of agent {spawn.AgentId}", () => CloseAsync(spawn)).ConfigureAwait(false))
            await RetryAsync($"removing the cgroup of agent {spawn.AgentId}", () => RemoveCgroupAsync(spawn)).ConfigureAwait(false);
    }

    /// <summary>Tries until it succeeds; false where the daemon stops before that. Never throws.</summary>
    private async Task<bool> RetryAsync(string what, Func<Task> work)
    {
        string? told = null;
        for (var pause = FirstRetry; !_stopping.IsCancellationRequested; pause = pause * 2 < LongestRetry ? pause * 2 : LongestRetry)
        {
            try
            {
                await work().ConfigureAwait(false);
                // What else is still refused says so again at its next try.
                Volatile.Write(ref _trouble, null);
                return true;
            }
            catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException && _stopping.IsCancellationRequested)
            {
                return false;
            }
            catch (BoardUnavailableException e)
            {
                Tell(e.Message);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                if (told != e.Message)
                    _logger.UnexpectedFailure(what, e);
                told = e.Message;
                Volatile.Write(ref _trouble, e.Message);
            }
            await Task.Delay(pause, _time, _stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return false;
    }

    private void Later(Task work)
    {
        lock (_later)
            _later.Add(work);
    }

    // Once for all of them, and not at every try.
    private void Tell(string reason)
    {
        Volatile.Write(ref _trouble, reason);
        if (Interlocked.Exchange(ref _told, reason) != reason)
            _logger.LeftoversWait(Volatile.Read(ref _open), reason);
    }

    private async Task CloseAsync(SpawnRow spawn)
    {
        await _runs.EndAsync(new RunEnd
        {
            AgentId = spawn.AgentId,
            Claim = spawn.Claim,
            AgentEnded = true,
            Ending = RunEnding.Interrupted,
            Verdict = RunJudge.Interrupted,
            Error = new(RunJudge.Interrupted, "the daemon ended while the agent was running"),
        }).ConfigureAwait(false);
        _logger.RunInterrupted(spawn.AgentId, spawn.TaskId);
        Interlocked.Decrement(ref _open);
    }

    private Task RemoveCgroupAsync(SpawnRow spawn) => _cgroups?.RemoveAsync(_cgroups.Of(spawn.AgentId)) ?? Task.CompletedTask;

    private async Task EndAsync(SpawnRow spawn, List<ProcessTree> trees)
    {
        if (trees.Exists(tree => tree.CountLeft() > 0))
            _logger.LeftoverFound(spawn.AgentId, spawn.Pid);
        TellOfStranger(spawn, trees);
        var ends = trees.Select(tree =>
        {
            var ender = new TreeEnder(tree, spawn.AgentId, _time, _logger, _jails?.SignalsFor(spawn.Jail, spawn.AgentId));
            ender.KillAfter(Grace);
            return ender.EndAsync(polite: null, _stopping);
        });
        await Task.WhenAll(ends).ConfigureAwait(false);
        if (_jails is not null)
            await _jails.CloseAsync(spawn.Jail, spawn.JailRoot, spawn.AgentId).ConfigureAwait(false);
    }

    private List<ProcessTree> Trees(SpawnRow spawn)
    {
        var marker = AgentMarker.For(spawn.AgentId);
        var cgroup = _cgroups?.Of(spawn.AgentId);
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
            _logger.StrangerLeftAlone(pid, spawn.AgentId, now.StartTime, recorded);
    }
}
