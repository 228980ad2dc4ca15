using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Spawning;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Polling;

/// <summary>pipe2(2).</summary>
public static unsafe class Pipe
{
    /// <summary>
    /// Creates a pipe; both ends are closed on exec and block. For a child's output: pass <c>Writing</c> to <see cref="SpawnOptions"/>, then
    /// dispose it, or the end of file is never seen; an <see cref="EventLoop"/> watches <c>Reading</c>.
    /// </summary>
    /// <exception cref="IOException">pipe2(2) failed, as a rule for want of descriptors (EMFILE).</exception>
    public static (SafeHandle Reading, SafeHandle Writing) Create()
    {
        var ends = stackalloc int[2];
        if (Libc.pipe2(ends, AbiConstants.Current.O_CLOEXEC) != 0)
            throw new IOException($"cannot create a pipe: {Errno.Describe(Marshal.GetLastPInvokeError())}");
        return (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }
}
