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
    /// Completes, on another thread's continuation, when the process has ended and was reaped; with <see cref="ExitStatus.Unknown"/> where
    /// something else in this process has waited for it.
    /// </summary>
    public Task<ExitStatus> Exited => _exited.Task;

    internal ChildProcesses Owner { get; }

    /// <summary>Not to be reaped for now. Under the gate.</summary>
    internal bool IsHeld { get; set; }

    /// <summary>Signals the process; false if it has ended, true even if it is not ours to signal any more (set-user-id).</summary>
    public bool Signal(int signal) => Kill(Pid, signal);

    /// <summary>
    /// Signals its whole process group; false once the process itself has been reaped, even if others of the group are
    /// left: the number may then belong to a stranger. <see cref="ProcessTree"/> finds those.
    /// </summary>
    public bool SignalGroup(int signal) => Kill(-Pid, signal);

    // Reaping happens under the same gate: until then the pid cannot have been given away.
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

    // Called under the gate; waiters run elsewhere.
    internal void SetReaped(ExitStatus exit)
    {
        _reaped = true;
        _exited.SetResult(exit);
    }
}
