using System.Threading.Tasks.Sources;

namespace Colibri.Posix.Polling;

/// <summary>
/// Signals readiness of one direction of a descriptor: a flag that the loop raises and one waiter takes down. A wait allocates nothing. The
/// waiter's continuation runs inside <see cref="Raise"/>, on the loop's thread.
/// </summary>
internal sealed class ReadySignal(EventLoop loop) : IValueTaskSource, IThreadPoolWorkItem
{
    private const int Quiet = 0;
    private const int Raised = 1;
    private const int Waiting = 2;
    private const int Closed = 3;

    private ManualResetValueTaskSourceCore<bool> _core;
    private int _state;

    /// <summary>Completes once the flag is up, and takes it down. One waiter at a time.</summary>
    /// <exception cref="ObjectDisposedException">The signal was closed, before or during the wait.</exception>
    public ValueTask WaitAsync()
    {
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Closed:
                    return ValueTask.FromException(new ObjectDisposedException(nameof(PolledDescriptor)));
                case Waiting:
                    throw new InvalidOperationException("somebody waits already");
                case Raised when !loop.IsCurrent:
                    if (Interlocked.CompareExchange(ref _state, Quiet, Raised) == Raised)
                        return ValueTask.CompletedTask;
                    break;
                case Raised:
                    // On the loop's thread, complete in the loop's next round: a reader that always finds more data must not starve other descriptors.
                    _core.Reset();
                    if (Interlocked.CompareExchange(ref _state, Waiting, Raised) != Raised)
                        break;
                    loop.RaiseLater(this);
                    return new ValueTask(this, _core.Version);
                default:
                    _core.Reset();
                    if (Interlocked.CompareExchange(ref _state, Waiting, Quiet) == Quiet)
                        return new ValueTask(this, _core.Version);
                    break;
            }
        }
    }

    /// <summary>Runs the waiter's continuation; without a waiter, raises the flag.</summary>
    public void Raise()
    {
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Quiet:
                    if (Interlocked.CompareExchange(ref _state, Raised, Quiet) == Quiet)
                        return;
                    break;
                case Waiting:
                    if (Interlocked.CompareExchange(ref _state, Quiet, Waiting) != Waiting)
                        break;
                    _core.SetResult(true);
                    return;
                default:
                    return;
            }
        }
    }

    /// <summary>Fails the current wait, on the pool, and every later one.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _state, Closed) == Waiting)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _core.SetException(new ObjectDisposedException(nameof(PolledDescriptor)));

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
