namespace Colibri.Core.Board.Storage;

/// <summary>
/// The bounded queue before the writer, strictly first come, first served. Callers wait without a thread when it is full; the writer
/// waits with its own.
/// </summary>
internal sealed class WriteQueue : IDisposable
{
    public const int Capacity = 4096;
    private readonly Queue<Operation> _waiting = new();

    // Whoever found the queue full stands in line as well: an operation behind must not overtake one of the same client.
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
            // Whoever found it empty has rung, and the writer has not come since.
            if (_waiting.Count > 1)
                return Task.CompletedTask;
        }
        _filled.Set();
        return Task.CompletedTask;
    }

    /// <summary>Blocks until there is something, then moves at most <paramref name="max"/> operations; false once closed and empty.</summary>
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

    /// <summary>Takes nothing more in; what is in the queue or before it is still served.</summary>
    public void Close()
    {
        lock (_gate)
            _closed = true;
        _filled.Set();
    }

    public void Dispose() => _filled.Dispose();
}
