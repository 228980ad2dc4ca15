using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Processes;

/// <summary>
/// Runs programs that answer a short question, such as their version: a few at once, each with bounded time and output and without standard input.
/// What one has started is ended with it.
/// </summary>
internal sealed class ProgramProbe(ChildProcesses processes, TimeProvider time, ILogger logger)
{
    /// <summary>How many run at once.</summary>
    public const int MaxAtOnce = 4;

    /// <summary>The most bytes of standard output, and of standard error.</summary>
    public const int MaxBytes = 4 * 1024;

    /// <summary>How long one may take.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    private const string Marker = "COLIBRI_PROBE_ID";

    // What a program wrote before its end is there by then; a descendant may hold the stream open for longer.
    private static readonly TimeSpan RestOfOutput = TimeSpan.FromMilliseconds(500);

    // A process that the kernel does not let go of is left to the background.
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    // One entry for each that runs.
    private readonly Channel<bool> _turns = Channel.CreateBounded<bool>(MaxAtOnce);

    /// <summary>Returns when the program has ended or was ended. Waiting for a turn does not count as its time.</summary>
    /// <param name="program">Absolute path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">All of it.</param>
    /// <param name="stopping">Ends it.</param>
    /// <param name="limit">Its time; null is <see cref="Deadline"/>.</param>
    /// <exception cref="OperationCanceledException">It was not started before <paramref name="stopping"/>.</exception>
    public async Task<ProbeAnswer> AskAsync(
        string program, IReadOnlyList<string> arguments, EnvironmentBlock environment, CancellationToken stopping, TimeSpan? limit = null)
    {
        await _turns.Writer.WriteAsync(true, stopping).ConfigureAwait(false);
        try
        {
            return await RunAsync(program, arguments, environment, limit ?? Deadline, stopping).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ArgumentException)
        {
            return new ProbeAnswer(null, "", "") { Problem = e.Message };
        }
        finally
        {
            _turns.Reader.TryRead(out _);
        }
    }

    private async Task<ProbeAnswer> RunAsync(
        string program, IReadOnlyList<string> arguments, EnvironmentBlock environment, TimeSpan limit, CancellationToken stopping)
    {
        var marker = Guid.NewGuid().ToString("N");
        var (output, theirOutput) = SocketPair.Create();
        using var ourOutput = output;
        using var closesOutput = theirOutput;
        var (errors, theirErrors) = SocketPair.Create();
        using var ourErrors = errors;
        using var closesErrors = theirErrors;
        var child = processes.Spawn(new SpawnOptions
        {
            Path = program,
            Arguments = arguments,
            Environment = environment.With([new(Marker, marker)]),
            WorkingDirectory = "/",
            StandardOutput = theirOutput,
            StandardError = theirErrors,
        });
        theirOutput.Dispose();
        theirErrors.Dispose();
        return await FollowAsync(child, new ProcessTree(child, $"{Marker}={marker}"), output, errors, limit, stopping).ConfigureAwait(false);
    }

    private async Task<ProbeAnswer> FollowAsync(ChildProcess child, ProcessTree tree, Socket output, Socket errors, TimeSpan limit, CancellationToken stopping)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var said = ReadAsync(output, full, over.Token);
        var complained = ReadAsync(errors, full, over.Token);
        var stopped = Task.Delay(Timeout.Infinite, over.Token);
        var isInTime = await FairWait.IsDoneAsync(Task.WhenAny(child.Exited, full.Task, stopped), limit, time).ConfigureAwait(false);
        if (child.Exited.IsCompleted)
            await FairWait.IsDoneAsync(Task.WhenAll(said, complained), RestOfOutput, time).ConfigureAwait(false);
        var hasExited = child.Exited.IsCompleted;
        await over.CancelAsync().ConfigureAwait(false);
        if (!hasExited || MayHaveStrays(tree))
            await EndAsync(tree).ConfigureAwait(false);
        return new ProbeAnswer(
            hasExited ? await child.Exited.ConfigureAwait(false) : null, await said.ConfigureAwait(false), await complained.ConfigureAwait(false))
        {
            IsTimedOut = !isInTime,
            IsFull = full.Task.IsCompleted,
        };
    }

    private static bool MayHaveStrays(ProcessTree tree)
    {
        try
        {
            return tree.HasStrays();
        }
        catch (IOException)
        {
            return true;
        }
    }

    private async Task EndAsync(ProcessTree tree)
    {
        var ender = new TreeEnder(tree, "of a check", time, logger);
        ender.KillAfter(TimeSpan.Zero);
        var ending = ender.EndAsync(polite: null);
        if (!await FairWait.IsDoneAsync(ending, EndPatience, time).ConfigureAwait(false))
            _ = Background.Run(logger, "ending the program of a check", ending);
    }

    /// <summary>What was written by the end of the stream, the limit, or the cancellation.</summary>
    private static async Task<string> ReadAsync(Socket stream, TaskCompletionSource full, CancellationToken over)
    {
        var (bytes, read) = (new byte[MaxBytes], 0);
        try
        {
            while (await stream.ReceiveAsync(bytes.AsMemory(read), over).ConfigureAwait(false) is > 0 and var received)
            {
                read += received;
                if (read < MaxBytes)
                    continue;
                full.TrySetResult();
                break;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // What was read until then is its answer.
        }
        return Encoding.UTF8.GetString(bytes, 0, read);
    }
}

/// <summary>What came of a short program.</summary>
/// <param name="Exit">Null where it was ended or not started.</param>
/// <param name="Output">Standard output, at most <see cref="ProgramProbe.MaxBytes"/>; not redacted.</param>
/// <param name="Errors">Standard error, likewise.</param>
internal sealed record ProbeAnswer(ExitStatus? Exit, string Output, string Errors)
{
    /// <summary>It took too long and was ended.</summary>
    public bool IsTimedOut { get; init; }

    /// <summary>It wrote too much and was ended.</summary>
    public bool IsFull { get; init; }

    /// <summary>Why it could not be started.</summary>
    public string? Problem { get; init; }

    public bool IsGood => Exit is { Code: 0 };
}
