using System.Diagnostics;
using System.Runtime.InteropServices;
using Colibri.Posix.Interop;
using Colibri.Posix.Polling;

namespace Colibri.Posix;

/// <summary>
/// One thread that waits for many sockets and pipes (epoll(7), kqueue(2)) and runs whoever awaited one that is ready, there and then: an
/// event costs no hand-over to another thread.
/// </summary>
/// <remarks>
/// What runs on the loop's thread holds up everybody else on it, so it must not block: no file, no database, no lock that is held for
/// long. Whoever has such a thing to do awaits <see cref="LeaveAsync"/> before. Without anything to do the thread sleeps in the kernel.
/// </remarks>
public sealed class EventLoop : IDisposable
{
    [ThreadStatic]
    private static EventLoop? Current;

    private static readonly long Soon = Stopwatch.Frequency / 5_000;
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(1);

    private readonly IReadinessQueue _queue;
    private readonly LoopPace _pace;
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private PolledDescriptor?[] _watched = new PolledDescriptor?[64];
    private int[] _generations = new int[64];
    private int _used;
    private List<ReadySignal> _later = [];
    private List<ReadySignal> _now = [];
    private readonly PolledDescriptor _wake;
    private readonly SafeHandle _waker;
    private volatile bool _stopping;

    /// <param name="name">The thread's.</param>
    /// <param name="pace">What to do while one event follows the other within 0.2 ms.</param>
    /// <exception cref="IOException">Want of descriptors: three are needed.</exception>
    public EventLoop(string name, LoopPace pace)
    {
        _pace = pace;
        _queue = HostPlatform.UsesLinuxAbi ? new EpollQueue() : new KqueueQueue();
        var (reading, writing) = Pipe.Create();
        (_waker, _wake) = (writing, Watch(reading));
        new Thread(Run) { Name = name, IsBackground = true }.Start();
    }

    /// <summary>Whether this is the loop's own thread.</summary>
    public bool IsCurrent => Current == this;

    /// <summary>For what may block: goes on on the pool if this is a loop's thread, and right here if not.</summary>
    public static System.Runtime.CompilerServices.ConfiguredTaskAwaitable LeaveAsync() =>
        Task.CompletedTask.ConfigureAwait(Current is null ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ForceYielding);

    /// <summary>Watches a descriptor from now on; it is made non-blocking, and belongs to what is returned.</summary>
    /// <exception cref="IOException">The system cannot watch it.</exception>
    public PolledDescriptor Watch(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        var watched = new PolledDescriptor(this, handle);
        var descriptor = (int)handle.DangerousGetHandle();
        SetNonBlocking(descriptor);
        lock (_gate)
        {
            if (!_free.TryPop(out var slot))
            {
                slot = _used++;
                if (slot == _watched.Length)
                {
                    // The loop reads these without a lock: it sees the old one or the new one, and both hold what it looks for.
                    Array.Resize(ref _generations, slot * 2);
                    var larger = new PolledDescriptor?[slot * 2];
                    _watched.CopyTo(larger, 0);
                    Volatile.Write(ref _watched, larger);
                }
            }
            watched.Token = ((long)_generations[slot] << 32) | (uint)slot;
            Volatile.Write(ref _watched[slot], watched);
        }
        try
        {
            _queue.Watch(descriptor, watched.Token);
        }
        catch
        {
            Forget(watched);
            throw;
        }
        return watched;
    }

    /// <summary>Ends the thread. What it watches is not closed, and not heard of any more.</summary>
    public void Dispose()
    {
        _stopping = true;
        _waker.Dispose();
    }

    internal void Forget(PolledDescriptor watched)
    {
        var slot = (int)(watched.Token & int.MaxValue);
        lock (_gate)
        {
            if (_watched[slot] != watched)
                return;
            Volatile.Write(ref _watched[slot], null);
            // An answer that was under way names the generation it was for.
            _generations[slot]++;
            _free.Push(slot);
        }
    }

    internal void WatchRoom(SafeHandle handle, long token)
    {
        var held = false;
        handle.DangerousAddRef(ref held);
        try
        {
            _queue.WatchRoom((int)handle.DangerousGetHandle(), token);
        }
        finally
        {
            handle.DangerousRelease();
        }
    }

    internal void IgnoreRoom(SafeHandle handle, long token)
    {
        var held = false;
        handle.DangerousAddRef(ref held);
        try
        {
            _queue.IgnoreRoom((int)handle.DangerousGetHandle(), token);
        }
        finally
        {
            handle.DangerousRelease();
        }
    }

    /// <summary>On the loop's thread alone.</summary>
    internal void RaiseLater(ReadySignal signal) => _later.Add(signal);

    private void Run()
    {
        Current = this;
        var ready = new Readiness[256];
        var quick = 0;
        while (!_stopping)
        {
            var count = Wait(ready, ref quick);
            for (var i = 0; i < count; i++)
                Find(ready[i].Token)?.Raise(ready[i]);
            (_now, _later) = (_later, _now);
            foreach (var signal in _now)
                signal.Raise();
            _now.Clear();
        }
        _wake.Dispose();
        _queue.Dispose();
    }

    private int Wait(Readiness[] ready, ref int quick)
    {
        if (_later.Count > 0 || _stopping)
            return _queue.Wait(ready, block: false);
        var since = Stopwatch.GetTimestamp();
        int count;
        while (_pace == LoopPace.Attend && quick > 1)
        {
            if ((count = _queue.Wait(ready, block: false)) > 0)
                return count;
            if (Stopwatch.GetTimestamp() - since > Soon)
                quick = 0;
            else
                Thread.Yield();
        }
        if (_pace == LoopPace.Gather && quick > 1)
            Thread.Sleep(Gathering);
        var asleep = Stopwatch.GetTimestamp();
        count = _queue.Wait(ready, block: true);
        quick = Stopwatch.GetTimestamp() - asleep < Soon ? quick + 1 : 0;
        return count;
    }

    private PolledDescriptor? Find(long token)
    {
        var watched = Volatile.Read(ref Volatile.Read(ref _watched)[(int)(token & int.MaxValue)]);
        return watched?.Token == token ? watched : null;
    }

    private static unsafe void SetNonBlocking(int descriptor)
    {
        var flags = Libc.fcntl(descriptor, AbiConstants.F_GETFL, 0);
        if (flags < 0 || Libc.fcntl(descriptor, AbiConstants.F_SETFL, flags | AbiConstants.Current.O_NONBLOCK) < 0)
            throw new IOException($"fcntl: {Errno.Describe(Marshal.GetLastPInvokeError())}");
    }
}
