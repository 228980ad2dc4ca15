using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Host;

/// <summary>open(2) of what is there, past the locks and the refusal of directories that .NET's own way brings.</summary>
internal static class OwnDescriptor
{
    /// <param name="path">A file or a directory.</param>
    /// <param name="flags">How; it is closed on exec as well.</param>
    /// <exception cref="IOException">It cannot be opened; the message says why.</exception>
    public static unsafe SafeFileHandle Open(string path, int flags)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        int descriptor;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
            descriptor = Libc.open(name, flags | AbiConstants.Current.O_CLOEXEC);
        if (descriptor < 0)
            throw new IOException($"cannot open {path}: {Errno.Describe(Marshal.GetLastPInvokeError())}");
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }
}
