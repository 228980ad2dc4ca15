using Colibri.Core.Settings;

namespace Colibri.Daemon.Hosting;

/// <summary>The daemon's command line; everything else is set by the environment and the configuration file.</summary>
/// <param name="Action">What to do.</param>
/// <param name="PidFile">Where to write the process id, or null.</param>
/// <param name="Problem">Only of <see cref="DaemonAction.Refuse"/>: what is wrong with the command line.</param>
internal sealed record DaemonArguments(DaemonAction Action, string? PidFile = null, string? Problem = null)
{
    public static readonly string Usage = $"""
        usage: colibri-daemon [--pidfile PATH] [--check-config] [--version] [--help]

        Supervises AI coding agents: a task board, a scheduler, and a pane for each
        agent, over a Unix socket. Runs in the foreground and logs to standard error.

          --pidfile PATH   write the process id there; removed at the end
          --check-config   print the settings, and where each comes from, and exit
          --version        print the version and exit

        Settings come from the environment and, where that is silent, from [daemon] of
        colibri.toml, in lower case and without COLIBRI_; colibri-daemon(8) says more:

        {string.Join('\n', DaemonConfiguration.All.Select(setting => $"  {setting.Name.PadRight(NameWidth)}  {setting.Help} ({setting.Default})"))}

        SIGTERM and SIGINT stop the agents, then the daemon. SIGHUP reads colibri.toml
        again.
        """;

    private const int NameWidth = 34;
    private const string PidFileName = "--pidfile";
    private const string NoPath = "--pidfile needs a path";

    public static DaemonArguments Parse(IReadOnlyList<string> arguments)
    {
        List<string> words = [];
        if (FindProblem(arguments, words) is { } problem)
            return new(DaemonAction.Refuse, Problem: problem);
        var bound = ArgumentBinder.Bind(words);
        return bound.PidFile is "" ? new(DaemonAction.Refuse, Problem: NoPath) : bound;
    }

    /// <summary>
    /// The pre-pass: puts what was typed into the words that ConsoleAppFramework takes. It does what the framework does not: <c>-h</c>,
    /// <c>--pidfile=PATH</c>, names in one spelling alone, and a question that is answered as soon as it is read.
    /// </summary>
    private static string? FindProblem(IReadOnlyList<string> arguments, List<string> words)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            switch (arguments[i])
            {
                case "--help" or "-h": words.Add("--show-help"); return null;
                case "--version": words.Add("--version"); return null;
                case "--check-config": words.Add("--check-config"); break;
                case PidFileName when i + 1 < arguments.Count: words.AddRange(PidFileName, arguments[++i]); break;
                case PidFileName: return NoPath;
                case var word when word.StartsWith($"{PidFileName}=", StringComparison.Ordinal): words.AddRange(PidFileName, word[(PidFileName.Length + 1)..]); break;
                case var unknown: return $"unknown argument '{unknown}'";
            }
        }
        return null;
    }
}

internal enum DaemonAction
{
    Run,
    CheckConfiguration,
    Version,
    Help,
    Refuse,
}
