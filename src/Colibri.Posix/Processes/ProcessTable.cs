using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Processes;

/// <summary>Reads the process table of the running system.</summary>
internal static class ProcessTable
{
    /// <summary>One process, zombie or not; false where there is none with this pid that we may see (or no /proc).</summary>
    /// <exception cref="IOException">The process table cannot be read, usually because descriptors or memory are short.</exception>
    public static bool TryRead(int pid, out ProcessEntry entry)
    {
        if (pid > 0)
            return HostPlatform.UsesLinuxAbi ? LinuxProcesses.TryRead(pid, out entry) : FreeBsdProcesses.TryRead(pid, out entry);
        entry = default;
        return false;
    }

    /// <summary>Every process that this one may see; those that begin or end meanwhile may or may not be there.</summary>
    /// <exception cref="IOException">The table cannot be read whole: it never looks emptier than it is.</exception>
    public static List<ProcessEntry> Snapshot() =>
        HostPlatform.UsesLinuxAbi ? LinuxProcesses.Snapshot() : FreeBsdProcesses.Snapshot();

    /// <summary>
    /// Whether the error means that the process does not exist, or belongs to another user and is hidden (/proc mounted with hidepid,
    /// security.bsd.see_other_uids): then we may not signal it either.
    /// </summary>
    public static bool IsAbsence(int errno) =>
        errno is AbiConstants.ENOENT or AbiConstants.ESRCH or AbiConstants.EACCES or AbiConstants.EPERM;

    public static IOException Unreadable(int errno) => new($"cannot read the process table: {Errno.Describe(errno)}");
}

/// <summary>One row of the process table.</summary>
internal readonly record struct ProcessEntry(int Pid, int ParentPid, int Group, int Session, long StartTime, bool IsZombie)
{
    public ProcessIdentity Identity => new(Pid, StartTime, BootId.Current);
}
