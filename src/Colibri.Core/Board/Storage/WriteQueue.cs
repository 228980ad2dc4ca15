namespace Colibri.Core.Board.Storage;

/// <summary>The bounded queue before the writer. Callers wait without a thread when it is full; the writer waits with its own.</summary>
internal sealed class WriteQueue : IDisposable
{
    public const int Capacity = 4096;
    private readonly SemaphoreSlim _free = new(Capacity);
    private readonly Queue<Operation> _waiting = new();
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _filled = new(false);
    private bool _closed;
    private long _fullCount;

    /// <summary>How often a caller found the queue full and had to wait.</summary>
    public long FullCount => Interlocked.Read(ref _fullCount);

    /// <exception cref="ObjectDisposedException">The board is closed.</exception>
    public Task EnqueueAsync(Operation operation)
    {
        if (_free.Wait(0))
        {
            Add(operation);
            return Task.CompletedTask;
        }
        Interlocked.Increment(ref _fullCount);
        return EnqueueWhenFreeAsync(operation);
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
                if (batch.Count == 0 && _closed)
                    return false;
            }
            if (batch.Count > 0)
            {
                _free.Release(batch.Count);
                return true;
            }
            _filled.WaitOne();
        }
    }

    public void Close()
    {
        lock (_gate)
            _closed = true;
        _filled.Set();
    }

    // Only the writer waits for this one. The semaphore stays: a caller that found the queue full may be about to learn that it is closed.
    public void Dispose() => _filled.Dispose();

    private async Task EnqueueWhenFreeAsync(Operation operation)
    {
        await _free.WaitAsync();
        Add(operation);
    }

    private void Add(Operation operation)
    {
        bool wasEmpty;
        lock (_gate)
        {
            if (_closed)
            {
                _free.Release();
                throw new ObjectDisposedException(nameof(TaskBoard));
            }
            wasEmpty = _waiting.Count == 0;
            _waiting.Enqueue(operation);
        }
        if (wasEmpty)
            _filled.Set();
    }
}
