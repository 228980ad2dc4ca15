using System.Runtime.InteropServices;
using Colibri.Mcp;
using Colibri.Mcp.Hosting;
using Colibri.Posix.Host;
using Colibri.Protocol;
using Colibri.Protocol.Client;

StandardDescriptors.OpenMissing();
// The console would write that terminal's keypad sequence to standard output, which carries the protocol alone.
Environment.SetEnvironmentVariable("TERM", null);
var arguments = McpArguments.Parse(args, Environment.GetEnvironmentVariable);
switch (arguments.Action)
{
    case McpAction.Help:
        Console.WriteLine(McpArguments.Usage);
        return 0;
    case McpAction.Version:
        Console.WriteLine($"colibri-mcp {BuildVersion.Text}");
        return 0;
    case McpAction.Refuse:
        Console.Error.WriteLine($"colibri-mcp: {arguments.Problem}; see colibri-mcp --help");
        return 2;
}

var socketPath = arguments.SocketPath
    ?? SocketPaths.ResolveForClient(Environment.GetEnvironmentVariable, Environment.IsPrivilegedProcess, File.Exists, Directory.Exists);
using var ended = new CancellationTokenSource();
void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    ended.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, End);
try
{
    await McpProgram.ServeAsync(
        Console.OpenStandardInput(), Console.OpenStandardOutput(), socketPath, arguments.Gates, Environment.GetEnvironmentVariable, ended.Token).ConfigureAwait(false);
    return 0;
}
catch (OperationCanceledException)
{
    return 0;
}
catch (Exception e) when (e is IOException or DaemonUnreachableException)
{
    Console.Error.WriteLine($"colibri-mcp: {e.Message}");
    return 1;
}
