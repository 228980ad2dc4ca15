using System.Net.Sockets;
using System.Text;
using Colibri.Posix.Signalling;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;

namespace Colibri.Core.Agents.Confinement;

/// <summary>Runs a short program of the system and reads its output.</summary>
internal sealed class HelperProgram(ChildProcesses processes, TimeProvider time)
{
    private const int MaxBytes = 8 * 1024;

    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(5);

    /// <summary>Runs the program and returns its result. A failed start, and a program that runs longer than its deadline, count as failures.</summary>
    /// <param name="line">The program and its arguments.</param>
    /// <param name="deadline">Null: 5 s.</param>
    /// <param name="maxBytes">The output that is kept; a program that writes more counts as failed.</param>
    public async Task<HelperResult> RunAsync(IReadOnlyList<string> line, TimeSpan? deadline = null, int maxBytes = MaxBytes)
    {
        try
        {
            var (output, theirOutput) = SocketPair.Create();
            using (output)
            {
                ChildProcess child;
                using (theirOutput)
                {
                    child = processes.Spawn(new SpawnOptions
                    {
                        Path = line[0],
                        Arguments = [.. line.Skip(1)],
                        Environment = EnvironmentBlock.Of([new("PATH", "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")]),
                        StandardOutput = theirOutput,
                        StandardError = theirOutput,
                    });
                }
                return await FollowAsync(child, output, deadline ?? Usual, maxBytes).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ArgumentException)
        {
            return new HelperResult(false, e.Message);
        }
    }

    private async Task<HelperResult> FollowAsync(ChildProcess child, Socket output, TimeSpan deadline, int maxBytes)
    {
        using var late = new CancellationTokenSource();
        var reading = ReadAsync(child, output, maxBytes, late.Token);
        if (!await FairWait.IsDoneAsync(reading, deadline, time).ConfigureAwait(false))
            await late.CancelAsync().ConfigureAwait(false);
        try
        {
            return await reading.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            child.SignalGroup(Signals.Kill);
            return new HelperResult(false, $"no answer in {deadline.TotalSeconds} s");
        }
    }

    private static async Task<HelperResult> ReadAsync(ChildProcess child, Socket output, int maxBytes, CancellationToken late)
    {
        var (text, read) = (new byte[Math.Min(maxBytes, MaxBytes)], 0);
        while (await output.ReceiveAsync(text.AsMemory(read), late).ConfigureAwait(false) is > 0 and var received)
        {
            read += received;
            if (read < text.Length)
                continue;
            if (read == maxBytes)
                break;
            Array.Resize(ref text, Math.Min(maxBytes, read * 2));
        }
        // It would wait for a reader for ever.
        if (read == maxBytes && maxBytes > MaxBytes)
            child.SignalGroup(Signals.Kill);
        var exit = await child.Exited.WaitAsync(late).ConfigureAwait(false);
        var said = Encoding.UTF8.GetString(text, 0, read).Trim();
        return new HelperResult(exit.Code == 0, said.Length > 0 ? said : exit.ToString());
    }
}

/// <summary>The result of a short program.</summary>
/// <param name="IsDone">It ended with exit code 0.</param>
/// <param name="Text">Its output, or why it failed.</param>
internal sealed record HelperResult(bool IsDone, string Text)
{
    /// <summary>The last line, in which most tools give the reason.</summary>
    public string LastLine => Text[(Text.LastIndexOf('\n') + 1)..];
}
