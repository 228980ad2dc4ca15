using System.Diagnostics;

namespace Colibri.Posix.Processes;

/// <summary>
/// Waits for processes that are in the last part of an exec (<see cref="ProcessEnvironment.IsExecuting"/>). It takes microseconds, on a busy
/// machine a few turns of the scheduler. A process can look like that for ever (PR_SET_MM_MAP, prctl(2)), so all waits of one object
/// together take 100 ms at most, and 2 ms for each process after that.
/// </summary>
internal sealed class ExecWait
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(2);

    private TimeSpan _waited;

    /// <exception cref="IOException">There is no descriptor to look with (EMFILE, ENFILE).</exception>
    public void For(int pid)
    {
        if (!ProcessEnvironment.IsExecuting(pid))
            return;
        var since = Stopwatch.GetTimestamp();
        var rest = Limit - _waited;
        SpinWait.SpinUntil(() => !ProcessEnvironment.IsExecuting(pid), rest > Least ? rest : Least);
        _waited += Stopwatch.GetElapsedTime(since);
    }
}
