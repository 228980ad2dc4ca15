using System.Diagnostics;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>Budgets bite: an agent that crosses its task's is gone with its tree, a day that has used up its own starts none.</summary>
[NotInParallel]
public sealed class BudgetTests
{
    private static readonly string[] Spender = ["--turns", "1000", "--step-ms", "50", "--usage", "1000,100,2000,0,0.01"];

    [Test]
    public async Task An_agent_that_crosses_its_tasks_budget_is_dead_with_its_tree_within_a_second()
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_BUDGET_TASK_USD", "0.05"));
        await using var client = await daemon.ConnectAsync();
        await using var watcher = await daemon.ConnectAsync();
        await watcher.DataAsync(new { cmd = "subscribe", topics = new[] { "panes" } });
        var task = await client.DataAsync(new { cmd = "create-task", title = "spend", max_attempts = 3 });
        var agentId = await client.SpawnAsync(new
        {
            cmd = "spawn-agent",
            binary = Repository.TestAgent,
            task_id = task.Text("id"),
            args = (string[])[.. Spender, "--ignore-term", "--children", "3"],
        });

        while (true)
        {
            var pane = (await watcher.ReadAsync()).Member("pane");
            if (pane.Text("id") == agentId && pane.Member("usage").Number("cost_microcents") > 5_000_000)
                break;
        }
        var clock = Stopwatch.StartNew();
        await Eventually.HoldsAsync(() => Task.FromResult(daemon.Descendants().Count == 0), () => "the whole tree is gone", TimeSpan.FromSeconds(1));
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(1));

        var failed = await client.TaskWhereAsync(task.Text("id"), t => t.Text("status") == "failed", "has failed");
        failed.Member("error").Text("code").ShouldBe("budget");
        (failed.Text("verdict"), failed.Number("attempts")).ShouldBe(("budget", 1));
        failed.Member("usage").Number("cost_microcents").ShouldBeInRange(6_000_000, 40_000_000);
    }

    [Test]
    public async Task A_day_over_its_budget_holds_the_next_start_until_it_is_lifted_and_over_a_restart()
    {
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_BUDGET_DAY_USD", "0.015"), ("COLIBRI_AGENT_BINARY", Repository.TestAgent),
            ("COLIBRI_AGENT_ARGS", "--turns 2 --usage 1000,100,2000,0,0.01"));
        await using (var client = await daemon.ConnectAsync())
        {
            var first = await client.DataAsync(new { cmd = "create-task", title = "first" });
            await client.TaskWhereAsync(first.Text("id"), t => t.Text("status") == "done", "is done");
            (await client.DataAsync(new { cmd = "create-task", title = "second", key = "second" })).Text("status").ShouldBe("queued");
            var refused = await client.AskAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent });
            refused.ErrorCode.ShouldBe("unavailable");
            refused.ErrorMessage.ShouldContain("colibri budget lift");
            var held = (await client.DataAsync(new { cmd = "status" })).Member("budget");
            (held.Flag("held"), held.Number("day_microcents"), held.Number("spent_microcents")).ShouldBe((true, 1_500_000, 2_000_000));
            held.Text("lifts_at").ShouldEndWith("T00:00:00.000Z");
        }

        await daemon.KillAsync();
        await daemon.StartAgainAsync();
        await using (var client = await daemon.ConnectAsync())
        {
            (await client.DataAsync(new { cmd = "budget" })).Flag("held").ShouldBeTrue("a restart does not give the day's money again");
            (await client.DataAsync(new { cmd = "status" })).Member("tasks").Number("queued").ShouldBe(1);
        }
        (await daemon.CliAsync("budget")).Stdout.ShouldContain("starts held until");
        (await daemon.CliAsync("status")).Stdout.ShouldContain("colibri budget lift");

        (await daemon.CliAsync("budget", "lift")).Stdout.ShouldContain("lifted for the day at");
        await using var last = await daemon.ConnectAsync();
        var second = await last.DataAsync(new { cmd = "create-task", title = "second", key = "second" });
        await last.TaskWhereAsync(second.Text("id"), t => t.Text("status") == "done", "is done");

        await daemon.KillAsync();
        await daemon.StartAgainAsync();
        (await daemon.DataAsync(new { cmd = "budget" })).Text("lifted_at").ShouldNotBeNull();
    }

    [Test]
    public async Task What_an_agent_used_outlives_a_daemon_that_was_killed_under_it()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        string taskId;
        await using (var client = await daemon.ConnectAsync())
        {
            taskId = (await client.DataAsync(new { cmd = "create-task", title = "spend" })).Text("id");
            await client.SpawnAsync(new
            {
                cmd = "spawn-agent",
                binary = Repository.TestAgent,
                task_id = taskId,
                args = new[] { "--turns", "2", "--usage", "10,5,2,1,0.01", "--hold-secs", "600" },
            });
            await Eventually.HoldsAsync(
                async () => (await client.DataAsync(new { cmd = "cost" })).Member("total").Member("usage").Number("cost_microcents") > 0,
                () => "the ledger has it while the agent runs");
        }

        await daemon.KillAsync();
        await daemon.StartAgainAsync();

        var task = await daemon.DataAsync(new { cmd = "get-task", task_id = taskId });
        var cost = await daemon.DataAsync(new { cmd = "cost", by = "provider" });
        cost.Text("schema").ShouldBe("clawdie.task-cost-summary.v1");
        var booked = cost.Member("total").Member("usage").Number("cost_microcents");
        booked.ShouldBeGreaterThan(0);
        task.Member("usage").Number("cost_microcents").ShouldBe(booked);
        cost.Items("lines")[0].Text("provider").ShouldBe("test");
    }

    [Test]
    public async Task The_cost_is_shown_by_task_session_provider_and_day()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        (await daemon.CliAsync("cost")).Stdout.ShouldBe("nothing used yet\n");
        var task = await client.DataAsync(new { cmd = "create-task", title = "mend the roof" });
        await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, task_id = task.Text("id"), args = new[] { "--turns", "2", "--usage", "324,52,2176,0,0.0024" } });
        var done = await client.TaskWhereAsync(task.Text("id"), t => t.Text("status") == "done", "is done");

        foreach (var (by, word) in new[] { ("task", "mend the roof"), ("session", done.Text("session_id")), ("provider", "test-1"), ("day", DateTime.UtcNow.ToString("yyyy-")) })
        {
            var shown = await daemon.CliAsync("cost", "--by", by);
            shown.ExitCode.ShouldBe(0, shown.Stderr);
            shown.Stdout.ShouldContain(word);
            shown.Stdout.ShouldContain("$0.0048");
            shown.Stdout.ShouldContain("87%");
            shown.Stdout.Split('\n').ShouldAllBe(line => line.Length <= 80);
        }
        (await daemon.CliAsync("cost", "--by", "hour")).ExitCode.ShouldBe(2);
    }
}
