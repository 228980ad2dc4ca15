using Colibri.Core.Settings;

namespace Colibri.UnitTests.Settings;

public sealed class StateDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("colibri-state-").FullName;

    [Test]
    [Arguments("board.sqlite", "sessions", "")]
    [Arguments("db/board.sqlite", "sessions", "")]
    [Arguments("db/board.sqlite", "db/sessions", "db")]
    [Arguments("db/board.sqlite", "elsewhere/sessions", "db")]
    public void It_is_the_boards_directory_or_the_one_that_holds_it_and_the_sessions(string board, string sessions, string state)
    {
        foreach (var path in (string[])[board, sessions + "/x"])
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_root, path))!);

        Of(board, sessions).ShouldBe(Path.TrimEndingDirectorySeparator(Path.Combine(_root, state)));
    }

    [Test]
    public void It_is_no_directory_that_others_may_write()
    {
        Directory.CreateDirectory(Path.Combine(_root, "db"));
        File.SetUnixFileMode(_root, File.GetUnixFileMode(_root) | UnixFileMode.OtherWrite);

        Of("db/board.sqlite", "sessions").ShouldBe(Path.Combine(_root, "db"));
    }

    private string Of(string board, string sessions) =>
        StateDirectory.Of(new DaemonConfiguration
        {
            SocketPath = "/s",
            DatabasePath = Path.Combine(_root, board),
            SessionsDirectory = Path.Combine(_root, sessions),
            Host = "clawdie",
        });

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
