using System.Globalization;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Processes;
using Colibri.Posix.Trees;

namespace Colibri.Posix.Cgroups;

/// <summary>Writes a small file; 0, or the error number.</summary>
internal delegate int CgroupWriter(string path, ReadOnlySpan<byte> text);

/// <summary>
/// The memory controller, or another, of the cgroups below this process's own. To enable it, every process of that cgroup has to be in one below it, unless it is
/// the hierarchy's root. So this process moves into a cgroup <c>daemon</c> beside the agents' ones, as systemd's CGROUP_DELEGATION asks of a service.
/// It moves its own children too, and nobody else's processes.
/// </summary>
/// <param name="path">This process's cgroup.</param>
/// <param name="above">The one above, where that is this unit's too (systemd's DelegateSubgroup=); else null.</param>
/// <param name="write">Writes the files; null for cgroupfs.</param>
/// <param name="controller">The controller.</param>
internal sealed class MemoryController(string path, string? above, CgroupWriter? write = null, string controller = "memory")
{
    /// <summary>The cgroup that this process moves to.</summary>
    public const string Leaf = "daemon";

    // Children that were being started at the first move are born outside of it.
    private const int MostMoves = 5;

    private readonly CgroupWriter _write = write ?? CgroupFile.Write;

    private readonly byte[] _name = System.Text.Encoding.ASCII.GetBytes(controller);
    private readonly byte[] _enable = System.Text.Encoding.ASCII.GetBytes($"+{controller}");

    private string Control => $"{path}/cgroup.subtree_control";

    /// <summary>Why it cannot be had, as far as that can be told without a change; null where it may be.</summary>
    public string? WhyNot()
    {
        if (Lists($"{path}/cgroup.controllers") || (above is not null && Lists($"{above}/cgroup.controllers")))
            return null;
        return $"{path}/cgroup.controllers does not name {controller}";
    }

    /// <summary>Enables it.</summary>
    /// <returns>Why that cannot be done; null where it is enabled.</returns>
    public string? Enable()
    {
        try
        {
            if (Lists(Control))
                return null;
            if (WhyNot() is { } reason)
                return reason;
            if (!Lists($"{path}/cgroup.controllers") && _write($"{above}/cgroup.subtree_control", _enable) is not 0 and var refused)
                return Refused($"{above}/cgroup.subtree_control", refused);
            for (var moves = 0; ; moves++)
            {
                var error = _write(Control, _enable);
                if (error == 0)
                    return null;
                if (error != AbiConstants.EBUSY || moves == MostMoves)
                    return Refused(Control, error);
                if (MoveAway() is { } problem)
                    return problem;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private string? MoveAway()
    {
        var pids = CgroupFile.Pids(CgroupFile.Read($"{path}/cgroup.procs"));
        if (pids.FirstOrDefault(pid => !IsOurs(pid)) is not 0 and var other)
            return string.Create(CultureInfo.InvariantCulture, $"process {other}, which is not the daemon's, is in {path}");
        var leaf = Directory.CreateDirectory($"{path}/{Leaf}").FullName;
        foreach (var pid in pids)
        {
            var error = _write($"{leaf}/cgroup.procs", System.Text.Encoding.ASCII.GetBytes(pid.ToString(CultureInfo.InvariantCulture)));
            if (error is not (0 or AbiConstants.ESRCH))
                return Refused($"{leaf}/cgroup.procs", error);
        }
        return null;
    }

    // This process, its init in a container, and its descendants. One that has ended needs no move.
    private static bool IsOurs(int pid)
    {
        for (var at = pid; at != Environment.ProcessId && pid != InitProcess.ServicePid;)
        {
            if (!ProcessTable.TryRead(at, out var entry))
                return ProcessTree.IsPidFree(pid);
            if (entry.ParentPid <= 1)
                return false;
            at = entry.ParentPid;
        }
        return true;
    }

    private bool Lists(string file) => CgroupFile.Lists(CgroupFile.Read(file), _name);

    private static string Refused(string file, int error) => $"{file}: {Errno.Describe(error)}";
}
