using System.Globalization;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Host;

/// <summary>Names and texts of the errors a supervisor meets; the numbers differ between Linux and FreeBSD.</summary>
public static class Errno
{
    // <errno.h>: EDQUOT
    private const int LinuxQuota = 122;
    private const int FreeBsdQuota = 69;

    /// <summary>Such as "No such file or directory (ENOENT)"; "errno 77" for a number that is not in the table.</summary>
    public static string Describe(int errno) => Describe(errno, HostPlatform.UsesLinuxAbi);

    /// <summary>
    /// Whether the cause may be gone later: no memory, process, descriptor or room left, or a program file that is still open for writing. A
    /// start that failed for one of these is tried again; a file that is not a program will not be one at the third try.
    /// </summary>
    public static bool IsShortage(int errno)
    {
        var linux = HostPlatform.UsesLinuxAbi;
        foreach (var (linuxNumber, freeBsdNumber, name, _) in Table)
        {
            if (errno == (linux ? linuxNumber : freeBsdNumber))
                return name is "EAGAIN" or "ENOMEM" or "ENFILE" or "EMFILE" or "ENOBUFS" or "ETXTBSY" or "ENOSPC" or "EDQUOT";
        }
        return false;
    }

    /// <summary>Whether an exception of the runtime says that the disk, or a user's share of it, is full.</summary>
    public static bool IsWantOfRoom(IOException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        // The runtime passes the errno on as it is.
        return error.HResult == AbiConstants.ENOSPC || error.HResult == (HostPlatform.UsesLinuxAbi ? LinuxQuota : FreeBsdQuota);
    }

    internal static string Describe(int errno, bool linux)
    {
        foreach (var (linuxNumber, freeBsdNumber, name, text) in Table)
        {
            if (errno == (linux ? linuxNumber : freeBsdNumber))
                return $"{text} ({name})";
        }
        return string.Create(CultureInfo.InvariantCulture, $"errno {errno}");
    }

    // <errno.h> of both systems.
    internal static readonly (int Linux, int FreeBsd, string Name, string Text)[] Table =
    [
        (AbiConstants.EPERM, AbiConstants.EPERM, "EPERM", "Operation not permitted"),
        (AbiConstants.ENOENT, AbiConstants.ENOENT, "ENOENT", "No such file or directory"),
        (AbiConstants.ESRCH, AbiConstants.ESRCH, "ESRCH", "No such process"),
        (AbiConstants.EINTR, AbiConstants.EINTR, "EINTR", "Interrupted system call"),
        (5, 5, "EIO", "Input/output error"),
        (AbiConstants.E2BIG, AbiConstants.E2BIG, "E2BIG", "Argument list too long"),
        (AbiConstants.ENOEXEC, AbiConstants.ENOEXEC, "ENOEXEC", "Exec format error"),
        (9, 9, "EBADF", "Bad file descriptor"),
        (AbiConstants.ECHILD, AbiConstants.ECHILD, "ECHILD", "No child processes"),
        (11, 35, "EAGAIN", "Resource temporarily unavailable"),
        (AbiConstants.ENOMEM, AbiConstants.ENOMEM, "ENOMEM", "Cannot allocate memory"),
        (AbiConstants.EACCES, AbiConstants.EACCES, "EACCES", "Permission denied"),
        (14, 14, "EFAULT", "Bad address"),
        (AbiConstants.EBUSY, AbiConstants.EBUSY, "EBUSY", "Device or resource busy"),
        (17, 17, "EEXIST", "File exists"),
        (AbiConstants.ENOTDIR, AbiConstants.ENOTDIR, "ENOTDIR", "Not a directory"),
        (21, 21, "EISDIR", "Is a directory"),
        (22, 22, "EINVAL", "Invalid argument"),
        (AbiConstants.ENFILE, AbiConstants.ENFILE, "ENFILE", "Too many open files in system"),
        (AbiConstants.EMFILE, AbiConstants.EMFILE, "EMFILE", "Too many open files"),
        (AbiConstants.ETXTBSY, AbiConstants.ETXTBSY, "ETXTBSY", "Text file busy"),
        (AbiConstants.ENOSPC, AbiConstants.ENOSPC, "ENOSPC", "No space left on device"),
        (30, 30, "EROFS", "Read-only file system"),
        (32, 32, "EPIPE", "Broken pipe"),
        (36, 63, "ENAMETOOLONG", "File name too long"),
        (38, 78, "ENOSYS", "Function not implemented"),
        (39, 66, "ENOTEMPTY", "Directory not empty"),
        (40, 62, "ELOOP", "Too many levels of symbolic links"),
        (75, 84, "EOVERFLOW", "Value too large"),
        (95, 45, "EOPNOTSUPP", "Operation not supported"),
        (98, 48, "EADDRINUSE", "Address already in use"),
        (104, 54, "ECONNRESET", "Connection reset by peer"),
        (105, 55, "ENOBUFS", "No buffer space available"),
        (107, 57, "ENOTCONN", "Socket is not connected"),
        (110, 60, "ETIMEDOUT", "Connection timed out"),
        (LinuxQuota, FreeBsdQuota, "EDQUOT", "Disk quota exceeded"),
        (111, 61, "ECONNREFUSED", "Connection refused"),
    ];
}
