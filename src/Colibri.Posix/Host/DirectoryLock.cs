using System.Runtime.InteropServices;
using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Host;

/// <summary>
/// flock(2) on a directory, for the moment in which a name in it is looked at and then removed or made: no two holders do that at once. It needs
/// no file of its own, and works on Linux and FreeBSD.
/// </summary>
public sealed class DirectoryLock : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly SafeFileHandle? _handle;

    private DirectoryLock(SafeFileHandle? handle) => _handle = handle;

    /// <summary>
    /// Waits for it. Another program may hold such a lock for its own purposes, and a file system may have none: after the patience, and there, it
    /// goes without.
    /// </summary>
    public static DirectoryLock Take(string directory, TimeSpan patience)
    {
        SafeFileHandle handle;
        try
        {
            handle = OwnDescriptor.Open(directory, AbiConstants.O_RDONLY | AbiConstants.Current.O_DIRECTORY);
        }
        catch (IOException)
        {
            return new DirectoryLock(null);
        }
        var begun = TimeProvider.System.GetTimestamp();
        while (Libc.flock((int)handle.DangerousGetHandle(), AbiConstants.LOCK_EX | AbiConstants.LOCK_NB) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != AbiConstants.Current.EAGAIN && error != AbiConstants.EINTR)
                break;
            if (TimeProvider.System.GetElapsedTime(begun) > patience)
                break;
            Thread.Sleep(Pause);
        }
        return new DirectoryLock(handle);
    }

    /// <summary>Gives it back.</summary>
    public void Dispose() => _handle?.Dispose();
}
