using Colibri.Posix.Spawning;
using Microsoft.Win32.SafeHandles;

namespace Colibri.TestAgent;

/// <summary>
/// The processes of <c>--children</c>, which do nothing and outlive the agent. They are what makes stopping one hard: some in a
/// session of their own, out of reach of a signal to the group; the others with the agent's stdout open, so that its end is not
/// the end of the stream.
/// </summary>
internal static class LeftBehind
{
    // Both put a program into a new session, as an orphan: util-linux's, and FreeBSD's, which has no setsid(1).
    private static readonly (string Path, string[] Arguments)[] SessionMakers = [("/usr/bin/setsid", []), ("/usr/sbin/daemon", ["-f"])];

    /// <exception cref="SpawnException">One of them did not start.</exception>
    /// <exception cref="FileNotFoundException">Nothing here can make a session.</exception>
    public static void Start(AgentOptions options)
    {
        var program = Environment.ProcessPath ?? throw new FileNotFoundException("own executable unknown");
        string[] arguments = options.IgnoreTerm ? ["--linger", "--ignore-term"] : ["--linger"];
        using var output = new SafeFileHandle(1, ownsHandle: false);
        using var error = new SafeFileHandle(2, ownsHandle: false);
        var plain = new SpawnOptions
        {
            Path = program,
            Arguments = arguments,
            Environment = EnvironmentBlock.Own(),
            StandardOutput = output,
            StandardError = error,
        };

        using var children = ChildProcesses.Start();
        for (var i = 0; i < options.Children; i++)
            children.Spawn(i % 2 == 0 ? plain : InOwnSession(plain));
    }

    private static SpawnOptions InOwnSession(SpawnOptions plain)
    {
        foreach (var (path, arguments) in SessionMakers)
        {
            if (File.Exists(path))
                return new SpawnOptions { Path = path, Arguments = [.. arguments, plain.Path, .. plain.Arguments], Environment = plain.Environment };
        }
        throw new FileNotFoundException($"neither {SessionMakers[0].Path} nor {SessionMakers[1].Path} is here");
    }
}
