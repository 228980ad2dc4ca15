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

/// <summary>
/// Ends what a test left running: to the tests after it, it would be an older root, a stray, or a process whose environment has no end. A
/// test that passes and leaves a process is a defect, which the next test tells.
/// </summary>
public static class LeftOvers
{
    private static int Running;
    private static string? Passed;

    // Also what the class of the test before started or left when it was disposed of. Beside another test it could be that one's.
    [BeforeEvery(HookType.Test)]
    public static void Begins(TestContext context)
    {
        var isAlone = Interlocked.Increment(ref Running) == 1;
        var before = Interlocked.Exchange(ref Passed, null);
        if (!isAlone || !AnyLeft() || Go(Grace))
            return;
        var left = Describe();
        Kill();
        if (before is not null)
            throw new InvalidOperationException($"{before}, which passed before this test, left {left}");
    }

    // Before the class of a failed test is disposed of: its supervisor waits until its agents have ended.
    [AfterEvery(HookType.Test)]
    public static void Ends(TestContext context)
    {
        var isAlone = Interlocked.Decrement(ref Running) == 0;
        if (context.Execution.Result?.State == TestState.Passed)
            Passed = isAlone ? $"{context.Metadata.TestDetails.ClassType.Name}.{context.Metadata.DisplayName}" : null;
        else if (isAlone && AnyLeft())
            Kill();
    }

    [After(HookType.TestSession)]
    public static void End()
    {
        if (AnyLeft())
            Kill();
    }

    // A process that was killed takes a moment to be gone.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private static bool AnyLeft()
    {
        if (!SharedChildren.AreStarted)
            return false;
        SharedChildren.Instance.Reap();
        // Cheap, and the usual answer.
        return SharedChildren.Instance.Known().Length > 0 || !ChildList.AreAllKnown(SharedChildren.Instance);
    }

    private static bool Go(TimeSpan limit) => SpinWait.SpinUntil(() => Left().Count == 0, limit);

    private static void Kill() =>
        SpinWait.SpinUntil(
            () =>
            {
                var left = Left();
                left.ForEach(entry => ProcessSignal.Send(entry.Identity, Signals.Kill));
                return left.Count == 0;
            },
            Shell.Deadline);

    private static List<ProcessEntry> Left()
    {
        SharedChildren.Instance.Reap();
        return ProcessTable.Snapshot().FindAll(entry => entry.ParentPid == Environment.ProcessId);
    }

    private static string Describe() => string.Join(", ", Left().Select(entry => $"{entry.Identity}: {CommandLine(entry.Pid)}"));

    private static string CommandLine(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ').Trim();
        }
        catch (IOException)
        {
            return "gone by now";
        }
    }
}
