using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Processes;
using Colibri.Posix.Spawning;

namespace Colibri.Posix.Trees;

/// <summary>Children as /proc/PID/task/TID/children lists them (Linux with CONFIG_PROC_CHILDREN).</summary>
internal static class ChildList
{
    private const int ListBytes = 64 * 1024;

    /// <summary>
    /// Whether <paramref name="owner"/> started every living child of ours, so that no orphan was reparented to us. False also if the list
    /// cannot be read.
    /// </summary>
    public static bool AreAllKnown(ChildProcesses owner)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ListBytes);
        try
        {
            // The kernel may skip an entry when a child is reaped during the reading (proc(5)); children are reaped under
            // this gate only. The file is memory: reading it does not wait.
            lock (owner.Gate)
            {
                foreach (var path in Directory.EnumerateDirectories("/proc/self/task"))
                {
                    var thread = int.Parse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture);
                    if (!AreAllKnown(owner, thread, buffer))
                        return false;
                }
                return true;
            }
        }
        catch (IOException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The children that the first thread of a process has started, at most some hundred; none where they cannot be read.</summary>
    public static int[] Of(int pid)
    {
        Span<byte> name = stackalloc byte[48];
        _ = Utf8Formatter.TryFormat(pid, name, out var digits);
        "/task/"u8.CopyTo(name[digits..]);
        name[..digits].CopyTo(name[(digits + 6)..]);
        "/children"u8.CopyTo(name[(digits + 6 + digits)..]);
        Span<byte> list = stackalloc byte[1024];
        try
        {
            var length = ProcFile.ReadProc(name[..(digits + 6 + digits + 9)], list);
            return length <= 0 ? [] : [.. CgroupFile.Pids(list[..length])];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static bool AreAllKnown(ChildProcesses owner, int thread, byte[] buffer)
    {
        Span<byte> name = stackalloc byte[48];
        "self/task/"u8.CopyTo(name);
        _ = Utf8Formatter.TryFormat(thread, name[10..], out var digits);
        "/children"u8.CopyTo(name[(10 + digits)..]);
        var length = ProcFile.ReadProc(name[..(19 + digits)], buffer);
        // A thread may end meanwhile, and its children move to another thread; the list is then incomplete.
        if (length < 0 || length == buffer.Length)
            return false;

        for (var rest = buffer.AsSpan(0, length); Utf8Parser.TryParse(rest, out int pid, out var used);)
        {
            if (!owner.IsKnown(pid) && !(ProcessTable.TryRead(pid, out var entry) && entry.IsZombie))
                return false;
            rest = rest[used..].TrimStart((byte)' ');
        }
        return true;
    }
}
