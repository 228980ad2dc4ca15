using System.Runtime.InteropServices;

namespace Colibri.Posix.Interop;

/// <summary><c>struct iovec</c> (<c>sys/_iovec.h</c>), the same on both systems.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public void* iov_base;
    public nuint iov_len;
}
