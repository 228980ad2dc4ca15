using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix;

/// <summary>Makes a directory's entries durable: a renamed or new file survives a power cut only when its directory was synced too.</summary>
public static class DirectorySync
{
    /// <summary>fsync(2) on the directory.</summary>
    /// <exception cref="IOException">It cannot be opened or synced; the message says why.</exception>
    public static unsafe void Flush(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        int descriptor;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
            descriptor = Libc.open(name, AbiConstants.O_RDONLY | AbiConstants.Current.O_CLOEXEC);
        if (descriptor < 0)
            throw new IOException($"cannot open {path}: {Errno.Describe(Marshal.GetLastPInvokeError())}");

        // Closed by the handle: .NET's own way to flush one refuses directories.
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        while (Libc.fsync(descriptor) != 0)
        {
            if (Marshal.GetLastPInvokeError() is var error and not AbiConstants.EINTR)
                throw new IOException($"cannot sync {path}: {Errno.Describe(error)}");
        }
    }
}
