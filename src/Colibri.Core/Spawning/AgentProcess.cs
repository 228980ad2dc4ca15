using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Colibri.Posix;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Spawning;

/// <summary>An agent's process with its three streams, and the means to end its whole tree.</summary>
/// <remarks>
/// The streams are socket pairs, not pipes: the runtime's poller watches a socket without a thread, and a thousand idle agents must not
/// be a thousand threads. A tool that opens <c>/dev/stderr</c> by name is the price: Linux refuses that on a socket.
/// </remarks>
internal sealed class AgentProcess : IDisposable
{
    private const int ReceiveBytes = 64 * 1024;

    private readonly ChildProcess _child;
    private readonly ProcessTree _tree;
    private readonly AgentCgroups? _cgroups;
    private readonly Cgroup? _cgroup;
    private readonly Socket _stdout;
    private readonly Socket _stderr;
    private readonly Socket? _stdin;
    private long _progress;
    private volatile int _takingIn;

    private AgentProcess(
        ChildProcess child, string agentId, AgentCgroups? cgroups, Cgroup? cgroup, IPrivilegedSignals? privileged, TimeProvider time, ILogger logger,
        Socket stdout, Socket stderr, Socket? stdin)
    {
        (_child, _cgroups, _cgroup, _stdout, _stderr, _stdin) = (child, cgroups, cgroup, stdout, stderr, stdin);
        _tree = new ProcessTree(child, AgentMarker.For(agentId), cgroup);
        Ender = new TreeEnder(_tree, agentId, time, logger, privileged);
        // Closing standard input is how an RPC agent is told to end.
        PoliteEnd = stdin is null ? null : new PoliteEnd(stdin.Dispose, () => child.Exited.IsCompleted);
    }

    public ProcessIdentity Identity => _child.Identity;

    public Task<ExitStatus> Exited => _child.Exited;

    public TreeEnder Ender { get; }

    /// <summary>Null for an agent without standard input.</summary>
    public PoliteEnd? PoliteEnd { get; }

    /// <summary>Chunks read so far, over both streams.</summary>
    public long Progress => Interlocked.Read(ref _progress);

    /// <summary>A chunk has been read and not yet been taken in by whoever it was handed to.</summary>
    public bool IsTakingIn => _takingIn > 0;

    /// <summary>The last of what it wrote to standard error.</summary>
    public StderrTail StderrTail { get; } = new();

    /// <exception cref="SpawnException">The process cannot be started.</exception>
    public static AgentProcess Start(
        ChildProcesses processes, string program, AgentCommandLine commandLine, IReadOnlyDictionary<string, string> environment,
        string? cwd, string agentId, AgentCgroups? cgroups, IPrivilegedSignals? privileged, TimeProvider time, ILogger logger)
    {
        Cgroup? cgroup = null;
        Socket? stdout = null, stderr = null, stdin = null;
        SafeHandle? theirStdout = null, theirStderr = null, theirStdin = null;
        try
        {
            (stdout, theirStdout) = SocketPair.Create();
            (stderr, theirStderr) = SocketPair.Create();
            if (commandLine.IsRpc)
                (stdin, theirStdin) = SocketPair.Create();
            cgroup = cgroups?.Create(agentId);
            var child = processes.Spawn(new SpawnOptions
            {
                Path = program,
                Arguments = commandLine.Arguments,
                Environment = environment,
                WorkingDirectory = cwd,
                Cgroup = cgroup,
                StandardInput = theirStdin,
                StandardOutput = theirStdout,
                StandardError = theirStderr,
            });
            return new AgentProcess(child, agentId, cgroups, cgroups?.Keep(cgroup, agentId), privileged, time, logger, stdout, stderr, stdin);
        }
        catch
        {
            stdout?.Dispose();
            stderr?.Dispose();
            stdin?.Dispose();
            cgroup?.TryRemove();
            throw;
        }
        finally
        {
            theirStdout?.Dispose();
            theirStderr?.Dispose();
            theirStdin?.Dispose();
        }
    }

    /// <summary>Whether anything of the tree is left after the agent itself has ended, or may be.</summary>
    public bool MayHaveStrays()
    {
        try
        {
            return _tree.HasStrays();
        }
        catch (IOException)
        {
            // The process table cannot be read now; ending the tree waits until it can.
            return true;
        }
    }

    /// <summary>For when nothing of the tree is left.</summary>
    public Task RemoveCgroupAsync() => _cgroups?.RemoveAsync(_cgroup) ?? Task.CompletedTask;

    /// <summary>Hands each chunk of standard output to <paramref name="feed"/> until its end; the next is read when that has finished.</summary>
    public Task ReadOutputAsync(Func<ReadOnlyMemory<byte>, ValueTask> feed) => ReadAsync(_stdout, feed);

    /// <summary>Reads standard error to its end, always: an agent whose pipe is full stops working.</summary>
    public Task ReadErrorsAsync() => ReadAsync(_stderr, chunk =>
    {
        StderrTail.Add(chunk.Span);
        return ValueTask.CompletedTask;
    });

    /// <summary>Writes one line to standard input; an agent that is gone is noticed elsewhere.</summary>
    public async Task WriteLineAsync(ReadOnlyMemory<byte> line)
    {
        try
        {
            while (!line.IsEmpty)
                line = line[await _stdin!.SendAsync(line).ConfigureAwait(false)..];
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It ended, or was asked to, before it had read its prompt.
        }
    }

    public void Dispose()
    {
        _stdout.Dispose();
        _stderr.Dispose();
        _stdin?.Dispose();
    }

    private async Task ReadAsync(Socket socket, Func<ReadOnlyMemory<byte>, ValueTask> feed)
    {
        try
        {
            while (true)
            {
                // Waiting with an empty buffer: an idle agent holds no memory of ours.
                await socket.ReceiveAsync(Memory<byte>.Empty).ConfigureAwait(false);
                var buffer = ArrayPool<byte>.Shared.Rent(ReceiveBytes);
                try
                {
                    var received = await socket.ReceiveAsync(buffer).ConfigureAwait(false);
                    if (received == 0)
                        return;
                    Interlocked.Increment(ref _progress);
                    Interlocked.Increment(ref _takingIn);
                    await feed(buffer.AsMemory(0, received)).ConfigureAwait(false);
                    Interlocked.Decrement(ref _takingIn);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // A reset is an end too: a process that was killed had input of ours unread.
        }
    }
}
