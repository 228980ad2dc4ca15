using Colibri.Core.Processes;
using Colibri.Posix.Cgroups;

namespace Colibri.UnitTests.Posix.Cgroups;

/// <summary>Limits of processes in a directory that only looks like a cgroup.</summary>
public sealed class CgroupProcessesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-pids-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void What_the_limit_refuses_is_counted_from_when_it_was_set()
    {
        Put("pids.max", "max\n");
        Put("pids.events", "max 3\n");
        var cgroup = new Cgroup(_directory);

        cgroup.LimitProcesses(64).ShouldBeNull();

        File.ReadAllText(Path.Combine(_directory, "pids.max")).ShouldStartWith("64");
        cgroup.RefusedProcesses.ShouldBe(0);
        Put("pids.events", "max 10\n");
        cgroup.RefusedProcesses.ShouldBe(7);
    }

    [Test]
    public void Where_there_is_no_such_file_the_reason_names_it()
    {
        var cgroup = new Cgroup(_directory);
        cgroup.LimitProcesses(64).ShouldNotBeNull().ShouldStartWith($"{_directory}/pids.max: ");
        cgroup.RefusedProcesses.ShouldBe(0);
    }

    [Test]
    public void The_controller_of_processes_is_enabled_by_its_own_name()
    {
        Put("cgroup.controllers", "cpu memory\n");
        List<string> written = [];
        var controller = new MemoryController(_directory, null, (path, text) =>
        {
            written.Add($"{Path.GetFileName(path)} {System.Text.Encoding.ASCII.GetString(text)}");
            return 0;
        }, "pids");
        controller.Enable().ShouldBe($"{_directory}/cgroup.controllers does not name pids");

        Put("cgroup.controllers", "cpu pids\n");
        controller.Enable().ShouldBeNull();
        written.ShouldBe(["cgroup.subtree_control +pids"]);
    }

    [Test]
    public void The_words_name_the_limit_and_what_to_raise() => new ProcessLimit(64, "processes of the profile pi").Words(7)
        .ShouldBe("7 of its processes could not be started: it reached its limit of 64 (processes of the profile pi); larger work needs a higher processes of the profile pi");

    private void Put(string name, string text) => File.WriteAllText(Path.Combine(_directory, name), text);
}
