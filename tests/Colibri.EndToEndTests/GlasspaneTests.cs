using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>What the operator sees of agents that print what real ones printed, or what they should not.</summary>
public sealed class GlasspaneTests
{
    [Test]
    [Arguments("pi-1.5.2-json-tool", "pi", "done", 324, 52, 2176, 240_480)]
    [Arguments("pi-1.5.2-json-two", "pi", "done", 324, 52, 2176, 240_480)]
    [Arguments("pi-1.5.2-json-think", "pi", "done", 324, 52, 2176, 240_480)]
    [Arguments("pi-1.5.2-json-retry", "pi", "done", 324, 52, 2176, 240_480)]
    [Arguments("pi-1.5.2-json-fail", "pi", "error", 0, 0, 0, 0)]
    [Arguments("pi-1.5.2-json-auth", "pi", "error", 0, 0, 0, 0)]
    [Arguments("pi-1.5.2-json-length", "pi", "error", 10, 1, 0, 4_500)]
    [Arguments("pi-0.87.1-json-tool", "pi", "done", 324, 52, 2176, 240_480)]
    [Arguments("pi-0.73.1-json-tool", "pi", "done", 324, 52, 2176, 240_480)]
    [Arguments("pi-0.73.1-json-retry", "pi", "done", 324, 52, 2176, 240_480)]
    [Arguments("claude-2.1-stream-json", "claude", "done", 352, 80, 2048, 341_760)]
    [Arguments("codex-0.169-exec-json", "codex", "done", 352, 80, 2048, 0)]
    [Arguments("opencode-1.18-run-json", "opencode", "done", 324, 52, 2176, 240_480)]
    public async Task An_agent_that_prints_a_recording_ends_with_its_activity_and_usage(
        string recording, string runtime, string activity, long input, long output, long cacheRead, long microcents)
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        var agentId = await client.SpawnAsync(Shell(runtime, "cat \"$0\"", Repository.Recording(recording)));
        var pane = await client.PaneStoppedAsync(agentId);

        pane.Text("runtime").ShouldBe(runtime);
        pane.Text("activity").ShouldBe(activity, pane.ToString());
        pane.UsageOf().ShouldBe((input, output, cacheRead, 0, microcents));
        pane.Flag("needs_attention").ShouldBe(activity == "error");
        pane.Number("malformed_lines").ShouldBe(0);
        var lines = (await File.ReadAllTextAsync(Repository.Recording(recording), TestContext.Current!.Execution.CancellationToken)).Split('\n');
        pane.Number("events").ShouldBe(lines.Count(line => line.Length > 0));
        pane.Member("exit").Number("code").ShouldBe(0);
    }

    [Test]
    public async Task A_run_that_a_signal_cut_off_is_an_error_though_nothing_said_so()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        var agentId = await client.SpawnAsync(Shell("pi", "cat \"$0\"; kill -TERM $$", Repository.Recording("pi-1.5.2-json-killed-by-TERM")));
        var pane = await client.PaneStoppedAsync(agentId);

        pane.Member("exit").Number("signal").ShouldBe(15);
        pane.Text("activity").ShouldBe("error");
        pane.UsageOf().ShouldBe((176, 40, 1024, 0, 143_520));
    }

    [Test]
    public async Task Broken_lines_are_counted_and_skipped()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        var pane = await client.PaneStoppedAsync(await client.SpawnAsync(TestAgent("--malformed", "7", "--emit-usage")));

        pane.Number("malformed_lines").ShouldBe(7);
        pane.Text("activity").ShouldBe("done");
        pane.UsageOf().Input.ShouldBeGreaterThan(0);
    }

    [Test]
    public async Task A_line_of_six_megabytes_is_counted_and_survived_without_growing()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var before = ProcTable.ResidentBytes(daemon.Pid);

        var pane = await client.PaneStoppedAsync(await client.SpawnAsync(TestAgent("--flood", "6000000")));

        pane.Number("malformed_lines").ShouldBe(1);
        pane.Text("activity").ShouldBe("done");
        (ProcTable.ResidentBytes(daemon.Pid) - before).ShouldBeLessThan(32L * 1024 * 1024);
    }

    [Test]
    public async Task A_silent_agent_is_stalled_and_needs_attention()
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_STALL_AFTER", "1s"));
        await using var client = await daemon.ConnectAsync();
        var agentId = await client.SpawnAsync(TestAgent("--stall"));

        var pane = await client.PaneWhereAsync(agentId, pane => pane.Flag("stalled"), "is stalled");

        pane.Text("lifecycle").ShouldBe("running");
        pane.Flag("needs_attention").ShouldBeTrue();
    }

    [Test]
    public async Task An_agent_that_asks_is_blocked_and_needs_attention()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var agentId = await client.SpawnAsync(new
        {
            cmd = "spawn-agent",
            binary = Repository.TestAgent,
            args = new[] { "--rpc", "--ask" },
            rpc = true,
            prompt = "May I?",
        });

        var pane = await client.PaneWhereAsync(agentId, pane => pane.Text("activity") == "blocked", "is blocked");

        pane.Flag("needs_attention").ShouldBeTrue();
    }

    [Test]
    public async Task A_last_line_without_its_newline_counts_like_any_other()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        var agentId = await client.SpawnAsync(Shell("pi", "printf '%s\\n%s' '{\"type\":\"agent_start\"}' '{\"type\":\"agent_settled\",\"aborted\":false}'", ""));
        var pane = await client.PaneStoppedAsync(agentId);

        (pane.Text("activity"), pane.Number("events"), pane.Number("malformed_lines")).ShouldBe(("done", 2, 0));
    }

    [Test]
    public async Task An_agent_that_cannot_be_started_is_an_answer_not_a_pane_that_stays()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        var reply = await client.AskAsync(new { cmd = "spawn-agent", binary = "/nonexistent/agent" });

        reply.Ok.ShouldBeFalse();
        reply.ErrorMessage.ShouldContain("/nonexistent/agent");
        (await client.DataAsync(new { cmd = "status" })).Member("agents").Number("running").ShouldBe(0);
    }

    private static object TestAgent(params string[] args) => new { cmd = "spawn-agent", binary = Repository.TestAgent, args };

    /// <summary>A shell as the agent: further arguments that a runtime may add are its positional ones and change nothing.</summary>
    private static object Shell(string runtime, string script, string argument) =>
        new { cmd = "spawn-agent", binary = "/bin/sh", args = new[] { "-c", script, argument }, runtime };
}
