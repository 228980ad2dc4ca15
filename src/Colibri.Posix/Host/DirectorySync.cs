using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Makes a directory's entries durable: a renamed or new file survives a power cut only when its directory was synced too.</summary>
public static class DirectorySync
{
    /// <summary>fsync(2) on the directory.</summary>
    /// <exception cref="IOException">It cannot be opened or synced; the message says why.</exception>
    public static void Flush(string path)
    {
        using var handle = OwnDescriptor.Open(path, AbiConstants.O_RDONLY);
        while (Libc.fsync((int)handle.DangerousGetHandle()) != 0)
        {
            if (Marshal.GetLastPInvokeError() is var error and not AbiConstants.EINTR)
                throw new IOException($"cannot sync {path}: {Errno.Describe(error)}");
        }
    }
}
