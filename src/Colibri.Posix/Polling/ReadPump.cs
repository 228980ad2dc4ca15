using System.Buffers;

namespace Colibri.Posix.Polling;

/// <summary>
/// Reads a descriptor to its end, chunk by chunk: on the loop's thread, and after a chunk that completed asynchronously on the thread that
/// completed it. Kept small on purpose: with 1,000 agents every pump is touched 100 times a second, and their state should stay in the cache.
/// </summary>
internal sealed class ReadPump(PolledDescriptor from, EventLoop loop, ChunkReader take) : IThreadPoolWorkItem
{
    private const int ChunkBytes = 64 * 1024;

    private const int Idle = 0;
    private const int Running = 1;
    private const int RunningAndWoken = 2;

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;

    public Task Ended => _ended.Task;

    /// <summary>Reads, or reads once more, because data may have come or the descriptor was closed.</summary>
    public void Wake()
    {
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Idle:
                    if (Interlocked.CompareExchange(ref _state, Running, Idle) != Idle)
                        break;
                    Run();
                    return;
                case Running:
                    if (Interlocked.CompareExchange(ref _state, RunningAndWoken, Running) == Running)
                        return;
                    break;
                default:
                    return;
            }
        }
    }

    /// <summary>Reads on after it has yielded to other descriptors.</summary>
    public void Run()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            while (true)
            {
                if (!from.TryRead(buffer, out var count, out var mayHaveMore))
                {
                    if (TryRest())
                        return;
                    continue;
                }
                if (count == 0)
                {
                    _ended.TrySetResult();
                    return;
                }
                var taken = take(buffer.AsSpan(0, count));
                if (!taken.IsCompletedSuccessfully)
                {
                    _ = RunAfterAsync(taken);
                    return;
                }
                if (!mayHaveMore)
                {
                    if (TryRest())
                        return;
                }
                else
                {
                    // One chunk a turn, on the loop as on the pool, so that no agent starves the others.
                    if (loop.IsCurrent)
                        loop.RunLater(this);
                    else
                        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                    return;
                }
            }
        }
        catch (ObjectDisposedException)
        {
            _ended.TrySetResult();
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // False after a wake-up during the last read: the caller reads again.
    private bool TryRest()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Running) == Running)
            return true;
        Volatile.Write(ref _state, Running);
        return false;
    }

    void IThreadPoolWorkItem.Execute() => Run();

    private async Task RunAfterAsync(ValueTask taken)
    {
        try
        {
            await taken.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
            return;
        }
        Run();
    }
}

/// <summary>Consumes one chunk.</summary>
/// <param name="chunk">Not empty; valid until it returns.</param>
/// <returns>Completes when the next chunk may be read.</returns>
public delegate ValueTask ChunkReader(ReadOnlySpan<byte> chunk);
