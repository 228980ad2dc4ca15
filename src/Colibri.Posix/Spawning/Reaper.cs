using System.Runtime.InteropServices;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Spawning;

/// <summary>Makes this process the one that orphaned descendants are handed to.</summary>
internal static unsafe class Reaper
{
    public static bool Acquire()
    {
        if (HostPlatform.UsesLinuxAbi)
        {
            // Not as prctl(): FreeBSD's libc has none, and a direct link resolves every name.
            var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
                ? AbiConstants.SYS_prctl_arm64
                : AbiConstants.SYS_prctl_x64;
            return Libc.syscall(number, AbiConstants.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
        }
        // EBUSY: it is already.
        return FreeBsdLibc.procctl(AbiConstants.P_PID, Environment.ProcessId, AbiConstants.PROC_REAP_ACQUIRE, null) == 0
            || Marshal.GetLastPInvokeError() == AbiConstants.EBUSY;
    }
}
