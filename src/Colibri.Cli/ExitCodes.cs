namespace Colibri.Cli;

/// <summary>What a script can tell from the exit status alone.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>The daemon said no, or the task waited for has failed.</summary>
    public const int Refused = 1;
    public const int Usage = 2;

    /// <summary>No answer came from a daemon.</summary>
    public const int NoDaemon = 3;

    /// <summary>The task waited for was cancelled.</summary>
    public const int Cancelled = 4;

    /// <summary>The task waited for is not over in time.</summary>
    public const int TimedOut = 5;

    /// <summary>As a shell says it of a program that Ctrl-C ended.</summary>
    public const int Interrupted = 130;
}
