using Colibri.Core.Retention;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Retention;

public sealed class RetentionLoopTests
{
    private const int Pruned = 522;
    private const int Advice = 524;
    private const long GiB = 1L << 30;

    [Test]
    public async Task It_prunes_at_the_start_and_at_once_when_the_disk_gets_low_and_then_says_what_could_go_besides()
    {
        await using var fixture = new RetentionFixture();
        var free = 50 * GiB;
        var guard = new DiskGuard(["/state"], () => fixture.Settings.Retention, _ => new FileSystemSpace(100 * GiB, free), fixture.Logger);
        fixture.Session("old", TimeSpan.FromDays(31), bytes: 2_048);
        fixture.Session("young", TimeSpan.FromDays(9), bytes: 1_024);
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => new RetentionLoop(fixture.Pruner, guard, new FakeTime(), fixture.Logger).RunAsync(stop.Token));
        Shell.Until(() => fixture.Logger.Of(Pruned).Count == 1, "it has pruned");
        fixture.Logger.Of(Pruned).ShouldBe(["pruned 0 tasks, 1 sessions, 0 directories and 0 worktrees: 2 KiB freed"]);

        free = GiB / 2;
        guard.Look();

        Shell.Until(() => fixture.Logger.Of(Advice).Count == 1, "it has pruned again");
        fixture.Logger.Of(Advice).ShouldBe(["the disk is low and all that is due is pruned: colibri prune --older-than 7d could free 1 KiB"]);
        fixture.SessionsLeft().ShouldBe(["young"]);
        await stop.CancelAsync();
        await running.WaitAsync(Shell.Deadline, CancellationToken.None);
    }
}
