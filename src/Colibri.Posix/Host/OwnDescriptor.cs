using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Posix.Host;

/// <summary>open(2) of an existing file or directory. .NET's own open takes locks and refuses directories.</summary>
internal static class OwnDescriptor
{
    /// <param name="path">A file or a directory.</param>
    /// <param name="flags">Flags of open(2); O_CLOEXEC is added.</param>
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
