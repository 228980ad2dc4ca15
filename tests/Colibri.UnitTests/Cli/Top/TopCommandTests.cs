using Colibri.Cli;
using Colibri.Cli.Output;

namespace Colibri.UnitTests.Cli.Top;

public sealed class TopCommandTests
{
    [Test]
    public async Task Without_a_terminal_it_says_what_to_type()
    {
        var run = await CliRun.OfAsync(["top", "--socket", "/nonexistent"]);
        (run.ExitCode, run.Out, run.Error).ShouldBe((ExitCodes.Usage, "", "colibri: top needs a terminal for its input and its output; type: colibri top --once (see: colibri top --help)\n"));
    }

    [Test]
    public async Task It_prints_no_JSON()
    {
        var run = await CliRun.OfAsync(["top", "--once", "--json", "--socket", "/nonexistent"]);
        (run.ExitCode, run.Error).ShouldBe((ExitCodes.Usage, "colibri: top prints no JSON; type: colibri snapshot --json, or colibri inbox --json (see: colibri top --help)\n"));
    }

    [Test]
    public async Task Once_prints_everything_as_text_and_ends()
    {
        await using var daemon = TopDaemon.Of(TopSamples.Morning());
        var run = await CliRun.OfAsync(["top", "--once", "--socket", daemon.SocketPath]);
        (run.ExitCode, run.Error).ShouldBe((ExitCodes.Done, ""));
        run.Out.ShouldNotContain("\e");
        run.Out.ShouldContain("- AGENTS 4\n  a1 ");
        run.Out.ShouldContain("- QUEUE 3\n  #7 ");
        run.Out.ShouldEndWith("  #8     queued   5m      Task number 8               next\n");
        run.Out.Split('\n').ShouldAllBe(line => Columns.Of(line) <= 80);
    }

    [Test]
    public async Task Without_a_daemon_once_says_so()
    {
        var run = await CliRun.OfAsync(["top", "--once", "--socket", "/nonexistent/d.sock"]);
        run.ExitCode.ShouldBe(ExitCodes.NoDaemon);
    }
}
