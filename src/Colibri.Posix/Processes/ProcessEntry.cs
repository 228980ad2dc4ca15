using Colibri.Posix.Host;

namespace Colibri.Posix.Processes;

/// <summary>One row of the process table.</summary>
internal readonly record struct ProcessEntry(int Pid, int ParentPid, int Group, int Session, long StartTime, bool IsZombie)
{
    public ProcessIdentity Identity => new(Pid, StartTime, BootId.Current);
}
