using ConsoleAppFramework;

namespace Colibri.Daemon.Hosting;

/// <summary>
/// The one place of the daemon that knows ConsoleAppFramework. The method bound only says what is to be done, so that nothing runs inside the
/// framework: it would take every exception and the exit code to itself.
/// </summary>
internal sealed class ArgumentBinder
{
    // Of the whole process, and the same for every run of it. No value here can fail to convert: what comes is a fault of ours.
    static ArgumentBinder() => ConsoleApp.LogError = static message => throw new InvalidOperationException(message);

    private DaemonArguments? _bound;

    public static DaemonArguments Bind(List<string> words)
    {
        var binder = new ArgumentBinder();
        // The framework looks for its own --help up to the first "--", among values too: so that stands first.
        ConsoleApp.Run(["--mark", "--", .. words], binder.Take);
        return binder._bound!;
    }

    private void Take(string mark, string? pidfile = null, bool checkConfig = false, bool version = false, bool showHelp = false) =>
        _bound = (showHelp, version, checkConfig) switch
        {
            (true, _, _) => new(DaemonAction.Help),
            (_, true, _) => new(DaemonAction.Version),
            (_, _, true) => new(DaemonAction.CheckConfiguration, pidfile),
            _ => new(DaemonAction.Run, pidfile),
        };
}
