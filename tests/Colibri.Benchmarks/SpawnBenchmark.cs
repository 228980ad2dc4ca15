using System.Diagnostics;
using Colibri.Posix.Polling;
using Colibri.Posix.Spawning;

namespace Colibri.Benchmarks;

/// <summary>How many children that do nothing can be started, one after the other, with pipes for stdout and stderr that a loop watches, exit awaited.</summary>
internal static class SpawnBenchmark
{
    public static async Task RunAsync(int count, string program)
    {
        using var processes = ChildProcesses.Start();
        using var loop = new EventLoop("agents", LoopPace.Gather);
        for (var i = 0; i < count / 10; i++)
            await StartAndWaitAsync(processes, loop, program).ConfigureAwait(false);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
            await StartAndWaitAsync(processes, loop, program).ConfigureAwait(false);
        Console.WriteLine($"rate {count / Stopwatch.GetElapsedTime(start).TotalSeconds:F1}");
    }

    private static async Task StartAndWaitAsync(ChildProcesses processes, EventLoop loop, string program)
    {
        var (stdout, theirStdout) = Pipe.Create();
        var (stderr, theirStderr) = Pipe.Create();
        using (loop.Watch(stdout))
        using (loop.Watch(stderr))
        {
            ChildProcess child;
            using (theirStdout)
            using (theirStderr)
            {
                child = processes.Spawn(new SpawnOptions
                {
                    Path = program,
                    Arguments = [],
                    Environment = EnvironmentBlock.Of([new("PATH", "/usr/bin:/bin")]),
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
