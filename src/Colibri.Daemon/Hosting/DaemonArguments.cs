namespace Colibri.Daemon.Hosting;

/// <summary>The daemon's command line; everything else is set by the environment.</summary>
/// <param name="Action">What to do.</param>
/// <param name="PidFile">Where to write the process id, or null.</param>
/// <param name="Problem">Only of <see cref="DaemonAction.Refuse"/>: what is wrong with the command line.</param>
internal sealed record DaemonArguments(DaemonAction Action, string? PidFile = null, string? Problem = null)
{
    public const string Usage = """
        usage: colibri-daemon [--pidfile PATH] [--check-config] [--version] [--help]

        Supervises AI coding agents: a task board, a scheduler, and a pane for each
        agent, over a Unix socket. Runs in the foreground and logs to standard error.

          --pidfile PATH   write the process id there; removed at the end
          --check-config   print the effective configuration and exit
          --version        print the version and exit

        Settings come from COLIBRI_ variables; --check-config lists them all.
        SIGTERM and SIGINT stop the agents, then the daemon.
        """;

    public static DaemonArguments Parse(IReadOnlyList<string> arguments)
    {
        var (action, pidFile) = (DaemonAction.Run, (string?)null);
        for (var i = 0; i < arguments.Count; i++)
        {
            switch (arguments[i])
            {
                case "--help" or "-h": return new(DaemonAction.Help);
                case "--version": return new(DaemonAction.Version);
                case "--check-config": action = DaemonAction.CheckConfiguration; break;
                case "--pidfile" when i + 1 < arguments.Count: pidFile = arguments[++i]; break;
                case "--pidfile": return new(DaemonAction.Refuse, Problem: "--pidfile needs a path");
                case var unknown when unknown.StartsWith("--pidfile=", StringComparison.Ordinal): pidFile = unknown["--pidfile=".Length..]; break;
                case var unknown: return new(DaemonAction.Refuse, Problem: $"unknown argument '{unknown}'");
            }
        }
        return pidFile is { Length: 0 } ? new(DaemonAction.Refuse, Problem: "--pidfile needs a path") : new(action, pidFile);
    }
}
