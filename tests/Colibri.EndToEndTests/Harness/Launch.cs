using System.Diagnostics;

namespace Colibri.EndToEndTests.Harness;

/// <summary>What a finished process left behind.</summary>
internal sealed record Finished(int ExitCode, string Stdout, string Stderr)
{
    public string[] Lines => Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    public string[] ErrorLines => Stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public override string ToString() => $"exit {ExitCode}\nstdout: {Stdout}\nstderr: {Stderr}";
}

/// <summary>Processes with a known environment, nothing inherited from the machine but PATH.</summary>
internal static class Launch
{
    public static ProcessStartInfo Prepare(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var path = Environment.GetEnvironmentVariable("PATH");
        start.Environment.Clear();
        start.Environment["PATH"] = path;
        start.Environment["LANG"] = "C.UTF-8";
        foreach (var (name, value) in environment)
            if (value is not null)
                start.Environment[name] = value;
            else
                start.Environment.Remove(name);
        return start;
    }

    /// <summary>Runs to the end; a process that outlives the deadline is killed and fails the test.</summary>
    public static async Task<Finished> ToEndAsync(ProcessStartInfo start, TimeSpan? deadline = null)
    {
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start");
        process.StandardInput.Close();
        var stdout = process.StandardOutput.ReadToEndAsync(TestContext.Current!.Execution.CancellationToken);
        var stderr = process.StandardError.ReadToEndAsync(TestContext.Current!.Execution.CancellationToken);
        try
        {
            // The output too: a process that was left behind may hold it open after the end of this one.
            await Task.WhenAll(process.WaitForExitAsync(TestContext.Current!.Execution.CancellationToken), stdout, stderr)
                .WaitAsync(MoreThanNone(deadline ?? Eventually.Deadline));
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(
                $"{start.FileName} {string.Join(' ', start.ArgumentList)} did not end; stdout: {await SoFarAsync(stdout)} stderr: {await SoFarAsync(stderr)}");
        }
        return new Finished(process.ExitCode, await stdout, await stderr);
    }

    private static TimeSpan MoreThanNone(TimeSpan deadline) => deadline > TimeSpan.Zero ? deadline : TimeSpan.Zero;

    private static async Task<string> SoFarAsync(Task<string> output)
    {
        try
        {
            return await output.WaitAsync(TimeSpan.FromSeconds(5));
        }
        catch (TimeoutException)
        {
            return "(another process holds it open)";
        }
    }

    public static Task<Finished> ToEndAsync(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, TimeSpan? deadline = null) =>
        ToEndAsync(Prepare(file, arguments, environment ?? new Dictionary<string, string?>()), deadline);

    /// <param name="pid">The process.</param>
    /// <param name="signal">Its name without SIG.</param>
    public static Task SignalAsync(int pid, string signal) => ToEndAsync("/bin/sh", ["-c", $"kill -{signal} {pid}"]);
}
