using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Processes;

/// <summary>The process table out of sysctl(3) and procctl(2).</summary>
internal static unsafe class FreeBsdProcesses
{
    public static bool TryRead(int pid, out ProcessEntry entry)
    {
        Span<byte> buffer = stackalloc byte[AbiConstants.KINFO_PROC_SIZE];
        ReadOnlySpan<int> name = [AbiConstants.CTL_KERN, AbiConstants.KERN_PROC, AbiConstants.KERN_PROC_PID, pid];
        var boot = BootTimeMicroseconds();
        int length;
        while ((length = Sysctl(name, buffer)) == AbiConstants.KINFO_PROC_SIZE)
        {
            // ki_start is the start since boot plus the boot time of this instant; a clock step between the two
            // readings would make one process look like two.
            var bootAfter = BootTimeMicroseconds();
            if (boot == bootAfter)
            {
                entry = Parse(buffer, boot);
                return entry.Pid == pid;
            }
            boot = bootAfter;
        }
        if (length < 0 && Marshal.GetLastPInvokeError() is var error && !ProcessTable.IsAbsence(error))
            throw ProcessTable.Unreadable(error);
        entry = default;
        return false;
    }

    /// <summary>The bytes of ki_comm without its NUL; 0 where there is no such process that we may see.</summary>
    public static int ReadName(int pid, Span<byte> name)
    {
        Span<byte> buffer = stackalloc byte[AbiConstants.KINFO_PROC_SIZE];
        if (Sysctl([AbiConstants.CTL_KERN, AbiConstants.KERN_PROC, AbiConstants.KERN_PROC_PID, pid], buffer) != buffer.Length)
            return 0;
        var command = NameIn(buffer);
        command.CopyTo(name);
        return command.Length;
    }

    /// <summary>ki_rssize; 0 where there is no such process that we may see.</summary>
    public static long ReadResidentPages(int pid)
    {
        Span<byte> buffer = stackalloc byte[AbiConstants.KINFO_PROC_SIZE];
        return Sysctl([AbiConstants.CTL_KERN, AbiConstants.KERN_PROC, AbiConstants.KERN_PROC_PID, pid], buffer) == buffer.Length ? ResidentPagesIn(buffer) : 0;
    }

    internal static long ResidentPagesIn(ReadOnlySpan<byte> kinfo) => BinaryPrimitives.ReadInt64LittleEndian(kinfo[AbiConstants.OffsetOfKiRssize..]);

    internal static ReadOnlySpan<byte> NameIn(ReadOnlySpan<byte> kinfo)
    {
        var command = kinfo.Slice(AbiConstants.OffsetOfKiComm, AbiConstants.COMMLEN);
        var end = command.IndexOf((byte)0);
        return end < 0 ? command : command[..end];
    }

    public static List<ProcessEntry> Snapshot()
    {
        ReadOnlySpan<int> name = [AbiConstants.CTL_KERN, AbiConstants.KERN_PROC, AbiConstants.KERN_PROC_PROC];
        var capacity = 512 * AbiConstants.KINFO_PROC_SIZE;
        while (true)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(capacity);
            try
            {
                var boot = BootTimeMicroseconds();
                var length = Sysctl(name, buffer);
                var error = Marshal.GetLastPInvokeError();
                if (length >= 0 && boot == BootTimeMicroseconds())
                    return ParseAll(buffer.AsSpan(0, length), boot);
                if (length >= 0)
                    continue;
                if (error != AbiConstants.ENOMEM)
                    throw ProcessTable.Unreadable(error);
                capacity = checked(capacity * 2);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    /// <summary>The environment block of a process as it was started, NUL-separated; -1 where it may not be read.</summary>
    public static int ReadEnvironment(int pid, Span<byte> buffer) =>
        Sysctl([AbiConstants.CTL_KERN, AbiConstants.KERN_PROC, AbiConstants.KERN_PROC_ENV, pid], buffer);

    /// <summary>kern.boottime: microseconds since 1970; it moves when the clock is set.</summary>
    public static long BootTimeMicroseconds()
    {
        Span<byte> timeval = stackalloc byte[16];
        return Sysctl([AbiConstants.CTL_KERN, AbiConstants.KERN_BOOTTIME], timeval) == 16 ? Timeval(timeval) : 0;
    }

    /// <summary>
    /// The living descendants of our child <paramref name="subtree"/>, orphans of it included: the kernel keeps for each
    /// process the pid of the reaper's child it comes from, and does not give that pid away while one is left.
    /// </summary>
    public static List<int> ReaperSubtree(int subtree)
    {
        var pids = new List<int>();
        for (var capacity = 1024; ; capacity *= 4)
        {
            var rows = ArrayPool<procctl_reaper_pidinfo>.Shared.Rent(capacity);
            try
            {
                Array.Clear(rows);
                var count = GetReaperPids(rows);
                if (count == rows.Length)
                    continue;
                foreach (ref readonly var row in rows.AsSpan(0, count))
                {
                    if (row.pi_subtree == subtree && (row.pi_flags & AbiConstants.REAPER_PIDINFO_ZOMBIE) == 0)
                        pids.Add(row.pi_pid);
                }
                return pids;
            }
            finally
            {
                ArrayPool<procctl_reaper_pidinfo>.Shared.Return(rows);
            }
        }
    }

    /// <summary>Signals all of <see cref="ReaperSubtree"/> in one call, atomically against their forks.</summary>
    public static void SignalSubtree(int subtree, int signal)
    {
        procctl_reaper_kill request = new() { rk_sig = signal, rk_flags = AbiConstants.REAPER_KILL_SUBTREE, rk_subtree = subtree };
        // ESRCH: no process is left. EPERM: the processes that may be signalled were signalled all the same.
        _ = FreeBsdLibc.procctl(AbiConstants.P_PID, Environment.ProcessId, AbiConstants.PROC_REAP_KILL, &request);
    }

    private static int GetReaperPids(procctl_reaper_pidinfo[] rows)
    {
        fixed (procctl_reaper_pidinfo* first = rows)
        {
            procctl_reaper_pids request = new() { rp_count = (uint)rows.Length, rp_pids = first };
            if (FreeBsdLibc.procctl(AbiConstants.P_PID, Environment.ProcessId, AbiConstants.PROC_REAP_GETPIDS, &request) != 0)
                throw ProcessTable.Unreadable(Marshal.GetLastPInvokeError());
        }
        var count = 0;
        while (count < rows.Length && (rows[count].pi_flags & AbiConstants.REAPER_PIDINFO_VALID) != 0)
            count++;
        return count;
    }

    internal static List<ProcessEntry> ParseAll(ReadOnlySpan<byte> table, long bootTime)
    {
        var entries = new List<ProcessEntry>(table.Length / AbiConstants.KINFO_PROC_SIZE);
        for (; table.Length >= AbiConstants.KINFO_PROC_SIZE; table = table[AbiConstants.KINFO_PROC_SIZE..])
            entries.Add(Parse(table, bootTime));
        return entries;
    }

    internal static ProcessEntry Parse(ReadOnlySpan<byte> kinfo, long bootTime) => new(
        BinaryPrimitives.ReadInt32LittleEndian(kinfo[AbiConstants.OffsetOfKiPid..]),
        BinaryPrimitives.ReadInt32LittleEndian(kinfo[AbiConstants.OffsetOfKiPpid..]),
        BinaryPrimitives.ReadInt32LittleEndian(kinfo[AbiConstants.OffsetOfKiPgid..]),
        BinaryPrimitives.ReadInt32LittleEndian(kinfo[AbiConstants.OffsetOfKiSid..]),
        Timeval(kinfo[AbiConstants.OffsetOfKiStart..]) - bootTime,
        kinfo[AbiConstants.OffsetOfKiStat] == AbiConstants.SZOMB);

    private static long Timeval(ReadOnlySpan<byte> timeval) =>
        (BinaryPrimitives.ReadInt64LittleEndian(timeval) * 1_000_000) + BinaryPrimitives.ReadInt64LittleEndian(timeval[8..]);

    private static int Sysctl(ReadOnlySpan<int> name, Span<byte> value)
    {
        var length = (nuint)value.Length;
        fixed (int* mib = name)
        fixed (byte* bytes = value)
        {
            return FreeBsdLibc.sysctl(mib, (uint)name.Length, bytes, &length, null, 0) == 0 ? (int)length : -1;
        }
    }
}
