using System.Text.Json;
using Colibri.Cli;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Cli.Output;
using Colibri.UnitTests.Protocol.Client;

namespace Colibri.UnitTests.Cli.Commands;

public sealed class HealthTests
{
    [Test]
    public async Task A_daemon_whose_files_are_in_order_is_healthy()
    {
        await using var daemon = Answering(Samples.Status);
        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "health"])).ShouldBe(new CliRun(ExitCodes.Done, $"the daemon at {daemon.SocketPath} is healthy\n", ""));
    }

    [Test]
    public async Task A_file_that_is_gone_fails_loudly_with_what_to_do()
    {
        await using var daemon = Answering(Samples.Status with
        {
            Files =
            [
                new StatusFile("board", "/b", StatusFile.Gone, "the board /b was removed: put it back"),
                new StatusFile("sessions", "/s", StatusFile.Refused, "its disk is full\x1b[2J; free some space"),
            ],
        });

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "health"]);

        (run.ExitCode, run.Out).ShouldBe((ExitCodes.Refused, ""));
        run.Error.ShouldStartWith("colibri: board is gone: the board /b was removed: put it back\ncolibri: sessions is refused: its disk is full");
        run.Error.ShouldNotContain('\x1b');
        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "status"])).Out.ShouldContain("board is gone: the board /b was removed");
        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "--json", "health"])).ShouldSatisfyAllConditions(
            json => json.ExitCode.ShouldBe(ExitCodes.Refused),
            json => json.Out.ShouldContain("\"state\":\"gone\""));
    }

    private static FakeDaemon Answering(StatusReport status) =>
        FakeDaemon.Answering($$"""{"ok":true,"data":{{JsonSerializer.Serialize(status, ProtocolJson.Wire.StatusReport)}}}""");
}
