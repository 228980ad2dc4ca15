using Colibri.Core.Agents.Launch;
using Colibri.Core.Logging;
using Colibri.Core.Retention;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Agents;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Retention;

public sealed class DiskGuardTests
{
    private const long GiB = 1L << 30;
    private const int Low = 520;
    private const int Enough = 521;

    private readonly CollectingLogger _lines = new();
    private readonly FakeTime _time = new();
    private readonly Dictionary<string, FileSystemSpace?> _spaces = new() { ["/state"] = new(100 * GiB, 50 * GiB), ["/sessions"] = new(100 * GiB, 60 * GiB) };
    private RetentionSettings _settings = new();
    private int _changes;

    [Test]
    public void Starts_are_held_below_the_least_free_space_and_go_on_at_a_tenth_more()
    {
        var guard = Open();
        Look(guard, GiB).ShouldBe((StatusDisk.Ok, false));
        Look(guard, GiB - 1).ShouldBe((StatusDisk.Low, true));
        guard.State.ShouldBe(new StatusDisk(StatusDisk.Low, GiB - 1, GiB, "/state"));
        guard.WhyHeld.ShouldNotBeNull().ShouldStartWith("the file system of /state has 1 GiB free; starts need 1 GiB, and go on at a tenth more: free some space (colibri prune");
        Look(guard, GiB + (GiB / 11)).ShouldBe((StatusDisk.Low, true));
        Look(guard, GiB + (GiB / 9)).ShouldBe((StatusDisk.Ok, false));
        guard.WhyHeld.ShouldBeNull();
        Look(guard, GiB).ShouldBe((StatusDisk.Ok, false));
        _changes.ShouldBe(2);
    }

    [Test]
    public void The_file_system_that_is_worst_off_decides_and_one_that_cannot_be_looked_at_says_nothing()
    {
        var guard = Open();
        _spaces["/sessions"] = new FileSystemSpace(100 * GiB, GiB / 2);
        Look(guard, 2 * GiB).ShouldBe((StatusDisk.Low, true));
        guard.State!.Path.ShouldBe("/sessions");

        _spaces["/sessions"] = null;
        Look(guard, 2 * GiB).ShouldBe((StatusDisk.Ok, false));
        // Such as one of the kernel's own.
        _spaces["/sessions"] = new FileSystemSpace(0, 0);
        _settings = new RetentionSettings { MinFreeBytes = GiB, StatesMinFree = true };
        Look(guard, 2 * GiB).ShouldBe((StatusDisk.Ok, false));
        _spaces["/state"] = _spaces["/sessions"] = null;
        guard.Look();
        guard.IsHeld.ShouldBeFalse();
    }

    /// <summary>A directory that is not there yet lies where the one above it does.</summary>
    [Test]
    public void A_directory_that_is_not_there_stands_for_the_nearest_that_is()
    {
        var guard = new DiskGuard(["/state/trees/site"], () => _settings, path => _spaces.GetValueOrDefault(path), _lines);
        Look(guard, GiB / 2).ShouldBe((StatusDisk.Low, true));
        guard.State.ShouldBe(new StatusDisk(StatusDisk.Low, GiB / 2, GiB, "/state/trees/site"));
    }

    [Test]
    public void A_small_file_system_needs_a_part_of_it_unless_the_file_says_how_much()
    {
        _spaces["/state"] = new FileSystemSpace(2 * GiB, GiB / 2);
        var guard = Open();
        guard.Look();
        guard.State.ShouldBe(new StatusDisk(StatusDisk.Ok, GiB / 2, 2 * GiB / 20, "/state"));

        _settings = new RetentionSettings { StatesMinFree = true };
        guard.Look();
        guard.State.ShouldBe(new StatusDisk(StatusDisk.Low, GiB / 2, GiB, "/state"));
        _settings = new RetentionSettings { MinFreeBytes = 0, StatesMinFree = true };
        guard.Look();
        guard.IsHeld.ShouldBeFalse("what is configured anew holds at the next look");
    }

    [Test]
    public void A_disk_that_stays_low_is_one_line_a_minute()
    {
        var guard = Open();
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(5); passed += DiskGuard.Interval)
        {
            // It fills further, and each line would say another number.
            Look(guard, (GiB / 2) - (long)passed.TotalSeconds);
            _time.Advance(DiskGuard.Interval);
        }
        _lines.Of(Low).Count.ShouldBe(5);
        _lines.Of(Enough).ShouldBeEmpty();
        Look(guard, 2 * GiB);
        _lines.Of(Enough).ShouldBe(["agents are started again: the file system of /state has 2 GiB free"]);
    }

    /// <summary>The room of the file systems that this test runs on, against what df(1) says.</summary>
    [Test]
    public async Task The_room_of_a_file_system_is_what_df_says()
    {
        var space = FileSystemSpace.Of("/").ShouldNotBeNull();
        var (_, output) = await Shell.Run(Shell.Options("df -k -P / | tail -n 1"));
        var said = output.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        space.TotalBytes.ShouldBe(long.Parse(said[1], System.Globalization.CultureInfo.InvariantCulture) * 1_024);
        Math.Abs(space.FreeBytes - (long.Parse(said[3], System.Globalization.CultureInfo.InvariantCulture) * 1_024)).ShouldBeLessThan(space.TotalBytes / 10);
        FileSystemSpace.Of("/there/is/no/such/directory").ShouldBeNull();
    }

    [Test]
    [NotInParallel]
    public async Task Tasks_wait_while_the_disk_is_low_and_start_by_themselves_then()
    {
        var free = new long[] { GiB / 2 };
        await using var fixture = new SupervisorFixture(spaceOf: _ => new FileSystemSpace(100 * GiB, Volatile.Read(ref free[0])));
        var task = await fixture.Create();
        var refused = await Should.ThrowAsync<SpawnRefusedException>(() => fixture.Spawn(SupervisorFixture.LifeCycle, task));
        (refused.Refusal, refused.Message).ShouldBe((SpawnRefusal.DiskLow, fixture.Engine.Disk.WhyHeld));
        var scheduler = fixture.Engine.Schedule([new AgentCandidate("sh", _ => true, SupervisorFixture.Request(SupervisorFixture.LifeCycle))]);
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => scheduler.RunAsync(stop.Token));
        Shell.Until(() => scheduler.Status.Ticks > 0, "the scheduler looks");

        fixture.Engine.Queue.Show(await fixture.Get(task)).BlockedBy.ShouldHaveSingleItem().ShouldBe(new BlockedBy("disk", fixture.Engine.Disk.WhyHeld!));
        (await fixture.Get(task)).Attempts.ShouldBe(0);

        Volatile.Write(ref free[0], 2 * GiB);
        fixture.Engine.Disk.Look();
        Shell.Until(() => fixture.Board.Counts.Done == 1, "the task is done");
        await stop.CancelAsync();
        await running.WaitAsync(Shell.Deadline, CancellationToken.None);
    }

    private DiskGuard Open()
    {
        var guard = new DiskGuard(["/state", "/sessions"], () => _settings, path => _spaces.GetValueOrDefault(path), new LogThrottle(_lines, _time));
        guard.Changed += () => _changes++;
        return guard;
    }

    private (string State, bool IsHeld) Look(DiskGuard guard, long free)
    {
        _spaces["/state"] = new FileSystemSpace(100 * GiB, free);
        guard.Look();
        return (guard.State!.State, guard.IsHeld);
    }
}
