using Colibri.Posix.Jails;

namespace Colibri.Daemon.Hosting;

/// <summary>The daemon's program as the exec trampoline that it starts for agents in jails; not meant to be typed.</summary>
internal static class JailTrampoline
{
    /// <summary>Returns an exit code only where nothing was executed.</summary>
    public static int Run(IReadOnlyList<string> words)
    {
        try
        {
            JailExec.Run(JailExecArguments.Parse(words));
            return JailExec.NotExecuted;
        }
        catch (ArgumentException e)
        {
            return Refuse(e.Message, exitCode: 2);
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return Refuse(e.Message, JailExec.NotExecuted);
        }
    }

    private static int Refuse(string problem, int exitCode)
    {
        Console.Error.WriteLine($"colibri-daemon: {JailExecArguments.Verb}: {problem}");
        return exitCode;
    }
}
