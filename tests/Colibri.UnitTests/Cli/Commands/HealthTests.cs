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

    [Test]
    public async Task A_low_disk_fails_with_both_numbers_and_what_to_do()
    {
        await using var daemon = Answering(Samples.Status with { Disk = new StatusDisk(StatusDisk.Low, 400L << 20, 1L << 30, "/var/lib/colibri") });

        var run = await CliRun.OfAsync(["--socket", daemon.SocketPath, "health"]);

        run.ShouldBe(new CliRun(
            ExitCodes.Refused, "",
            "colibri: disk is low, no agent is started: 419.4 MB free on the file system of /var/lib/colibri, starts need 1.1 GB and go on at a tenth more; free some space: colibri prune --older-than 7d --dry-run\n"));
        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "status"])).Out.ShouldContain("disk       419.4 MB free on the file system of /var/lib/colibri, starts need");
        (await CliRun.OfAsync(["--socket", daemon.SocketPath, "--json", "health"])).ExitCode.ShouldBe(ExitCodes.Refused);
    }

    private static FakeDaemon Answering(StatusReport status) =>
        FakeDaemon.Answering($$"""{"ok":true,"data":{{JsonSerializer.Serialize(status, ProtocolJson.Wire.StatusReport)}}}""");
}
