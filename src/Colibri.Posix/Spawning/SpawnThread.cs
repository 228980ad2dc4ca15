namespace Colibri.Posix.Spawning;

/// <summary>
/// The thread that starts every process, and never ends. The kernel's parent of a process is a thread: what asks for a signal at its parent's death
/// (PR_SET_PDEATHSIG, prctl(2), as <c>bwrap --die-with-parent</c> does) gets it when that thread ends, and a thread of the pool ends after some idle
/// seconds.
/// </summary>
internal sealed class SpawnThread
{
    private readonly Queue<Action> _waiting = new();

    private SpawnThread() => new Thread(Run) { Name = "spawn", IsBackground = true }.Start();

    /// <summary>One for the process.</summary>
    public static SpawnThread Instance { get; } = new();

    /// <summary>Does the work there, and returns when it is done. Its exceptions are thrown here.</summary>
    public void Do(Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_waiting)
        {
            _waiting.Enqueue(() =>
            {
                try
                {
                    work();
                    done.SetResult();
                }
                catch (Exception e)
                {
                    done.SetException(e);
                }
            });
            Monitor.Pulse(_waiting);
        }
        done.Task.GetAwaiter().GetResult();
    }

    private void Run()
    {
        while (true)
        {
            Action next;
            lock (_waiting)
            {
                while (!_waiting.TryDequeue(out next!))
                    Monitor.Wait(_waiting);
            }
            next();
        }
    }
}
