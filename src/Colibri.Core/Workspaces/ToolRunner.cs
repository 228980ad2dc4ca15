using System.Net.Sockets;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Workspaces;

/// <summary>Runs a program of the system with bounded time and output. At the end of its time its whole tree is ended.</summary>
internal sealed class ToolRunner(ChildProcesses processes, TimeProvider time, ILogger logger)
{
    /// <summary>The environment entry that a program's tree is found by.</summary>
    public const string Marker = "COLIBRI_TOOL_ID";

    // Git removes its lock files on SIGTERM.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private const int FirstBuffer = 16 * 1024;

    /// <summary>Returns when the program has ended and its output is read, or when its tree is ended.</summary>
    /// <exception cref="IOException">It cannot be started; the message says why.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; its tree is ended.</exception>
    public async Task<ToolResult> RunAsync(ToolCall call, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var marker = Guid.NewGuid().ToString("N");
        var (output, theirOutput) = SocketPair.Create();
        using var ourOutput = output;
        using var closesOutput = theirOutput;
        var (errors, theirErrors) = SocketPair.Create();
        using var ourErrors = errors;
        using var closesErrors = theirErrors;
        var (input, theirInput) = call.Input is null ? (null, null) : SocketPair.Create();
        using var ourInput = input;
        using var closesInput = theirInput;
        var child = processes.Spawn(new SpawnOptions
        {
            Path = call.Program,
            Arguments = call.Arguments,
            Environment = call.Environment.With([new(Marker, marker)]),
            WorkingDirectory = call.Directory,
            StandardInput = theirInput,
            StandardOutput = theirOutput,
            StandardError = theirErrors,
        });
        theirOutput.Dispose();
        theirErrors.Dispose();
        theirInput?.Dispose();
        return await FollowAsync(new Following(child, marker, output, errors, input), call, cancellation).ConfigureAwait(false);
    }

    private async Task<ToolResult> FollowAsync(Following running, ToolCall call, CancellationToken cancellation)
    {
        var tail = new StderrTail();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var feeding = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        var fed = FeedAsync(running.Input, call.Input, feeding.Token);
        var read = ReadAsync(running.Output, call.MaxOutput, stop.Token);
        var told = ReadErrorsAsync(running.Errors, tail, stop.Token);
        var ended = EndAsync(read, told, running.Child, stop.Token);
        var isInTime = await FairWait.IsDoneAsync(ended, call.Timeout, time).ConfigureAwait(false);
        if (!isInTime)
            await stop.CancelAsync().ConfigureAwait(false);
        // A program that ends without reading its input leaves the rest of it.
        await feeding.CancelAsync().ConfigureAwait(false);
        await fed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var isCancelled = cancellation.IsCancellationRequested && !ended.IsCompletedSuccessfully;
        var isFull = read.IsCompletedSuccessfully && read.Result.IsFull;
        if (!isInTime || isCancelled || isFull || !ended.IsCompletedSuccessfully)
            await EndTreeAsync(running).ConfigureAwait(false);
        await told.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (isCancelled)
            throw new OperationCanceledException(cancellation);
        var bytes = read.IsCompletedSuccessfully ? read.Result.Bytes : [];
        var exit = running.Child.Exited.IsCompletedSuccessfully ? await running.Child.Exited.ConfigureAwait(false) : ExitStatus.Unknown;
        return new ToolResult(exit, bytes, isFull, !isInTime && !isFull, tail.Text(call.Secrets) ?? "");
    }

    /// <summary>Completes when output and errors are at their end and the program has ended, or as soon as the output is full.</summary>
    private static async Task EndAsync(Task<(byte[] Bytes, bool IsFull)> read, Task told, ChildProcess child, CancellationToken stop)
    {
        if ((await read.ConfigureAwait(false)).IsFull)
            return;
        await told.ConfigureAwait(false);
        await child.Exited.WaitAsync(stop).ConfigureAwait(false);
    }

    private async Task EndTreeAsync(Following running)
    {
        var ender = new TreeEnder(new ProcessTree(running.Child, $"{Marker}={running.Marker}"), "tool", time, logger);
        ender.KillAfter(Grace);
        await ender.EndAsync(null).ConfigureAwait(false);
        await running.Child.Exited.ConfigureAwait(false);
        // Its readers are at the end of the stream by now, or were cancelled.
        running.Errors.Dispose();
    }

    private static async Task<(byte[] Bytes, bool IsFull)> ReadAsync(Socket output, int max, CancellationToken stop)
    {
        var (text, read) = (new byte[Math.Min(max + 1, FirstBuffer)], 0);
        while (await output.ReceiveAsync(text.AsMemory(read), stop).ConfigureAwait(false) is > 0 and var received)
        {
            read += received;
            if (read > max)
                return (text[..max], true);
            if (read == text.Length)
                Array.Resize(ref text, (int)Math.Min((long)max + 1, (long)read * 2));
        }
        return (text[..read], false);
    }

    private static async Task ReadErrorsAsync(Socket errors, StderrTail tail, CancellationToken stop)
    {
        var buffer = new byte[4096];
        while (await errors.ReceiveAsync(buffer, stop).ConfigureAwait(false) is > 0 and var received)
            tail.Add(buffer.AsSpan(0, received));
    }

    private static async Task FeedAsync(Socket? input, ReadOnlyMemory<byte>? bytes, CancellationToken stop)
    {
        if (input is null || bytes is not { } rest)
            return;
        try
        {
            while (!rest.IsEmpty)
                rest = rest[await input.SendAsync(rest, stop).ConfigureAwait(false)..];
            input.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // It has ended, or does not read; its exit code says what came of it.
        }
    }

    private sealed record Following(ChildProcess Child, string Marker, Socket Output, Socket Errors, Socket? Input);
}

/// <summary>One call of a program.</summary>
internal sealed record ToolCall
{
    /// <summary>Its absolute path.</summary>
    public required string Program { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The whole environment, but for the marker.</summary>
    public required EnvironmentBlock Environment { get; init; }

    /// <summary>Where it runs; absolute.</summary>
    public required string Directory { get; init; }

    /// <summary>Its standard input; null is /dev/null.</summary>
    public ReadOnlyMemory<byte>? Input { get; init; }

    public required TimeSpan Timeout { get; init; }

    /// <summary>The most bytes of standard output; at more it is ended.</summary>
    public required int MaxOutput { get; init; }

    /// <summary>Redacts keys in standard error.</summary>
    public required Secrets Secrets { get; init; }
}

/// <summary>What came of a call.</summary>
/// <param name="Exit">How it ended; unknown where its tree had to be ended.</param>
/// <param name="Output">Standard output, at most what the call allows.</param>
/// <param name="IsFull">There was more output; the program was ended.</param>
/// <param name="IsTimedOut">It took longer than its time; its tree was ended.</param>
/// <param name="Error">The last 8 KiB of standard error.</param>
internal sealed record ToolResult(ExitStatus Exit, byte[] Output, bool IsFull, bool IsTimedOut, string Error);
