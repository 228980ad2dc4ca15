using System.Text;
using System.Text.Json;
using Colibri.Core.Agents.Launch;
using Colibri.Posix.Signalling;
using Colibri.Posix.Sockets;
using Colibri.Posix.Spawning;
using Colibri.Posix.Trees;

namespace Colibri.Daemon.Hosting;

/// <summary>Asks the image's own probe program, if there is one, what an agent on this host can do.</summary>
internal static class CapabilityProbe
{
    private const string Program = "clawdie-system-probe";
    private const string Marker = "COLIBRI_PROBE";
    private const int MaxBytes = 64 * 1024;
    private const int MaxCapabilities = 256;
    private const int MaxLength = 64;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    /// <summary>Its answer, a JSON array or words; empty where there is no probe, or it answers nothing useful in 5 s or before the daemon stops.</summary>
    public static Task<IReadOnlyList<string>> AskAsync(ChildProcesses processes, ProgramPath programs, CancellationToken stopping) =>
        AskAsync(processes, programs, Deadline, stopping);

    internal static async Task<IReadOnlyList<string>> AskAsync(ChildProcesses processes, ProgramPath programs, TimeSpan deadline, CancellationToken stopping = default)
    {
        if (programs.Find(Program) is not { } probe)
            return [];
        var marker = Guid.NewGuid().ToString();
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
                        Path = probe,
                        Arguments = ["--capabilities"],
                        Environment = EnvironmentBlock.Of([new("PATH", string.Join(':', programs.Directories)), new(Marker, marker)]),
                        StandardOutput = theirOutput,
                    });
                }
                using var late = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                late.CancelAfter(deadline);
                var (answer, read) = (new byte[MaxBytes], 0);
                try
                {
                    while (read < MaxBytes && await output.ReceiveAsync(answer.AsMemory(read), late.Token).ConfigureAwait(false) is > 0 and var received)
                        read += received;
                    await child.Exited.WaitAsync(late.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    new ProcessTree(child, $"{Marker}={marker}").Signal(Signals.Kill);
                    return [];
                }
                return Parse(Encoding.UTF8.GetString(answer, 0, read));
            }
        }
        catch (Exception e) when (e is SpawnException or IOException or System.Net.Sockets.SocketException)
        {
            return [];
        }
    }

    internal static IReadOnlyList<string> Parse(string answer)
    {
        IEnumerable<string> words = answer.Split([' ', '\t', '\r', '\n', ','], StringSplitOptions.RemoveEmptyEntries);
        if (answer.AsSpan().TrimStart() is ['[', ..])
        {
            try
            {
                using var document = JsonDocument.Parse(answer);
                words = [.. document.RootElement.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)];
            }
            catch (JsonException)
            {
                return [];
            }
        }
        return [.. words.Where(word => word.Length is > 0 and <= MaxLength && !word.Any(char.IsControl)).Distinct(StringComparer.OrdinalIgnoreCase).Take(MaxCapabilities)];
    }
}
