using System.Net.Sockets;
using Colibri.Protocol;
using Colibri.Web.Options;
using Colibri.Web.Security;
using Colibri.Web.Traces;

namespace Colibri.Web;

internal static class Program
{
    private const int CannotServe = 1;
    private const int WrongOption = 2;

    private static async Task<int> Main(string[] args)
    {
        // The console would write that terminal's keypad sequence before our first byte.
        Environment.SetEnvironmentVariable("TERM", null);
        var options = OptionParser.Parse(args);
        switch (options.Action)
        {
            case WebAction.Help:
                Console.WriteLine(OptionParser.Usage);
                return 0;
            case WebAction.Version:
                Console.WriteLine($"colibri-web {BuildVersion.Text}");
                return 0;
            case WebAction.Refuse:
                return Fail(WrongOption, $"{options.Problem} (see: colibri-web --help)");
        }
        var (traces, problem) = TraceOptions.Read(options.Otlp, Environment.GetEnvironmentVariable);
        if (problem is not null)
            return Fail(WrongOption, problem);
        try
        {
            return await ServeAsync(options, traces).ConfigureAwait(false);
        }
        catch (TokenException e)
        {
            return Fail(CannotServe, e.Message);
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            return Fail(CannotServe, $"cannot listen on {options.Listen.UnixPath ?? options.Listen.EndPoint!.ToString()}: {(e.InnerException ?? e).Message} (another --listen?)");
        }
    }

    private static async Task<int> ServeAsync(WebOptions options, TraceOptions? traces)
    {
        var socket = options.Socket ?? SocketPaths.ResolveForClient(Environment.GetEnvironmentVariable, Environment.IsPrivilegedProcess, File.Exists, Directory.Exists);
        var token = options.NeedsToken ? AccessToken.Open(options.TokenFile ?? AccessToken.DefaultPath(Environment.GetEnvironmentVariable)) : null;
        var host = new WebHost(options, socket, token, TimeProvider.System, traces);
        await using (host.ConfigureAwait(false))
        {
            await host.StartAsync().ConfigureAwait(false);
            Console.WriteLine($"colibri-web: {Announced(options.Listen.UnixPath is { } path ? $"unix:{path}" : $"{host.Address}/", token, options)}");
            await host.RunToEndAsync().ConfigureAwait(false);
            return 0;
        }
    }

    // The token goes to a person's terminal alone: what else standard output is may be a log.
    private static string Announced(string address, AccessToken? token, WebOptions options) => token switch
    {
        null => $"{address} (read-only)",
        _ when options.Listen.UnixPath is null && !Console.IsOutputRedirected => $"{address}#token={token.Text}",
        _ => $"{address} (the token is in {token.Path})",
    };

    private static int Fail(int exitCode, string message)
    {
        Console.Error.WriteLine($"colibri-web: {message}");
        return exitCode;
    }
}
