using Colibri.EndToEndTests.Harness;
using Colibri.Tests;

namespace Colibri.EndToEndTests;

/// <summary>What a monitoring program reads from a daemon that has worked, with names as bad as clients may choose them.</summary>
public sealed class MetricsTests
{
    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_daemon_that_has_worked_is_read_by_a_strict_reader(bool openMetrics)
    {
        const string Hostile = "m\\\"} 7 #{,=é\u2028";
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt; set -- --usage 10,5,2,1,0.01 \"$@\"");
        await using var client = await site.Daemon.ConnectAsync();
        var done = await site.RunAsync(new { cmd = "create-task", title = "\"}\\ 1", workspace = "site", model = Hostile, agent = "pi" }, "done");
        await client.DataAsync(new { cmd = "pause-queue", provider = Hostile, reason = Hostile });
        await client.DataAsync(new { cmd = "create-task", title = "held", hold = true });
        await client.DataAsync(new { cmd = "create-task", title = "later", after = 2 });

        var printed = await site.Daemon.CliAsync(openMetrics ? ["metrics", "--openmetrics"] : ["metrics"]);
        (printed.ExitCode, printed.Stderr).ShouldBe((0, ""));
        var read = Exposition.Parse(printed.Stdout, openMetrics);

        read.Samples["colibri_tasks{state=\"done\"}"].ShouldBe(1);
        read.Samples["colibri_tasks{state=\"queued\"}"].ShouldBe(2);
        read.Samples["colibri_tasks_held"].ShouldBe(1);
        read.Samples["colibri_runs_ended_total{profile=\"pi\",verdict=\"done\"}"].ShouldBe(1);
        read.Samples["colibri_queue_waiting_tasks{code=\"held\"}"].ShouldBe(1);
        read.Samples["colibri_queue_waiting_tasks{code=\"after\"}"].ShouldBe(1);
        read.Samples["colibri_queue_pauses"].ShouldBe(1);
        read.Samples["colibri_sessions"].ShouldBe(1);
        read.Samples["colibri_sessions_bytes"].ShouldBeGreaterThan(0);
        read.Samples.Where(sample => sample.Key.StartsWith("colibri_tokens_total{", StringComparison.Ordinal) && sample.Key.Contains("profile=\"pi\"", StringComparison.Ordinal))
            .Sum(sample => sample.Value).ShouldBeGreaterThan(0);
        printed.Stdout.ShouldNotContain(done.Text("id"));
        printed.Stdout.ShouldNotContain(done.Text("session_id"));
    }

    /// <summary>What a counter says is never less than before: deleting a task and starting the daemon again take nothing from it.</summary>
    [Test]
    public async Task Counters_of_the_board_outlive_their_tasks()
    {
        await using var site = await WorkspaceDaemon.StartAsync("set -- --usage 10,5,2,1,0.01 \"$@\"");
        var done = await site.RunAsync(new { cmd = "create-task", title = "one", agent = "pi", cwd = site.Outside }, "done");
        var before = await site.Daemon.DataAsync(new { cmd = "get-metrics" });
        before.Items("runs").ShouldHaveSingleItem().Number("runs").ShouldBe(1);

        await site.Daemon.DataAsync(new { cmd = "delete-task", task_id = done.Text("id") });

        var after = await site.Daemon.DataAsync(new { cmd = "get-metrics" });
        after.Items("usage").ShouldHaveSingleItem().Member("usage").Number("input_tokens").ShouldBeGreaterThan(0);
        after.Items("runs").ShouldHaveSingleItem().GetRawText().ShouldBe(before.Items("runs")[0].GetRawText());
        after.Items("usage").Select(line => line.GetRawText()).ShouldBe(before.Items("usage").Select(line => line.GetRawText()));
    }
}
