using System.Buffers.Text;
using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Processes;

/// <summary>Reads small /proc files into a caller's buffer with no allocation: a sweep reads thousands of them.</summary>
internal static unsafe class ProcFile
{
    /// <summary>Reads from the start until the buffer is full or the file ends; -1 where it cannot be opened or read.</summary>
    /// <param name="path">NUL-terminated.</param>
    public static int Read(ReadOnlySpan<byte> path, Span<byte> buffer)
    {
        var fd = Open(path);
        if (fd < 0)
            return -1;
        try
        {
            return ReadFully(fd, buffer);
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

    /// <summary>Opens /proc/PID/NAME; -1 where that fails.</summary>
    public static int Open(int pid, ReadOnlySpan<byte> name)
    {
        Span<byte> path = stackalloc byte[64];
        FormatPath(pid, name, path);
        return Open(path);
    }

    /// <summary>Fills the buffer as far as the file goes; -1 on an error (ESRCH: the process went away).</summary>
    public static int ReadFully(int fd, Span<byte> buffer)
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
                else if (Marshal.GetLastPInvokeError() != AbiConstants.EINTR)
                    return -1;
            }
        }
        return total;
    }

    private static int Open(ReadOnlySpan<byte> path)
    {
        fixed (byte* name = path)
            return Libc.open(name, AbiConstants.O_RDONLY | AbiConstants.Current.O_CLOEXEC);
    }

    private static void FormatPath(int pid, ReadOnlySpan<byte> name, Span<byte> path)
    {
        "/proc/"u8.CopyTo(path);
        _ = Utf8Formatter.TryFormat(pid, path[6..], out var digits);
        path[6 + digits] = (byte)'/';
        name.CopyTo(path[(7 + digits)..]);
        path[7 + digits + name.Length] = 0;
    }
}
