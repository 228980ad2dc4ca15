using System.Text.Json;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;
using Colibri.EndToEndTests.Pi;

namespace Colibri.EndToEndTests;

/// <summary>A task goes onto the board, an agent works on it, and the result is on record.</summary>
[ClassDataSource<PiInstallation>(Shared = SharedType.PerTestSession)]
public sealed class MainJobTests(PiInstallation pi)
{
    private static readonly (long, long, long, long, long) ToolScenarioUsage = (324, 52, 2176, 0, 240_480);

    [Test]
    public async Task An_intake_is_worked_on_by_the_test_agent_and_leaves_its_record()
    {
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent),
            ("COLIBRI_AGENT_ARGS", "--usage 162,26,1088,0,0.0012024 --step-ms 40"));

        var task = await FollowAsync(daemon, "Say hi and leave");

        task.UsageOf().ShouldBe(ToolScenarioUsage);
    }

    [Test]
    public async Task An_intake_is_worked_on_by_real_Pi_and_leaves_its_record()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartWithPiAsync(model);

        var task = await FollowAsync(daemon, "SCENARIO:tool run echo");

        task.UsageOf().ShouldBe(ToolScenarioUsage);
        model.Requests.ShouldBe(2);
        var pane = (await daemon.DataAsync(new { cmd = "snapshot" })).Items("panes").ShouldHaveSingleItem();
        pane.Text("runtime").ShouldBe("pi");
        pane.Number("turns").ShouldBe(2);
        pane.Number("malformed_lines").ShouldBe(0);
        Guid.TryParse(pane.Text("harness_session_id"), out _).ShouldBeTrue();
        var entries = (await daemon.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id") })).Items("entries");
        entries.Single(entry => entry.Text("kind") == "tool_result").Text("text").ShouldBe("hi\n");
        entries.Last(entry => entry.Text("kind") == "assistant").Text("text").ShouldContain("Done: it printed hi.");
    }

    [Test]
    [Arguments("retry", "done", "")]
    [Arguments("length", "failed", "token limit")]
    public async Task The_verdict_on_real_Pi_comes_from_its_events_for_it_exits_0_whatever_happens(string scenario, string status, string said)
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartWithPiAsync(model);
        await using var client = await daemon.ConnectAsync();

        var created = await client.DataAsync(new { cmd = "create-task", title = $"SCENARIO:{scenario}", max_attempts = 1 });
        var task = await client.TaskEndedAsync(created.Text("id"), status);

        task.Number("attempts").ShouldBe(1);
        if (status == "failed")
            task.Member("error").Text("message").ShouldContain(said);
        else
            task.UsageOf().ShouldBe(ToolScenarioUsage);
        var pane = (await client.PanesAsync()).ShouldHaveSingleItem();
        pane.Member("exit").Number("code").ShouldBe(0);
        pane.Text("activity").ShouldBe(status == "done" ? "done" : "error");
    }

    [Test]
    [Arguments("fail", "503", "backing-off")]
    [Arguments("auth", "401", "auth-failed")]
    [Arguments("cut", "terminated", "ready")]
    public async Task A_provider_at_fault_costs_the_task_no_attempt_without_a_route_either(string scenario, string said, string state)
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartWithPiAsync(model);
        await using var client = await daemon.ConnectAsync();

        var created = await client.DataAsync(new { cmd = "create-task", title = $"SCENARIO:{scenario}", max_attempts = 1 });
        var task = await client.TaskWhereAsync(created.Text("id"), task => task.TextOrNull("verdict") == "provider", "has met its provider's fault");

        (task.Text("status"), task.Number("attempts")).ShouldBe(("queued", 0));
        task.Member("error").Text("message").ShouldContain(said);
        // Words alone hold the provider only when another task meets the same.
        var provider = (await client.DataAsync(new { cmd = "status" })).Items("providers").ShouldHaveSingleItem();
        (provider.Text("provider"), provider.Text("state"), provider.Number("failures")).ShouldBe(("mock", state, 1));
    }

    [Test]
    [Arguments("--fail")]
    [Arguments("--exit 3")]
    [Arguments("--crash-after 3")]
    public async Task An_agent_that_ends_badly_fails_its_task_after_the_last_attempt(string misbehaviour)
    {
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", misbehaviour));
        await using var client = await daemon.ConnectAsync();

        var created = await client.DataAsync(new { cmd = "create-task", title = "Goes wrong", max_attempts = 1 });
        var task = await client.TaskEndedAsync(created.Text("id"), "failed");

        task.Number("attempts").ShouldBe(1);
        task.Text("verdict").ShouldNotBeEmpty();
        task.Member("error").Text("code").ShouldMatch("^[a-z][a-z0-9-]*$");
        task.Member("error").Text("message").ShouldNotContain("\n");
    }

    [Test]
    public async Task A_failed_attempt_goes_back_on_the_board_until_max_attempts()
    {
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--fail"));
        await using var client = await daemon.ConnectAsync();

        var id = (await client.DataAsync(new { cmd = "create-task", title = "Goes wrong twice", max_attempts = 2 })).Text("id");
        var waiting = await client.TaskWhereAsync(id, task => task.Has("not_before"), "waits for its second attempt");
        waiting.Text("status").ShouldBe("queued");
        var task = await client.TaskEndedAsync(id, "failed");

        task.Number("attempts").ShouldBe(2);
    }

    [Test]
    public async Task A_queued_task_starts_without_waiting_for_a_tick()
    {
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_SCHEDULER_INTERVAL", "1h"));
        await using var client = await daemon.ConnectAsync();

        var created = await client.DataAsync(new { cmd = "create-task", title = "Now" });

        await client.TaskEndedAsync(created.Text("id"), "done");
    }

    [Test]
    public async Task Never_more_agents_run_than_allowed()
    {
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--step-ms 10"), ("COLIBRI_MAX_AGENTS", "2"));
        await using var client = await daemon.ConnectAsync();
        for (var i = 0; i < 8; i++)
            await client.DataAsync(new { cmd = "create-task", title = $"One of eight, {i}" });

        var (most, atOnce) = (0L, 0);
        await Eventually.HoldsAsync(
            async () =>
            {
                var status = await client.DataAsync(new { cmd = "status" });
                most = Math.Max(most, status.Member("agents").Number("running"));
                atOnce = Math.Max(atOnce, daemon.Descendants().Count);
                return status.Member("tasks").Number("done") == 8;
            },
            () => "all eight are done");

        most.ShouldBe(2);
        atOnce.ShouldBeLessThanOrEqualTo(2);
    }

    [Test]
    public async Task Without_an_agent_configured_tasks_wait_for_a_claimant()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = "Whoever wants it" })).Text("id");

        var before = (await client.DataAsync(new { cmd = "status" })).Member("scheduler").Number("ticks");
        await Eventually.HoldsAsync(
            async () => (await client.DataAsync(new { cmd = "status" })).Member("scheduler").Number("ticks") >= before + 3, () => "three ticks pass");

        (await client.TaskAsync(id)).Text("status").ShouldBe("queued");
    }

    [Test]
    public async Task A_request_that_was_billed_and_tried_again_counts_both_times()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartWithPiAsync(model);

        await using var client = await daemon.ConnectAsync();
        var created = await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:billed", max_attempts = 1 });
        var task = await client.TaskEndedAsync(created.Text("id"), "done");

        model.RequestsOf("billed").ShouldBe(2);
        // At 3, 15 and 0.3 dollars for a million tokens sent, answered and read from the cache: first 176, 40 and 1,024, then 148, 12 and 1,152.
        task.UsageOf().ShouldBe((324, 52, 2176, 0, 240_480));
        var cost = await daemon.DataAsync(new { cmd = "cost", by = "provider" });
        var line = cost.Items("lines").ShouldHaveSingleItem();
        (line.Text("provider"), line.Text("model"), line.Number("requests")).ShouldBe(("mock", "mock-1", 2));
        line.UsageOf().ShouldBe(task.UsageOf());
    }

    [Test]
    public async Task Cancelling_a_task_ends_real_Pi_in_the_middle_of_its_answer()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartWithPiAsync(model);
        await using var client = await daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:slow" })).Text("id");
        await Eventually.HoldsAsync(() => model.RequestsOf("slow") == 1, () => "Pi asks its model");

        (await client.DataAsync(new { cmd = "cancel-task", task_id = id })).Text("status").ShouldBe("cancelled");

        await Eventually.HoldsAsync(() => daemon.Descendants().Count == 0, () => $"Pi is gone; there are {string.Join(", ", daemon.Descendants())}");
        (await client.TaskAsync(id)).Text("status").ShouldBe("cancelled");
    }

    private Task<ColibriDaemon> StartWithPiAsync(ModelStandIn model)
    {
        var executable = pi.Executable;
        var daemon = ColibriDaemon.Prepared(("COLIBRI_AGENT_BINARY", executable), ("COLIBRI_AGENT_ARGS", string.Join(' ', PiHome.Arguments)));
        foreach (var (name, value) in PiHome.Furnish(daemon.Environment["HOME"]!, model.Port))
            daemon.Change(name, value);
        return daemon.StartedAsync();
    }

    /// <summary>Intake, tick, spawn, life cycle, activity, log, verdict: the whole of it, from outside.</summary>
    private static async Task<JsonElement> FollowAsync(ColibriDaemon daemon, string description)
    {
        await using var client = await daemon.ConnectAsync();
        await using var events = await EventLog.SubscribeAsync(daemon, "tasks", "panes");

        (await client.DataAsync(new { cmd = "intake-task", title = "The main job", description })).Text("intake_id").ShouldNotBeEmpty();

        await events.ReadUntilAsync(log => log.Panes.Any(pane => pane.Text("activity") == "working"), "an agent works");
        var running = events.Panes.Last();
        var status = await client.DataAsync(new { cmd = "status" });
        status.Member("agents").Number("running").ShouldBe(1);
        var listed = status.Member("agents").Items("list").ShouldHaveSingleItem();
        listed.Text("id").ShouldBe(running.Text("id"));
        var shown = (await client.PanesAsync()).ShouldHaveSingleItem();
        shown.Text("id").ShouldBe(running.Text("id"));
        shown.Text("lifecycle").ShouldBe("running");
        daemon.Descendants().ShouldContain(process => process.Pid == shown.Number("pid"));

        await events.ReadUntilAsync(
            log => log.Panes.Any(pane => pane.Text("lifecycle") == "stopped") && log.Tasks.Any(task => task.Has("finished_at")),
            "the agent is stopped and the task over");
        EventLog.Course(events.Panes, "lifecycle").Where(cycle => cycle != "stopping").ShouldBe(["starting", "running", "stopped"]);
        EventLog.Course(events.Panes, "activity").ShouldBe(["idle", "working", "done"]);
        EventLog.Course(events.Tasks, "status").ShouldBe(["queued", "claimed", "started", "done"]);

        var task = await client.TaskAsync(shown.Text("task_id"));
        task.Text("title").ShouldBe("The main job");
        task.Text("status").ShouldBe("done");
        task.Text("verdict").ShouldNotBeEmpty();
        task.Number("attempts").ShouldBe(1);
        task.Has("error").ShouldBeFalse();
        listed.Text("task_id").ShouldBe(task.Text("id"));
        (await client.PanesAsync()).ShouldHaveSingleItem().UsageOf().ShouldBe(task.UsageOf());
        await Eventually.HoldsAsync(
            async () => (await client.DataAsync(new { cmd = "status" })).Member("agents").Number("running") == 0, () => "the slot is free again");
        await CheckSessionAsync(daemon, client, task.Text("session_id"), description);
        return task;
    }

    private static async Task CheckSessionAsync(ColibriDaemon daemon, WireClient client, string sessionId, string description)
    {
        var file = Path.Combine(daemon.SessionsPath, sessionId, "0001.jsonl");
        var text = await File.ReadAllTextAsync(file, TestContext.Current!.Execution.CancellationToken);
        text.ShouldEndWith("\n");
        var entries = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToList();

        entries.Select(entry => entry.Number("seq")).ShouldBe(Enumerable.Range(1, entries.Count).Select(seq => (long)seq));
        entries.ShouldAllBe(entry => entry.Text("ts").EndsWith('Z'));
        entries[0].Text("kind").ShouldBe("user");
        entries[0].Text("text").ShouldContain("The main job");
        entries[0].Text("text").ShouldContain(description);
        foreach (var kind in (string[])["user", "assistant", "tool_result", "usage"])
            entries.ShouldContain(entry => entry.Text("kind") == kind, $"a {kind} entry is missing in {text}");

        var answered = (await client.DataAsync(new { cmd = "get-session", session_id = sessionId })).Items("entries");
        answered.Select(entry => entry.Number("seq")).ShouldBe(entries.Select(entry => entry.Number("seq")));
    }
}
