using System.Globalization;
using Colibri.Posix.Processes;
using Colibri.Posix.Trees;

namespace Colibri.Posix.Cgroups;

/// <summary>
/// A cgroup v2 (Linux) that was made for one process tree. A process cannot leave it by a new session, a double fork or a clean
/// environment, and the kernel ends all that are in it at once. Holds no descriptor.
/// </summary>
public sealed class Cgroup
{
    private const int MostGenerations = 4;

    internal Cgroup(string path) => Path = path;

    /// <summary>Its directory.</summary>
    public string Path { get; }

    /// <summary>Why the process that it was made for is not in it, as an error number; 0 where it is, or had ended.</summary>
    public int PlacementError { get; private set; }

    /// <summary>Whether a living process is in it or below it.</summary>
    /// <exception cref="IOException">It cannot be told now, for want of descriptors or memory.</exception>
    public bool IsPopulated => CgroupFile.IsPopulated(CgroupFile.Read($"{Path}/cgroup.events"));

    /// <summary>Removes it, with what was made below it; false while something lives there, true where it is gone.</summary>
    public bool TryRemove() => TryRemove(Path);

    /// <summary>
    /// Moves a process here, with the children it has by then; what they start from then on is born here. A process that has lost its
    /// parent by then, or comes of one that has, stays where it is.
    /// </summary>
    /// <param name="pid">Must not become another's meanwhile: a child that is not reaped.</param>
    internal void Place(int pid)
    {
        var error = Move(pid);
        PlacementError = error == Interop.AbiConstants.ESRCH ? 0 : error;
        if (error == 0)
            PlaceChildrenOf(pid, MostGenerations);
    }

    /// <summary>SIGKILL to everything in it and below it, at once: what is being forked is not missed.</summary>
    internal void Kill() => _ = CgroupFile.Write($"{Path}/cgroup.kill", "1"u8);

    /// <summary>The processes in it and below it, those among them whose first thread has ended before the others.</summary>
    /// <exception cref="IOException">They cannot be read now, for want of descriptors or memory.</exception>
    internal HashSet<int> Processes()
    {
        var pids = new HashSet<int>();
        AddProcesses(Path, pids);
        return pids;
    }

    // bwrap forks at once, and the agent is its grandchild. The numbers are given out in turn, so a child's does not become
    // another's between the look and the move.
    private void PlaceChildrenOf(int pid, int generations)
    {
        foreach (var child in generations > 0 ? ChildList.Of(pid) : [])
        {
            if (ProcessTable.TryRead(child, out var entry) && entry.ParentPid == pid && Move(child) == 0)
                PlaceChildrenOf(child, generations - 1);
        }
    }

    private int Move(int pid)
    {
        Span<byte> text = stackalloc byte[16];
        _ = pid.TryFormat(text, out var digits, provider: CultureInfo.InvariantCulture);
        return CgroupFile.Write($"{Path}/cgroup.procs", text[..digits]);
    }

    private static void AddProcesses(string path, HashSet<int> pids)
    {
        pids.UnionWith(CgroupFile.Pids(CgroupFile.Read($"{path}/cgroup.procs")));
        // An agent that may can make cgroups of its own in here.
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
