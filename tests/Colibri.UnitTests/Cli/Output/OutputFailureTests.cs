using Colibri.Cli;

namespace Colibri.UnitTests.Cli.Output;

public sealed class OutputFailureTests
{
    private const int Epipe = 32;
    private const int Enospc = 28;

    [Test]
    public async Task A_reader_that_has_seen_enough_ends_it_quietly() =>
        (await VersionIntoAsync(new IOException("Broken pipe", Epipe))).ShouldBe((ExitCodes.Done, ""));

    [Test]
    public async Task A_full_disk_is_told() =>
        (await VersionIntoAsync(new IOException("No space left on device", Enospc))).ShouldBe((ExitCodes.Refused,
            "colibri: cannot write the output: No space left on device (is the disk full, or the output closed?)\n"));

    [Test]
    public async Task A_closed_output_is_told() =>
        (await VersionIntoAsync(new UnauthorizedAccessException("Access to the path is denied."))).ShouldBe((ExitCodes.Refused,
            "colibri: cannot write the output: Access to the path is denied. (is the disk full, or the output closed?)\n"));

    private static async Task<(int ExitCode, string Error)> VersionIntoAsync(Exception failure)
    {
        using var stdout = new FailingStream(failure);
        using var stderr = new StringWriter();
        var host = new CliHost { Stdin = TextReader.Null, Stdout = stdout, Stderr = stderr, Environment = _ => null };
        return (await CliProgram.RunAsync(["version"], host, TestContext.Current!.Execution.CancellationToken), stderr.ToString());
    }

    private sealed class FailingStream(Exception failure) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw failure;

        public override void Write(ReadOnlySpan<byte> buffer) => throw failure;
    }
}
