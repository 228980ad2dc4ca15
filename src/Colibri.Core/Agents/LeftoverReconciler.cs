using Colibri.Core.Agents.Confinement;
using Colibri.Core.Board;
using Colibri.Core.Board.Storage;
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
/// Cleans up what an earlier daemon left, before the first client is answered: ends its agents with their trees, closes their runs as
/// interrupted, and queues their tasks again. A process counts as ours only by pid and start time, by the marker in its environment, or by
/// being in the cgroup that bears the agent's id.
/// </summary>
/// <remarks>
/// If a leftover cannot be cleaned up now, because the disk is full or a process survives, the daemon starts all the same. Its task keeps its
/// state, and the clean-up is tried again: after 1 s, then after twice as long each time, at most 30 s.
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

    /// <param name="board">The board with the open runs.</param>
    /// <param name="cgroups">The agents' cgroups; null on a system without them.</param>
    /// <param name="jails">Cleans up jails; null on a system without them.</param>
    /// <param name="time">Measures retries and graces.</param>
    /// <param name="logger">Logs what was found.</param>
    public LeftoverReconciler(TaskBoard board, AgentCgroups? cgroups, JailKeeper? jails, TimeProvider time, ILogger logger)
    {
        (_board, _cgroups, _jails, _time, _logger) = (board, cgroups, jails, time, logger);
        _runs = new RunStore(board, time, logger);
        _stopping = _stop.Token;
    }

    /// <summary>Whether processes can be told apart on this host; tests set it to false.</summary>
    internal bool ProcessesCanBeSeen { get; init; } = ProcessTree.CanBeSeen;

    /// <summary>The runs that are still open and why; null if there are none. Reads memory alone.</summary>
    public StatusLeftovers? Status => Volatile.Read(ref _open) is > 0 and var runs ? new StatusLeftovers(runs, Volatile.Read(ref _trouble)) : null;

    /// <summary>Returns when all is in order, or is being tried again, or the daemon stops.</summary>
    public Task RunAsync() => _running = SettleAllAsync();

    private async Task SettleAllAsync()
    {
        var leftovers = await _board.LiveSpawnsAsync().ConfigureAwait(false);
        _open = leftovers.Count;
        await Task.WhenAll(leftovers.Select(SettleAsync)).ConfigureAwait(false);
        if (_stopping.IsCancellationRequested)
            return;
        if (_cgroups is not null)
            await _cgroups.RemoveEndedAsync(_board.HasEndedAsync).ConfigureAwait(false);
        try
        {
            await ReleaseClaimsAsync(UnknownClaims.All).ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            Tell(e.Message);
            // By the retry clients are answered, and tasks that they have claimed since under names of their own are theirs.
            Later(RetryAsync("releasing the claims of unknown agents", () => ReleaseClaimsAsync(UnknownClaims.OfEarlierStarts)));
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

    private async Task ReleaseClaimsAsync(UnknownClaims unknown)
    {
        // A claim under a name that no registered agent has may be that of a process that is gone.
        foreach (var task in await _board.ReleaseLostAsync(AgentLease.Duration, unknown).ConfigureAwait(false))
            _logger.ClaimReleased(task.Id, task.AgentId);
    }

    private async Task SettleAsync(SpawnRow spawn)
    {
        if (!ProcessesCanBeSeen)
        {
            // A process that cannot be told from another's is not ended, and a task whose agent may still run is not queued again.
            _logger.LeftoverUnprovable(spawn.AgentId, spawn.Pid);
            Later(CloseLaterAsync(spawn, RetryAsync($"looking for pid {spawn.Pid}", () => PidFreeAsync(spawn.Pid))));
            return;
        }
        // Every try uses the same tree object, because it remembers its members, including those that cleared their environment since.
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
            // The daemon starts anyway; the run is closed once its processes have ended.
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
        // A tree that does not end must not delay the daemon's own end.
        await Task.WhenAny(ended, Task.Delay(Timeout.InfiniteTimeSpan, _stopping)).ConfigureAwait(false);
        if (ended.IsCompletedSuccessfully && ended.Result && await RetryAsync($"closing the run of agent {spawn.AgentId}", () => CloseAsync(spawn)).ConfigureAwait(false))
            await RetryAsync($"removing the cgroup of agent {spawn.AgentId}", () => RemoveCgroupAsync(spawn)).ConfigureAwait(false);
    }

    /// <summary>Tries until it succeeds; false if the daemon stops before that. Never throws.</summary>
    private async Task<bool> RetryAsync(string what, Func<Task> work)
    {
        string? told = null;
        for (var pause = FirstRetry; !_stopping.IsCancellationRequested; pause = pause * 2 < LongestRetry ? pause * 2 : LongestRetry)
        {
            try
            {
                await work().ConfigureAwait(false);
                // Other leftovers that still fail log it again at their next try.
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

    // Logged once for all leftovers, not at every try.
    private void Tell(string reason)
    {
        Volatile.Write(ref _trouble, reason);
        if (Interlocked.Exchange(ref _told, reason) != reason)
            _logger.LeftoversWait(Volatile.Read(ref _open), reason);
    }

    private async Task CloseAsync(SpawnRow spawn)
    {
        var closed = await _runs.EndAsync(new RunEnd
        {
            AgentId = spawn.AgentId,
            Claim = spawn.Claim,
            AgentEnded = true,
            Ending = RunEnding.Killed,
            Verdict = RunJudge.Interrupted,
            Error = new(RunJudge.Interrupted, "the daemon ended while the agent was running"),
        }).ConfigureAwait(false);
        if (closed.Task is { Held: true, Verdict: TaskRow.Poison } held)
            _logger.TaskPoison(held.Id, held.Interruptions);
        else if (spawn.TaskId is { } taskId)
            _logger.RunInterrupted(spawn.AgentId, taskId);
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
        // The daemon was killed between starting the process and recording its pid: only marker and cgroup identify the process.
        var found = ProcessTree.FindByMarker(marker).Select(identity => ProcessTree.Of(identity, marker));
        // What is hidden in a jail is looked for beside a tree, so there has to be one.
        return cgroup is null && spawn.Jail is null ? [.. found] : [ProcessTree.Of(default, marker, cgroup), .. found];
    }

    /// <summary>
    /// Logs that another process of this boot now has the recorded pid, for an operator who looks for the agent by its pid: that process was not ended.
    /// </summary>
    private void TellOfStranger(SpawnRow spawn, List<ProcessTree> trees)
    {
        if (spawn is not { Pid: { } pid, StartTime: { } recorded } || spawn.BootId != BootId.Current)
            return;
        if (ProcessIdentity.TryRead(pid, out var now) && !StartTimes.AreSame(now.StartTime, recorded) && !trees.Exists(tree => tree.Members().Any(now.IsSameAs)))
            _logger.StrangerLeftAlone(pid, spawn.AgentId, now.StartTime, recorded);
    }
}
