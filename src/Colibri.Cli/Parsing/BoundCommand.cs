using System.Text;
using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Parsing;

/// <summary>One command of one command line: what its method gets besides its values, and where the method leaves what is to be done.</summary>
internal sealed class BoundCommand(string name, IReadOnlyList<string> rest, CliHost host)
{
    private Func<CliSession, Task<int>>? _work;

    /// <summary>Everything after <c>--</c>; null where nothing was there.</summary>
    public IReadOnlyList<string>? Rest => rest.Count == 0 ? null : rest;

    /// <summary>The folder the CLI runs in; null where that is gone.</summary>
    public string? CurrentDirectory => host.CurrentDirectory;

    /// <summary>Looks a variable up; null or empty means unset.</summary>
    public Func<string, string?> Environment => host.Environment;

    /// <summary>This program's version.</summary>
    public string Version => host.Version;

    /// <returns>The exit code.</returns>
    public Task<int> RunAsync(CliSession session) =>
        _work?.Invoke(session) ?? throw new InvalidOperationException($"{name} has no method");

    /// <summary>For a command that is more than one request and one reply.</summary>
    public void Will(Func<CliSession, Task<int>> work) => _work = work;

    /// <summary>For a command that takes the terminal.</summary>
    public void WillShow(Func<CliSession, CliHost, Task<int>> work) => Will(session => work(session, host));

    /// <summary>For a command that prints without a request to the daemon.</summary>
    public void WillPrint(Action<Screen> print) => Will(session =>
    {
        print(session.Screen);
        return Task.FromResult(ExitCodes.Done);
    });

    /// <summary>For a command that is one request and one reply, shown to a person by <paramref name="show"/>.</summary>
    public void WillAsk(Func<CommandRequest> request, Action<Screen, Reply> show) => Will(async session =>
    {
        var reply = await session.AskAsync(request()).ConfigureAwait(false);
        if (session.Json)
            session.Screen.Raw(reply.Data);
        else
            show(session.Screen, reply);
        return ExitCodes.Done;
    });

    /// <summary>The value, or all of standard input where that is <c>-</c>.</summary>
    public string? TextOrStdin(string option, string? value)
    {
        if (value is not "-")
            return value;
        var text = new StringBuilder();
        var chunk = new char[8192];
        for (int read; (read = ReadStdin(option, chunk)) > 0;)
        {
            text.Append(chunk, 0, read);
            if (text.Length > ProtocolLimits.MaxLineBytes)
                throw Wrong($"{option} - reads more than {ProtocolLimits.MaxLineBytes / (1024 * 1024)} MiB, which no request may carry");
        }
        return text.ToString();
    }

    /// <summary>
    /// A path as the daemon must see it: its folder is not ours, so a relative one is taken from here. A bare name stays: the daemon
    /// looks it up on its PATH.
    /// </summary>
    public string Program(string path) => path.Contains('/', StringComparison.Ordinal) ? Folder(path) : path;

    /// <summary>A folder as the daemon must see it.</summary>
    public string Folder(string path)
    {
        // Not normalised beyond a leading "./": a ".." after a symbolic link must be resolved by the system, not by its spelling.
        if (path.StartsWith('/') || CurrentDirectory is not { } here)
            return path;
        while (path.StartsWith("./", StringComparison.Ordinal))
            path = path[2..].TrimStart('/');
        return path is "" or "." ? here : Path.Combine(here, path);
    }

    public UsageException Wrong(string message) => new(message, name);

    private int ReadStdin(string option, char[] chunk)
    {
        try
        {
            return host.Stdin.Read(chunk, 0, chunk.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Wrong($"{option} - cannot read standard input: {e.Message}");
        }
    }
}
