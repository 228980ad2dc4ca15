using Colibri.Posix.Interop;
using Colibri.Posix.Processes;
using Colibri.Posix.Trees;

namespace Colibri.Posix.Spawning;

/// <summary>A process that <see cref="ChildProcesses"/> started; the leader of its own process group.</summary>
public sealed class ChildProcess
{
    private readonly TaskCompletionSource<ExitStatus> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _reaped;

    internal ChildProcess(ChildProcesses owner, int pid, ProcessIdentity identity)
    {
        Owner = owner;
        Pid = pid;
        Identity = identity;
    }

    /// <summary>Process id, and the id of its process group.</summary>
    public int Pid { get; }

    /// <summary>Its identity; StartTime is 0 if it ended before it could be read.</summary>
    public ProcessIdentity Identity { get; }

    /// <summary>
    /// Completes when the process has ended and was reaped, with <see cref="ExitStatus.Unknown"/> if other code in this process has waited for
    /// it. Continuations run on the thread pool.
    /// </summary>
    public Task<ExitStatus> Exited => _exited.Task;

    internal ChildProcesses Owner { get; }

    /// <summary>True while it must not be reaped. Guarded by the gate.</summary>
    internal bool IsHeld { get; set; }

    /// <summary>Signals the process; false if it has ended, true even if it is not ours to signal any more (set-user-id).</summary>
    public bool Signal(int signal) => Kill(Pid, signal);

    /// <summary>
    /// Signals its whole process group. False once the process itself has been reaped, even if members of the group are left: the group's
    /// number may then belong to another process. <see cref="ProcessTree"/> finds the members that are left.
    /// </summary>
    public bool SignalGroup(int signal) => Kill(-Pid, signal);

    // Reaping holds the same gate, and the kernel does not reuse a pid before it is reaped.
    private bool Kill(int target, int signal)
    {
        lock (Owner.Gate)
        {
            if (_reaped)
                return false;
            _ = Libc.kill(target, signal);
            return true;
        }
    }

    internal bool IsReaped
    {
        get
        {
            lock (Owner.Gate)
                return _reaped;
        }
    }

    // Called under the gate; continuations run on the pool.
    internal void SetReaped(ExitStatus exit)
    {
        _reaped = true;
        _exited.SetResult(exit);
    }
}
