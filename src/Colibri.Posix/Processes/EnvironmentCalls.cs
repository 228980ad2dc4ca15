using System.Runtime.InteropServices;
using Colibri.Posix.Host;

namespace Colibri.Posix.Processes;

/// <summary>
/// The system calls that hand out the environment of another process. Each answers with what it got, or with the error number,
/// negative. A test overrides them: most of those errors take a process that works at it, or another system.
/// </summary>
internal class EnvironmentCalls
{
    /// <summary>Whether an environment is a file below /proc; else it comes out of sysctl(3).</summary>
    public virtual bool AreFiles => HostPlatform.UsesLinuxAbi;

    /// <summary>Opens /proc/PID/environ.</summary>
    public virtual int Open(int pid) => ProcFile.TryOpen(pid, "environ"u8);

    /// <summary>Fills the buffer as far as the file goes.</summary>
    public virtual int Read(int fd, Span<byte> buffer) => ProcFile.TryReadFully(fd, buffer);

    /// <summary>kern.proc.env: all of it, or nothing where the buffer is too small.</summary>
    public virtual int Sysctl(int pid, Span<byte> buffer) =>
        FreeBsdProcesses.ReadEnvironment(pid, buffer) is >= 0 and var length ? length : -Marshal.GetLastPInvokeError();
}
