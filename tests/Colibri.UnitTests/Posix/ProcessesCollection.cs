using Colibri.Posix;
using Colibri.Posix.Processes;
using Colibri.Posix.Trees;

namespace Colibri.UnitTests.Posix;

/// <summary>
/// Tests that start processes share the one reaper of this process, and run while no other test does: a tree's
/// orphans are told apart by which other children are alive.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessesCollection : ICollectionFixture<LeftOvers>
{
    public const string Name = "Processes";
}

/// <summary>Ends what a failed test left running: all of it has come to this process by then.</summary>
public sealed class LeftOvers : IDisposable
{
    public void Dispose() => SpinWait.SpinUntil(
        () =>
        {
            SharedChildren.Instance.Reap();
            var left = ProcessTable.Snapshot().FindAll(entry => entry.ParentPid == Environment.ProcessId);
            left.ForEach(entry => ProcessSignal.Send(entry.Identity, Signals.Kill));
            return left.Count == 0;
        },
        Shell.Deadline);
}

/// <summary>The reaper of the test process, started at first use and never stopped.</summary>
internal static class SharedChildren
{
    private static readonly Lazy<ChildProcesses> Lazy = new(ChildProcesses.Start);

    public static ChildProcesses Instance => Lazy.Value;
}
