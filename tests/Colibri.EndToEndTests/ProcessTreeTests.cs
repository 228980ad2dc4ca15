using System.Diagnostics;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>Stopping an agent stops all that it started, in whatever session or group, deaf to SIGTERM or not.</summary>
[NotInParallel]
public sealed class ProcessTreeTests
{
    private const int Children = 4;
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    [Test]
    public async Task A_deaf_agent_with_children_in_their_own_sessions_is_gone_within_grace_and_a_second()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var agentId = await SpawnTreeAsync(daemon, client);

        var clock = Stopwatch.StartNew();
        await using var asking = await daemon.ConnectAsync();
        await asking.SendAsync(new { cmd = "stop-agent", agent_id = agentId, grace_ms = (long)Grace.TotalMilliseconds });
        await GoneAsync(daemon, Grace + TimeSpan.FromSeconds(1));

        clock.Elapsed.ShouldBeLessThan(Grace + TimeSpan.FromSeconds(1));
        (await asking.ReadAsync()).Flag("ok").ShouldBeTrue();
        var pane = await client.PaneStoppedAsync(agentId);
        pane.Member("exit").Number("signal").ShouldBe(9);
    }

    [Test]
    public async Task A_willing_agent_is_stopped_long_before_its_grace_is_over()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var agentId = await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--hold-secs", "600" } });
        await client.PaneWhereAsync(agentId, pane => pane.Text("activity") == "working", "works");

        await client.DataAsync(new { cmd = "stop-agent", agent_id = agentId, grace_ms = 60_000 });

        var pane = await client.PaneStoppedAsync(agentId);
        pane.Member("exit").Number("code").ShouldBe(143);
        daemon.Descendants().ShouldBeEmpty();
    }

    [Test]
    [Arguments("TERM")]
    [Arguments("INT")]
    public async Task A_signal_to_the_daemon_leaves_neither_agents_nor_socket_nor_pidfile(string signal)
    {
        using var directory = new TempDirectory();
        var pidfile = directory.File("colibri.pid");
        await using var daemon = await ColibriDaemon.StartWithAsync(["--pidfile", pidfile]);
        await using var client = await daemon.ConnectAsync();
        await SpawnTreeAsync(daemon, client);
        (await File.ReadAllTextAsync(pidfile, TestContext.Current!.Execution.CancellationToken)).Trim().ShouldBe($"{daemon.Pid}");

        (await daemon.TerminateAsync(signal)).ShouldBe(0, daemon.Log);

        daemon.Descendants().ShouldBeEmpty();
        File.Exists(daemon.SocketPath).ShouldBeFalse();
        File.Exists(pidfile).ShouldBeFalse();
    }

    [Test]
    public async Task What_an_agent_leaves_behind_when_it_ends_by_itself_is_gone_too()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        var agentId = await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--children", $"{Children}" } });

        var pane = await client.PaneStoppedAsync(agentId);
        pane.Text("activity").ShouldBe("done");
        pane.Member("exit").Number("code").ShouldBe(0);
        daemon.Descendants().ShouldBeEmpty();
    }

    private static async Task<string> SpawnTreeAsync(ColibriDaemon daemon, WireClient client)
    {
        var agentId = await client.SpawnAsync(new
        {
            cmd = "spawn-agent",
            binary = Repository.TestAgent,
            args = new[] { "--children", $"{Children}", "--ignore-term", "--hold-secs", "600" },
        });
        await Eventually.HoldsAsync(
            () => daemon.Descendants().Count == Children + 1, () => $"the whole tree runs; there are {string.Join('\n', daemon.Descendants())}");
        await client.PaneWhereAsync(agentId, pane => pane.Text("activity") == "working", "works");
        return agentId;
    }

    private static Task GoneAsync(ColibriDaemon daemon, TimeSpan deadline) => Eventually.HoldsAsync(
        () => daemon.Descendants().Count == 0, () => $"the tree is gone; there are {string.Join('\n', daemon.Descendants())}", deadline);
}
