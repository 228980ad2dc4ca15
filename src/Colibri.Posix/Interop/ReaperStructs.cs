using System.Runtime.InteropServices;

namespace Colibri.Posix.Interop;

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
