using System.Text;
using Colibri.Posix.Files;
using Colibri.Posix.Host;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Files;

/// <summary>Files left below a root whose inmates may have planted anything.</summary>
[NotInParallel]
public sealed class StageDirectoryTests : IDisposable
{
    private const string Inside = "/var/stage";
    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly KeyValuePair<string, byte[]>[] Files = [new("environment", "export K='secret'\n"u8.ToArray()), new("directory", [])];

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-stage-").FullName;

    public StageDirectoryTests()
    {
        Directory.CreateDirectory(Root, Plain);
        Directory.CreateDirectory(Root + "/var", Plain);
        File.SetUnixFileMode(Root, Plain);
        File.SetUnixFileMode(Root + "/var", Plain);
    }

    private string Root => _directory + "/root";

    private StageDirectory Stage => new(Root, Inside);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void What_is_left_is_ours_alone_and_goes_without_a_trace()
    {
        Stage.Problem().ShouldBeNull();
        Directory.Exists(Root + Inside).ShouldBeFalse("asking makes nothing");
        Stage.Write("a1", Files);
        File.GetUnixFileMode(Root + Inside).ShouldBe(Own);
        File.GetUnixFileMode(Root + Inside + "/a1").ShouldBe(Own);
        foreach (var (name, content) in Files)
        {
            File.GetUnixFileMode($"{Root}{Inside}/a1/{name}").ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.ReadAllBytes($"{Root}{Inside}/a1/{name}").ShouldBe(content);
            Stage.Read("a1", name).ShouldBe(content);
        }
        Should.Throw<IOException>(() => Stage.Write("a1", Files)).Message.ShouldContain("EEXIST");
        Stage.Remove("a1", ["environment", "directory"]);
        Directory.GetFileSystemEntries(Root + Inside).ShouldBeEmpty();
        Stage.Remove("a1", ["environment", "directory"]);
        Stage.PathInside("a1").ShouldBe("/var/stage/a1");
    }

    [Test]
    public void A_link_on_the_way_is_not_followed()
    {
        var outside = Directory.CreateDirectory(_directory + "/outside").FullName;
        File.SetUnixFileMode(outside, Own);
        Directory.CreateSymbolicLink(Root + Inside, outside);
        ShouldRefuse("'stage' is no directory that can be entered");
        File.Delete(Root + Inside);
        Directory.Delete(Root + "/var");
        Directory.CreateSymbolicLink(Root + "/var", _directory);
        ShouldRefuse("'var' is no directory that can be entered");
        Directory.GetFileSystemEntries(outside).ShouldBeEmpty();
        Directory.Exists(_directory + "/stage").ShouldBeFalse();
    }

    [Test]
    public void A_link_in_the_place_of_a_file_is_not_followed()
    {
        Stage.Write("a1", Files);
        File.WriteAllText(_directory + "/elsewhere", "other");
        File.Delete(Root + Inside + "/a1/directory");
        File.CreateSymbolicLink(Root + Inside + "/a1/directory", _directory + "/elsewhere");
        Should.Throw<IOException>(() => Stage.Read("a1", "directory")).Message.ShouldContain("ELOOP");
        Stage.Remove("a1", ["environment", "directory"]);
        File.ReadAllText(_directory + "/elsewhere").ShouldBe("other");
    }

    [Test]
    [Arguments("", "may be written by others")]
    [Arguments("/var", "may be written by others")]
    [Arguments("/var/stage", "is not the daemon's alone")]
    public void Where_others_may_write_nothing_is_left(string part, string problem)
    {
        Directory.CreateDirectory(Root + Inside, Own);
        File.SetUnixFileMode(Root + part, Plain | UnixFileMode.OtherWrite);
        ShouldRefuse(problem);
        Directory.GetFileSystemEntries(Root + Inside).ShouldBeEmpty();
        File.SetUnixFileMode(Root + part, part == Inside ? Own : Plain);
        Stage.Problem().ShouldBeNull();
    }

    [Test]
    public async Task A_directory_of_somebody_else_is_refused()
    {
        Skip.Unless(ProcessUser.EffectiveUid == 0, "only root can give a directory away");
        Directory.CreateDirectory(Root + Inside, Own);
        (await Shell.Run(Shell.Options($"chown 12345 '{Root}{Inside}'"))).Exit.Code.ShouldBe(0);
        ShouldRefuse("is not the daemon's alone");
        (await Shell.Run(Shell.Options($"chown 0 '{Root}{Inside}'; chown 12345 '{Root}/var'"))).Exit.Code.ShouldBe(0);
        ShouldRefuse("may be written by others");
    }

    [Test]
    public void Only_the_last_step_is_ever_made()
    {
        new StageDirectory(Root, "/missing/stage").Problem()!.ShouldContain("/missing/stage is missing (try, as root: install -d -o");
        Should.Throw<IOException>(() => new StageDirectory(Root, "/missing/stage").Write("a", Files));
        Directory.GetFileSystemEntries(Root).Select(Path.GetFileName).ShouldBe(["var"]);
    }

    [Test]
    public async Task A_pipe_in_the_place_of_a_file_blocks_nobody()
    {
        Directory.CreateDirectory(Root + "/etc", Plain);
        File.WriteAllText(Root + "/etc/passwd", "root:*:0:0::0:0:root:/root:/bin/sh\n");
        Encoding.UTF8.GetString(StageDirectory.ReadSmall(Root, "etc", "passwd")!).ShouldStartWith("root:");
        StageDirectory.ReadSmall(Root, "etc", "group").ShouldBeNull();
        (await Shell.Run(Shell.Options($"mkfifo '{Root}/etc/group'"))).Exit.Code.ShouldBe(0);
        Should.Throw<IOException>(() => StageDirectory.ReadSmall(Root, "etc", "group")).Message.ShouldContain("no regular file");
        File.WriteAllBytes(Root + "/etc/big", new byte[(1024 * 1024) + 1]);
        Should.Throw<IOException>(() => StageDirectory.ReadSmall(Root, "etc", "big")).Message.ShouldContain("larger than");
    }

    private void ShouldRefuse(string problem)
    {
        Stage.Problem()!.ShouldContain(problem);
        Should.Throw<IOException>(() => Stage.Write("a1", Files)).Message.ShouldContain(problem);
    }
}
