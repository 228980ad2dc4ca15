using System.Text.Json;
using Colibri.Cli.Commands;
using Colibri.Cli.Help;
using Colibri.Cli.Output;
using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Client;

namespace Colibri.Cli;

/// <summary>The whole program but for the process around it.</summary>
internal static class CliProgram
{
    private const int BrokenPipe = 32;

    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, CliHost host, CancellationToken cancellation = default)
    {
        var screen = new Screen(host);
        try
        {
            var exitCode = await DispatchAsync(args, host, screen, cancellation).ConfigureAwait(false);
            screen.Flush();
            return exitCode;
        }
        catch (UsageException e)
        {
            return Fail(host, ExitCodes.Usage, $"{e.Message} (see: colibri {(e.Command is { } command ? command + " " : "")}--help)");
        }
        catch (RefusedException e)
        {
            return Fail(host, ExitCodes.Refused, $"{e.Message} ({e.Error.Code})");
        }
        catch (DaemonUnreachableException e)
        {
            screen.TryFlush();
            return Fail(host, ExitCodes.NoDaemon, e.Message);
        }
        catch (JsonException)
        {
            return Fail(host, ExitCodes.Refused,
                "the daemon's answer is not understood (versions differ? compare: colibri version, colibri status --json)");
        }
        catch (IOException e) when (e.HResult == BrokenPipe)
        {
            return ExitCodes.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A closed descriptor is an UnauthorizedAccessException to the console.
            return Fail(host, ExitCodes.Refused, $"cannot write the output: {e.Message} (is the disk full, or the output closed?)");
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
    }

    private static async Task<int> DispatchAsync(IReadOnlyList<string> args, CliHost host, Screen screen, CancellationToken cancellation)
    {
        var invocation = CommandLine.Parse(args, CommandTable.All);
        if (invocation.Help)
        {
            HelpText.Write(screen, invocation.Command);
            return ExitCodes.Done;
        }
        if (invocation.Version)
        {
            screen.Line($"colibri {BuildVersion.Text}");
            return ExitCodes.Done;
        }
        if (invocation.Command is not { } command)
            throw new UsageException("no command given");
        var bound = Binder.Bind(command, invocation, host);
        return await bound.RunAsync(new CliSession(host, screen, SocketOf(invocation, host), invocation.Json, cancellation)).ConfigureAwait(false);
    }

    private static string SocketOf(Invocation invocation, CliHost host)
    {
        if (invocation.Socket is { } stated)
            return stated.Length > 0 ? stated : throw new UsageException("--socket '' is no path", invocation.Command?.Name);
        return SocketPaths.ResolveForClient(host.Environment, System.Environment.IsPrivilegedProcess, File.Exists, Directory.Exists);
    }

    private static int Fail(CliHost host, int exitCode, string message)
    {
        host.Stderr.WriteLine($"colibri: {Words.Plain(message)}");
        host.Stderr.Flush();
        return exitCode;
    }
}
