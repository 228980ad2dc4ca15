using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>What is kept of the past, and what happens when the disk gets low.</summary>
public sealed class RetentionTests
{
    private const string EveryDisk = "1024TiB";

    [Test]
    public async Task A_low_disk_holds_starts_and_says_so_and_they_go_on_by_themselves()
    {
        await using var daemon = ColibriDaemon.Prepared(("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_SCHEDULER_INTERVAL", "100ms"));
        Configure(daemon, $"[retention]\nmin_free = \"{EveryDisk}\"\n");
        await daemon.StartAgainAsync();
        var task = (await daemon.DataAsync(new { cmd = "create-task", title = "waits for room", max_attempts = 1 })).Text("id");

        var status = await daemon.CliAsync("status");
        status.ExitCode.ShouldBe(0, status.ToString());
        status.Stdout.ShouldMatch(@"(?m)^disk +.* free on the file system");
        status.Stdout.ReplaceLineEndings(" ").ShouldContain("no agent is started");
        status.Lines.ShouldAllBe(line => line.Length <= 80);
        var health = await daemon.CliAsync("health");
        health.ExitCode.ShouldBe(1, health.ToString());
        health.Stderr.ShouldContain("colibri: disk is low, no agent is started: ");
        var disk = (await daemon.DataAsync(new { cmd = "status" })).Member("disk");
        (disk.Text("state"), disk.Member("min_free_bytes").GetInt64()).ShouldBe(("low", 1L << 50));
        var waiting = await daemon.DataAsync(new { cmd = "get-task", task_id = task });
        (waiting.Text("status"), waiting.Items("blocked_by").Single().Text("code")).ShouldBe(("queued", "disk"));
        var spawn = await daemon.CliAsync("spawn-agent", Repository.TestAgent);
        spawn.ExitCode.ShouldBe(1, spawn.ToString());
        spawn.Stderr.ShouldContain("min_free in [retention]");

        Configure(daemon, "[retention]\nmin_free = \"1MiB\"\n");
        (await daemon.CliAsync("reload")).Stdout.ShouldContain("retention.min_free: \"1024TiB\" is now \"1MiB\"");

        await Eventually.HoldsAsync(
            async () => (await daemon.DataAsync(new { cmd = "get-task", task_id = task })).Text("status") is "done" or "failed", () => $"the task has been started; the log:\n{daemon.Log}");
        (await daemon.CliAsync("health")).ExitCode.ShouldBe(0);
        (await daemon.DataAsync(new { cmd = "status" })).Member("disk").Text("state").ShouldBe("ok");
        daemon.Log.ShouldContain("agents are started again: ");
    }

    [Test]
    public async Task A_prune_prints_what_goes_and_what_went_and_leaves_what_waits()
    {
        await using var daemon = ColibriDaemon.Prepared();
        Configure(daemon, "[retention]\nmin_free = \"1MiB\"\n");
        await daemon.StartAgainAsync();
        for (var i = 0; i < 30; i++)
        {
            var task = (await daemon.DataAsync(new { cmd = "create-task", title = $"number {i}" })).Text("id");
            if (i is not 3 and not 11)
                await daemon.DataAsync(new { cmd = "cancel-task", task_id = task });
            await daemon.DataAsync(new { cmd = "append-session", session_id = $"a-session-with-a-long-name-{i}", entry = new { kind = "note", text = "x" } });
        }

        var dry = await daemon.CliAsync("prune", "--older-than", "0s", "--dry-run");
        (await daemon.DataAsync(new { cmd = "status" })).Member("tasks").Member("cancelled").GetInt64().ShouldBe(28);
        var real = await daemon.CliAsync("prune", "--older-than", "0s");
        var again = await daemon.CliAsync("prune", "--older-than", "0s");

        (dry.ExitCode, real.ExitCode, again.ExitCode).ShouldBe((0, 0, 0), $"{dry}{real}{again}");
        dry.Lines[0].ShouldBe("would delete 28 tasks: 1-3, 5-11, 13-30");
        dry.Stdout.ShouldMatch(@"(?m)^would delete 30 sessions of [0-9.]+ kB: a-session-with-a-long-name-0,\n");
        dry.Stdout.ShouldContain(" and 27 more\n");
        dry.Lines[^1].ShouldStartWith("would free ");
        dry.Lines.ShouldAllBe(line => line.Length <= 80);
        real.Stdout.ShouldBe(dry.Stdout.Replace("would delete", "deleted", StringComparison.Ordinal).Replace("would free", "freed", StringComparison.Ordinal), $"{dry}{real}");
        again.Stdout.ShouldBe("nothing is old enough\n");
        (await daemon.DataAsync(new { cmd = "list-tasks" })).Items("tasks").Select(task => task.Member("number").GetInt64()).Order().ShouldBe([4, 12]);
        Directory.EnumerateDirectories(daemon.SessionsPath).Select(Path.GetFileName).ShouldBe([".pruned"]);
    }

    private static void Configure(ColibriDaemon daemon, string text)
    {
        var path = Path.Combine(daemon.Environment["HOME"]!, ".config", "colibri", "colibri.toml");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
