using Colibri.Core.Board;
using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Board;

/// <summary>
/// Random steps of random tasks with parents, policies and groups, against a plain model in memory. After each step every task's state, whether it is held and
/// why, both counts of its row, the queue, the groups and the sums have to be what the model says.
/// </summary>
public sealed class WorkflowModelTests : IAsyncDisposable
{
    private const int Steps = 400;

    private static readonly Dictionary<string, int> Limits = new() { ["one"] = 1, ["two"] = 2 };

    private readonly List<Entry> _tasks = [];
    private readonly BoardFixture _fixture = new();
    private Random _random = null!;
    private int _agents;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    [Arguments(1)]
    [Arguments(2)]
    [Arguments(3)]
    [Arguments(0)]
    public async Task Everything_is_as_a_plain_model_says(int seed)
    {
        // 0 is another seed each time, which a failure names.
        seed = seed == 0 ? Random.Shared.Next() : seed;
        _random = new Random(seed);
        foreach (var (group, limit) in Limits)
            _fixture.GroupLimits[group] = limit;
        for (var step = 0; step < Steps; step++)
        {
            var what = "nothing";
            try
            {
                what = await StepAsync();
                await CompareAsync();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new InvalidOperationException($"seed {seed}, step {step}, {what}: {e.Message}", e);
            }
            if (step % 100 == 99)
                await _fixture.Reopen();
        }
    }

    private async Task<string> StepAsync()
    {
        var choice = _tasks.Count < 5 ? 0 : _random.Next(14);
        var task = choice == 0 ? null : _tasks[_random.Next(_tasks.Count)];
        switch (choice)
        {
            case 0 or 1:
                return await CreateAsync();
            case 2:
                return await EditAsync(task!);
            case 3 or 4 or 5:
                return await FinishFromOutsideAsync(task!);
            case 6 or 7:
                return await RunAsync(task!);
            case 8:
                return await RetryAsync(task!);
            case 9:
                return await DeleteAsync(task!);
            case 10:
                return await CancelAsync(task!);
            case 11:
                return await ReleaseAsync(task!);
            case 12:
                return await RequeueAsync(task!);
            default:
                return await HoldAsync(task!);
        }
    }

    private async Task<string> CreateAsync()
    {
        var (parents, policy, group, hold) = (Pick(), Policy(), Group(), _random.Next(8) == 0);
        var given = new NewTask { Title = "t", After = [.. parents.Select(parent => parent.Id)], OnFailed = policy, Group = group, Hold = hold, MaxAttempts = 100 };
        string id;
        if (_random.Next(3) == 0)
        {
            id = await _fixture.Board.IntakeAsync(given);
            await _fixture.Board.DrainIntakeAsync(9);
        }
        else
        {
            id = (await _fixture.Board.CreateAsync(given)).Id;
        }
        var made = new Entry(id, (await _fixture.Board.GetAsync(id))!.Number) { Policy = policy, Group = group, Held = hold };
        made.Parents.AddRange(parents);
        _tasks.Add(made);
        FailIfLost(made);
        return $"create {made.Number} after {string.Join(' ', parents.Select(parent => parent.Number))}, {policy}, {group}";
    }

    private async Task<string> EditAsync(Entry task)
    {
        List<Entry>? parents = _random.Next(2) == 0 ? Pick() : null;
        OnFailed? policy = _random.Next(2) == 0 ? Policy() : null;
        var group = _random.Next(2) == 0 ? Group() ?? "" : null;
        var what = $"edit {task.Number} after {(parents is null ? "-" : string.Join(' ', parents.Select(parent => parent.Number)))}, {policy}, {group}";
        var isRefused = false;
        EdgeResult? result = null;
        try
        {
            result = await _fixture.Board.EditAsync(task.Id, new TaskEdit
            {
                After = parents is null ? null : parents.Count == 0 ? [""] : [.. parents.Select(parent => parent.Id)],
                OnFailed = policy,
                Group = group,
            });
        }
        catch (TaskRefusedException)
        {
            isRefused = true;
        }
        if (task.Status != TaskState.Queued)
        {
            result!.Outcome.ShouldBe(EdgeOutcome.Conflict);
            return what;
        }
        isRefused.ShouldBe(parents is not null && parents.Any(parent => parent == task || IsAbove(parent, task)));
        if (isRefused)
            return what;
        var isDecidedAnew = parents is not null || (policy is { } other && other != task.Policy);
        if (parents is not null)
        {
            task.Parents.Clear();
            task.Parents.AddRange(parents);
        }
        task.Policy = policy ?? task.Policy;
        task.Group = group is null ? task.Group : group.Length == 0 ? null : group;
        if (isDecidedAnew)
            FailIfLost(task);
        return what;
    }

    private async Task<string> FinishFromOutsideAsync(Entry task)
    {
        var to = _random.Next(3) switch { 0 => TaskState.Failed, 1 => TaskState.Done, _ => TaskState.Claimed };
        var what = $"{to} {task.Number} from outside";
        var claim = await _fixture.Board.ClaimAsync(task.Id, "somebody");
        (claim.Outcome == EdgeOutcome.Applied).ShouldBe(MayClaim(task));
        if (claim.Outcome == EdgeOutcome.Applied)
            task.Status = TaskState.Claimed;
        if (to == TaskState.Claimed || task.Status is not (TaskState.Claimed or TaskState.Started))
            return what;
        if (task.Status == TaskState.Claimed)
            (await _fixture.Board.TransitionAsync(task.Id, TaskState.Started, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        (await _fixture.Board.TransitionAsync(task.Id, to, null)).Outcome.ShouldBe(EdgeOutcome.Applied);
        Move(task, to);
        return what;
    }

    private async Task<string> RunAsync(Entry task)
    {
        var agent = $"agent-{_agents++}";
        var begun = await _fixture.Board.BeginRunAsync(BoardFixture.Record(agent) with { TaskId = task.Id });
        (begun.Outcome == EdgeOutcome.Applied).ShouldBe(MayClaim(task));
        if (begun.Outcome != EdgeOutcome.Applied)
            return $"no run of {task.Number}";
        task.Status = TaskState.Claimed;
        (begun.Task!.Parents ?? []).Select(parent => (parent.Number, parent.Status)).ShouldBe(task.Parents.Select(parent => (parent.Number, parent.Status)));
        var isCancelled = _random.Next(6) == 0;
        if (isCancelled)
        {
            await _fixture.Board.CancelAsync(task.Id);
            Move(task, TaskState.Cancelled);
        }
        var (ending, retryAt) = _random.Next(5) switch
        {
            0 => (RunEnding.Failed, null),
            1 => (RunEnding.Failed, (DateTimeOffset?)_fixture.Time.Now),
            2 => (RunEnding.Interrupted, null),
            3 => (RunEnding.Reworked, null),
            _ => (RunEnding.Done, null),
        };
        await _fixture.Board.EndRunAsync(new RunEnd { AgentId = agent, Claim = begun.Claim, AgentEnded = true, Ending = ending, RetryAt = retryAt, Feedback = ending == RunEnding.Reworked ? "f" : null });
        if (!isCancelled)
            Move(task, ending == RunEnding.Done ? TaskState.Done : ending == RunEnding.Failed && retryAt is null ? TaskState.Failed : TaskState.Queued);
        return $"run of {task.Number}: {ending} {retryAt}, cancelled: {isCancelled}";
    }

    private async Task<string> RetryAsync(Entry task)
    {
        var result = await _fixture.Board.RetryAsync(task.Id, null);
        (result.Outcome == EdgeOutcome.Applied).ShouldBe(IsOver(task));
        if (IsOver(task))
            (task.Status, task.Held) = (TaskState.Queued, false);
        return $"retry {task.Number}";
    }

    private async Task<string> DeleteAsync(Entry task)
    {
        var result = await _fixture.Board.DeleteAsync(task.Id);
        var may = IsOver(task) && (task.Status == TaskState.Done || !Children(task).Any(child => !IsOver(child)));
        (result.Outcome == EdgeOutcome.Applied).ShouldBe(may);
        if (may)
        {
            foreach (var child in Children(task).ToList())
                child.Parents.Remove(task);
            _tasks.Remove(task);
        }
        return $"delete {task.Number}";
    }

    private async Task<string> CancelAsync(Entry task)
    {
        var result = await _fixture.Board.CancelAsync(task.Id);
        (result.Outcome == EdgeOutcome.Applied).ShouldBe(!IsOver(task));
        if (!IsOver(task))
            Move(task, TaskState.Cancelled);
        return $"cancel {task.Number}";
    }

    private async Task<string> RequeueAsync(Entry task)
    {
        var result = await _fixture.Board.TransitionAsync(task.Id, TaskState.Queued, null);
        var may = task.Status is TaskState.Claimed or TaskState.Started;
        (result.Outcome == EdgeOutcome.Applied).ShouldBe(may);
        if (may)
            Move(task, TaskState.Queued);
        result.Task?.Status.ShouldBe(task.Status);
        return $"requeue {task.Number}";
    }

    private async Task<string> HoldAsync(Entry task)
    {
        var result = await _fixture.Board.HoldAsync(task.Id);
        (result.Outcome == EdgeOutcome.Applied).ShouldBe(task.Status == TaskState.Queued);
        task.Held |= task.Status == TaskState.Queued;
        return $"hold {task.Number}";
    }

    private async Task<string> ReleaseAsync(Entry task)
    {
        var may = task.Status == TaskState.Queued && (task.Held || IsHeldForParent(task));
        var result = await _fixture.Board.ReleaseAsync(task.Id);
        (result.Outcome == EdgeOutcome.Applied).ShouldBe(may);
        if (IsHeldForParent(task))
            task.Parents.RemoveAll(parent => IsLost(parent.Status));
        if (may)
            task.Held = false;
        return $"release {task.Number}";
    }

    private async Task CompareAsync()
    {
        var all = (await _fixture.Board.ListAsync(null, 1_000, null)).Tasks;
        all.Select(task => task.Number).ShouldBe(_tasks.Select(task => task.Number));
        foreach (var (seen, task) in all.Zip(_tasks))
        {
            (seen.Number, seen.Status, seen.Held, seen.OnFailed, seen.Group).ShouldBe(
                (task.Number, task.Status, task.Status == TaskState.Queued && (task.Held || IsHeldForParent(task)), TaskRow.Text(task.Policy), task.Group));
            var codes = (seen.BlockedBy ?? []).Select(reason => reason.Code);
            codes.ShouldBe(task.Status != TaskState.Queued ? []
                : [.. IsHeldForParent(task) ? ["parent-failed"] : (string[])[], .. task.Parents.Any(parent => !IsOver(parent)) ? ["after"] : (string[])[]], $"of {task.Number}");
            if (IsHeldForParent(task))
                seen.Error!.Code.ShouldBe("parent-failed");
        }
        var counts = await _fixture.Board.ReadAsync(connection => connection["SELECT seq, waits, lost FROM tasks ORDER BY seq"].Bind()
            .All(row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2))));
        counts.ShouldBe(_tasks.Select(task => (task.Number, (long)Waits(task), (long)task.Parents.Count(parent => IsLost(parent.Status)))));
        // Back-offs are not what is looked at here.
        var ready = (await _fixture.Board.ReadyAsync(1_000, _fixture.Time.Now.AddDays(1))).Select(task => task.Number);
        ready.ShouldBe(_tasks.Where(task => task.Status == TaskState.Queued && !task.Held && Waits(task) == 0).Select(task => task.Number));
        foreach (var group in new[] { "one", "two", "free" })
        {
            var load = _fixture.Board.Groups.TryGetValue(group, out var found) ? found : GroupLoad.None;
            load.Running.ShouldBe(_tasks.Where(task => task.Group == group && task.Status is TaskState.Claimed or TaskState.Started && task.Group == group).Select(task => task.Number));
            load.Queued.ShouldBe(_tasks.Count(task => task.Group == group && task.Status == TaskState.Queued));
            if (Limits.TryGetValue(group, out var limit))
                load.Running.Count.ShouldBeLessThanOrEqualTo(limit);
        }
        var sums = _fixture.Board.Counts;
        (sums.Queued, sums.Failed, sums.Cancelled, sums.Done).ShouldBe((Count(TaskState.Queued), Count(TaskState.Failed), Count(TaskState.Cancelled), Count(TaskState.Done)));
        (await NoticesAsync()).ShouldBe(_tasks.Where(IsHeldForParent).Select(task => task.Number));
    }

    private Task<List<long>> NoticesAsync() => _fixture.Board.ReadAsync(connection =>
        connection["SELECT task FROM notices WHERE kind = 'held' AND ended_at IS NULL ORDER BY task"].Bind().All(row => row.GetInt64(0)));

    private long Count(TaskState state) => _tasks.Count(task => task.Status == state);

    private void Move(Entry task, TaskState to)
    {
        task.Status = to;
        if (to != TaskState.Queued)
            task.Held = false;
        else
            FailIfLost(task);
        if (IsLost(to))
            FailChildren(task);
    }

    private void FailIfLost(Entry task)
    {
        if (task is { Status: TaskState.Queued, Policy: OnFailed.Fail } && task.Parents.Any(parent => IsLost(parent.Status)))
            Move(task, TaskState.Failed);
    }

    private void FailChildren(Entry task)
    {
        foreach (var child in Children(task).ToList())
            FailIfLost(child);
    }

    private bool MayClaim(Entry task) => task.Status == TaskState.Queued && !task.Held && Waits(task) == 0
        && (task.Group is not { } group || !Limits.TryGetValue(group, out var limit)
            || _tasks.Count(other => other.Group == group && other.Status is TaskState.Claimed or TaskState.Started && other.Group == group) < limit);

    private static int Waits(Entry task) => task.Parents.Count(parent => task.Policy == OnFailed.Run ? !IsOver(parent) : parent.Status != TaskState.Done);

    private static bool IsHeldForParent(Entry task) =>
        task.Status == TaskState.Queued && task.Policy != OnFailed.Run && task.Parents.Any(parent => IsLost(parent.Status));

    private static bool IsLost(TaskState state) => state is TaskState.Failed or TaskState.Cancelled;

    private static bool IsOver(Entry task) => TaskLifecycle.IsFinal(task.Status);

    private static bool IsAbove(Entry task, Entry sought) => task.Parents.Any(parent => parent == sought || IsAbove(parent, sought));

    private IEnumerable<Entry> Children(Entry task) => _tasks.Where(child => child.Parents.Contains(task));

    private List<Entry> Pick() => _tasks.Count == 0 ? [] : [.. _tasks.Where(_ => _random.Next(_tasks.Count) < 2)];

    private OnFailed Policy() => (OnFailed)_random.Next(3);

    private string? Group() => _random.Next(4) switch { 0 => "one", 1 => "two", 2 => "free", _ => null };

    private sealed class Entry(string id, long number)
    {
        public string Id { get; } = id;
        public long Number { get; } = number;
        public TaskState Status { get; set; } = TaskState.Queued;
        public OnFailed Policy { get; set; }
        public string? Group { get; set; }
        public bool Held { get; set; }
        public List<Entry> Parents { get; } = [];
    }
}
