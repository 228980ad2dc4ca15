using Colibri.Mcp.Output;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.Waiting;

/// <summary>The tasks that are kept, in memory: they end with this process, as its client does.</summary>
/// <param name="clock">Tells how long a task is kept.</param>
internal sealed class CallTasks(TimeProvider clock) : IAsyncDisposable
{
    /// <summary>The most that are kept. A new one takes the place of the oldest that is over.</summary>
    public const int MaxTasks = 64;

    /// <summary>The longest that one is kept: an hour more than the longest wait.</summary>
    public static readonly TimeSpan MaxKept = TimeSpan.FromSeconds(TaskWaiting.MaxSeconds) + TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly List<Kept> _kept = [];

    /// <summary>The tasks, the oldest first.</summary>
    public IReadOnlyList<TaskView> All
    {
        get
        {
            lock (_gate)
            {
                Forget();
                return [.. _kept.Select(kept => kept.Task.View)];
            }
        }
    }

    /// <summary>Starts a call as a task.</summary>
    /// <param name="kept">How long it is kept; the call is given up with it.</param>
    /// <param name="call">The call.</param>
    /// <exception cref="McpProtocolException">Too many tasks are under way.</exception>
    public CallTask Start(TimeSpan kept, Func<CallTask, CancellationToken, Task<CallToolResult>> call)
    {
        var task = new CallTask(kept, clock);
        lock (_gate)
        {
            Forget();
            if (_kept.Count >= MaxTasks)
            {
                var over = _kept.FindIndex(kept => kept.Task.View.IsOver);
                if (over < 0)
                    throw new McpProtocolException($"{MaxTasks} tasks are under way: wait for one of them to end, or cancel one", McpErrorCode.InternalError);
                _kept.RemoveAt(over);
            }
            var cancellation = new CancellationTokenSource(kept, clock);
            _kept.Add(new Kept(task, cancellation, Task.Run(() => RunAsync(task, call, cancellation))));
        }
        return task;
    }

    /// <exception cref="McpProtocolException">There is none of that id, or none any more.</exception>
    public CallTask Find(string? id) => FindKept(id).Task;

    /// <summary>Gives a call up, and waits until it has ended.</summary>
    /// <exception cref="McpProtocolException">There is none of that id, or none any more.</exception>
    public async Task<TaskView> CancelAsync(string? id)
    {
        var kept = FindKept(id);
        await kept.Cancellation.CancelAsync().ConfigureAwait(false);
        await kept.Work.ConfigureAwait(false);
        return kept.Task.View;
    }

    public async ValueTask DisposeAsync()
    {
        Kept[] left;
        lock (_gate)
            left = [.. _kept];
        foreach (var kept in left)
            await kept.Cancellation.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(left.Select(kept => kept.Work)).ConfigureAwait(false);
    }

    private static async Task RunAsync(CallTask task, Func<CallTask, CancellationToken, Task<CallToolResult>> call, CancellationTokenSource cancellation)
    {
        try
        {
            task.End(await call(task, cancellation.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            task.Cancel();
        }
        catch (Exception e)
        {
            // Whatever it was: a client waits for the end of the task. Only what was meant for it is told.
            task.Fail(e as McpProtocolException ?? new McpProtocolException(e is McpException or IOException ? Bounds.Cut(e.Message, 500) : "the call failed", McpErrorCode.InternalError));
        }
        finally
        {
            // A client may still cancel it, so that the source is kept; its timer is not.
            cancellation.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    private Kept FindKept(string? id)
    {
        lock (_gate)
        {
            Forget();
            return _kept.Find(kept => kept.Task.Id == id) ?? throw new McpProtocolException("there is no such task, or none any more", McpErrorCode.InvalidParams);
        }
    }

    private void Forget() => _kept.RemoveAll(kept => kept.Task.IsExpired);

    private sealed record Kept(CallTask Task, CancellationTokenSource Cancellation, Task Work);
}
