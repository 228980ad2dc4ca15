using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Trees;
using Colibri.UnitTests.Posix.Host;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Processes;

/// <summary>With no descriptor left, a process that lives must not be taken for gone.</summary>
[NotInParallel]
public sealed class DescriptorShortageTests
{
    private const string Problem = "cannot read the process table: Too many open files (EMFILE)";

    [Test]
    public Task A_process_table_that_cannot_be_read_is_never_taken_for_empty() =>
        OwnProcess.RunsGreen(typeof(DescriptorShortageTests), nameof(Looks_at_a_tree_without_descriptors));

    [Test, Explicit]
    public unsafe void Looks_at_a_tree_without_descriptors()
    {
        ProcessIdentity.TryRead(Environment.ProcessId, out var self).ShouldBeTrue();
        var marker = Shell.NewMarker();
        var child = SharedChildren.Instance.Spawn(Shell.Options("sleep 600", marker));
        var tree = new ProcessTree(child, marker);
        var adopted = ProcessTree.Of(child.Identity, marker);
        // Everything once beforehand: code that is used for the first time needs descriptors to be loaded with.
        Ask().ShouldAllBe(answer => answer == null);
        _ = Failure(() => throw new IOException($"{Errno.Describe(24)}"));

        var limit = new ResourceLimit(300, 300);
        Libc.setrlimit(AbiConstants.Current.RLIMIT_NOFILE, &limit).ShouldBe(0);
        var taken = stackalloc int[300];
        var count = 0;
        fixed (byte* path = "/dev/null\0"u8)
        {
            while (count < 300 && (taken[count] = Libc.open(path, AbiConstants.O_RDONLY)) >= 0)
                count++;
        }
        var answers = Ask();
        // One is enough to list /proc with, and none is left then to read a row with.
        _ = Libc.close(taken[--count]);
        var listed = Failure(() => ProcessTable.Snapshot());
        while (count > 0)
            _ = Libc.close(taken[--count]);

        answers.ShouldAllBe(answer => answer != null);
        answers[..3].ShouldAllBe(answer => answer!.Message == Problem);
        listed.ShouldNotBeNull().Message.ShouldBe(Problem);
        child.Identity.IsRunning.ShouldBeTrue();
        Shell.Destroy(tree);

        IOException?[] Ask() =>
        [
            Failure(() => _ = self.IsRunning),
            Failure(() => ProcessIdentity.TryRead(child.Pid, out _)),
            Failure(() => ProcessEnvironment.Has(child.Pid, "X=y"u8)),
            Failure(() => tree.Members()),
            Failure(() => adopted.Members()),
            Failure(() => adopted.HasStrays()),
            Failure(() => tree.Signal(Signals.Cont)),
            Failure(() => ProcessTree.FindByMarker(marker)),
        ];
    }

    private static IOException? Failure(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (IOException e)
        {
            return e;
        }
    }
}
