using System.Collections.Concurrent;
using Colibri.Posix.Processes;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Processes;

[NotInParallel]
public sealed class SharedLooksTests
{
    [Test]
    public async Task Who_asks_during_a_look_gets_the_next_one_and_all_who_ask_by_then_share_it()
    {
        using var go = new SemaphoreSlim(0);
        using var began = new SemaphoreSlim(0);
        var taken = 0;
        var looks = new SharedLooks(() =>
        {
            Interlocked.Increment(ref taken);
            began.Release();
            go.Wait(Shell.Deadline).ShouldBeTrue();
            return ProcessLook.Take();
        });
        var first = looks.NextAsync();
        (await began.WaitAsync(Shell.Deadline)).ShouldBeTrue();

        // The look under way began before these asked.
        var others = Enumerable.Range(0, 50).Select(_ => looks.NextAsync()).ToList();
        go.Release();
        var seen = await first.WaitAsync(Shell.Deadline);
        others.ShouldAllBe(other => !other.IsCompleted);
        go.Release();
        var shared = await Task.WhenAll(others).WaitAsync(Shell.Deadline);

        shared.Distinct().ShouldHaveSingleItem().ShouldNotBeSameAs(seen);
        taken.ShouldBe(2);
    }

    [Test]
    public async Task A_look_sees_every_process_that_was_born_before_it_was_asked_for()
    {
        var missed = new ConcurrentQueue<int>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                var (child, output) = Shell.Start(Shell.Options("exec sleep 300", Shell.NewMarker()));
                using (output)
                {
                    var look = await SharedLooks.OfTheSystem.NextAsync();
                    if (!look.Table.Any(entry => entry.Identity == child.Identity))
                        missed.Enqueue(child.Pid);
                    child.Signal(Colibri.Posix.Signalling.Signals.Kill);
                    await Shell.Exit(child);
                }
            }
        })));
        missed.ShouldBeEmpty();
    }

    [Test]
    public async Task A_look_that_fails_fails_for_those_who_asked_for_it_alone()
    {
        var taken = 0;
        var looks = new SharedLooks(() => ++taken == 1 ? throw new IOException("no descriptors") : ProcessLook.Take());
        (await Should.ThrowAsync<IOException>(looks.NextAsync())).Message.ShouldBe("no descriptors");
        (await looks.NextAsync()).Table.ShouldNotBeEmpty();
        await looks.Looking.WaitAsync(Shell.Deadline);
        (await looks.NextAsync()).Table.ShouldNotBeEmpty("it looks again after a rest");
    }
}
