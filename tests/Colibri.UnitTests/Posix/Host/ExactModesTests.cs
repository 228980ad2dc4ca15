using Colibri.Posix.Host;

namespace Colibri.UnitTests.Posix.Host;

/// <summary>What the umask does to them is seen from outside, in tests/packaging/odd-starts.test.sh: it belongs to the whole process.</summary>
public sealed class ExactModesTests : IDisposable
{
    private const UnixFileMode Wide = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherWrite;

    private const UnixFileMode Narrow = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-modes-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void Every_directory_that_was_missing_has_the_mode_and_the_one_above_keeps_its_own()
    {
        File.SetUnixFileMode(_directory, Narrow);

        ExactModes.CreateDirectory(Path.Combine(_directory, "a", "b"), Wide);

        File.GetUnixFileMode(Path.Combine(_directory, "a")).ShouldBe(Wide);
        File.GetUnixFileMode(Path.Combine(_directory, "a", "b")).ShouldBe(Wide);
        File.GetUnixFileMode(_directory).ShouldBe(Narrow);
    }

    [Test]
    public void A_file_that_is_there_keeps_its_mode()
    {
        var path = Path.Combine(_directory, "file");
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite };

        ExactModes.OpenFile(path, options, Wide).Dispose();
        File.GetUnixFileMode(path).ShouldBe(Wide);
        File.SetUnixFileMode(path, Narrow);
        ExactModes.OpenFile(path, options, Wide).Dispose();

        File.GetUnixFileMode(path).ShouldBe(Narrow);
    }
}
