using System.Runtime.InteropServices;

namespace Colibri.Posix.Interop;

/// <summary>FreeBSD <c>struct kevent</c> (<c>sys/event.h</c>), as it is since FreeBSD 12.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct Kevent
{
    [FieldOffset(0)] public nuint ident;
    [FieldOffset(8)] public short filter;
    [FieldOffset(10)] public ushort flags;
    [FieldOffset(12)] public uint fflags;
    [FieldOffset(16)] public long data;
    [FieldOffset(24)] public long udata;
}

/// <summary><c>struct timespec</c> (<c>sys/_timespec.h</c>) where long has 64 bits.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Timespec
{
    public long tv_sec;
    public long tv_nsec;
}

/// <summary><c>struct pollfd</c> (<c>poll.h</c>), the same on both systems.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollFd
{
    /// <summary><c>POLLIN</c> (<c>poll.h</c>), the same on both systems.</summary>
    public const short POLLIN = 0x001;

    public int fd;
    public short events;
    public short revents;
}

/// <summary><c>struct winsize</c> (Linux <c>asm-generic/termios.h</c>, FreeBSD <c>sys/_winsize.h</c>), the same on both systems.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WindowSize
{
    public ushort ws_row;
    public ushort ws_col;
    public ushort ws_xpixel;
    public ushort ws_ypixel;
}

/// <summary><c>struct iovec</c> (<c>sys/_iovec.h</c>), the same on both systems.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public void* iov_base;
    public nuint iov_len;
}

/// <summary><c>struct rlimit</c> (<c>sys/resource.h</c>), two 64-bit numbers on both systems.</summary>
internal record struct ResourceLimit(ulong Soft, ulong Hard);

/// <summary>FreeBSD <c>struct procctl_reaper_kill</c> (<c>sys/procctl.h</c>).</summary>
[StructLayout(LayoutKind.Explicit, Size = 80)]
internal struct procctl_reaper_kill
{
    [FieldOffset(0)] public int rk_sig;
    [FieldOffset(4)] public uint rk_flags;
    [FieldOffset(8)] public int rk_subtree;
    [FieldOffset(12)] public uint rk_killed;
    [FieldOffset(16)] public int rk_fpid;
}

/// <summary>FreeBSD <c>struct procctl_reaper_pidinfo</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct procctl_reaper_pidinfo
{
    [FieldOffset(0)] public int pi_pid;
    [FieldOffset(4)] public int pi_subtree;
    [FieldOffset(8)] public uint pi_flags;
}

/// <summary>FreeBSD <c>struct procctl_reaper_pids</c>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal unsafe struct procctl_reaper_pids
{
    [FieldOffset(0)] public uint rp_count;
    [FieldOffset(64)] public procctl_reaper_pidinfo* rp_pids;
}
