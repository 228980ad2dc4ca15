using System.Diagnostics;
using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Polling;

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
    private const int FewAtOnce = 32;
    private const int ManyAtOnce = 128;
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongGathering = TimeSpan.FromMilliseconds(12);

    private readonly IReadinessQueue _queue;
    private readonly LoopPace _pace;
    private readonly string _name;
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private PolledDescriptor?[] _watched = new PolledDescriptor?[64];
    private int[] _generations = new int[64];
    private int _used;
    private List<ReadySignal> _later = [];
    private List<ReadySignal> _now = [];
    private List<ReadPump> _pumpsLater = [];
    private List<ReadPump> _pumpsNow = [];
    private readonly PolledDescriptor _wake;
    private readonly SafeHandle _waker;
    private volatile bool _stopping;
    private int _started;

    // The loop's thread alone: how many the kernel named last, how many since it was waited for, how often it answered soon.
    private int _count;
    private int _round;
    private int _quick;
    private bool _isBusy;

    /// <param name="name">The thread's.</param>
    /// <param name="pace">What to do while one event follows the other within 0.2 ms.</param>
    /// <exception cref="IOException">Want of descriptors: three are needed.</exception>
    public EventLoop(string name, LoopPace pace)
    {
        _pace = pace;
        _queue = HostPlatform.UsesLinuxAbi ? new EpollQueue() : new KqueueQueue();
        var (reading, writing) = Pipe.Create();
        (_name, _waker, _wake) = (name, writing, Add(reading));
    }

    /// <summary>Whether this is the loop's own thread.</summary>
    public bool IsCurrent => Current == this;

    /// <summary>For what may block: goes on on the pool if this is a loop's thread, and right here if not.</summary>
    public static System.Runtime.CompilerServices.ConfiguredTaskAwaitable LeaveAsync() =>
        Task.CompletedTask.ConfigureAwait(Current is null ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ForceYielding);

    /// <summary>Watches a descriptor from now on; it is made non-blocking, and belongs to what is returned. With the first the thread is started.</summary>
    /// <exception cref="IOException">The system cannot watch it.</exception>
    public PolledDescriptor Watch(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        if (Interlocked.Exchange(ref _started, 1) == 0)
            new Thread(Run) { Name = _name, IsBackground = true }.Start();
        return Add(handle);
    }

    private PolledDescriptor Add(SafeHandle handle)
    {
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
        if (Interlocked.Exchange(ref _started, 1) == 0)
            End();
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

    internal void WatchRoom(SafeHandle handle, long token, bool wanted)
    {
        var held = false;
        handle.DangerousAddRef(ref held);
        try
        {
            _queue.WatchRoom((int)handle.DangerousGetHandle(), token, wanted);
        }
        finally
        {
            handle.DangerousRelease();
        }
    }

    /// <summary>On the loop's thread alone.</summary>
    internal void RaiseLater(ReadySignal signal) => _later.Add(signal);

    /// <summary>On the loop's thread alone.</summary>
    internal void RunLater(ReadPump pump) => _pumpsLater.Add(pump);

    private bool HasMore => _later.Count > 0 || _pumpsLater.Count > 0;

    private void Run()
    {
        Current = this;
        var ready = new Readiness[256];
        while (!_stopping)
        {
            var count = Wait(ready);
            for (var i = 0; i < count; i++)
                Find(ready[i].Token)?.Raise(ready[i]);
            RunRest();
        }
        End();
    }

    private void End()
    {
        _wake.Dispose();
        _queue.Dispose();
    }

    // Those who had more than their share.
    private void RunRest()
    {
        if (!HasMore)
            return;
        (_now, _later) = (_later, _now);
        (_pumpsNow, _pumpsLater) = (_pumpsLater, _pumpsNow);
        foreach (var signal in _now)
            signal.Raise();
        foreach (var pump in _pumpsNow)
            pump.Run();
        _now.Clear();
        _pumpsNow.Clear();
    }

    private int Wait(Readiness[] ready)
    {
        // The rest of the round comes first.
        if (HasMore || _count == ready.Length || _stopping)
        {
            _count = _queue.Wait(ready, block: false);
            _round += _count;
            if (_count > 0 || HasMore || _stopping)
                return _count;
        }
        if (_quick > 1 && _pace == LoopPace.Attend && Attend(ready))
            return _count;
        if (_quick > 1 && _pace == LoopPace.Gather)
        {
            _isBusy = _round > (_isBusy ? FewAtOnce : ManyAtOnce);
            Thread.Sleep(_isBusy ? LongGathering : Gathering);
        }
        var since = Stopwatch.GetTimestamp();
        _round = _count = _queue.Wait(ready, block: true);
        _quick = Stopwatch.GetTimestamp() - since < Soon ? _quick + 1 : 0;
        return _count;
    }

    private bool Attend(Readiness[] ready)
    {
        for (var since = Stopwatch.GetTimestamp(); Stopwatch.GetTimestamp() - since < Soon; Thread.Yield())
        {
            if ((_count = _queue.Wait(ready, block: false)) > 0)
                return true;
        }
        _quick = 0;
        return false;
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

/// <summary>How an <see cref="EventLoop"/> waits while events come in quick succession. Otherwise it sleeps until one comes.</summary>
public enum LoopPace
{
    /// <summary>
    /// Looks again at once, for 0.2 ms, leaving the processor to whoever wants it: for clients that ask one question after the other, since
    /// to sleep and be woken takes longer than most answers.
    /// </summary>
    Attend,

    /// <summary>
    /// Lets 1 ms pass first, and 12 ms from 128 events at a time on until they are fewer than 32, so that what many say meanwhile costs one wake-up: for news
    /// that need not be known at once.
    /// </summary>
    Gather,
}
