using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Cgroups;
using Colibri.Posix.Polling;
using Colibri.Posix.Processes;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Processes;

/// <summary>An agent's process with its three streams and the ender of its whole tree.</summary>
/// <remarks>
/// Output is read on the agents' loop: a thousand idle agents cost no thread and no buffer, and a line costs no hand-over to another thread.
/// Standard input is a socket, because a write to a broken pipe raises SIGPIPE.
/// </remarks>
internal sealed class AgentProcess : IDisposable
{
    private static readonly TimeSpan LastMoment = TimeSpan.FromMilliseconds(100);

    private const int CatchUpLooks = 100;

    private static readonly TimeSpan CatchUpLook = TimeSpan.FromMilliseconds(50);

    private readonly ChildProcess _child;
    private readonly ProcessTree _tree;
    private readonly AgentCgroups? _cgroups;
    private readonly Cgroup? _cgroup;
    private readonly PolledDescriptor _stdout;
    private readonly PolledDescriptor _stderr;
    private readonly PolledDescriptor? _stdin;
    private long _outputChunks;
    private long _errorChunks;
    private volatile bool _isTakingIn;
    private volatile Task _reading = Task.CompletedTask;

    private AgentProcess(
        ChildProcess child, string agentId, AgentCgroups? cgroups, Cgroup? cgroup, MemoryLimit? memory, bool isLimited, IPrivilegedSignals? privileged,
        TimeProvider time, ILogger logger, PolledDescriptor stdout, PolledDescriptor stderr, PolledDescriptor? stdin)
    {
        (_child, _cgroups, _cgroup, _stdout, _stderr, _stdin) = (child, cgroups, cgroup, stdout, stderr, stdin);
        _tree = new ProcessTree(child, AgentMarker.For(agentId), cgroup);
        Memory = memory is null ? null : new MemoryGuard(_tree, memory, isLimited ? cgroup : null, time);
        Ender = new TreeEnder(_tree, agentId, time, logger, privileged);
        // An RPC agent ends when its standard input is closed.
        PoliteEnd = stdin is null ? null : new PoliteEnd(stdin.Dispose, () => child.Exited.IsCompleted);
    }

    public ProcessIdentity Identity => _child.Identity;

    public Task<ExitStatus> Exited => _child.Exited;

    public TreeEnder Ender { get; }

    /// <summary>Holds the tree to its limit of memory; null without one.</summary>
    public MemoryGuard? Memory { get; }

    /// <summary>Null for an agent that takes no commands on standard input.</summary>
    public PoliteEnd? PoliteEnd { get; private set; }

    /// <summary>Chunks read so far, over both streams.</summary>
    public long Progress => Volatile.Read(ref _outputChunks) + Volatile.Read(ref _errorChunks);

    /// <summary>Whether the consumer of standard output is still at work on a chunk.</summary>
    public bool IsTakingIn => _isTakingIn;

    /// <summary>The last of what it wrote to standard error.</summary>
    public StderrTail StderrTail { get; } = new();

    /// <exception cref="SpawnException">The process cannot be started.</exception>
    public static async Task<AgentProcess> StartAsync(
        ChildProcesses processes, EventLoop loop, string program, IReadOnlyList<string> arguments, bool keepsInput,
        EnvironmentBlock environment, string? cwd, string agentId, AgentCgroups? cgroups, IPrivilegedSignals? privileged, TimeProvider time, ILogger logger,
        MemoryLimit? memory = null, ProcessLimit? processLimit = null)
    {
        Cgroup? cgroup = null;
        PolledDescriptor? stdout = null, stderr = null, stdin = null;
        SafeHandle? theirStdout = null, theirStderr = null, theirStdin = null;
        try
        {
            (stdout, theirStdout) = Watched(loop, Pipe.Create());
            (stderr, theirStderr) = Watched(loop, Pipe.Create());
            if (keepsInput)
                (stdin, theirStdin) = Watched(loop, SocketPair.CreateHandles());
            cgroup = cgroups?.Create(agentId);
            var isLimited = memory is not null && cgroups is not null && cgroups.TryLimit(cgroup, memory.Bytes);
            var isCounted = processLimit is not null && cgroups is not null && cgroups.TryLimitProcesses(cgroup, processLimit.Count);
            var options = new SpawnOptions
            {
                Path = program,
                Arguments = arguments,
                Environment = environment,
                WorkingDirectory = cwd,
                Cgroup = cgroup,
                StandardInput = theirStdin,
                StandardOutput = theirStdout,
                StandardError = theirStderr,
            };
            var child = cgroups is null ? processes.Spawn(options) : await cgroups.StartAsync(processes, options, loop, agentId).ConfigureAwait(false);
            return new AgentProcess(child, agentId, cgroups, cgroups?.Keep(cgroup, agentId), memory, isLimited && cgroup is { PlacementError: 0 }, privileged, time, logger, stdout, stderr, stdin)
            {
                Limit = isCounted && cgroup is { PlacementError: 0 } ? processLimit : null,
            };
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

    /// <summary>Whether processes of the tree are left, or may be, after the agent itself has ended.</summary>
    public bool MayHaveStrays()
    {
        try
        {
            return _tree.HasStrays();
        }
        catch (IOException)
        {
            // The process table cannot be read now, so the tree may live; the tree's end waits until the table can be read.
            return true;
        }
    }

    /// <summary>
    /// Which processes of the tree are left after the agent itself has ended. Those that are about to end by themselves, as the agent's own helpers
    /// are, get a moment.
    /// </summary>
    public async Task<LeftProcesses> LookAtStraysAsync(TimeProvider time)
    {
        try
        {
            if (_tree.CountLeft() == 0)
                return default;
            await Task.Delay(LastMoment, time).ConfigureAwait(false);
            var left = _tree.Members();
            var count = left.Count > 0 ? left.Count : _tree.CountLeft();
            return new LeftProcesses(count, left.Select(ProcessName.Of).FirstOrDefault(name => name is not null));
        }
        catch (IOException)
        {
            // The process table cannot be read now.
            return default;
        }
    }

    /// <summary>The limit that its cgroup keeps; null where none does.</summary>
    private ProcessLimit? Limit { get; init; }

    /// <summary>That the tree reached its limit of processes, in words; null where it did not. To be asked while its cgroup is there.</summary>
    public string? ProcessLimitReached()
    {
        try
        {
            return Limit is { } limit && _cgroup is { RefusedProcesses: > 0 and var refused } ? limit.Words(refused) : null;
        }
        catch (IOException)
        {
            // Descriptors are short.
            return null;
        }
    }

    /// <summary>Clears up once no process of the tree is left.</summary>
    public Task RemoveCgroupAsync() => _cgroups?.RemoveAsync(_cgroup) ?? Task.CompletedTask;

    /// <summary>
    /// Returns when all that was in the pipe of standard output at the call is taken in: a chunk is as large as a pipe. Waits 5 s at most, because
    /// a disk may hold up what takes it in.
    /// </summary>
    public async Task CatchUpAsync(TimeProvider time, CancellationToken cancellation)
    {
        var before = Volatile.Read(ref _outputChunks);
        for (var look = 0; look < CatchUpLooks; look++)
        {
            if (_reading.IsCompleted || (!_isTakingIn && (Volatile.Read(ref _outputChunks) != before || !_stdout.HasWaiting())))
                return;
            await Task.Delay(CatchUpLook, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Passes each chunk of standard output to <paramref name="feed"/> until its end; the next chunk is read when feed has completed.</summary>
    public Task ReadOutputAsync(ChunkReader feed) => _reading = _stdout.ReadToEndAsync(chunk =>
    {
        Volatile.Write(ref _outputChunks, _outputChunks + 1);
        var fed = feed(chunk);
        return fed.IsCompletedSuccessfully ? fed : TakeInAsync(fed);
    });

    /// <summary>Reads standard error to its end, always: an agent whose pipe is full stops working.</summary>
    public Task ReadErrorsAsync() => _stderr.ReadToEndAsync(chunk =>
    {
        Volatile.Write(ref _errorChunks, _errorChunks + 1);
        StderrTail.Add(chunk);
        return ValueTask.CompletedTask;
    });

    /// <summary>Writes one line, or all there is, to standard input. Errors are ignored, because the end of an agent is noticed elsewhere.</summary>
    public async Task WriteLineAsync(ReadOnlyMemory<byte> line)
    {
        try
        {
            await _stdin!.SendAsync(line).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The agent ended, or was asked to end, before it had read its prompt.
        }
    }

    /// <summary>
    /// Writes a prompt to standard input and closes it, at the pace at which the agent reads. Errors are ignored, because the end of an agent is
    /// noticed elsewhere.
    /// </summary>
    public async Task WriteInputAsync(string prompt)
    {
        // An end of the input that comes too early would set the agent to work on half a prompt.
        PoliteEnd = null;
        await WriteLineAsync(Encoding.UTF8.GetBytes(prompt)).ConfigureAwait(false);
        _stdin!.Dispose();
    }

    public void Dispose()
    {
        _stdout.Dispose();
        _stderr.Dispose();
        _stdin?.Dispose();
    }

    private async ValueTask TakeInAsync(ValueTask fed)
    {
        _isTakingIn = true;
        try
        {
            await fed.ConfigureAwait(false);
        }
        finally
        {
            _isTakingIn = false;
        }
    }

    private static (PolledDescriptor Ours, SafeHandle Theirs) Watched(EventLoop loop, (SafeHandle Ours, SafeHandle Theirs) ends)
    {
        try
        {
            return (loop.Watch(ends.Ours), ends.Theirs);
        }
        catch
        {
            ends.Ours.Dispose();
            ends.Theirs.Dispose();
            throw;
        }
    }
}
