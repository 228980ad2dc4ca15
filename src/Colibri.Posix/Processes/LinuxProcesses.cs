using System.Buffers.Text;
using System.Globalization;
using System.IO.Enumeration;

namespace Colibri.Posix.Processes;

/// <summary>The process table out of /proc (proc_pid_stat(5); linprocfs prints the same fields).</summary>
internal static class LinuxProcesses
{
    // pid, 16 bytes of comm and 50 numbers fit well.
    private const int StatBytes = 2048;

    public static bool TryRead(int pid, out ProcessEntry entry)
    {
        Span<byte> buffer = stackalloc byte[StatBytes];
        var length = ProcFile.Read(pid, "stat"u8, buffer);
        if (length > 0)
            return TryParseStat(buffer[..length], out entry);
        entry = default;
        return false;
    }

    public static List<ProcessEntry> Snapshot()
    {
        var entries = new List<ProcessEntry>(512);
        try
        {
            foreach (var pid in EnumeratePids())
            {
                if (TryRead(pid, out var entry))
                    entries.Add(entry);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // No /proc: linux64 without linprocfs.
        }
        return entries;
    }

    /// <summary>The command name of proc_pid_stat(5), which linprocfs has as well; 0 bytes where there is no such process that we may see.</summary>
    public static int ReadName(int pid, Span<byte> name)
    {
        Span<byte> buffer = stackalloc byte[StatBytes];
        var length = ProcFile.Read(pid, "stat"u8, buffer);
        var stat = length > 0 ? buffer[..length] : default;
        var (start, end) = (stat.IndexOf((byte)'('), stat.LastIndexOf((byte)')'));
        if (start < 0 || end <= start + 1)
            return 0;
        var command = stat[(start + 1)..Math.Min(end, start + 1 + name.Length)];
        command.CopyTo(name);
        return command.Length;
    }

    private static FileSystemEnumerable<int> EnumeratePids() =>
        new("/proc", static (ref FileSystemEntry entry) => int.Parse(entry.FileName, NumberStyles.None, CultureInfo.InvariantCulture))
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) =>
                int.TryParse(entry.FileName, NumberStyles.None, CultureInfo.InvariantCulture, out _),
        };

    /// <summary>Parses one line of /proc/PID/stat.</summary>
    internal static bool TryParseStat(ReadOnlySpan<byte> stat, out ProcessEntry entry)
    {
        entry = default;
        // The command name stands in parentheses and may itself hold spaces and parentheses: only the last one ends it.
        var end = stat.LastIndexOf((byte)')');
        if (end < 0 || end + 2 >= stat.Length || !Utf8Parser.TryParse(stat, out int pid, out _))
            return false;

        var rest = stat[(end + 2)..];
        var state = rest[0];
        // The fields after the name, counted from 3 in the manual: 4 ppid, 5 pgrp, 6 session, 22 starttime.
        if (TryField(rest, 1, out var parent)
            && TryField(rest, 2, out var group)
            && TryField(rest, 3, out var session)
            && TryField(rest, 19, out var start))
        {
            entry = new ProcessEntry(pid, (int)parent, (int)group, (int)session, start, state is (byte)'Z' or (byte)'X' or (byte)'x');
            return true;
        }
        return false;
    }

    private static bool TryField(ReadOnlySpan<byte> fields, int index, out long value)
    {
        for (var i = 0; i < index; i++)
        {
            var space = fields.IndexOf((byte)' ');
            if (space < 0)
            {
                value = 0;
                return false;
            }
            fields = fields[(space + 1)..];
        }
        return Utf8Parser.TryParse(fields, out value, out _);
    }
}
