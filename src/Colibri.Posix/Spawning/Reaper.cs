using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Spawning;

/// <summary>Makes this process the parent of its orphaned descendants (a subreaper).</summary>
internal static unsafe class Reaper
{
    public static bool Acquire()
    {
        if (HostPlatform.UsesLinuxAbi)
        {
            // Through syscall(): FreeBSD's libc has no prctl, and a direct link resolves every name.
            var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
                ? AbiConstants.SYS_prctl_arm64
                : AbiConstants.SYS_prctl_x64;
            return Libc.syscall(number, AbiConstants.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
        }
        // EBUSY: it is the reaper already.
        return FreeBsdLibc.procctl(AbiConstants.P_PID, Environment.ProcessId, AbiConstants.PROC_REAP_ACQUIRE, null) == 0
            || Marshal.GetLastPInvokeError() == AbiConstants.EBUSY;
    }
}
