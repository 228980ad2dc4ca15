using System.Globalization;
using Colibri.Posix.Cgroups;

namespace Colibri.Posix;

/// <summary>
/// A cgroup v2 (Linux) that was made for one process tree. A process cannot leave it by a new session, a double fork or a clean
/// environment, and the kernel ends all that are in it at once. Holds no descriptor.
/// </summary>
public sealed class Cgroup
{
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

    /// <summary>Moves a process here; what that one starts from then on is born here.</summary>
    /// <param name="pid">Must not become another's meanwhile: a child that is not reaped.</param>
    internal void Place(int pid)
    {
        Span<byte> text = stackalloc byte[16];
        _ = pid.TryFormat(text, out var digits, provider: CultureInfo.InvariantCulture);
        var error = CgroupFile.Write($"{Path}/cgroup.procs", text[..digits]);
        PlacementError = error == Interop.AbiConstants.ESRCH ? 0 : error;
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
