using System.Diagnostics;
using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Polling;

/// <summary>
/// One thread that waits for many sockets and pipes (epoll(7), kqueue(2)). When one is ready, the loop runs the awaiting continuation on its
/// own thread, so an event costs no hand-over to another thread. It has many fields because its pace is counted at every turn, by its thread alone.
/// </summary>
/// <remarks>
/// A continuation on the loop's thread holds up all other descriptors, so it must not block: no file, no database, no lock that is held for
/// long. Code that may block awaits <see cref="LeaveAsync"/> first. An idle loop sleeps in the kernel.
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

    // Used by the loop's thread alone. _count: events of the last wait. _round: events since the last blocking wait. _quick: blocking waits in a
    // row that returned within 0.2 ms.
    private int _count;
    private int _round;
    private int _quick;
    private bool _isBusy;

    /// <param name="name">The thread's name.</param>
    /// <param name="pace">How to wait while events follow each other within 0.2 ms.</param>
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

    /// <summary>To be awaited before code that may block: moves to the thread pool from a loop's thread, and stays where it is on any other.</summary>
    public static System.Runtime.CompilerServices.ConfiguredTaskAwaitable LeaveAsync() =>
        Task.CompletedTask.ConfigureAwait(Current is null ? ConfigureAwaitOptions.None : ConfigureAwaitOptions.ForceYielding);

    /// <summary>Makes a descriptor non-blocking and watches it from now on; the returned object owns it. The first call starts the thread.</summary>
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
                    // The loop reads the array without a lock. It sees the old or the new one, and both hold the entries it looks for.
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

    /// <summary>Ends the thread. Watched descriptors stay open and get no further events.</summary>
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
            // An event of the kernel that is under way carries the old generation, so it does not reach the slot's next descriptor.
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

    // Continues the waiters and pumps that used up their turn and have more to read.
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
        // Poll without blocking while work of this round is left.
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
    /// Spin: after an event, poll again for up to 0.2 ms before sleeping, and yield the processor between polls. For clients that send one
    /// request after the other: a wake-up takes longer than most answers.
    /// </summary>
    Attend,

    /// <summary>
    /// Batch: sleep 1 ms before each wait, so that the events of many descriptors cost one wake-up. From more than 128 events a round on, until a
    /// round has 32 or fewer, sleep 12 ms. For output that need not be seen at once.
    /// </summary>
    Gather,
}
