using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;

namespace Colibri.Web.Traces;

/// <summary>
/// Makes spans of the runs that end. An event says that a task's run has ended, and <c>list-runs</c> says how. After a gap in the events all runs since then
/// are looked at. A run is sent once: its id is remembered, and no run is sent that ended before the oldest one that is forgotten.
/// </summary>
internal sealed class RunTraces(DaemonClient daemon, SpanQueue queue, TimeProvider clock) : IDisposable
{
    /// <summary>Runs that are known to be sent.</summary>
    public const int MostRemembered = 16_384;

    /// <summary>Tasks that are watched, or wait to be looked at. Beyond them all runs are looked at.</summary>
    public const int MostTasks = 4_096;
    private const int RunsOfTask = 20;
    private const int PageSize = 500;
    private const int MostPages = 20;

    // The end of a run may follow that of its task: a cancelled task's agent is still to be stopped.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _news = new(0, 1);
    private readonly ToolWatch _tools = new();
    private readonly HashSet<string> _running = [];
    private readonly HashSet<string> _due = [];
    private readonly Queue<(string Id, DateTimeOffset EndedAt)> _order = new();
    private readonly HashSet<string> _sent = [];
    private DateTimeOffset _before = clock.GetUtcNow();
    private DateTimeOffset? _gap;
    private DateTimeOffset _heard = clock.GetUtcNow();

    /// <summary>The subscription stands, for the first time or after a gap.</summary>
    public void Begin(IReadOnlyList<Pane> panes)
    {
        lock (_lock)
        {
            _due.UnionWith(_running);
            _running.Clear();
            foreach (var pane in panes)
            {
                if (pane is { TaskId: { } task, Lifecycle: not Lifecycle.Stopped })
                    Watch(task);
            }
            _tools.TakeUp(panes, clock.GetUtcNow());
            Fall(_heard - Margin);
        }
    }

    /// <summary>Takes one event.</summary>
    public void Take(Event happened)
    {
        lock (_lock)
        {
            _heard = happened.At;
            if (happened.Pane is { } pane)
                _tools.Take(pane, happened.At);
            else if (happened.Task is { } task)
            {
                if (task.Status is TaskState.Claimed or TaskState.Started)
                    Watch(task.Id);
                else if (_running.Remove(task.Id) || (task.Attempts > 0 && task.Status is not TaskState.Queued))
                    Due(task.Id);
            }
        }
    }

    /// <summary>Looks at what is due until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _news.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                while (await LookAsync(cancellation).ConfigureAwait(false))
                    await Task.Delay(LookAgain, clock, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is DaemonUnreachableException or RefusedException)
            {
                // The subscription breaks too, and what is due is looked at when it stands again.
                await Task.Delay(LookAgain, clock, cancellation).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => _news.Dispose();

    /// <summary>Looks at every task that is due, and at all runs after a gap.</summary>
    /// <returns>Whether a task is to be looked at again, because its run has not ended yet.</returns>
    internal async Task<bool> LookAsync(CancellationToken cancellation)
    {
        await LookBackAsync(cancellation).ConfigureAwait(false);
        HashSet<string> again = [];
        while (NextDue() is { } task)
        {
            try
            {
                var list = await daemon.AskAsync(new CommandRequest { Cmd = WireCommand.ListRuns.Name, TaskId = task, Limit = RunsOfTask }, ProtocolJson.Wire.RunList, cancellation).ConfigureAwait(false);
                foreach (var run in list.Runs)
                    Take(run);
                if (list.Runs.Any(run => run.EndedAt is null))
                    again.Add(task);
            }
            catch (RefusedException e) when (e.Error.Code == ErrorCodes.NotFound)
            {
                // It was deleted, and its runs with it.
            }
            catch (Exception e) when (e is DaemonUnreachableException or RefusedException)
            {
                lock (_lock)
                {
                    _due.UnionWith(again);
                    _due.Add(task);
                }
                throw;
            }
        }
        lock (_lock)
        {
            // One that is running again tells of its end by an event.
            again.ExceptWith(_running);
            _due.UnionWith(again);
            return again.Count > 0;
        }
    }

    private async Task LookBackAsync(CancellationToken cancellation)
    {
        DateTimeOffset? gap;
        lock (_lock)
            gap = _gap;
        if (gap is null)
            return;
        string? before = null;
        for (var page = 0; page < MostPages; page++)
        {
            var list = await daemon.AskAsync(new CommandRequest { Cmd = WireCommand.ListRuns.Name, Limit = PageSize, Before = before }, ProtocolJson.Wire.RunList, cancellation).ConfigureAwait(false);
            foreach (var run in list.Runs)
                Take(run);
            before = list.Next;
            if (before is null || list.Runs[^1].StartedAt < gap)
                break;
        }
        lock (_lock)
        {
            if (_gap == gap)
                _gap = null;
        }
    }

    private void Take(RunSummary run)
    {
        if (run.EndedAt is not { } end)
            return;
        lock (_lock)
        {
            if (end <= _before || !_sent.Add(run.Id))
                return;
            _order.Enqueue((run.Id, end));
            if (_order.Count > MostRemembered)
            {
                var (oldest, endedAt) = _order.Dequeue();
                _sent.Remove(oldest);
                _before = endedAt > _before ? endedAt : _before;
            }
            var (calls, left) = _tools.TakeRun(run.AgentId, run.StartedAt, end);
            queue.CountDropped(DropReason.ManyTools, left);
            foreach (var span in RunSpans.Of(run, calls))
                queue.Add(span);
        }
    }

    private string? NextDue()
    {
        lock (_lock)
        {
            foreach (var task in _due)
            {
                _due.Remove(task);
                return task;
            }
            return null;
        }
    }

    private void Watch(string task)
    {
        if (_running.Count < MostTasks)
            _running.Add(task);
        else if (!_running.Contains(task))
            Fall(_heard - Margin);
    }

    private void Due(string task)
    {
        if (_due.Count < MostTasks)
            _due.Add(task);
        else
            Fall(_heard - Margin);
        Wake();
    }

    // Everything since then is looked at.
    private void Fall(DateTimeOffset since)
    {
        if (_gap is null || since < _gap)
            _gap = since;
        Wake();
    }

    private void Wake()
    {
        if (_news.CurrentCount == 0)
            _news.Release();
    }
}
