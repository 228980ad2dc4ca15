using System.Collections.Concurrent;
using Colibri.Core.Agents;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Logging;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Scheduling;

/// <summary>
/// Assigns tasks to agents. It looks at the board at each event that matters (a task queued, an agent's slot free, a back-off over), so that
/// a task does not wait for a tick. The tick drains the intake and releases the tasks of lost claimants.
/// </summary>
public sealed class BoardScheduler(
    TaskBoard board,
    AgentSupervisor supervisor,
    IReadOnlyList<AgentCandidate> candidates,
    TimeSpan interval,
    TimeProvider time,
    ILogger logger,
    ProviderRouter? router = null)
{
    private const int IntakeBatch = 1_000;
    private const int ReadyMargin = 16;
    private const int LongestLook = 4_096;

    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(1);

    private readonly WakeUp _wake = new();
    private readonly ClockWatch _clock = new(time);
    // Tasks whose matching or start failed with an unexpected exception, with the time on the monotonic clock. Concurrent starts add to it.
    private readonly ConcurrentDictionary<string, long> _failed = new(StringComparer.Ordinal);
    private HashSet<string> _unmatched = new(StringComparer.Ordinal);
    private bool _isWithoutRoute;
    private volatile SchedulerStatus _status = new(null, 0, 0);
    private volatile TaskCompletionSource _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isResting;

    public SchedulerStatus Status => _status;

    /// <summary>Wakes the scheduler for a look at the board. Never blocks; several calls may share one look.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Completes after the next look at the board; at once while the scheduler pauses after a failed look.</summary>
    public Task AnswerAsync()
    {
        var look = _looked.Task;
        if (_isResting)
            return Task.CompletedTask;
        Wake();
        return look;
    }

    /// <summary>
    /// Runs until cancelled. A task whose matching or start fails is logged once and skipped for an interval; the others go on. If a whole look
    /// fails, the next one comes with a wake-up, at the latest after an interval. A pause precedes it: 1 s, doubled after each further failure.
    /// </summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        // All waits are on the monotonic clock: setting the host's clock must neither delay a tick nor bring it forward.
        long? lastTick = null;
        var failures = 0;
        var isBounded = false;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (!isBounded)
                    await board.BoundBackoffsAsync().ConfigureAwait(false);
                isBounded = true;
                await FollowClockAsync().ConfigureAwait(false);
                if (UntilTick(lastTick) == TimeSpan.Zero)
                {
                    await TickAsync().ConfigureAwait(false);
                    lastTick = time.GetTimestamp();
                }
                await DispatchAsync().ConfigureAwait(false);
                failures = 0;
                Interlocked.Exchange(ref _looked, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
                var (wait, since) = (await UntilNextLookAsync(UntilTick(lastTick)).ConfigureAwait(false), time.GetTimestamp());
                await _wake.WaitAsync(wait, time, stopping).ConfigureAwait(false);
                if (time.GetElapsedTime(since) - wait is var late && late >= FairWait.Late)
                    board.StoodStill(late);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (BoardUnavailableException e)
            {
                logger.BoardUnavailable(e.Message);
                await RestAsync(++failures, stopping).ConfigureAwait(false);
                lastTick = null;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                logger.UnexpectedFailure("the scheduler", e);
                await RestAsync(++failures, stopping).ConfigureAwait(false);
                lastTick = null;
            }
        }
    }

    /// <summary>Drains the intake and releases the tasks of lost claimants.</summary>
    public async Task TickAsync()
    {
        IReadOnlyList<BoardTask> drained;
        do
            drained = await board.DrainIntakeAsync(IntakeBatch).ConfigureAwait(false);
        while (drained.Count == IntakeBatch);
        foreach (var released in await board.ReleaseLostAsync(AgentLease.Duration, UnknownClaims.None).ConfigureAwait(false))
            logger.ClaimReleased(released.Id, released.AgentId);
        _status = _status with { LastTickAt = time.GetUtcNow(), Ticks = _status.Ticks + 1 };
    }

    private async Task DispatchAsync()
    {
        var resting = supervisor.AtRest;
        var free = candidates.Count == 0 ? 0 : supervisor.FreeSlots;
        var usable = free == 0 ? [] : Routed(Usable());
        if (usable.Count == 0)
            free = 0;
        if (free == 0 && resting.Count == 0)
            return;
        var unmatched = new HashSet<string>(StringComparer.Ordinal);
        // Usually the first tasks of the queue match. The window grows only if too few of them suit an agent.
        for (var window = free + resting.Count + ReadyMargin; ; window *= 4)
        {
            var ready = await board.ReadyAsync(Math.Min(window, LongestLook), time.GetUtcNow()).ConfigureAwait(false);
            var (starts, assignments) = Match(ready, free, usable, resting, unmatched);
            if (starts.Count + assignments.Count < free + resting.Count && ready.Count == window && window < LongestLook)
                continue;
            _unmatched = unmatched;
            _status = _status with { Unmatched = unmatched.Count };
            ForgetFailed(ready);
            // A resting agent without a new assignment has nothing more to do. Its end is not awaited here.
            foreach (var idle in resting.Where(agent => !agent.IsKept && !assignments.Exists(assignment => assignment.Agent == agent)))
                idle.Retire();
            await Task.WhenAll(
            [
                .. assignments.Select(assignment => DoForAsync(assignment.Task, () => AssignAsync(assignment.Task.Id, assignment.Agent))),
                .. starts.Select(start => DoForAsync(start.Task, () => StartAsync(start.Task.Id, start.Candidate))),
            ]).ConfigureAwait(false);
            return;
        }
    }

    /// <summary>The agents whose program exists. A program that is missing for a moment makes the tasks wait instead of failing the whole queue.</summary>
    private List<AgentCandidate> Usable()
    {
        var usable = candidates.Where(candidate => supervisor.IsInstalled(candidate.Template.Binary)).ToList();
        var missing = candidates.Except(usable).FirstOrDefault()?.Template.Binary;
        if (missing is not null && _status.MissingAgent != missing)
            logger.AgentProgramMissing(missing);
        _status = _status with { MissingAgent = missing };
        return usable.FindAll(candidate => supervisor.MayStart(candidate.Template.Binary));
    }

    /// <summary>Matches tasks with agents. A living agent comes before one that would have to be started.</summary>
    private (List<(ReadyTask Task, AgentCandidate Candidate)> Starts, List<(ReadyTask Task, SupervisedAgent Agent)> Assignments) Match(
        IReadOnlyList<ReadyTask> ready, int free, List<AgentCandidate> usable, IReadOnlyList<SupervisedAgent> resting, HashSet<string> unmatched)
    {
        var starts = new List<(ReadyTask, AgentCandidate)>();
        var assignments = new List<(ReadyTask Task, SupervisedAgent Agent)>();
        foreach (var task in ready.Where(task => !IsLeftOut(task)))
        {
            try
            {
                MatchOne(task);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                LeaveOut(task, e);
            }
        }
        return (starts, assignments);

        void MatchOne(ReadyTask task)
        {
            var able = resting
                .Where(agent => !assignments.Exists(assignment => assignment.Agent == agent))
                .Select(agent => (Agent: agent, Score: CapabilityMatch.Score(task.Capabilities, agent.Offers)))
                .Where(match => match.Score > 0).ToList();
            if (able.Count > 0)
            {
                assignments.Add((task, able.MaxBy(match => match.Score).Agent));
            }
            else if (CapabilityMatch.Best(task.Capabilities, usable) is not { } candidate)
            {
                // Logged once for each task; status has the number of all.
                if (unmatched.Add(task.Id) && !_unmatched.Contains(task.Id))
                    logger.TaskUnmatched(task.Id, string.Join(", ", task.Capabilities));
            }
            else if (starts.Count < free)
            {
                starts.Add((task, candidate));
            }
        }
    }

    /// <summary>Works on one task. Its failure concerns that task alone; only a board that cannot be written fails the whole look.</summary>
    private async Task DoForAsync(ReadyTask task, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException and not BoardUnavailableException)
        {
            LeaveOut(task, e);
        }
    }

    private bool IsLeftOut(ReadyTask task) => _failed.TryGetValue(task.Id, out var since) && time.GetElapsedTime(since) < interval;

    private void LeaveOut(ReadyTask task, Exception error)
    {
        var now = time.GetTimestamp();
        if (_failed.TryAdd(task.Id, now))
            logger.TaskLeftOut(task.Id, (long)interval.TotalSeconds, error);
        else
            _failed[task.Id] = now;
    }

    /// <summary>
    /// Forgets failed tasks that have left the queue. So the memory is bounded by the tasks of one look plus those of one interval.
    /// </summary>
    private void ForgetFailed(IReadOnlyList<ReadyTask> ready)
    {
        if (_failed.IsEmpty)
            return;
        var queued = ready.Select(task => task.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var (id, since) in _failed)
        {
            if (!queued.Contains(id) && time.GetElapsedTime(since) >= interval)
                _failed.TryRemove(id, out _);
        }
    }

    private async Task AssignAsync(string taskId, SupervisedAgent agent)
    {
        // The agent or the task is taken by now; the next look tries another.
        if (!await agent.TryAssignAsync(taskId).ConfigureAwait(false))
            Wake();
    }

    /// <summary>The agents with a provider that can be used, if the daemon chooses providers; else all.</summary>
    private List<AgentCandidate> Routed(List<AgentCandidate> usable)
    {
        if (router is not { IsUsed: true })
            return usable;
        var routed = usable.Where(candidate => candidate.Template.StatesProvider || router.Choose(ProvidersOf(candidate.Template)) is not null).ToList();
        if (routed.Count == 0 && usable.Count > 0 && !_isWithoutRoute)
            logger.NoRoute(string.Join(", ", router.Status().Select(route => $"{route.Provider} {route.State}")));
        _isWithoutRoute = routed.Count == 0 && usable.Count > 0;
        return routed;
    }

    private async Task StartAsync(string taskId, AgentCandidate candidate)
    {
        var request = candidate.Template with { TaskId = taskId };
        if (router is { IsUsed: true } && !request.StatesProvider)
        {
            if (router.Choose(ProvidersOf(request)) is not { } route)
                return;
            request = request with { Provider = route.Provider, Model = route.Model };
        }
        try
        {
            await supervisor.SpawnAsync(request).ConfigureAwait(false);
        }
        catch (SpawnRefusedException)
        {
            // Another claimant was faster, a client took the slot, or the program cannot start. The task's row says which.
        }
    }

    private TimeSpan UntilTick(long? last)
    {
        var left = last is { } since ? interval - time.GetElapsedTime(since) : TimeSpan.Zero;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>
    /// Back-offs on the board are wall-clock times, so that they outlive the daemon and people can read them. When the clock is set, they move
    /// with it: a step back by an hour must not hold a task for an hour longer, and a step forward must not end its wait.
    /// </summary>
    private async Task FollowClockAsync()
    {
        if (_clock.Step() is not { } step)
            return;
        var moved = await board.ShiftBackoffsAsync(step.By, step.Before).ConfigureAwait(false);
        _clock.Accept(step.By);
        logger.ClockSet(step.By.TotalSeconds, moved);
    }

    private async Task<TimeSpan> UntilNextLookAsync(TimeSpan untilTick)
    {
        var now = time.GetUtcNow();
        var wait = untilTick;
        Sooner(supervisor.HeldUntil);
        if (candidates.Count > 0)
            Sooner(router?.NextAt());
        Sooner(candidates.Min(candidate => supervisor.RestsUntil(candidate.Template.Binary)));
        // The end of a back-off matters only while a slot is free. A freed slot wakes the loop itself.
        if (candidates.Count > 0 && supervisor.FreeSlots > 0)
            Sooner(await board.NextReadyAtAsync(now).ConfigureAwait(false));
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;

        // The wait is on the monotonic clock. If the wall clock is set meanwhile, the look comes no later than the tick.
        void Sooner(DateTimeOffset? at)
        {
            if (at is { } end && end - now < wait)
                wait = end - now;
        }
    }

    private async Task RestAsync(int failures, CancellationToken stopping)
    {
        _isResting = true;
        // Release the callers of AnswerAsync: no look follows during the pause.
        Interlocked.Exchange(ref _looked, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        // A failed start frees a slot, which wakes the scheduler. The pause keeps that from becoming a tight loop of failures.
        var doubled = ShortestRest * Math.Pow(2, Math.Min(failures - 1, 16));
        var pause = doubled < interval ? doubled : interval;
        await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (pause < interval)
            await _wake.WaitAsync(interval - pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _isResting = false;
    }

    /// <summary>The providers that the agent of a request can be started on; null for any.</summary>
    private static IReadOnlyList<string>? ProvidersOf(SpawnRequest request) => AgentProfiles.For(request.Runtime, request.Binary).Providers;
}

/// <summary>The scheduler's part of <c>status</c>.</summary>
/// <param name="LastTickAt">Null before the first tick.</param>
/// <param name="Ticks">Since the daemon started.</param>
/// <param name="Unmatched">Queued tasks that no agent can take, seen when the queue was last looked through.</param>
/// <param name="MissingAgent">The configured agent's program while it is missing: tasks wait for it; else null.</param>
public sealed record SchedulerStatus(DateTimeOffset? LastTickAt, long Ticks, int Unmatched, string? MissingAgent = null);
