using ConsoleAppFramework;

namespace Colibri.Daemon.Hosting;

/// <summary>
/// The only code of the daemon that knows ConsoleAppFramework. The bound method only records what to do, and the work runs later, because inside
/// the framework it would lose every exception and the exit code.
/// </summary>
internal sealed class ArgumentBinder
{
    // The setting is global to the process. No value here can fail to convert, so an error is a fault of ours.
    static ArgumentBinder() => ConsoleApp.LogError = static message => throw new InvalidOperationException(message);

    private DaemonArguments? _bound;

    public static DaemonArguments Bind(List<string> words)
    {
        var binder = new ArgumentBinder();
        // The framework searches all words up to the first "--", values included, for its own --help. So "--" comes first.
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
