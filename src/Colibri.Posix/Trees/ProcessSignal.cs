using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Processes;
using Colibri.Posix.Spawning;

namespace Colibri.Posix.Trees;

/// <summary>Signals a process that may end at any moment, after which its pid may be reused.</summary>
internal static class ProcessSignal
{
    /// <summary>
    /// Sends the signal if the process is still the one of the identity; false if it is gone. True also where the system
    /// does not permit it: it is alive.
    /// </summary>
    public static bool Send(ProcessIdentity target, int signal)
    {
        if (target.Pid <= 1 || target.Pid == Environment.ProcessId || target.StartTime <= 0)
            return false;
        return SendByDescriptor(target, signal) ?? SendByPid(target, signal);
    }

    // The descriptor was opened before the identity was checked: it can only be of that process. Null: no pidfd here
    // (linux64, FreeBSD, a kernel before 5.3, a filter that denies it).
    private static bool? SendByDescriptor(ProcessIdentity target, int signal)
    {
        if (HostPlatform.Kind != OperatingSystemKind.Linux)
            return null;
        var descriptor = (int)Libc.syscall(AbiConstants.SYS_pidfd_open, target.Pid, 0, 0, 0, 0);
        if (descriptor < 0)
            return null;
        try
        {
            if (!target.IsRunning)
                return false;
            return Libc.syscall(AbiConstants.SYS_pidfd_send_signal, descriptor, signal, 0, 0, 0) == 0 || target.IsRunning;
        }
        finally
        {
            _ = Libc.close(descriptor);
        }
    }

    // We reap orphans that were reparented to us under the gate, so their pids are not reused between check and kill. For a child of another
    // process a window of microseconds remains.
    private static bool SendByPid(ProcessIdentity target, int signal)
    {
        if (ChildProcesses.Current is not { } children)
            return Kill(target, signal);
        lock (children.Gate)
            return Kill(target, signal);
    }

    private static bool Kill(ProcessIdentity target, int signal)
    {
        if (!target.IsRunning)
            return false;
        _ = Libc.kill(target.Pid, signal);
        return true;
    }
}
