using Colibri.Core.Agents.Launch;

namespace Colibri.UnitTests.Agents.Launch;

public sealed class ProgramPathTests : IDisposable
{
    private const UnixFileMode ReadOnly = UnixFileMode.UserRead;
    private const UnixFileMode Program = UnixFileMode.UserRead | UnixFileMode.UserExecute;

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-path-").FullName;

    public static List<string> Kinds => [.. BadPathEntry.Kinds];

    public void Dispose()
    {
        BadPathEntry.Open(_directory);
        Directory.Delete(_directory, recursive: true);
    }

    [Test]
    public void A_bare_name_is_searched_in_order()
    {
        var (first, second) = (At("a/agent", ReadOnly), At("b/agent", Program));
        At("c/agent", Program);
        var path = new ProgramPath($"{_directory}/none:{_directory}/a:{_directory}/b:{_directory}/c", null, "/");
        path.Find("agent").ShouldBe(second, $"{first} is not executable");
        path.Find("no-such-agent").ShouldBeNull();
        path.Find("").ShouldBeNull();
    }

    [Test]
    public void A_directory_is_no_program()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "agent"));
        new ProgramPath(_directory, null, "/").Find("agent").ShouldBeNull();
    }

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public void What_cannot_be_executed_is_passed_over(string kind)
    {
        var bad = BadPathEntry.Make(_directory, kind);
        var good = At("good/gizmo", Program);
        new ProgramPath($"{bad}:{_directory}/good", null, "/").Find("gizmo").ShouldBe(good);
        new ProgramPath(bad, null, "/").Find("gizmo").ShouldBeNull();
        new ProgramPath(null, null, "/").Find($"{bad}/gizmo").ShouldBeNull();
    }

    [Test]
    [Arguments("a\0b")]
    [Arguments("/bin/sh\0")]
    [Arguments("\0")]
    public void A_name_with_a_NUL_is_no_program(string name) => new ProgramPath("/bin", null, "/").Find(name).ShouldBeNull();

    [Test]
    public void A_name_too_long_for_any_file_is_no_program() => new ProgramPath("/bin", null, "/").Find(new string('x', 5_000)).ShouldBeNull();

    [Test]
    public void An_absolute_path_is_taken_as_it_is()
    {
        var path = new ProgramPath(null, null, "/");
        path.Find(At("agent", Program)).ShouldBe(Path.Combine(_directory, "agent"));
        path.Find(At("text", ReadOnly)).ShouldBeNull();
        path.Find(Path.Combine(_directory, "none")).ShouldBeNull();
        path.Find(_directory).ShouldBeNull();
    }

    [Test]
    [Arguments("bin/agent")]
    [Arguments("./agent")]
    [Arguments("../b/agent")]
    public void A_relative_path_is_refused(string program)
    {
        At("bin/agent", Program);
        At("agent", Program);
        At("b/agent", Program);
        new ProgramPath(_directory, null, _directory).Find(program).ShouldBeNull();
    }

    [Test]
    public void The_well_known_places_are_searched_after_the_path_and_before_the_users() =>
        new ProgramPath("/opt/x:relative:::/bin:.", "/home/op", "/opt/colibri/").Directories.ShouldBe(
        [
            "/opt/x", "/bin", "/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin", "/sbin",
            "/home/op/.local/bin", "/home/op/bin", "/opt/colibri",
        ]);

    [Test]
    [Arguments(null, null)]
    [Arguments("", "")]
    public void A_daemon_without_path_and_home_still_finds_a_shell(string? path, string? home) =>
        new ProgramPath(path, home, "/opt/colibri").Find("sh").ShouldNotBeNull().ShouldEndWith("/bin/sh");

    private string At(string name, UnixFileMode mode)
    {
        var path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        File.SetUnixFileMode(path, mode);
        return path;
    }
}
