using System.Net.Sockets;
using Colibri.Posix.Host;
using Colibri.Posix.Signalling;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;

namespace Colibri.Mcp.External;

/// <summary>The process of an external server, with everything it starts.</summary>
internal sealed class ExternalProcess : IAsyncDisposable
{
    private const string Marker = "COLIBRI_EXTERNAL_MCP";

    // What any program needs to find its files; the rest of our environment is none of its business.
    private static readonly string[] Inherited = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"];
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Socket _input;
    private readonly Socket _output;
    private readonly ChildProcess _child;
    private readonly ProcessTree _tree;

    private ExternalProcess(Socket input, Socket output, ChildProcess child, ProcessTree tree)
    {
        (_input, _output, _child, _tree) = (input, output, child, tree);
        Input = new NetworkStream(input);
        Output = new NetworkStream(output);
    }

    /// <summary>The server's standard input.</summary>
    public Stream Input { get; }

    /// <summary>The server's standard output. Its standard error is discarded: what it says there may be secret.</summary>
    public Stream Output { get; }

    /// <exception cref="ExternalException">It cannot be started.</exception>
    public static ExternalProcess Start(ChildProcesses children, ExternalServer server, Func<string, string?> environment)
    {
        var program = Find(server.Command, environment("PATH"))
            ?? throw new ExternalException($"the program of the external server {server.Name} is not there, or cannot be executed");
        var id = Guid.NewGuid().ToString("N");
        var variables = Inherited
            .Select(name => KeyValuePair.Create(name, environment(name) ?? ""))
            .Where(variable => variable.Value.Length > 0)
            .Concat(server.Variables)
            .Append(KeyValuePair.Create(Marker, id))
            .GroupBy(variable => variable.Key)
            .Select(group => group.Last());
        Socket? input = null, output = null;
        try
        {
            (input, var theirInput) = SocketPair.Create();
            using (theirInput)
            {
                (output, var theirOutput) = SocketPair.Create();
                using (theirOutput)
                {
                    var child = children.Spawn(new SpawnOptions
                    {
                        Path = program,
                        Arguments = server.Arguments,
                        Environment = EnvironmentBlock.Of(variables),
                        StandardInput = theirInput,
                        StandardOutput = theirOutput,
                    });
                    return new ExternalProcess(input, output, child, new ProcessTree(child, $"{Marker}={id}"));
                }
            }
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            input?.Dispose();
            output?.Dispose();
            throw new ExternalException($"the external server {server.Name} cannot be started{(e is SpawnException refused ? $": {Errno.Describe(refused.Errno)}" : "")}");
        }
    }

    /// <summary>Ends it: end of file on its input, SIGTERM after 2 s, SIGKILL to all that is left after 2 s more.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _input.Dispose();
            await EndAsync().ConfigureAwait(false);
        }
        finally
        {
            _output.Dispose();
        }
    }

    private async Task EndAsync()
    {
        if (await IsGoneAsync(Grace).ConfigureAwait(false))
            return;
        Signal(Signals.Term);
        if (await IsGoneAsync(Grace).ConfigureAwait(false))
            return;
        for (var tries = 0; tries < 100 && Signal(Signals.Kill) > 0; tries++)
            await Task.Delay(Pause).ConfigureAwait(false);
    }

    private async Task<bool> IsGoneAsync(TimeSpan limit)
    {
        await Task.WhenAny(_child.Exited, Task.Delay(limit)).ConfigureAwait(false);
        return _child.Exited.IsCompleted && Left() == 0;
    }

    private int Left()
    {
        try
        {
            return _tree.CountLeft();
        }
        catch (IOException)
        {
            // It cannot be told now.
            return 1;
        }
    }

    private int Signal(int signal)
    {
        try
        {
            return _tree.Signal(signal);
        }
        catch (IOException)
        {
            return 1;
        }
    }

    private static string? Find(string command, string? path) => command.Contains('/', StringComparison.Ordinal)
        ? Path.IsPathFullyQualified(command) && ProgramFile.IsExecutable(command) ? command : null
        : (path ?? "").Split(':').Where(Path.IsPathFullyQualified).Select(directory => Path.Combine(directory, command)).FirstOrDefault(ProgramFile.IsExecutable);
}
