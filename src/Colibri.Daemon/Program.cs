using Colibri.Core.Board;
using Colibri.Core.Settings;
using Colibri.Daemon;
using Colibri.Daemon.Hosting;
using Colibri.Posix.Host;
using Colibri.Posix.Jails;
using Colibri.Posix.Spawning;

// First of all, because an agent's start waits for it.
if (args is [PlacedExec.Verb])
    return PlacedExec.Run();
if (args is [JailExecArguments.Verb, ..])
    return JailTrampoline.Run(args[1..]);

StandardDescriptors.OpenMissing();
// The console would write that terminal's keypad sequence to it before our first byte, and never take it back; agents have no terminal.
Environment.SetEnvironmentVariable("TERM", null);
var arguments = DaemonArguments.Parse(args);
switch (arguments.Action)
{
    case DaemonAction.Help:
        Console.WriteLine(DaemonArguments.Usage);
        return 0;
    case DaemonAction.Version:
        Console.WriteLine($"colibri-daemon {BuildVersion.Text}");
        return 0;
    case DaemonAction.Refuse:
        return Refuse($"{arguments.Problem}; see colibri-daemon --help", exitCode: 2);
}

try
{
    if (InitProcess.IsNeeded && arguments.Action == DaemonAction.Run)
        return InitProcess.Run();
    var settings = new SettingsReader(HostEnvironment.Variables(), HostEnvironment.IsWritableDirectory, Environment.MachineName);
    var reading = settings.Read();
    if (arguments.Action == DaemonAction.CheckConfiguration)
    {
        foreach (var line in ConfigurationReport.Of(reading))
            Console.WriteLine(line);
        foreach (var variable in reading.Unknown)
            Console.Error.WriteLine($"colibri-daemon: {variable.Name} is no setting{variable.Hint}");
        foreach (var warning in ConfigurationReport.Warnings(reading))
            Console.Error.WriteLine($"colibri-daemon: {warning}");
        return 0;
    }
    return await DaemonHost.RunAsync(reading, settings.Read, arguments.PidFile).ConfigureAwait(false);
}
catch (Exception e) when (e is ConfigurationException or BoardOpenException or BoardUnavailableException or IOException)
{
    return Refuse(e.Message, exitCode: 1);
}

static int Refuse(string problem, int exitCode)
{
    try
    {
        Console.Error.WriteLine($"colibri-daemon: {problem}");
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
    {
        // There is no standard error; the exit code says it.
    }
    return exitCode;
}
