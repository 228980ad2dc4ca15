using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Polling;

/// <summary>kqueue(2).</summary>
internal sealed unsafe class KqueueQueue : IReadinessQueue
{
    private readonly SafeFileHandle _kqueue;
    private readonly Kevent[] _events = new Kevent[256];

    /// <exception cref="IOException">The process or the system has no descriptor left.</exception>
    public KqueueQueue()
    {
        var descriptor = FreeBsdLibc.kqueue();
        if (descriptor < 0)
            throw Failed("kqueue");
        _kqueue = new SafeFileHandle(descriptor, ownsHandle: true);
    }

    public void Watch(int descriptor, long token) => Add(descriptor, AbiConstants.EVFILT_READ, AbiConstants.EV_CLEAR, token);

    public void WatchRoom(int descriptor, long token, bool wanted)
    {
        // The watch is one-shot: it ends with its first event, so turning it off needs no call.
        if (wanted)
            Add(descriptor, AbiConstants.EVFILT_WRITE, AbiConstants.EV_ONESHOT, token);
    }

    public int Wait(Span<Readiness> ready, bool block)
    {
        var atOnce = default(Timespec);
        int count;
        fixed (Kevent* events = _events)
            count = FreeBsdLibc.kevent(Descriptor, null, 0, events, Math.Min(ready.Length, _events.Length), block ? null : &atOnce);
        if (count < 0)
            return Marshal.GetLastPInvokeError() == AbiConstants.EINTR ? 0 : throw Failed("kevent");
        for (var i = 0; i < count; i++)
        {
            ref readonly var entry = ref _events[i];
            var ended = (entry.flags & AbiConstants.EV_EOF) != 0;
            var reads = entry.filter == AbiConstants.EVFILT_READ;
            // EV_EOF of the write filter says nothing about data that can still be read.
            ready[i] = new Readiness(entry.udata, reads, entry.filter == AbiConstants.EVFILT_WRITE, reads && ended);
        }
        return count;
    }

    public void Dispose() => _kqueue.Dispose();

    private int Descriptor => (int)_kqueue.DangerousGetHandle();

    private void Add(int descriptor, short filter, ushort flags, long token)
    {
        var change = new Kevent { ident = (nuint)descriptor, filter = filter, flags = (ushort)(AbiConstants.EV_ADD | flags), udata = token };
        if (FreeBsdLibc.kevent(Descriptor, &change, 1, null, 0, null) < 0)
            throw Failed("kevent");
    }

    private static IOException Failed(string call) => new($"{call}: {Errno.Describe(Marshal.GetLastPInvokeError())}");
}
