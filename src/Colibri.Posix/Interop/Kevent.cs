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
