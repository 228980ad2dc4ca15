using System.Buffers;
using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Processes;

/// <summary>
/// Looks for an entry in the environment that a process was started with. The process can overwrite, move or unmap that memory, and so provoke
/// nearly any error of a reader. So an environment that cannot be read counts as one without the entry. Only a lack of descriptors throws,
/// because no other process can cause it by its memory.
/// </summary>
internal static class ProcessEnvironment
{
    private const int ChunkBytes = 16 * 1024;
    private const int SmallBytes = 64 * 1024;
    // What execve(2) takes at most for arguments and environment together: three quarters of _STK_LIM (bprm_stack_limits() in Linux'
    // fs/exec.c). A process can make its own terabytes long afterwards, without any right (PR_SET_MM_MAP, prctl(2)).
    private const int LinuxBytes = 6 * 1024 * 1024;
    // FreeBSD answers all or nothing; its ARG_MAX for 64 bits (<sys/syslimits.h>) is half of this.
    private const int FreeBsdBytes = 1024 * 1024;

    /// <summary>The calls an environment is read with. Tests put others in; the daemon never does.</summary>
    internal static EnvironmentCalls Calls { get; set; } = new();

    /// <summary>
    /// Whether the process has an entry that is exactly <paramref name="entry"/>, or begins with it where
    /// <paramref name="prefix"/>. False where the environment cannot be read. The first 6 MiB count, more than a process can be started with.
    /// </summary>
    /// <exception cref="IOException">There is no descriptor to read it with (EMFILE, ENFILE).</exception>
    public static bool Has(int pid, ReadOnlySpan<byte> entry, bool prefix = false)
    {
        // An entry is what stands between two NULs: one before the first entry and one after the last are added.
        Span<byte> needle = stackalloc byte[entry.Length + 2];
        needle[0] = 0;
        entry.CopyTo(needle[1..]);
        needle[^1] = 0;
        if (prefix)
            needle = needle[..^1];
        return Calls.AreFiles ? HasLinux(pid, needle) : HasFreeBsd(pid, needle);
    }

    /// <summary>
    /// A whole environment of less than 64 KiB, for <see cref="Holds"/>; empty where it cannot be read, null where it is longer.
    /// </summary>
    /// <exception cref="IOException">There is no descriptor to read it with (EMFILE, ENFILE).</exception>
    public static byte[]? ReadSmall(int pid)
    {
        var size = Calls.AreFiles ? SmallBytes : FreeBsdBytes;
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var length = Calls.AreFiles ? ReadFile(pid, buffer.AsSpan(0, size)) : Calls.Sysctl(pid, buffer.AsSpan(0, size));
            if (length >= SmallBytes)
                return null;
            // An entry is what stands between two NULs: one before the first entry and one after the last are added.
            return length <= 0 ? [] : [0, .. buffer.AsSpan(0, length), 0];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Whether an environment of <see cref="ReadSmall"/> has exactly this entry.</summary>
    public static bool Holds(ReadOnlySpan<byte> environment, ReadOnlySpan<byte> entry)
    {
        while (environment.IndexOf(entry) is >= 0 and var at)
        {
            if (environment[at - 1] == 0 && environment[at + entry.Length] == 0)
                return true;
            environment = environment[(at + 1)..];
            if (environment.Length < entry.Length)
                return false;
        }
        return false;
    }

    /// <summary>
    /// Whether the process may be in the last part of an exec. Linux shows neither environment nor arguments there, and a process caught
    /// there must not pass for one without a marker. One that was started with an empty environment has arguments.
    /// </summary>
    public static bool IsExecuting(int pid) => Calls.AreFiles && IsEmpty(pid) && Calls.HasNoArguments(pid);

    // Negative where it cannot be opened.
    private static int Open(int pid)
    {
        var fd = Calls.Open(pid);
        return fd is -AbiConstants.EMFILE or -AbiConstants.ENFILE ? throw ProcessTable.Unreadable(-fd) : fd;
    }

    private static bool IsEmpty(int pid)
    {
        var fd = Open(pid);
        if (fd < 0)
            return false;
        try
        {
            Span<byte> first = stackalloc byte[1];
            return Calls.Read(fd, first) == 0;
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    private static int ReadFile(int pid, Span<byte> buffer)
    {
        var fd = Open(pid);
        if (fd < 0)
            return fd;
        try
        {
            return Calls.Read(fd, buffer);
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    private static bool HasLinux(int pid, ReadOnlySpan<byte> needle)
    {
        var fd = Open(pid);
        if (fd < 0)
            return false;
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes + needle.Length);
        try
        {
            buffer[0] = 0;
            var total = 0;
            for (var kept = 1; ;)
            {
                var space = buffer.AsSpan(kept, buffer.Length - kept - 1);
                var got = Calls.Read(fd, space);
                if (got < 0)
                    return false;
                var filled = kept + got;
                var ended = got < space.Length;
                if (ended)
                    buffer[filled++] = 0;
                if (buffer.AsSpan(0, filled).IndexOf(needle) >= 0)
                    return true;
                total += got;
                if (ended || total >= LinuxBytes)
                    return false;
                // A needle may lie across two chunks.
                kept = needle.Length;
                buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _ = Libc.close(fd);
        }
    }

    private static bool HasFreeBsd(int pid, ReadOnlySpan<byte> needle)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FreeBsdBytes + 2);
        try
        {
            var length = Calls.Sysctl(pid, buffer.AsSpan(1, FreeBsdBytes));
            if (length <= 0)
                return false;
            buffer[0] = 0;
            buffer[length + 1] = 0;
            return buffer.AsSpan(0, length + 2).IndexOf(needle) >= 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>
/// The system calls that read the environment of another process. Each returns its result, or the negative error number. Tests override them,
/// because most of those errors take a hostile process or another system.
/// </summary>
internal class EnvironmentCalls
{
    /// <summary>Whether an environment is a file below /proc; else it comes out of sysctl(3).</summary>
    public virtual bool AreFiles => HostPlatform.UsesLinuxAbi;

    /// <summary>Opens /proc/PID/environ.</summary>
    public virtual int Open(int pid) => ProcFile.TryOpen(pid, "environ"u8);

    /// <summary>Fills the buffer as far as the file goes.</summary>
    public virtual int Read(int fd, Span<byte> buffer) => ProcFile.TryReadFully(fd, buffer);

    /// <summary>Whether /proc/PID/cmdline can be read and is empty.</summary>
    public virtual bool HasNoArguments(int pid)
    {
        var fd = ProcFile.TryOpen(pid, "cmdline"u8);
        if (fd < 0)
            return false;
        Span<byte> first = stackalloc byte[1];
        var got = ProcFile.TryReadFully(fd, first);
        _ = Libc.close(fd);
        return got == 0;
    }

    /// <summary>kern.proc.env: all of it, or nothing where the buffer is too small.</summary>
    public virtual int Sysctl(int pid, Span<byte> buffer) =>
        FreeBsdProcesses.ReadEnvironment(pid, buffer) is >= 0 and var length ? length : -Marshal.GetLastPInvokeError();
}
