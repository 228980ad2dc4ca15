using System.Net.Sockets;
using System.Text;
using Colibri.Posix.Processes;
using Colibri.Posix.Signalling;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;

namespace Colibri.UnitTests.Posix.Spawning;

/// <summary>Children for tests: a script, its output, and a deadline on everything.</summary>
internal static class Shell
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current!.Execution.CancellationToken;

    public static SpawnOptions Options(string script, params string[] environment) => new()
    {
        Path = "/bin/sh",
        Arguments = ["-c", script],
        Environment = Environment(environment),
    };

    public static EnvironmentBlock Environment(params string[] entries)
    {
        var result = new Dictionary<string, string> { ["PATH"] = "/usr/local/bin:/usr/bin:/bin" };
        foreach (var entry in entries)
            result[entry[..entry.IndexOf('=', StringComparison.Ordinal)]] = entry[(entry.IndexOf('=', StringComparison.Ordinal) + 1)..];
        return EnvironmentBlock.Of(result);
    }

    public static (ChildProcess Child, LineReader Output) Start(SpawnOptions options, bool withErrors = false)
    {
        var (ours, theirs) = SocketPair.Create();
        using (theirs)
        {
            var child = SharedChildren.Instance.Spawn(options with { StandardOutput = theirs, StandardError = withErrors ? theirs : null });
            return (child, new LineReader(ours));
        }
    }

    public static async Task<(ExitStatus Exit, string Output)> Run(SpawnOptions options)
    {
        var (child, output) = Start(options, withErrors: true);
        using (output)
        {
            var text = await output.ReadToEnd();
            return (await Exit(child), text);
        }
    }

    public static Task<ExitStatus> Exit(ChildProcess child) => child.Exited.WaitAsync(Deadline, Token);

    public static void Until(Func<bool> condition, string what) =>
        SpinWait.SpinUntil(condition, Deadline).ShouldBeTrue(what);

    /// <summary>Whether a script has come to its <c>exec sleep</c>. Its environment reads as empty before that for a moment.</summary>
    public static bool IsSleep(int pid) => File.ReadAllText($"/proc/{pid}/cmdline").StartsWith("sleep\0", StringComparison.Ordinal);

    public static string NewMarker() => $"COLIBRI_AGENT_ID={Guid.NewGuid()}";

    /// <summary>Ends a tree the way a supervisor does, so that no test leaves a process behind.</summary>
    public static void Destroy(ProcessTree tree) => Until(() => tree.Signal(Signals.Kill) == 0, "the tree is gone");
}

/// <summary>Lines of a child's output.</summary>
internal sealed class LineReader(Socket socket) : IDisposable
{
    private readonly StringBuilder _text = new();
    private readonly byte[] _buffer = new byte[4096];

    public async Task<string> ReadLine()
    {
        while (true)
        {
            var text = _text.ToString();
            var end = text.IndexOf('\n', StringComparison.Ordinal);
            if (end >= 0)
            {
                _text.Remove(0, end + 1);
                return text[..end];
            }
            (await Fill()).ShouldBeTrue("the output ended before a whole line");
        }
    }

    /// <summary>A line that holds a pid, as the identity of the process that printed it.</summary>
    public async Task<ProcessIdentity> ReadProcess()
    {
        var pid = int.Parse(await ReadLine(), System.Globalization.CultureInfo.InvariantCulture);
        ProcessIdentity.TryRead(pid, out var identity).ShouldBeTrue();
        return identity;
    }

    public async Task<string> ReadToEnd()
    {
        while (await Fill())
        {
        }
        return _text.ToString();
    }

    public void Dispose() => socket.Dispose();

    private async Task<bool> Fill()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current!.Execution.CancellationToken);
        deadline.CancelAfter(Shell.Deadline);
        var got = await socket.ReceiveAsync(_buffer.AsMemory(), deadline.Token);
        _text.Append(Encoding.UTF8.GetString(_buffer, 0, got));
        return got > 0;
    }
}
