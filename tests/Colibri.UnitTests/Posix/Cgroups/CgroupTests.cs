using System.Globalization;
using System.Runtime.InteropServices;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.UnitTests.Posix.Cgroups;

/// <summary>Finding the daemon's cgroup and reading one, in directories that only look like cgroups.</summary>
public sealed class CgroupTests : IDisposable
{
    /// <summary>/proc/self/mountinfo of a Debian 12 with both versions mounted (systemd's "hybrid" layout), the lines of two mounts.</summary>
    internal const string Hybrid = """
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-cgroup-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    [Arguments("9:name=systemd:/\n4:memory:/a/b\n1:cpu:/\n0::/\n", "/")]
    [Arguments("0::/system.slice/colibri-daemon.service\n", "/system.slice/colibri-daemon.service")]
    [Arguments("12:pids:/user.slice\n1:name=systemd:/user.slice\n", null)]
    [Arguments("", null)]
    public void The_path_is_that_of_hierarchy_0(string procCgroup, string? path) => CgroupMounts.PathOf(procCgroup).ShouldBe(path);

    [Test]
    [Arguments(Hybrid, "/", "/sys/fs/cgroup/unified")]
    [Arguments(Hybrid, "/system.slice/x.service", "/sys/fs/cgroup/unified/system.slice/x.service")]
    [Arguments("30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate", "/a", "/sys/fs/cgroup/a")]
    [Arguments("30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate", "/../b", null)]
    [Arguments("30 23 0:26 /docker/1 /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw", "/docker/1", "/sys/fs/cgroup")]
    [Arguments("30 23 0:26 /docker/1 /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw", "/docker/1/sub", "/sys/fs/cgroup/sub")]
    [Arguments("30 23 0:26 /docker/1 /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw", "/docker/12", null)]
    [Arguments("30 23 0:26 / /mnt/a\\040b\\134c rw - cgroup2 none rw", "/x", "/mnt/a b\\c/x")]
    [Arguments("30 23 0:26 / /mnt/x rw - ext4 /dev/cgroup2 rw", "/x", null)]
    [Arguments("", "/", null)]
    public void The_directory_is_the_path_below_the_mount(string mountInfo, string path, string? directory) =>
        CgroupMounts.Directories(path, mountInfo).SingleOrDefault().ShouldBe(directory);

    [Test]
    public void Without_version_2_there_is_none() => ReasonOf("3:cpu:/\n", Hybrid).ShouldBe("no cgroup v2");

    [Test]
    public void A_cgroup_that_is_not_mounted_here_is_not_used() =>
        ReasonOf("0::/no/such/cgroup\n", Mount()).ShouldBe("the cgroup /no/such/cgroup is not mounted here");

    [Test]
    public void A_kernel_without_cgroup_kill_is_told_by_trying_and_nothing_stays()
    {
        ReasonOf("0::/\n", Mount()).ShouldContain("no cgroup.kill");
        Directory.GetFileSystemEntries(_directory).ShouldBeEmpty();
    }

    [Test]
    public void Where_none_can_be_made_there_is_none() => ReasonOf("0::/self\n", "1 1 0:1 / /proc rw - cgroup2 none rw").ShouldContain("/proc/self/colibri-try-");

    [Test]
    public void What_systemd_has_not_given_away_is_not_used() =>
        ReasonOf("0::/\n", Mount(), underSystemd: true).ShouldBe($"{_directory} is systemd's (Delegate=yes in a unit gives it away)");

    [Test]
    [Arguments("unit", "unit")]
    [Arguments("unit", "unit/supervisor")]
    public void What_systemd_has_given_away_is_used(string marked, string own)
    {
        Directory.CreateDirectory(Path.Combine(_directory, own));
        Mark(Path.Combine(_directory, marked));
        // As far as a directory that is no cgroup can be.
        ReasonOf($"0::/{own}\n", Mount(), underSystemd: true).ShouldContain("no cgroup.kill");
    }

    [Test]
    public void A_mark_two_levels_up_is_another_manager_s()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "user/app.slice/x.service"));
        Mark(Path.Combine(_directory, "user"));
        ReasonOf("0::/user/app.slice/x.service\n", Mount(), underSystemd: true).ShouldContain("is systemd's");
    }

    [Test]
    [Arguments("populated 1\nfrozen 0\n", true)]
    [Arguments("frozen 0\npopulated 1\n", true)]
    [Arguments("populated 0\nfrozen 0\n", false)]
    [Arguments("populated 10\n", false)]
    [Arguments("", false)]
    public void Whether_anything_lives_in_it_is_what_its_events_say(string events, bool populated)
    {
        var cgroup = Fake("a", events: events);
        cgroup.IsPopulated.ShouldBe(populated);
    }

    [Test]
    public void A_cgroup_that_is_gone_has_nothing_in_it()
    {
        var gone = new OwnCgroup(_directory).Create("gone");
        gone.TryRemove().ShouldBeTrue();
        gone.IsPopulated.ShouldBeFalse();
        gone.Processes().ShouldBeEmpty();
        gone.TryRemove().ShouldBeTrue();
        gone.Kill();
    }

    [Test]
    public void Processes_are_those_of_the_cgroups_below_too()
    {
        var cgroup = Fake("a", "12\n13\n0\n");
        Fake("a/b", "14\n");
        Fake("a/b/c", string.Join('\n', Enumerable.Range(100, 3000)) + "\n");
        cgroup.Processes().Order().ShouldBe([12, 13, 14, .. Enumerable.Range(100, 3000)]);
    }

    [Test]
    public void A_process_is_placed_by_its_pid_and_all_are_killed_by_a_1()
    {
        var cgroup = Fake("a", "");
        cgroup.Place(4711);
        cgroup.Kill();
        File.ReadAllText($"{cgroup.Path}/cgroup.procs").ShouldBe("4711");
        File.ReadAllText($"{cgroup.Path}/cgroup.kill").ShouldBe("1");
        cgroup.PlacementError.ShouldBe(0);
    }

    [Test]
    public void A_placement_that_is_refused_says_why()
    {
        var cgroup = new OwnCgroup(_directory).Create("a");
        cgroup.Place(4711);
        cgroup.PlacementError.ShouldBe(AbiConstants.ENOENT);
    }

    [Test]
    public void Those_made_here_are_found_by_their_names()
    {
        var own = new OwnCgroup(_directory);
        own.Create("colibri-1");
        own.Create("other");
        own.Names("colibri-").ShouldBe(["colibri-1"]);
        own.Open("colibri-1")!.Path.ShouldBe($"{_directory}/colibri-1");
        own.Open("colibri-2").ShouldBeNull();
    }

    private string Mount() => $"30 23 0:26 / {_directory} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

    private static string ReasonOf(string procCgroup, string mountInfo, bool underSystemd = false)
    {
        OwnCgroup.Find(procCgroup, mountInfo, underSystemd, out var reason).ShouldBeNull();
        return reason;
    }

    private Cgroup Fake(string name, string procs = "", string events = "populated 0\n")
    {
        var path = Directory.CreateDirectory(Path.Combine(_directory, name)).FullName;
        File.WriteAllText($"{path}/cgroup.procs", procs);
        File.WriteAllText($"{path}/cgroup.events", events);
        File.WriteAllText($"{path}/cgroup.kill", "");
        return new Cgroup(path);
    }

    private static unsafe void Mark(string directory)
    {
        Skip.Unless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "setxattr(2) is numbered for x86-64 here");
        const int SYS_setxattr = 188;
        fixed (byte* path = Colibri.Posix.Spawning.PosixSpawn.CString(directory))
        fixed (byte* name = "user.delegate\0"u8)
        fixed (byte* value = "1"u8)
        {
            var marked = Libc.syscall(SYS_setxattr, (nint)path, (nint)name, (nint)value, 1, 0) == 0;
            var errno = Marshal.GetLastPInvokeError();
            Skip.Unless(marked, string.Create(CultureInfo.InvariantCulture, $"{directory} takes no extended attributes: {Errno.Describe(errno)}"));
        }
    }
}
