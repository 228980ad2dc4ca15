using System.Buffers.Text;
using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Processes;

/// <summary>
/// Reads small /proc files into a caller's buffer with no allocation: a sweep reads thousands of them. What is not there, or
/// is not ours to see, is answered with -1; any other failure throws, or a daemon that is out of descriptors would take every
/// process for gone.
/// </summary>
internal static unsafe class ProcFile
{
    /// <summary>Reads from the start until the buffer is full or the file ends; -1 where it is not there for us.</summary>
    /// <param name="path">NUL-terminated.</param>
    /// <exception cref="IOException">It could not be opened or read for another reason.</exception>
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

    /// <summary>Opens /proc/PID/NAME; -1 where it is not there for us.</summary>
    /// <exception cref="IOException">It could not be opened for another reason.</exception>
    public static int Open(int pid, ReadOnlySpan<byte> name)
    {
        Span<byte> path = stackalloc byte[64];
        FormatPath(pid, name, path);
        return Open(path);
    }

    /// <summary>Fills the buffer as far as the file goes; -1 where the process went away or may not be looked into.</summary>
    /// <exception cref="IOException">It could not be read for another reason.</exception>
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
                else if (Marshal.GetLastPInvokeError() is var error && error != AbiConstants.EINTR)
                    return Absent(error);
            }
        }
        return total;
    }

    private static int Open(ReadOnlySpan<byte> path)
    {
        fixed (byte* name = path)
        {
            while (true)
            {
                var fd = Libc.open(name, AbiConstants.O_RDONLY | AbiConstants.Current.O_CLOEXEC);
                if (fd >= 0)
                    return fd;
                if (Marshal.GetLastPInvokeError() is var error && error != AbiConstants.EINTR)
                    return Absent(error);
            }
        }
    }

    private static int Absent(int error) => ProcessTable.IsAbsence(error) ? -1 : throw ProcessTable.Unreadable(error);

    private static void FormatPath(int pid, ReadOnlySpan<byte> name, Span<byte> path)
    {
        "/proc/"u8.CopyTo(path);
        _ = Utf8Formatter.TryFormat(pid, path[6..], out var digits);
        path[6 + digits] = (byte)'/';
        name.CopyTo(path[(7 + digits)..]);
        path[7 + digits + name.Length] = 0;
    }
}
