using System.Net.Sockets;
using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Polling;
using Colibri.Posix.Spawning;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Sockets;

/// <summary>
/// A connected pair of Unix stream sockets. Used for an agent's standard input, where a pipe would raise SIGPIPE, and for the output of short
/// programs, because the runtime can read a socket, but not a pipe, without a thread.
/// </summary>
public static unsafe class SocketPair
{
    /// <summary>
    /// Creates the pair; both ends are closed on exec. <c>Ours</c> is for asynchronous use; <c>Theirs</c> stays a blocking
    /// descriptor for a child's standard stream: pass it to <see cref="SpawnOptions"/>, then dispose it, or end of file
    /// is never seen on ours.
    /// </summary>
    /// <exception cref="IOException">socketpair(2) failed, as a rule for want of descriptors (EMFILE).</exception>
    public static (Socket Ours, SafeHandle Theirs) Create()
    {
        var (ours, theirs) = CreateHandles();
        try
        {
            return (new Socket(ours), theirs);
        }
        catch
        {
            ours.Dispose();
            theirs.Dispose();
            throw;
        }
    }

    /// <summary>The same, ours to be watched by an <see cref="EventLoop"/>.</summary>
    /// <exception cref="IOException">As above.</exception>
    public static (SafeSocketHandle Ours, SafeHandle Theirs) CreateHandles()
    {
        var ends = stackalloc int[2];
        if (Libc.socketpair(AbiConstants.AF_UNIX, AbiConstants.SOCK_STREAM | AbiConstants.Current.SOCK_CLOEXEC, 0, ends) != 0)
            throw new IOException($"cannot create a socket pair: {Errno.Describe(Marshal.GetLastPInvokeError())}");
        return (new SafeSocketHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }
}
