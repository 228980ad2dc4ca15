using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Spawning;

/// <summary>The kernel's parent of a process is a thread.</summary>
[NotInParallel]
public sealed class SpawnThreadTests
{
    [Test]
    public async Task A_process_that_dies_with_its_parent_outlives_the_thread_that_asked_for_it()
    {
        Skip.Unless(File.Exists("/usr/bin/setpriv"), "no /usr/bin/setpriv, which asks for a signal at its parent's death");
        ChildProcess? child = null;
        // As a thread of the pool ends once it has been idle.
        var asking = new Thread(() => child = SharedChildren.Instance.Spawn(new SpawnOptions
        {
            Path = "/usr/bin/setpriv",
            Arguments = ["--pdeathsig", "KILL", "sleep", "300"],
            Environment = Shell.Environment(),
        }));
        asking.Start();
        asking.Join();
        Shell.Until(() => Shell.IsSleep(child!.Pid), "it has asked for the signal, and its parent's thread is gone");
        // A second process of the same kind, asked for while the thread lives: the signal comes as the thread ends.
        using var over = new ManualResetEventSlim();
        ChildProcess? second = null;
        var lasting = new Thread(() =>
        {
            second = SharedChildren.Instance.Spawn(new SpawnOptions { Path = "/usr/bin/setpriv", Arguments = ["--pdeathsig", "KILL", "sleep", "300"], Environment = Shell.Environment() });
            over.Wait();
        });
        lasting.Start();
        Shell.Until(() => second is not null && Shell.IsSleep(second.Pid), "it has asked for the signal");
        over.Set();
        lasting.Join();
        // The kernel sends the signal before the join returns; a signal of ours after it is what ends it.
        second!.Signal(Signals.Term).ShouldBeTrue();
        (await Shell.Exit(second)).ShouldBe(new ExitStatus(null, Signals.Term));
        child!.Signal(Signals.Term).ShouldBeTrue();
        (await Shell.Exit(child)).ShouldBe(new ExitStatus(null, Signals.Term));
    }
}
