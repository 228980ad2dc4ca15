using System.Buffers.Text;
using Colibri.Posix.Host;

namespace Colibri.Posix.Processes;

/// <summary>The memory that a process holds now, in bytes.</summary>
internal static class ProcessMemory
{
    // proc_pid_statm(5): seven numbers. proc_pid_smaps_rollup(5) has about 25 lines of 28 bytes.
    private const int StatmBytes = 256;
    private const int RollupBytes = 4096;

    /// <summary>What of it is resident. Pages that processes share count in each of them. 0 for a process that is gone or hidden.</summary>
    /// <exception cref="IOException">It cannot be read now, because descriptors are short.</exception>
    public static long Resident(int pid)
    {
        if (!HostPlatform.UsesLinuxAbi)
            return FreeBsdProcesses.ReadResidentPages(pid) * Environment.SystemPageSize;
        Span<byte> buffer = stackalloc byte[StatmBytes];
        var length = ProcFile.Read(pid, "statm"u8, buffer);
        return length > 0 ? ParseStatm(buffer[..length]) * Environment.SystemPageSize : 0;
    }

    /// <summary>
    /// Its share of what is resident and belongs to no file: of a page that n processes share, a part of n. This takes the kernel milliseconds, since
    /// it walks the page tables. Where it does not tell, as linprocfs and FreeBSD do not, it is <see cref="Resident"/>.
    /// </summary>
    /// <exception cref="IOException">It cannot be read now, because descriptors are short.</exception>
    public static long Share(int pid)
    {
        if (!HostPlatform.UsesLinuxAbi)
            return Resident(pid);
        Span<byte> buffer = stackalloc byte[RollupBytes];
        var length = ProcFile.Read(pid, "smaps_rollup"u8, buffer);
        return length > 0 && ParseRollup(buffer[..length]) is { } bytes ? bytes : Resident(pid);
    }

    /// <summary>The resident pages: the second number of the line.</summary>
    internal static long ParseStatm(ReadOnlySpan<byte> statm)
    {
        var blank = statm.IndexOf((byte)' ');
        return blank > 0 && Utf8Parser.TryParse(statm[(blank + 1)..], out long pages, out _) ? pages : 0;
    }

    /// <summary>
    /// Bytes. Pages of files can be dropped at any time, and the kernel drops them before a limit ends anything, so they do not count. Before Linux 5.4
    /// only the whole is told.
    /// </summary>
    internal static long? ParseRollup(ReadOnlySpan<byte> rollup)
    {
        long? all = null, anonymous = null, shared = null;
        foreach (var range in rollup.Split((byte)'\n'))
        {
            var line = rollup[range];
            if (line.StartsWith("Pss:"u8))
                all = Kibibytes(line[4..]);
            else if (line.StartsWith("Pss_Anon:"u8))
                anonymous = Kibibytes(line[9..]);
            else if (line.StartsWith("Pss_Shmem:"u8))
                shared = Kibibytes(line[10..]);
        }
        return anonymous is { } own && shared is { } common ? own + common : all;
    }

    private static long? Kibibytes(ReadOnlySpan<byte> value) => Utf8Parser.TryParse(value.TrimStart((byte)' '), out long kibibytes, out _) ? kibibytes * 1024 : null;
}
