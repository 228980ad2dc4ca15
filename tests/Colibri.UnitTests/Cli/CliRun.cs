using System.Text;
using Colibri.Cli;

namespace Colibri.UnitTests.Cli;

/// <summary>One run of the CLI inside the test.</summary>
internal sealed record CliRun(int ExitCode, string Out, string Error)
{
    public static async Task<CliRun> OfAsync(IReadOnlyList<string> args, string stdin = "", Dictionary<string, string>? environment = null,
        int width = 80, bool terminal = false, CancellationToken? cancellation = null, string? version = null)
    {
        using var stdout = new MemoryStream();
        using var stderr = new StringWriter();
        var host = new CliHost
        {
            Stdin = new StringReader(stdin),
            Stdout = stdout,
            Stderr = stderr,
            Environment = name => environment?.GetValueOrDefault(name),
            IsTerminal = terminal,
            Width = width,
            CurrentDirectory = "/here",
            Time = new StandingClock(),
            Version = version ?? Output.Samples.Status.Version,
        };
        var exitCode = await CliProgram.RunAsync(args, host, cancellation ?? TestContext.Current!.Execution.CancellationToken);
        return new CliRun(exitCode, Encoding.UTF8.GetString(stdout.ToArray()), stderr.ToString());
    }

    /// <summary>Five minutes after what the samples show.</summary>
    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Output.Samples.Now.AddMinutes(5);
    }
}
