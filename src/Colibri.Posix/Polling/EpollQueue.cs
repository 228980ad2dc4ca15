using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Polling;

/// <summary>epoll(7), through syscall(): FreeBSD's libc has no such names, and a direct link resolves every one.</summary>
internal sealed unsafe class EpollQueue : IReadinessQueue
{
    private const int Batch = 256;

    // struct epoll_event: 32 bits of events, then 64 of data.
    private static readonly bool IsX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int OffsetOfData = IsX64 ? AbiConstants.OffsetOfEpollData_x64 : AbiConstants.OffsetOfEpollData_arm64;
    private static readonly int SizeOfEvent = IsX64 ? AbiConstants.SizeOfEpollEvent_x64 : AbiConstants.SizeOfEpollEvent_arm64;

    private readonly SafeFileHandle _epoll;
    private readonly byte[] _events = new byte[Batch * AbiConstants.SizeOfEpollEvent_arm64];

    /// <exception cref="IOException">The process or the system has no descriptor left.</exception>
    public EpollQueue()
    {
        var descriptor = Libc.syscall(IsX64 ? AbiConstants.SYS_epoll_create1_x64 : AbiConstants.SYS_epoll_create1_arm64, AbiConstants.Linux.O_CLOEXEC, 0, 0, 0, 0);
        if (descriptor < 0)
            throw Failed("epoll_create1");
        _epoll = new SafeFileHandle(descriptor, ownsHandle: true);
    }

    public void Watch(int descriptor, long token) =>
        Control(AbiConstants.EPOLL_CTL_ADD, descriptor, token, AbiConstants.EPOLLIN | AbiConstants.EPOLLRDHUP | AbiConstants.EPOLLET);

    public void WatchRoom(int descriptor, long token, bool wanted) => Control(
        AbiConstants.EPOLL_CTL_MOD, descriptor, token, AbiConstants.EPOLLIN | (wanted ? AbiConstants.EPOLLOUT : 0) | AbiConstants.EPOLLRDHUP | AbiConstants.EPOLLET);

    public int Wait(Span<Readiness> ready, bool block)
    {
        const uint Ended = AbiConstants.EPOLLRDHUP | AbiConstants.EPOLLHUP | AbiConstants.EPOLLERR;
        nint count;
        fixed (byte* events = _events)
        {
            var number = IsX64 ? AbiConstants.SYS_epoll_pwait_x64 : AbiConstants.SYS_epoll_pwait_arm64;
            count = Libc.syscall(number, (int)_epoll.DangerousGetHandle(), (nint)events, Math.Min(ready.Length, Batch), block ? -1 : 0, 0);
        }
        if (count < 0)
            return Marshal.GetLastPInvokeError() == AbiConstants.EINTR ? 0 : throw Failed("epoll_pwait");
        for (var i = 0; i < (int)count; i++)
        {
            var at = _events.AsSpan(i * SizeOfEvent);
            var what = BinaryPrimitives.ReadUInt32LittleEndian(at);
            ready[i] = new Readiness(
                BinaryPrimitives.ReadInt64LittleEndian(at[OffsetOfData..]),
                (what & (AbiConstants.EPOLLIN | Ended)) != 0,
                (what & (AbiConstants.EPOLLOUT | AbiConstants.EPOLLHUP | AbiConstants.EPOLLERR)) != 0,
                (what & Ended) != 0);
        }
        return (int)count;
    }

    public void Dispose() => _epoll.Dispose();

    private void Control(int operation, int descriptor, long token, uint what)
    {
        Span<byte> entry = stackalloc byte[AbiConstants.SizeOfEpollEvent_arm64];
        BinaryPrimitives.WriteUInt32LittleEndian(entry, what);
        BinaryPrimitives.WriteInt64LittleEndian(entry[OffsetOfData..], token);
        fixed (byte* pointer = entry)
        {
            var number = IsX64 ? AbiConstants.SYS_epoll_ctl_x64 : AbiConstants.SYS_epoll_ctl_arm64;
            if (Libc.syscall(number, (int)_epoll.DangerousGetHandle(), operation, descriptor, (nint)pointer, 0) != 0)
                throw Failed("epoll_ctl");
        }
    }

    private static IOException Failed(string call) => new($"{call}: {Errno.Describe(Marshal.GetLastPInvokeError())}");
}
