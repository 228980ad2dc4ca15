using System.Buffers;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Processes;

/// <summary>Looks for an entry in the environment a process was started with.</summary>
internal static class ProcessEnvironment
{
    private const int ChunkBytes = 16 * 1024;
    // FreeBSD answers all or nothing; its ARG_MAX for 64 bits (<sys/syslimits.h>) is half of this.
    private const int FreeBsdBytes = 1024 * 1024;

    /// <summary>
    /// Whether the process has an entry that is exactly <paramref name="entry"/>, or begins with it where
    /// <paramref name="prefix"/>. False where the environment may not be read.
    /// </summary>
    /// <exception cref="IOException">It cannot be told, as a rule for want of descriptors.</exception>
    public static bool Has(int pid, ReadOnlySpan<byte> entry, bool prefix = false)
    {
        // An entry is what stands between two NULs: one before the first entry and one after the last are added.
        Span<byte> needle = stackalloc byte[entry.Length + 2];
        needle[0] = 0;
        entry.CopyTo(needle[1..]);
        needle[^1] = 0;
        if (prefix)
            needle = needle[..^1];
        return HostPlatform.UsesLinuxAbi ? HasLinux(pid, needle) : HasFreeBsd(pid, needle);
    }

    /// <summary>
    /// Waits, 2 ms at most, while the environment reads as empty. Linux shows none in the last part of an exec, and a
    /// process caught there must not pass for one without a marker.
    /// </summary>
    public static void AwaitExec(int pid)
    {
        if (HostPlatform.UsesLinuxAbi)
            SpinWait.SpinUntil(() => !IsEmpty(pid), TimeSpan.FromMilliseconds(2));
    }

    private static bool IsEmpty(int pid)
    {
        Span<byte> first = stackalloc byte[1];
        return ProcFile.Read(pid, "environ"u8, first) == 0;
    }

    private static bool HasLinux(int pid, ReadOnlySpan<byte> needle)
    {
        var fd = ProcFile.Open(pid, "environ"u8);
        if (fd < 0)
            return false;
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes + needle.Length);
        try
        {
            buffer[0] = 0;
            for (var kept = 1; ;)
            {
                var space = buffer.AsSpan(kept, buffer.Length - kept - 1);
                var got = ProcFile.ReadFully(fd, space);
                if (got < 0)
                    return false;
                var filled = kept + got;
                var ended = got < space.Length;
                if (ended)
                    buffer[filled++] = 0;
                if (buffer.AsSpan(0, filled).IndexOf(needle) >= 0)
                    return true;
                if (ended)
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
            var length = FreeBsdProcesses.ReadEnvironment(pid, buffer.AsSpan(1, FreeBsdBytes));
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
