using System.Diagnostics;
using Colibri.Posix;

namespace Colibri.Benchmarks;

/// <summary>How many children that do nothing can be started, one after the other, with socket pairs for stdout and stderr, exit awaited.</summary>
internal static class SpawnBenchmark
{
    public static async Task RunAsync(int count, string program)
    {
        using var processes = ChildProcesses.Start();
        for (var i = 0; i < count / 10; i++)
            await StartAndWaitAsync(processes, program).ConfigureAwait(false);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
            await StartAndWaitAsync(processes, program).ConfigureAwait(false);
        Console.WriteLine($"rate {count / Stopwatch.GetElapsedTime(start).TotalSeconds:F1}");
    }

    private static async Task StartAndWaitAsync(ChildProcesses processes, string program)
    {
        var (stdout, theirStdout) = SocketPair.Create();
        var (stderr, theirStderr) = SocketPair.Create();
        using (stdout)
        using (stderr)
        {
            ChildProcess child;
            using (theirStdout)
            using (theirStderr)
            {
                child = processes.Spawn(new SpawnOptions
                {
                    Path = program,
                    Arguments = [],
                    Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin" },
                    StandardOutput = theirStdout,
                    StandardError = theirStderr,
                });
            }

            var status = await child.Exited.ConfigureAwait(false);
            if (status.Code != 0)
                throw new InvalidOperationException($"{program}: {status}");
        }
    }
}
