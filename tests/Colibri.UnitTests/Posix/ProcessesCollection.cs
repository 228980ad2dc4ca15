using Colibri.Posix;

namespace Colibri.UnitTests.Posix;

/// <summary>
/// Tests that start processes share the one reaper of this process, and run while no other test does: a tree's
/// orphans are told apart by which other children are alive.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessesCollection
{
    public const string Name = "Processes";
}

/// <summary>The reaper of the test process, started at first use and never stopped.</summary>
internal static class SharedChildren
{
    private static readonly Lazy<ChildProcesses> Lazy = new(ChildProcesses.Start);

    public static ChildProcesses Instance => Lazy.Value;
}
