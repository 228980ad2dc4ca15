using System.Text.Json;

namespace Colibri.EndToEndTests.Harness;

/// <summary>Every command of the contract once, over whatever carries the lines, each reply held against the contract.</summary>
internal sealed class CommandTour(WireClient client)
{
    private static readonly string[] TaskFields =
        ["id", "title", "description", "status", "capabilities", "priority", "attempts", "max_attempts", "usage", "created_at", "updated_at"];

    private static readonly string[] PaneFields =
    [
        "id", "agent", "runtime", "pid", "lifecycle", "activity", "stalled", "needs_attention", "started_at",
        "events", "malformed_lines", "turns", "usage",
    ];

    private readonly HashSet<string> _asked = [];

    public async Task<IReadOnlySet<string>> RunAsync()
    {
        (await AskAsync(new { cmd = "ping" })).ValueKind.ShouldBe(JsonValueKind.Object);
        await TasksAsync();
        await AgentsAsync();
        await QueueAsync();
        await SessionsAsync();
        await RegistersAsync();
        await OverviewAsync();
        await SubscriptionAsync();
        return _asked;
    }

    private async Task TasksAsync()
    {
        var created = await AskAsync(new
        {
            cmd = "create-task",
            title = "Look around",
            description = "Every room",
            capabilities = new[] { "code" },
            priority = 5,
            max_attempts = 2,
            key = "tour",
        });
        ShouldHave(created, TaskFields);
        var id = created.Text("id");
        Guid.Parse(id).Version.ShouldBe(7);
        created.Text("status").ShouldBe("queued");
        created.Number("priority").ShouldBe(5);
        created.Number("max_attempts").ShouldBe(2);
        created.Items("capabilities").Select(one => one.GetString()).ShouldBe(["code"]);
        created.Text("created_at").ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$");
        (await AskAsync(new { cmd = "create-task", title = "Look around again", key = "tour" })).Text("id").ShouldBe(id);

        (await AskAsync(new { cmd = "intake-task", title = "Later" })).Text("intake_id").ShouldNotBeEmpty();
        (await AskAsync(new { cmd = "get-task", task_id = id })).Text("title").ShouldBe("Look around");
        (await AskAsync(new { cmd = "list-tasks", status = "queued", limit = 10 })).Items("tasks").ShouldContain(task => task.Text("id") == id);

        (await AskAsync(new { cmd = "list-runs", task_id = id, limit = 10 })).Items("runs").ShouldBeEmpty();

        var agent = await AskAsync(new { cmd = "register-agent", name = "visitor", capabilities = new[] { "code" }, host = "elsewhere" });
        agent.Text("name").ShouldBe("visitor");
        var agentId = agent.Text("id");
        (await AskAsync(new { cmd = "heartbeat", agent_id = agentId })).Text("id").ShouldBe(agentId);
        var claimed = await AskAsync(new { cmd = "claim-task", task_id = id, agent_id = agentId });
        claimed.Text("status").ShouldBe("claimed");
        claimed.Text("agent_id").ShouldBe(agentId);
        (await AskAsync(new { cmd = "transition-task", task_id = id, status = "started" })).Has("started_at").ShouldBeTrue();
        var failed = await AskAsync(new { cmd = "transition-task", task_id = id, status = "failed", error = "the door is locked" });
        failed.Text("status").ShouldBe("failed");
        failed.Member("error").Text("message").ShouldBe("the door is locked");
        failed.Has("finished_at").ShouldBeTrue();

        var paused = (await AskAsync(new { cmd = "pause-queue", provider = "nobody", reason = "a tour" })).Member("queue").Items("paused").ShouldHaveSingleItem();
        (paused.Text("provider"), paused.Text("reason")).ShouldBe(("nobody", "a tour"));
        (await AskAsync(new { cmd = "resume-queue", provider = "nobody" })).Member("queue").Items("paused").ShouldBeEmpty();

        var prunable = await AskAsync(new { cmd = "prune", older_than = "365d", dry_run = true });
        ShouldHave(prunable, "dry_run", "tasks", "sessions", "session_bytes", "worktrees", "directories", "freed_bytes");

        await SchedulesAsync();

        var other = (await AskAsync(new { cmd = "create-task", title = "Never mind" })).Text("id");
        (await AskAsync(new { cmd = "cancel-task", task_id = other })).Text("status").ShouldBe("cancelled");

        var later = await AskAsync(new { cmd = "create-task", title = "Not yet", hold = true });
        (later.Text("status"), later.Member("held").GetBoolean(), later.Number("interruptions")).ShouldBe(("queued", true, 0));
        (await client.RefusalAsync(new { cmd = "claim-task", task_id = later.Text("id"), agent_id = agentId })).ShouldBe("conflict");
        (await AskAsync(new { cmd = "release-task", task_id = later.Text("id") })).Member("held").GetBoolean().ShouldBeFalse();
        (await client.RefusalAsync(new { cmd = "release-task", task_id = later.Text("id") })).ShouldBe("conflict");
        (await AskAsync(new { cmd = "hold-task", task_id = later.Text("id") })).Member("held").GetBoolean().ShouldBeTrue();
        (await client.RefusalAsync(new { cmd = "hold-task", task_id = other })).ShouldBe("conflict");
    }

    private async Task SchedulesAsync()
    {
        var answer = await AskAsync(new { cmd = "schedule-task", name = "tour", cron = "0 7 * * 1-5", zone = "UTC", task = new { title = "Look around", tags = new[] { "tour" } } });
        answer.Has("replaced").ShouldBeFalse();
        var schedule = answer.Member("schedule");
        ShouldHave(schedule, "name", "cron", "zone", "overlap", "missed", "missed_max", "jitter_ms", "paused", "next_at", "next_local", "fired", "skipped", "missed_count", "task", "created_at");
        (schedule.Text("zone"), schedule.Text("overlap"), schedule.Text("missed"), schedule.Number("missed_max")).ShouldBe(("UTC", "skip", "once", 10));
        schedule.Member("task").Text("title").ShouldBe("Look around");
        (await AskAsync(new { cmd = "schedule-task", name = "tour", every_ms = 3_600_000, task = new { title = "Look around" } })).Member("replaced").GetBoolean().ShouldBeTrue();
        (await AskAsync(new { cmd = "schedule-task", name = "none", at = "2999-01-01T00:00:00Z", next = 3, task = new { title = "T" } })).Items("next").Count.ShouldBe(1);
        (await client.RefusalAsync(new { cmd = "schedule-task", name = "tour", cron = "61 * * * *", task = new { title = "T" } })).ShouldBe("bad-request");
        (await client.RefusalAsync(new { cmd = "schedule-task", name = "tour", every_ms = 1_000, task = new { title = "T", key = "k" } })).ShouldBe("bad-request");
        (await client.RefusalAsync(new { cmd = "schedule-task", name = "tour", every_ms = 1_000, task = new { title = "T", workspace = "nowhere" } })).ShouldBe("bad-request");
        (await AskAsync(new { cmd = "pause-schedule", name = "tour" })).Member("schedule").Member("paused").GetBoolean().ShouldBeTrue();
        (await AskAsync(new { cmd = "resume-schedule", name = "tour" })).Member("schedule").Has("next_at").ShouldBeTrue();
        (await AskAsync(new { cmd = "list-schedules" })).Items("schedules").ShouldHaveSingleItem().Number("every_ms").ShouldBe(3_600_000);
        (await AskAsync(new { cmd = "delete-schedule", name = "tour" })).Member("schedule").Text("name").ShouldBe("tour");
        (await client.RefusalAsync(new { cmd = "delete-schedule", name = "tour" })).ShouldBe("not-found");
        (await AskAsync(new { cmd = "list-schedules" })).Items("schedules").ShouldBeEmpty();
    }

    private async Task AgentsAsync()
    {
        var agent = await AskAsync(new
        {
            cmd = "spawn-agent",
            binary = Repository.TestAgent,
            args = new[] { "--hold-secs", "600" },
            env = new { TOUR = "1" },
            cwd = "/tmp",
            prompt = "Stay",
        });
        ShouldHave(agent, "id", "name", "pid", "lifecycle", "activity");
        var agentId = agent.Text("id");
        (await AskAsync(new { cmd = "list-agents" })).Items("agents").ShouldContain(one => one.Text("id") == agentId);

        var pane = await client.PaneWhereAsync(agentId, pane => pane.Text("activity") == "working", "works");
        ShouldHave(pane, PaneFields);
        pane.Text("cwd").ShouldBe("/tmp");
        (await client.RefusalAsync(new { cmd = "prompt", agent_id = agentId, text = "hello" })).ShouldBe("conflict");
        var asking = await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--rpc", "--ask" } });
        (await AskAsync(new { cmd = "prompt", agent_id = asking, text = "ask me" })).Text("id").ShouldBe(asking);
        var question = (await client.PaneWhereAsync(asking, pane => pane.Has("question"), "asks")).Member("question");
        ShouldHave(question, "request", "method");
        (await client.RefusalAsync(new { cmd = "answer", agent_id = asking, request = "nothing", confirmed = true })).ShouldBe("conflict");
        (await client.RefusalAsync(new { cmd = "answer", agent_id = asking, request = question.Text("request"), value = "red" })).ShouldBe("bad-request");
        (await AskAsync(new { cmd = "answer", agent_id = asking, request = question.Text("request"), confirmed = true })).Text("id").ShouldBe(asking);
        await client.PaneWhereAsync(asking, pane => pane.Text("activity") == "done", "has gone on");
        await client.DataAsync(new { cmd = "stop-agent", agent_id = asking });
        (await AskAsync(new { cmd = "stop-agent", agent_id = agentId, grace_ms = 5_000 })).Text("id").ShouldBe(agentId);
        (await client.PaneStoppedAsync(agentId)).Has("exit").ShouldBeTrue();

        var local = await AskAsync(new { cmd = "spawn-local", path = Repository.TestAgent, args = Array.Empty<string>(), session_id = "tour-local" });
        (await client.PaneStoppedAsync(local.Text("id"))).Text("session_id").ShouldBe("tour-local");
    }

    private async Task QueueAsync()
    {
        var id = (await AskAsync(new { cmd = "create-task", title = "Twice", max_attempts = 1, hold = true })).Text("id");
        var edited = await AskAsync(new { cmd = "edit-task", task_id = id, title = "Thrice", priority = 2, tags = new[] { "tour" } });
        (edited.Text("title"), edited.Number("priority"), edited.Items("tags").Count).ShouldBe(("Thrice", 2, 1));
        (await client.RefusalAsync(new { cmd = "delete-task", task_id = id })).ShouldBe("conflict");
        await AskAsync(new { cmd = "cancel-task", task_id = id });
        (await client.RefusalAsync(new { cmd = "edit-task", task_id = id, title = "Never" })).ShouldBe("conflict");
        (await AskAsync(new { cmd = "retry-task", task_id = id, feedback = "once more" })).Text("feedback").ShouldBe("once more");
        (await client.RefusalAsync(new { cmd = "retry-task", task_id = id })).ShouldBe("conflict");
        await AskAsync(new { cmd = "cancel-task", task_id = id });
        (await AskAsync(new { cmd = "delete-task", task_id = edited.Number("number") })).Text("id").ShouldBe(id);
        (await client.RefusalAsync(new { cmd = "get-task", task_id = id })).ShouldBe("not-found");

        // Of a task in a workspace; this daemon has none.
        foreach (var command in (string[])["get-change", "land-task", "discard-task"])
        {
            _asked.Add(command);
            (await client.RefusalAsync(new { cmd = command, task_id = 1 })).ShouldBe("not-found");
        }
        (await AskAsync(new { cmd = "inbox" })).Items("items").Where(item => item.Text("kind") == "question").ShouldBeEmpty();

        (await AskAsync(new { cmd = "list-notices", limit = 5 })).Items("notices").ShouldNotBeNull();
        (await AskAsync(new { cmd = "retry-notices" })).Items("sinks").ShouldBeEmpty();
        // This daemon tells nobody.
        _asked.Add("test-sink");
        (await client.RefusalAsync(new { cmd = "test-sink", sink = "nobody" })).ShouldBe("not-found");

        (await AskAsync(new { cmd = "drain", timeout_ms = 20_000 })).Member("queue").Items("paused").ShouldHaveSingleItem().Has("provider").ShouldBeFalse();
        (await AskAsync(new { cmd = "resume-queue" })).Member("queue").Items("paused").ShouldBeEmpty();
        // Granted, it would take the connection.
        _asked.Add("follow-session");
        (await client.RefusalAsync(new { cmd = "follow-session", session_id = "nowhere" })).ShouldBe("not-found");
    }

    private async Task SessionsAsync()
    {
        var receipt = await AskAsync(new { cmd = "append-session", session_id = "tour", entry = new { kind = "user", text = "Hello" } });
        receipt.Number("seq").ShouldBe(1);
        receipt.Number("generation").ShouldBe(1);
        receipt.Number("bytes").ShouldBeGreaterThan(0);
        receipt.Number("turns").ShouldBe(1);
        (await AskAsync(new { cmd = "append-session", session_id = "tour", entry = new { kind = "tool_result", text = "hi", tool = "bash", is_error = false } }))
            .Number("turns").ShouldBe(1);
        (await AskAsync(new { cmd = "list-sessions" })).Items("sessions").ShouldContain(session => session.Text("id") == "tour");
        foreach (var all in (bool[])[false, true])
        {
            var entries = (await AskAsync(new { cmd = "get-session", session_id = "tour", all })).Items("entries");
            entries.Select(entry => entry.Text("kind")).ShouldBe(["user", "tool_result"]);
            entries[1].Text("tool").ShouldBe("bash");
        }
        await AskIfAvailableAsync(new { cmd = "compact-session", session_id = "tour" });
        await AskIfAvailableAsync(new { cmd = "get-prompt", session_id = "tour", scratch = "now" });
    }

    private async Task RegistersAsync()
    {
        var skill = await AskAsync(new { cmd = "register-skill", name = "dig", description = "Digs holes", category = "garden" });
        (skill.Text("name"), skill.Text("description"), skill.Text("category")).ShouldBe(("dig", "Digs holes", "garden"));
        (await AskAsync(new { cmd = "list-skills" })).Items("skills").ShouldContain(one => one.Text("name") == "dig");
        (await AskAsync(new { cmd = "delete-skill", name = "dig" })).Text("name").ShouldBe("dig");

        var tenant = await AskAsync(new { cmd = "register-tenant", tenant_id = "green", jail_root_path = "/tmp/green" });
        (tenant.Text("tenant_id"), tenant.Text("jail_root_path")).ShouldBe(("green", "/tmp/green"));
        (await AskAsync(new { cmd = "list-tenants" })).Items("tenants").ShouldContain(one => one.Text("tenant_id") == "green");
        (await AskAsync(new { cmd = "delete-tenant", tenant_id = "green" })).Text("tenant_id").ShouldBe("green");
        (await AskAsync(new { cmd = "list-tenants" })).Items("tenants").ShouldBeEmpty();

        var kind = (await AskAsync(new { cmd = "list-kinds", runtime = "codex" })).Items("kinds").ShouldHaveSingleItem();
        (kind.Text("name"), kind.Member("tells").Text("cost")).ShouldBe(("codex", "never"));
        kind.Items("access").Select(access => access.Text("access")).ShouldBe(["read", "edit", "full"]);
        (await client.RefusalAsync(new { cmd = "list-kinds", runtime = "none" })).ShouldBe("bad-request");
    }

    private async Task OverviewAsync()
    {
        var cost = await AskAsync(new { cmd = "set-cost-mode", mode = "fast" });
        (cost.Text("mode"), cost.Number("session_max_bytes"), cost.Number("max_uncompacted_turns"), cost.Number("tool_result_max_bytes"))
            .ShouldBe(("fast", 500_000, 5, 4_000));

        var spent = await AskAsync(new { cmd = "cost", by = "day" });
        spent.Text("schema").ShouldBe("clawdie.task-cost-summary.v1");
        ShouldHave(spent.Member("total"), "requests", "usage", "hit_rate");
        ShouldHave(await AskAsync(new { cmd = "budget" }), "day", "spent_microcents", "unpriced_tokens", "held");

        var status = await AskAsync(new { cmd = "status" });
        ShouldHave(status, "version", "pid", "host", "started_at", "uptime_ms", "paths", "cost", "scheduler", "tasks", "agents", "panes", "cache", "headroom");
        ShouldHave(status.Member("paths"), "socket", "db", "sessions");
        ShouldHave(status.Member("scheduler"), "interval_ms", "ticks");
        ShouldHave(status.Member("tasks"), "queued", "claimed", "started", "done", "failed", "cancelled");
        ShouldHave(status.Member("agents"), "running", "max", "list");
        ShouldHave(status.Member("cache"), "input_tokens", "cached_tokens", "hit_rate");
        ShouldHave(status.Member("headroom"), "enabled", "connected");
        status.Member("cost").Text("mode").ShouldBe("fast");
        status.Member("tasks").Number("failed").ShouldBe(1);

        var metrics = await AskAsync(new { cmd = "get-metrics" });
        ShouldHave(metrics, "at", "runs_open", "tasks_held", "runs", "usage", "waits", "waits_of", "sessions");
        metrics.Member("sessions").Number("bytes").ShouldBeGreaterThan(0);

        var reloaded = await AskAsync(new { cmd = "reload" });
        (reloaded.Has("file"), reloaded.Items("changed").Count, reloaded.Items("restart_needed").Count).ShouldBe((false, 0, 0));

        var checks = (await AskAsync(new { cmd = "doctor" })).Items("checks");
        checks.Select(check => check.Text("group")).Distinct().ShouldBe(["agents", "git", "host", "files"]);
        foreach (var check in checks)
            ShouldHave(check, "group", "name", "state", "message");

        var snapshot = await AskAsync(new { cmd = "snapshot" });
        snapshot.Text("schema").ShouldBe("clawdie.glasspane.snapshot.v1");
        ShouldHave(snapshot, "host", "timestamp");
        snapshot.Items("panes").Count.ShouldBe(3);
    }

    /// <summary>Last, for after it the connection carries events.</summary>
    private async Task SubscriptionAsync()
    {
        await AskAsync(new { cmd = "subscribe", topics = new[] { "cost" } });
    }

    private async Task<JsonElement> AskAsync(object request)
    {
        _asked.Add(JsonSerializer.SerializeToElement(request).Text("cmd"));
        return await client.DataAsync(request);
    }

    private async Task AskIfAvailableAsync(object request)
    {
        _asked.Add(JsonSerializer.SerializeToElement(request).Text("cmd"));
        var reply = await client.AskAsync(request);
        if (!reply.Ok)
            reply.ErrorCode.ShouldBe("unavailable");
    }

    private static void ShouldHave(JsonElement thing, params string[] fields)
    {
        foreach (var field in fields)
            thing.Has(field).ShouldBeTrue($"no \"{field}\" in {thing}");
    }
}
