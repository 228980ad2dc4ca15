using Colibri.Posix.Files;

namespace Colibri.Core.Settings;

/// <summary>
/// Where the daemon keeps what is neither board nor session: tasks' own directories and worktrees. It is the directory of the board's file, or, where board
/// and sessions have directories of their own side by side, the one that holds both.
/// </summary>
public static class StateDirectory
{
    /// <summary>Absolute.</summary>
    public static string Of(DaemonConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var board = Path.GetDirectoryName(Path.GetFullPath(configuration.DatabasePath))!;
        var both = Path.GetDirectoryName(board);
        return both is not null && both == Path.GetDirectoryName(Path.GetFullPath(configuration.SessionsDirectory))
            // In a directory that others may write, such as /tmp, somebody else could have made it first.
            && OwnDirectory.Is(both) ? both : board;
    }
}
