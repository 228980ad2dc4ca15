using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Where this process is, in the bytes of the file system.</summary>
public static unsafe class DirectoryBytes
{
    // PATH_MAX of <linux/limits.h>; FreeBSD's is shorter.
    private const int MostBytes = 4096;

    /// <summary>Its path as it is, which need not be UTF-8; null where it was removed or cannot be told.</summary>
    public static byte[]? Current()
    {
        var buffer = stackalloc byte[MostBytes];
        // A directory outside of this process's root is "(unreachable)/…" (getcwd(3)).
        return Libc.getcwd(buffer, MostBytes) is not null && *buffer == '/' ? MemoryMarshal.CreateReadOnlySpanFromNullTerminated(buffer).ToArray() : null;
    }
}
