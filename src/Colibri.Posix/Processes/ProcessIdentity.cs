using System.Globalization;
using Colibri.Posix.Host;

namespace Colibri.Posix.Processes;

/// <summary>
/// Identifies one process for ever, unlike its pid, which the system reuses. It can be stored and compared after a restart of the daemon or
/// of the host, by <see cref="IsSameAs"/>.
/// </summary>
/// <param name="Pid">Process id.</param>
/// <param name="StartTime">
/// Time from boot to its start: Linux clock ticks (field 22 of /proc/PID/stat), FreeBSD microseconds (ki_start less
/// kern.boottime, which a step of the clock moves together). 0 = unknown: the process was gone before it could be read, or
/// there is no /proc; such an identity is never running and never signalled.
/// </param>
/// <param name="BootId"><see cref="Posix.BootId.Current"/> when it was read.</param>
public readonly record struct ProcessIdentity(int Pid, long StartTime, string BootId)
{
    /// <summary>Reads the identity of a process that exists now, zombies included.</summary>
    /// <exception cref="IOException">The process table cannot be read, usually because descriptors are short.</exception>
    public static bool TryRead(int pid, out ProcessIdentity identity)
    {
        if (ProcessTable.TryRead(pid, out var entry))
        {
            identity = entry.Identity;
            return true;
        }
        identity = default;
        return false;
    }

    /// <summary>Whether both are one process, as far as the system tells start times.</summary>
    public bool IsSameAs(ProcessIdentity other) => Pid == other.Pid && BootId == other.BootId && StartTimes.AreSame(StartTime, other.StartTime);

    /// <summary>"pid 4711 started 987654", with no look at the process itself.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"pid {Pid} started {StartTime}");

    /// <summary>Whether this very process (same pid, start time and boot) is there and not a zombie.</summary>
    /// <exception cref="IOException">The process table cannot be read, usually because descriptors are short: never take that for an end.</exception>
    public bool IsRunning =>
        Pid > 0
        && StartTime > 0
        && BootId == Host.BootId.Current
        && ProcessTable.TryRead(Pid, out var entry)
        && StartTimes.AreSame(entry.StartTime, StartTime)
        && !entry.IsZombie;
}
