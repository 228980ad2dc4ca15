using System.Globalization;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Cgroups;

/// <summary>Limits of memory in directories that only look like cgroups, with a kernel that answers as the test says.</summary>
public sealed class MemoryControllerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-memory-").FullName;
    private readonly List<(string File, string Text)> _written = [];

    /// <summary>How many processes the kernel finds in the cgroup at most before it enables a controller there.</summary>
    private int _stay;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void A_parent_without_the_controller_says_so_and_is_left_alone()
    {
        Put("cgroup.controllers", "hugetlb\n");
        var memory = Controller();
        memory.WhyNot().ShouldBe($"{_directory}/cgroup.controllers does not name memory");
        memory.Enable().ShouldBe($"{_directory}/cgroup.controllers does not name memory");
        _written.ShouldBeEmpty();
    }

    [Test]
    [Arguments("memory", true)]
    [Arguments("cpuset cpu io memory pids\n", true)]
    [Arguments("cpu memory\n", true)]
    [Arguments("memoryx cpu\n", false)]
    [Arguments("\n", false)]
    [Arguments("", false)]
    public void The_controllers_are_a_list_of_words(string list, bool hasMemory)
    {
        Put("cgroup.controllers", list);
        (Controller().WhyNot() is null).ShouldBe(hasMemory);
    }

    [Test]
    public void One_that_is_enabled_already_needs_nothing()
    {
        Put("cgroup.subtree_control", "cpu memory\n");
        Controller().Enable().ShouldBeNull();
        _written.ShouldBeEmpty();
    }

    [Test]
    public void Where_no_process_is_in_the_way_it_is_enabled_at_once()
    {
        Put("cgroup.controllers", "cpu memory\n");
        Controller().Enable().ShouldBeNull();
        _written.ShouldBe([("cgroup.subtree_control", "+memory")]);
    }

    [Test]
    public async Task The_daemon_and_its_children_move_out_of_the_way_before_it_is_enabled()
    {
        var (child, output) = Shell.Start(Shell.Options("echo ready; exec sleep 300", Shell.NewMarker()));
        using (output)
        {
            Put("cgroup.controllers", "memory\n");
            Put("cgroup.procs", string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n{child.Pid}\n"));
            _stay = 1;
            Controller().Enable().ShouldBeNull();
            _written.ShouldBe(
            [
                ("cgroup.subtree_control", "+memory"),
                ("daemon/cgroup.procs", Text(Environment.ProcessId)),
                ("daemon/cgroup.procs", Text(child.Pid)),
                ("cgroup.subtree_control", "+memory"),
            ]);
            child.SignalGroup(Colibri.Posix.Signalling.Signals.Kill);
            await Shell.Exit(child);
        }
    }

    [Test]
    public void A_process_of_somebody_else_is_not_moved()
    {
        Put("cgroup.controllers", "memory\n");
        Put("cgroup.procs", string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n1\n"));
        _stay = 1;
        Controller().Enable().ShouldBe($"process 1, which is not the daemon's, is in {_directory}");
        _written.ShouldBe([("cgroup.subtree_control", "+memory")]);
    }

    [Test]
    public void Processes_that_come_again_and_again_end_the_tries()
    {
        Put("cgroup.controllers", "memory\n");
        Put("cgroup.procs", Text(Environment.ProcessId));
        _stay = int.MaxValue;
        Controller().Enable().ShouldBe($"{_directory}/cgroup.subtree_control: {Errno.Describe(AbiConstants.EBUSY)}");
        _written.Count(one => one.File == "daemon/cgroup.procs").ShouldBe(5);
    }

    [Test]
    public void The_unit_s_own_cgroup_above_gives_the_controller_down()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "supervisor"));
        Put("cgroup.controllers", "memory\n");
        var memory = new MemoryController($"{_directory}/supervisor", _directory, Write);
        memory.WhyNot().ShouldBeNull();
        memory.Enable().ShouldBeNull();
        _written.ShouldBe([("cgroup.subtree_control", "+memory"), ("supervisor/cgroup.subtree_control", "+memory")]);
    }

    [Test]
    public void A_limit_is_written_whole_or_says_what_is_in_the_way()
    {
        var cgroup = Fake("memory.swap.max", "memory.oom.group", "memory.max");
        cgroup.LimitMemory(100 << 20).ShouldBeNull();
        (Read(cgroup, "memory.swap.max"), Read(cgroup, "memory.oom.group"), Read(cgroup, "memory.max")).ShouldBe(("0", "1", "104857600"));

        File.Delete($"{cgroup.Path}/memory.swap.max");
        cgroup.LimitMemory(1L << 40).ShouldBeNull("a kernel without swap accounting has no file for it");
        Read(cgroup, "memory.max").ShouldStartWith("1099511627776");

        File.Delete($"{cgroup.Path}/memory.max");
        cgroup.LimitMemory(100 << 20).ShouldBe($"{cgroup.Path}/memory.max: {Errno.Describe(AbiConstants.ENOENT)}");
    }

    /// <summary>memory.events as Linux 6 prints it.</summary>
    [Test]
    [Arguments("low 0\nhigh 0\nmax 812\noom 1\noom_kill 3\noom_group_kill 1\n", true)]
    [Arguments("low 0\nhigh 0\nmax 812\noom 0\noom_kill 1\noom_group_kill 0\n", false)]
    [Arguments("low 0\nhigh 0\nmax 812\noom 2\noom_kill 0\noom_group_kill 0\n", false)]
    [Arguments("", false)]
    public void The_kernel_ended_it_for_its_own_limit_or_for_the_hosts_shortage(string events, bool reached)
    {
        var cgroup = Fake("memory.oom.group", "memory.max");
        cgroup.LimitMemory(100 << 20).ShouldBeNull();
        File.WriteAllText($"{cgroup.Path}/memory.events", events);
        cgroup.HasReachedMemoryLimit.ShouldBe(reached);
    }

    [Test]
    public void What_was_ended_before_the_limit_was_set_is_another_command_s()
    {
        var cgroup = Fake("memory.oom.group", "memory.max");
        File.WriteAllText($"{cgroup.Path}/memory.events", "oom 1\noom_kill 2\n");
        cgroup.LimitMemory(100 << 20).ShouldBeNull();
        cgroup.HasReachedMemoryLimit.ShouldBeFalse();
        File.WriteAllText($"{cgroup.Path}/memory.events", "oom 2\noom_kill 3\n");
        cgroup.HasReachedMemoryLimit.ShouldBeTrue();
    }

    [Test]
    public void The_peak_is_told_where_the_kernel_has_it()
    {
        var cgroup = Fake();
        cgroup.PeakMemory.ShouldBeNull();
        File.WriteAllText($"{cgroup.Path}/memory.peak", "104857600\n");
        cgroup.PeakMemory.ShouldBe(100 << 20);
    }

    private MemoryController Controller() => new(_directory, null, Write);

    // The kernel answers EBUSY to a controller while processes are in the cgroup.
    private int Write(string path, ReadOnlySpan<byte> text)
    {
        _written.Add((Path.GetRelativePath(_directory, path), System.Text.Encoding.ASCII.GetString(text)));
        return path == $"{_directory}/cgroup.subtree_control" && _stay-- > 0 ? AbiConstants.EBUSY : 0;
    }

    private void Put(string file, string text) => File.WriteAllText(Path.Combine(_directory, file), text);

    private static string Text(int pid) => pid.ToString(CultureInfo.InvariantCulture);

    private static string Read(Cgroup cgroup, string file) => File.ReadAllText($"{cgroup.Path}/{file}");

    private Cgroup Fake(params string[] files)
    {
        var cgroup = new OwnCgroup(_directory).Create("colibri-1");
        foreach (var file in files)
            File.WriteAllText($"{cgroup.Path}/{file}", "");
        return cgroup;
    }
}
