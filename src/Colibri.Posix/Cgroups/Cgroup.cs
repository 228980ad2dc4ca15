using System.Globalization;
using Colibri.Posix.Processes;
using Colibri.Posix.Trees;

namespace Colibri.Posix.Cgroups;

/// <summary>
/// A cgroup v2 (Linux) that was made for one process tree. A process cannot leave it by a new session, a double fork or a clean
/// environment, and the kernel can kill all its processes at once. Holds no descriptor.
/// </summary>
public sealed class Cgroup
{
    private const int MostGenerations = 4;

    private long _killedBefore;
    private long _refusedBefore;

    internal Cgroup(string path) => Path = path;

    /// <summary>Its directory.</summary>
    public string Path { get; }

    /// <summary>Why the process that it was made for could not be put into it, as an error number; 0 if it is in it, or had ended.</summary>
    public int PlacementError { get; private set; }

    /// <summary>Whether a living process is in it or below it.</summary>
    /// <exception cref="IOException">It cannot be read now, because descriptors or memory are short.</exception>
    public bool IsPopulated => CgroupFile.IsPopulated(CgroupFile.Read($"{Path}/cgroup.events"));

    /// <summary>
    /// Whether the kernel has ended its processes because they reached its limit of memory. What it ended because the whole host, or a cgroup
    /// above, was short of memory does not count.
    /// </summary>
    public bool HasReachedMemoryLimit
    {
        get
        {
            var events = CgroupFile.Read($"{Path}/memory.events");
            // "oom" counts the times that this cgroup's own limit was reached, "oom_kill" what any OOM killer ended in it (admin-guide/cgroup-v2.rst).
            return CgroupFile.Value(events, "oom_kill"u8) > _killedBefore && CgroupFile.Value(events, "oom"u8) != 0;
        }
    }

    /// <summary>The most memory that its processes have held, in bytes; null where the kernel does not tell (Linux before 5.19).</summary>
    public long? PeakMemory => CgroupFile.Number(CgroupFile.Read($"{Path}/memory.peak"));

    /// <summary>
    /// Limits the memory of all its processes together, swap included. The kernel ends them all when they reach it, and never some of them: half a
    /// tree would go on as if nothing had been.
    /// </summary>
    /// <returns>Why that cannot be had; null where it holds.</returns>
    public string? LimitMemory(long bytes)
    {
        Span<byte> text = stackalloc byte[20];
        _ = bytes.TryFormat(text, out var digits, provider: CultureInfo.InvariantCulture);
        // One that stayed from an earlier command of the same agent has counted already.
        _killedBefore = CgroupFile.Value(CgroupFile.Read($"{Path}/memory.events"), "oom_kill"u8) ?? 0;
        // A kernel without swap accounting has no such file.
        if (File.Exists($"{Path}/memory.swap.max") && Refusal("memory.swap.max", "0"u8) is { } swap)
            return swap;
        return Refusal("memory.oom.group", "1"u8) ?? Refusal("memory.max", text[..digits]);
    }

    /// <summary>How many processes and threads its limit has refused since <see cref="LimitProcesses"/>; 0 without a limit.</summary>
    public long RefusedProcesses => Math.Max(0, (CgroupFile.Value(CgroupFile.Read($"{Path}/pids.events"), "max"u8) ?? 0) - _refusedBefore);

    /// <summary>Limits the number of its processes, threads counted. What goes beyond is not started: fork(2) and clone(2) fail with EAGAIN.</summary>
    /// <returns>Why that cannot be had; null where it holds.</returns>
    public string? LimitProcesses(long count)
    {
        Span<byte> text = stackalloc byte[20];
        _ = count.TryFormat(text, out var digits, provider: CultureInfo.InvariantCulture);
        _refusedBefore = CgroupFile.Value(CgroupFile.Read($"{Path}/pids.events"), "max"u8) ?? 0;
        return Refusal("pids.max", text[..digits]);
    }

    /// <summary>Removes it and the cgroups below it; false while a process lives there, true once it is gone.</summary>
    public bool TryRemove() => TryRemove(Path);

    /// <summary>
    /// Moves a process here, with its present children; processes that they start later are born here. A descendant that has already lost its
    /// parent, or has such an ancestor, stays where it is.
    /// </summary>
    /// <param name="pid">A child that is not reaped meanwhile, so that its pid is not reused.</param>
    internal void Place(int pid)
    {
        var error = Move(pid);
        PlacementError = error == Interop.AbiConstants.ESRCH ? 0 : error;
        if (error == 0)
            PlaceChildrenOf(pid, MostGenerations);
    }

    /// <summary>Sends SIGKILL to every process in it and below it at once, including those that are being forked.</summary>
    internal void Kill() => _ = CgroupFile.Write($"{Path}/cgroup.kill", "1"u8);

    /// <summary>The processes in it and below it, including those whose first thread has ended before their other threads.</summary>
    /// <exception cref="IOException">They cannot be read now, because descriptors or memory are short.</exception>
    internal HashSet<int> Processes()
    {
        var pids = new HashSet<int>();
        AddProcesses(Path, pids);
        return pids;
    }

    // bwrap forks at once, and the agent is its grandchild. The kernel gives out pids in turn, so a child's pid is not reused between the
    // reading and the move.
    private void PlaceChildrenOf(int pid, int generations)
    {
        foreach (var child in generations > 0 ? ChildList.Of(pid) : [])
        {
            if (ProcessTable.TryRead(child, out var entry) && entry.ParentPid == pid && Move(child) == 0)
                PlaceChildrenOf(child, generations - 1);
        }
    }

    private string? Refusal(string file, ReadOnlySpan<byte> text) =>
        CgroupFile.Write($"{Path}/{file}", text) is not 0 and var error ? $"{Path}/{file}: {Host.Errno.Describe(error)}" : null;

    private int Move(int pid)
    {
        Span<byte> text = stackalloc byte[16];
        _ = pid.TryFormat(text, out var digits, provider: CultureInfo.InvariantCulture);
        return CgroupFile.Write($"{Path}/cgroup.procs", text[..digits]);
    }

    private static void AddProcesses(string path, HashSet<int> pids)
    {
        pids.UnionWith(CgroupFile.Pids(CgroupFile.Read($"{path}/cgroup.procs")));
        // A permitted agent can make cgroups of its own below this one.
        foreach (var below in Below(path))
            AddProcesses(below, pids);
    }

    private static bool TryRemove(string path)
    {
        try
        {
            foreach (var below in Below(path))
                TryRemove(below);
            Directory.Delete(path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string[] Below(string path)
    {
        try
        {
            return Directory.GetDirectories(path);
        }
        catch (Exception e) when (e is DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
