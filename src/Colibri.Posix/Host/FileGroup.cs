using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Changes a file's group.</summary>
public static class FileGroup
{
    private const uint Unchanged = uint.MaxValue;

    /// <summary>chown(2) of the group alone; links are followed.</summary>
    /// <returns>False where this user may not.</returns>
    public static unsafe bool TrySet(string path, uint gid)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
            return Libc.chown(name, Unchanged, gid) == 0;
    }
}
