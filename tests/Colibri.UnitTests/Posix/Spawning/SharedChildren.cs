using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;

namespace Colibri.UnitTests.Posix.Spawning;

/// <summary>
/// The reaper of the test process, started at first use and never stopped. A class whose tests start processes is [NotInParallel] and runs
/// while no other test does: a tree's orphans are told apart by which other children are alive.
/// </summary>
internal static class SharedChildren
{
    private static readonly Lazy<ChildProcesses> Lazy = new(ChildProcesses.Start);

    public static ChildProcesses Instance => Lazy.Value;

    public static bool AreStarted => Lazy.IsValueCreated;
}

/// <summary>Ends what a failed test left running: all of it has come to this process by then.</summary>
public static class LeftOvers
{
    [After(HookType.TestSession)]
    public static void End()
    {
        if (SharedChildren.AreStarted)
            SpinWait.SpinUntil(AreGone, Shell.Deadline);
    }

    private static bool AreGone()
    {
        SharedChildren.Instance.Reap();
        var left = ProcessTable.Snapshot().FindAll(entry => entry.ParentPid == Environment.ProcessId);
        left.ForEach(entry => ProcessSignal.Send(entry.Identity, Signals.Kill));
        return left.Count == 0;
    }
}
