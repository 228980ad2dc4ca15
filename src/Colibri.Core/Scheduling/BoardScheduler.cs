using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Logging;
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
    StartGate gate,
    PlaceRules rules)
{
    private const int IntakeBatch = 1_000;
    private const int ReadyMargin = 16;

    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(1);

    /// <summary>How long a look waits for the starts that it has begun.</summary>
    internal static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(1);

    private readonly WakeUp _wake = new();
    private readonly ClockWatch _clock = new(time);
    private readonly QueuePass _pass = new();
    private readonly LeftOutTasks _leftOut = new(interval, time);
    private volatile IReadOnlySet<string> _unmatched = new HashSet<string>(StringComparer.Ordinal);
    private volatile QueueLook _seen = QueueLook.None;
    private volatile bool _isWithoutAgents;
    private bool _isWithoutRoute;
    private DateTimeOffset? _readSince;
    private volatile SchedulerStatus _status = new(null, 0, 0);
    private volatile bool _isLooking;
    private volatile TaskCompletionSource _looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isResting;

    public SchedulerStatus Status => _status;

    /// <summary>The agents that it may start.</summary>
    public IReadOnlyList<AgentCandidate> Candidates => candidates;

    /// <summary>Whether a look is under way, with the starts that it makes.</summary>
    public bool IsLooking => _isLooking;

    /// <summary>What the last look saw of the agents that it may start; empty before the first, and while there was no slot to start one.</summary>
    public QueueLook Seen => _seen;

    /// <summary>Whether there is no agent that it may start. Known after the first look.</summary>
    public bool IsWithoutAgents => _isWithoutAgents;

    /// <summary>Queued tasks that no agent can take, as the last pass through the queue saw, at most 4,096. Not changed once it is here.</summary>
    public IReadOnlySet<string> UnmatchedTasks => _unmatched;

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
                _isLooking = true;
                try
                {
                    await DispatchAsync().ConfigureAwait(false);
                }
                finally
                {
                    _isLooking = false;
                }
                failures = 0;
                Interlocked.Exchange(ref _looked, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
                // A wake-up of meanwhile is kept: another pass, from the head of the queue, follows this one.
                if (_pass.IsUnderWay)
                    continue;
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
        // A pass is one look, in as many stretches as it needs.
        if (!_pass.IsUnderWay)
            gate.BeginLook();
        _isWithoutAgents = candidates.Count == 0;
        var resting = supervisor.AtRest.Where(gate.MayTake).ToList();
        var free = _isWithoutAgents ? 0 : supervisor.FreeSlots;
        var usable = free == 0 ? [] : Routed(Usable()).FindAll(gate.MayStart);
        if (usable.Count == 0)
            free = 0;
        if (free == 0 && resting.Count == 0)
        {
            _readSince = null;
            _pass.End();
            return;
        }
        var match = new TaskMatch(free, usable, candidates, resting, gate, rules);
        var isAtHead = !_pass.IsUnderWay;
        _readSince = isAtHead ? time.GetUtcNow() : _readSince;
        _pass.Begin();
        // Usually the first tasks of the queue match. Only if too few of them suit an agent, a long stretch is read.
        bool? goesOn;
        try
        {
            goesOn = await MatchAsync(match, isAtHead ? free + resting.Count + ReadyMargin : QueuePass.Stretch).ConfigureAwait(false);
            if (isAtHead && goesOn is true && match.HasRoom)
                goesOn = await MatchAsync(match, QueuePass.Stretch).ConfigureAwait(false);
        }
        catch
        {
            Release(match);
            throw;
        }
        if (goesOn is null)
        {
            // What was matched by the old clock is not started, and nothing is concluded from half a look.
            Release(match);
            return;
        }
        _status = _status with { Unmatched = _pass.Unmatched };
        if (goesOn is false)
            _leftOut.ForgetUnseen();
        if (!match.HasRoom)
            _pass.End();
        // A resting agent for which the whole queue has no task has nothing more to do. Its end is not awaited here.
        if (!_pass.IsUnderWay)
        {
            _unmatched = _pass.UnmatchedTasks;
            foreach (var idle in resting.Where(agent => !agent.IsKept && !match.IsTaken(agent) && !match.IsHeldBack(agent)))
                idle.Retire();
        }
        var begun = Task.WhenAll(
        [
            .. match.Assignments.Select(assignment => DoForAsync(assignment.Task, () => AssignAsync(assignment.Task.Id, assignment.Agent))),
            .. match.Starts.Select(start => DoForAsync(start.Task, () => StartAsync(start.Task, start.Request))),
        ]);
        // A start takes as long as the setup of its worktree, which may be many minutes. It has its slot and its task by then, and holds up no other.
        // By the process's own clock: nothing is decided by how long it was.
        await Task.WhenAny(begun, Task.Delay(StartPatience, TimeProvider.System)).ConfigureAwait(false);
        if (begun.IsCompleted)
            await begun.ConfigureAwait(false);
        else
            _ = Background.Run(logger, "starts that take their time", OutlastAsync(begun));
    }

    private async Task OutlastAsync(Task begun)
    {
        try
        {
            await begun.ConfigureAwait(false);
        }
        catch (BoardUnavailableException e)
        {
            logger.BoardUnavailable(e.Message);
        }
        finally
        {
            Wake();
        }
    }

    /// <summary>Matches the next stretch of the queue.</summary>
    /// <returns>Whether the queue may go on behind it; null where the clock was set and the look was broken off.</returns>
    private async Task<bool?> MatchAsync(TaskMatch match, int limit)
    {
        var ready = await board.ReadyAsync(limit, time.GetUtcNow(), _pass.After).ConfigureAwait(false);
        if (_clock.Step() is not null)
        {
            // The clock was set a moment ago, and a back-off may look over: it is moved first.
            Wake();
            return null;
        }
        var isOneApart = ready.Any(task => task.RunsApart) && await board.IsOneApartAsync().ConfigureAwait(false);
        foreach (var task in ready.Where(task => !_leftOut.Has(task.Id)))
        {
            try
            {
                if (!match.Offer(task, isOneApart) && _pass.CountUnmatched(task.Id))
                    logger.TaskUnmatched(task.Id, string.Join(", ", task.Capabilities));
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                LeaveOut(task, e);
            }
        }
        return _pass.Read(ready, limit);
    }

    // Starts that got leave and do not happen.
    private void Release(TaskMatch match)
    {
        foreach (var (_, request) in match.Starts)
            gate.Release(request);
        foreach (var (task, agent) in match.Assignments)
            gate.Release(agent.Source, task.Id);
    }

    /// <summary>The agents whose program exists. A program that is missing for a moment makes the tasks wait instead of failing the whole queue.</summary>
    private List<AgentCandidate> Usable()
    {
        var usable = candidates.Where(rules.HasProgram).ToList();
        var missing = candidates.Except(usable).FirstOrDefault()?.Template.Binary;
        var reason = missing is null ? null : supervisor.WhyNot(missing);
        if (missing is not null && (_status.MissingAgent != missing || _status.MissingReason != reason))
        {
            if (reason is null)
                logger.AgentProgramMissing(missing);
            else
                logger.AgentProgramUnusable(missing, reason);
        }
        _status = _status with { MissingAgent = missing, MissingReason = reason };
        // A program that is inside a root alone is there as well.
        _seen = new QueueLook([.. candidates.Select(candidate => (Seen: gate.Seen(candidate), IsThere: usable.Contains(candidate)))
            .Select(look => look is { IsThere: true, Seen.Program: null } ? look.Seen with { Program = look.Seen.Binary } : look.Seen)]);
        return usable.FindAll(candidate => supervisor.RestsUntil(candidate.Template.Binary) is null && rules.IsFit(candidate));
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

    private void LeaveOut(ReadyTask task, Exception error)
    {
        if (_leftOut.Add(task.Id))
            logger.TaskLeftOut(task.Id, (long)interval.TotalSeconds, error);
    }

    private async Task AssignAsync(string taskId, SupervisedAgent agent)
    {
        var isAssigned = false;
        try
        {
            isAssigned = await agent.TryAssignAsync(taskId).ConfigureAwait(false);
        }
        finally
        {
            // Also after a failure: a task that did not start must not keep its provider's other tasks waiting for its answer.
            if (!isAssigned)
                gate.Release(agent.Source, taskId);
        }
        // The agent or the task is taken by now; the next look tries another.
        if (!isAssigned)
            Wake();
    }

    /// <summary>The agents with a provider that can be used, if the daemon chooses providers; else all.</summary>
    private List<AgentCandidate> Routed(List<AgentCandidate> usable)
    {
        var routed = usable.FindAll(gate.HasRoute);
        if (routed.Count == 0 && usable.Count > 0 && !_isWithoutRoute)
            logger.NoRoute(gate.RouteStates);
        _isWithoutRoute = routed.Count == 0 && usable.Count > 0;
        return routed;
    }

    private async Task StartAsync(ReadyTask task, SpawnRequest request)
    {
        var isStarted = false;
        try
        {
            await supervisor.SpawnAsync(request).ConfigureAwait(false);
            isStarted = true;
        }
        catch (SpawnRefusedException e)
        {
            // Another claimant was faster, a client took the slot, or the program cannot start: the task's row says which. What was refused before
            // the claim, for a reason that stays, must not be tried again at once: the slot that it frees wakes the scheduler.
            if (e is { IsClaimed: false, Refusal: SpawnRefusal.ProgramUnusable or SpawnRefusal.NotConfinable or SpawnRefusal.JailWrong or SpawnRefusal.AccessImpossible })
                LeaveOut(task, e);
        }
        finally
        {
            // Others wait for the answer of the task that tries first.
            if (!isStarted)
                gate.Release(request);
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
        var moved = await board.ShiftBackoffsAsync(step.By, step.Since).ConfigureAwait(false);
        _clock.Accept(step.By);
        logger.ClockSet(step.By.TotalSeconds, moved);
    }

    private async Task<TimeSpan> UntilNextLookAsync(TimeSpan untilTick)
    {
        var now = time.GetUtcNow();
        var wait = untilTick;
        Sooner(supervisor.HeldUntil);
        if (candidates.Count > 0)
            Sooner(gate.NextRouteAt);
        Sooner(gate.HeldUntil);
        Sooner(candidates.Min(candidate => supervisor.RestsUntil(candidate.Template.Binary)));
        // The end of a back-off matters only while a slot is free or an agent at rest. Either one wakes the loop when it comes about. What has come due since
        // the queue was read, while starts were under way, was not in it.
        if ((candidates.Count > 0 && supervisor.FreeSlots > 0) || supervisor.AtRest.Count > 0)
            Sooner(await board.NextReadyAtAsync(_readSince ?? now).ConfigureAwait(false));
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
}

/// <summary>The scheduler's part of <c>status</c>.</summary>
/// <param name="LastTickAt">Null before the first tick.</param>
/// <param name="Ticks">Since the daemon started.</param>
/// <param name="Unmatched">Queued tasks that no agent can take, seen when the queue was last looked through.</param>
/// <param name="MissingAgent">The configured agent's program while it is missing or cannot be executed: tasks wait for it; else null.</param>
/// <param name="MissingReason">Why it cannot be executed though it is there; null where it is not there.</param>
public sealed record SchedulerStatus(DateTimeOffset? LastTickAt, long Ticks, int Unmatched, string? MissingAgent = null, string? MissingReason = null);
