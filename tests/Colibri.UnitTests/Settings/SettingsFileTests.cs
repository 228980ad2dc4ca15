using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Settings;

public sealed class SettingsFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("colibri-config-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Test]
    [Arguments("", "/home/op/.config/colibri/colibri.toml")]
    [Arguments("XDG_CONFIG_HOME=/cfg", "/cfg/colibri/colibri.toml")]
    [Arguments("XDG_CONFIG_HOME=cfg", "/home/op/.config/colibri/colibri.toml")]
    [Arguments("HOME=", "/usr/local/etc/colibri/colibri.toml")]
    [Arguments("COLIBRI_CONFIG=/mine.toml", "/mine.toml")]
    public void The_first_place_is_taken(string assignment, string expected) => SettingsFile.Find(Environment(assignment), _ => true).ShouldBe(expected);

    [Test]
    public void The_first_that_is_there_is_taken()
    {
        SettingsFile.Find(Environment(""), path => path.StartsWith("/usr/local", StringComparison.Ordinal)).ShouldBe("/usr/local/etc/colibri/colibri.toml");
        SettingsFile.Find(Environment(""), path => path == "/etc/colibri/colibri.toml").ShouldBe("/etc/colibri/colibri.toml");
        SettingsFile.Find(Environment(""), _ => false).ShouldBeNull();
        SettingsFile.Find(Environment("COLIBRI_CONFIG=/mine.toml"), _ => false).ShouldBe("/mine.toml");
    }

    [Test]
    public void A_named_file_has_an_absolute_path() => Should.Throw<ConfigurationException>(() => SettingsFile.Find(Environment("COLIBRI_CONFIG=mine.toml"), _ => true))
        .Message.ShouldStartWith("COLIBRI_CONFIG=mine.toml cannot be used: use an absolute path");

    [Test]
    [Arguments("644")]
    [Arguments("600")]
    [Arguments("755")]
    public void A_file_that_its_owner_alone_may_write_is_read(string mode)
    {
        var path = Written("[daemon]\n"u8, mode);

        SettingsFile.Read(path).ShouldBe("[daemon]\n");
    }

    [Test]
    [Arguments("664")]
    [Arguments("646")]
    [Arguments("777")]
    public void A_file_that_others_may_write_is_refused_with_what_to_type(string mode)
    {
        var path = Written("[daemon]\n"u8, mode);

        Refusal(path).ShouldBe($"configuration file {path} cannot be used: others than its owner may write it, and it decides what is executed: chmod go-w {path}");
    }

    [Test]
    public async Task A_file_of_another_user_is_refused_with_what_to_type()
    {
        Skip.Unless(ProcessUser.EffectiveUid == 0, "only root can give a file away");
        var path = Written("[daemon]\n"u8, "644");
        (await Shell.Run(Shell.Options($"chown 12345 '{path}'"))).Exit.Code.ShouldBe(0);

        Refusal(path).ShouldBe($"configuration file {path} cannot be used: it belongs to user 12345, and it decides what is executed: chown root {path}");
    }

    [Test]
    public void A_file_that_is_not_there_a_directory_and_a_pipe_are_refused()
    {
        var missing = Path.Combine(_directory.FullName, "none.toml");
        Refusal(missing).ShouldStartWith($"configuration file {missing} cannot be used: ");
        Refusal(_directory.FullName).ShouldEndWith("it is no file");
        Refusal("/dev/null").ShouldEndWith("it is no file");
    }

    [Test]
    public void A_file_is_bounded()
    {
        SettingsFile.Read(Written(Enumerable.Repeat((byte)'#', SettingsFile.MaxBytes).ToArray(), "644")).Length.ShouldBe(1 << 20);
        var path = Written(Enumerable.Repeat((byte)'#', SettingsFile.MaxBytes + 1).ToArray(), "644");
        Refusal(path).ShouldEndWith("it has more than 1048576 bytes");
    }

    [Test]
    public void Bytes_that_are_no_utf8_are_refused_with_their_line() =>
        Refusal(Written([.. "# one\n# two "u8, 0xff, .. "\n"u8], "644")).ShouldEndWith("line 2 is no UTF-8");

    private static Dictionary<string, string> Environment(string assignment)
    {
        var environment = new Dictionary<string, string> { ["HOME"] = "/home/op" };
        if (assignment.Length > 0)
            environment[assignment.Split('=')[0]] = assignment.Split('=')[1];
        return environment;
    }

    private static string Refusal(string path) => Should.Throw<ConfigurationException>(() => SettingsFile.Read(path)).Message;

    private string Written(ReadOnlySpan<byte> bytes, string mode)
    {
        var path = Path.Combine(_directory.FullName, "colibri.toml");
        File.WriteAllBytes(path, bytes);
        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(mode, 8));
        return path;
    }
}
