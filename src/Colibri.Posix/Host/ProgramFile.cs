using System.Text;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Whether a path is a program that this process can execute.</summary>
public static class ProgramFile
{
    private const uint AnyExecute = 0x49;

    /// <summary>
    /// A regular file, links followed, that this user may execute. False for all else, and for whatever stat(2) cannot look at: a dangling
    /// link, a link loop, a directory without permission, a name that is too long. Never throws.
    /// </summary>
    public static unsafe bool IsExecutable(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal) || !FileOwner.TryOf(path, out var file, out _))
            return false;
        // access(2) as root may say yes to a file without any x bit, which execve(2) then refuses.
        if ((file.Mode & AbiConstants.S_IFMT) != AbiConstants.S_IFREG || (file.Mode & AnyExecute) == 0)
            return false;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
            return Libc.access(name, AbiConstants.X_OK) == 0;
    }
}
