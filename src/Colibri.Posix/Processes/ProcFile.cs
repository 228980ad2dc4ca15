using System.Buffers.Text;
using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Processes;

/// <summary>
/// Reads small /proc files into a caller's buffer without allocating, because a sweep reads thousands of them. A file that does not exist, or
/// that we may not see, gives -1. Every other failure throws; otherwise a daemon that is out of descriptors would take every process for
/// gone. The two methods that begin with Try leave that judgement to their caller.
/// </summary>
internal static unsafe class ProcFile
{
    /// <summary>Reads from the start until the buffer is full or the file ends; -1 if it does not exist or we may not see it.</summary>
    /// <param name="path">NUL-terminated.</param>
    /// <exception cref="IOException">It could not be opened or read for another reason.</exception>
    public static int Read(ReadOnlySpan<byte> path, Span<byte> buffer)
    {
        var fd = OrAbsent(TryOpen(path));
        if (fd < 0)
            return -1;
        try
        {
            return OrAbsent(TryReadFully(fd, buffer));
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    /// <summary>Reads /proc/PID/NAME.</summary>
    public static int Read(int pid, ReadOnlySpan<byte> name, Span<byte> buffer)
    {
        Span<byte> path = stackalloc byte[64];
        FormatPath(pid, name, path);
        return Read(path, buffer);
    }

    /// <summary>Reads /proc/NAME.</summary>
    public static int ReadProc(ReadOnlySpan<byte> name, Span<byte> buffer)
    {
        Span<byte> path = stackalloc byte[64];
        "/proc/"u8.CopyTo(path);
        name.CopyTo(path[6..]);
        path[6 + name.Length] = 0;
        return Read(path, buffer);
    }

    /// <summary>Opens /proc/PID/NAME; the error number, negative, where it cannot be opened.</summary>
    public static int TryOpen(int pid, ReadOnlySpan<byte> name)
    {
        Span<byte> path = stackalloc byte[64];
        FormatPath(pid, name, path);
        return TryOpen(path);
    }

    /// <summary>Fills the buffer as far as the file goes; the error number, negative, where it cannot be read.</summary>
    public static int TryReadFully(int fd, Span<byte> buffer)
    {
        var total = 0;
        fixed (byte* start = buffer)
        {
            while (total < buffer.Length)
            {
                var got = Libc.read(fd, start + total, (nuint)(buffer.Length - total));
                if (got == 0)
                    break;
                if (got > 0)
                    total += (int)got;
                else if (Marshal.GetLastPInvokeError() is var error && error != AbiConstants.EINTR)
                    return -error;
            }
        }
        return total;
    }

    private static int TryOpen(ReadOnlySpan<byte> path)
    {
        fixed (byte* name = path)
        {
            while (true)
            {
                var fd = Libc.open(name, AbiConstants.O_RDONLY | AbiConstants.Current.O_CLOEXEC);
                if (fd >= 0)
                    return fd;
                if (Marshal.GetLastPInvokeError() is var error && error != AbiConstants.EINTR)
                    return -error;
            }
        }
    }

    private static int OrAbsent(int result) =>
        result >= 0 ? result : ProcessTable.IsAbsence(-result) ? -1 : throw ProcessTable.Unreadable(-result);

    private static void FormatPath(int pid, ReadOnlySpan<byte> name, Span<byte> path)
    {
        "/proc/"u8.CopyTo(path);
        _ = Utf8Formatter.TryFormat(pid, path[6..], out var digits);
        path[6 + digits] = (byte)'/';
        name.CopyTo(path[(7 + digits)..]);
        path[7 + digits + name.Length] = 0;
    }
}
