namespace Colibri.Core.Board.Storage;

/// <summary>
/// The writer's bounded queue, strictly first come, first served. When it is full, callers wait asynchronously; the writer's thread blocks
/// while it is empty.
/// </summary>
internal sealed class WriteQueue : IDisposable
{
    public const int Capacity = 4096;
    private readonly Queue<Operation> _waiting = new();

    // Operations that found the queue full, in order: a later operation must not overtake an earlier one of the same client.
    private readonly Queue<(Operation Operation, TaskCompletionSource Entered)> _outside = new();
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _filled = new(false);
    private bool _closed;
    private long _fullCount;

    /// <summary>How often a caller found the queue full and had to wait.</summary>
    public long FullCount => Interlocked.Read(ref _fullCount);

    /// <summary>Completes when the operation is in the queue.</summary>
    /// <exception cref="ObjectDisposedException">The board is closed.</exception>
    public Task EnqueueAsync(Operation operation)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(TaskBoard));
            if (_waiting.Count == Capacity)
            {
                Interlocked.Increment(ref _fullCount);
                var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _outside.Enqueue((operation, entered));
                return entered.Task;
            }
            _waiting.Enqueue(operation);
            // The caller that found the queue empty has woken the writer, which has not taken the operations yet.
            if (_waiting.Count > 1)
                return Task.CompletedTask;
        }
        _filled.Set();
        return Task.CompletedTask;
    }

    /// <summary>Blocks until an operation is queued, then moves at most <paramref name="max"/> to the batch; false once closed and empty.</summary>
    public bool Take(List<Operation> batch, int max)
    {
        while (true)
        {
            lock (_gate)
            {
                while (batch.Count < max && _waiting.TryDequeue(out var operation))
                    batch.Add(operation);
                while (_waiting.Count < Capacity && _outside.TryDequeue(out var next))
                {
                    _waiting.Enqueue(next.Operation);
                    next.Entered.SetResult();
                }
                if (batch.Count > 0)
                    return true;
                if (_closed)
                    return false;
            }
            _filled.WaitOne();
        }
    }

    /// <summary>Accepts no more operations; those that are queued or wait for room are still served.</summary>
    public void Close()
    {
        lock (_gate)
            _closed = true;
        _filled.Set();
    }

    public void Dispose() => _filled.Dispose();
}
