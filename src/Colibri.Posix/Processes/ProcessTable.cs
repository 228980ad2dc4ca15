namespace Colibri.Posix.Processes;

/// <summary>The system's process table, read the way the running system offers it.</summary>
internal static class ProcessTable
{
    /// <summary>One process, zombie or not; false where there is none with this pid (or no /proc).</summary>
    public static bool TryRead(int pid, out ProcessEntry entry)
    {
        if (pid > 0)
            return HostPlatform.UsesLinuxAbi ? LinuxProcesses.TryRead(pid, out entry) : FreeBsdProcesses.TryRead(pid, out entry);
        entry = default;
        return false;
    }

    /// <summary>Every process that this one may see; those that begin or end meanwhile may or may not be there.</summary>
    public static List<ProcessEntry> Snapshot() =>
        HostPlatform.UsesLinuxAbi ? LinuxProcesses.Snapshot() : FreeBsdProcesses.Snapshot();
}
