using Colibri.Posix.Interop;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;

namespace Colibri.UnitTests.Posix.Spawning;

[NotInParallel]
public sealed class ReapingTests
{
    [Test]
    [Arguments(0)]
    [Arguments(1)]
    [Arguments(255)]
    public async Task An_exit_code_is_reported(int code)
    {
        var child = SharedChildren.Instance.Spawn(Shell.Options($"exit {code}"));
        (await Shell.Exit(child)).ShouldBe(new ExitStatus(code, null));
    }

    [Test]
    [Arguments(9, "SIGKILL")]
    [Arguments(15, "SIGTERM")]
    [Arguments(6, "SIGABRT")]
    public async Task A_death_by_signal_is_reported(int signal, string name)
    {
        var child = SharedChildren.Instance.Spawn(Shell.Options("ulimit -c 0; exec sleep 300"));
        child.Signal(signal).ShouldBeTrue();
        var exit = await Shell.Exit(child);
        exit.ShouldBe(new ExitStatus(null, signal));
        exit.ToString().ShouldBe(name);
    }

    [Test]
    public async Task Five_hundred_children_that_end_at_once_are_all_reported()
    {
        var children = new ChildProcess[500];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(part => Task.Run(
            () =>
            {
                for (var i = part; i < children.Length; i += 4)
                    children[i] = SharedChildren.Instance.Spawn(Shell.Options($"exit {i % 256}"));
            },
            TestContext.Current!.Execution.CancellationToken)));
        for (var i = 0; i < children.Length; i++)
            (await Shell.Exit(children[i])).ShouldBe(new ExitStatus(i % 256, null));
    }

    [Test]
    public async Task A_child_that_was_reaped_is_never_signalled()
    {
        var child = SharedChildren.Instance.Spawn(Shell.Options("exit 0"));
        await Shell.Exit(child);
        child.Signal(Signals.Kill).ShouldBeFalse();
        child.SignalGroup(Signals.Kill).ShouldBeFalse();
        child.Identity.IsRunning.ShouldBeFalse();
    }

    [Test]
    public async Task A_group_is_signalled_as_one()
    {
        var (child, output) = Shell.Start(Shell.Options("sleep 300 & echo $!; wait"));
        using (output)
        {
            var other = await output.ReadProcess();
            child.SignalGroup(Signals.Kill).ShouldBeTrue();
            await Shell.Exit(child);
            Shell.Until(() => !other.IsRunning, "the other process of the group is gone");
        }
    }

    [Test]
    public async Task An_orphan_comes_to_this_process_and_is_reaped()
    {
        SharedChildren.Instance.IsReaper.ShouldBeTrue();
        var (child, output) = Shell.Start(Shell.Options("(setsid sleep 300 & echo $!)"));
        using (output)
        {
            var orphan = await output.ReadProcess();
            await Shell.Exit(child);
            Shell.Until(() => ProcessTable.TryRead(orphan.Pid, out var entry) && entry.ParentPid == Environment.ProcessId, "the orphan is ours");
            Colibri.Posix.Trees.ProcessSignal.Send(orphan, Signals.Kill).ShouldBeTrue();
            Shell.Until(() => !ProcessIdentity.TryRead(orphan.Pid, out _), "not even a zombie is left");
        }
    }

    [Test]
    [Arguments(false, false)]
    [Arguments(false, true)]
    [Arguments(true, false)]
    [Arguments(true, true)]
    public async Task A_child_that_somebody_else_has_waited_for_has_ended_in_an_unknown_way(bool isHeld, bool anotherLives)
    {
        var another = anotherLives ? SharedChildren.Instance.Spawn(Shell.Options("exec sleep 300")) : null;
        var child = SharedChildren.Instance.Spawn(Shell.Options("exec sleep 300", Shell.NewMarker()));
        var tree = new ProcessTree(child, Shell.NewMarker());
        child.IsHeld = isHeld;
        Stolen.Take(child);
        SharedChildren.Instance.Reap();
        child.Exited.IsCompleted.ShouldBe(!isHeld);
        child.IsHeld = false;
        SharedChildren.Instance.Reap();

        var exit = await Shell.Exit(child);

        exit.ShouldBe(ExitStatus.Unknown);
        exit.ToString().ShouldBe("exit status unknown");
        child.Signal(Signals.Kill).ShouldBeFalse();
        tree.Signal(Signals.Kill).ShouldBe(0);
        tree.HasStrays().ShouldBeFalse();
        another?.Signal(Signals.Kill);
        if (another is not null)
            (await Shell.Exit(another)).Signal.ShouldBe(Signals.Kill);
    }

    [Test]
    public void There_is_only_one_reaper_in_a_process()
    {
        _ = SharedChildren.Instance;
        Should.Throw<InvalidOperationException>(ChildProcesses.Start);
    }

    [Test]
    [Arguments(0x0000, 0, null)]
    [Arguments(0x0300, 3, null)]
    [Arguments(0xff00, 255, null)]
    [Arguments(0x0009, null, 9)]
    [Arguments(0x008b, null, 11)]
    public void A_wait_status_is_a_code_or_a_signal(int status, int? code, int? signal) =>
        ExitStatus.FromWaitStatus(status).ShouldBe(new ExitStatus(code, signal));
}

/// <summary>Waits for a child behind its owner's back, as the runtime does for every child of pid 1.</summary>
internal static class Stolen
{
    /// <summary>Kills it and takes its exit status.</summary>
    public static unsafe void Take(ChildProcess child)
    {
        // Nothing is reaped meanwhile.
        lock (child.Owner.Gate)
        {
            child.Signal(Signals.Kill).ShouldBeTrue();
            int status;
            Libc.waitpid(child.Pid, &status, 0).ShouldBe(child.Pid);
        }
    }
}
