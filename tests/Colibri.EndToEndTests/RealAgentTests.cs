using System.Text.Json;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;

namespace Colibri.EndToEndTests;

/// <summary>Real agents under a daemon, started by the table of their kind alone.</summary>
[ClassDataSource<RealAgents>(Shared = SharedType.PerTestSession)]
[NotInParallel]
public sealed class RealAgentTests(RealAgents agents)
{
    // On a busy machine opencode alone takes most of a minute to start.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>A kind, and what the two answers of the scenario cost by the agent's own reckoning; 0 where it does not say.</summary>
    public static List<(string, long)> Kinds => [("codex", 0), ("claude", 240_480), ("opencode", 240_480), ("gemini", 0), ("qwen", 0), ("copilot", 0), ("droid", 0), ("goose", 0), ("cline", 0)];

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task A_task_with_a_tool_call_is_done_and_on_record_to_the_token(string kind, long microcents)
    {
        var home = RealAgents.HomeOf(kind);
        await using var model = new ModelStandIn();
        await using var daemon = await home.StartDaemonAsync(await agents.ExecutableAsync(kind), model);
        await using var client = await daemon.ConnectAsync();

        var task = await RunAsync(client, "tool", "done");

        (task.Text("verdict"), task.Number("attempts")).ShouldBe(("done", 1));
        task.UsageOf().ShouldBe((home.ToolUsage.Input, home.ToolUsage.Output, home.ToolUsage.CacheRead, 0, microcents));
        var run = task.Items("runs").ShouldHaveSingleItem();
        (run.Text("provider"), run.Text("model"), run.Text("verdict")).ShouldBe((home.Route.Provider, home.Route.Model, "done"));
        (run.Member("exit").Number("code"), run.UsageOf()).ShouldBe((0, task.UsageOf()));
        var pane = (await client.PanesAsync()).ShouldHaveSingleItem();
        (pane.Text("runtime"), pane.Text("activity"), pane.Number("tools"), pane.Number("malformed_lines")).ShouldBe((kind, "done", 1, 0));
        (pane.TextOrNull("harness_session_id") is { Length: > 0 }).ShouldBe(home.TellsSession);
        var entries = (await client.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id") })).Items("entries");
        entries[0].Text("text").ShouldContain("SCENARIO:tool");
        entries.Single(entry => entry.Text("kind") == "tool_result").Text("text").Trim().ShouldSatisfyAllConditions(text => home.IsAnswerToEcho(text).ShouldBeTrue(text));
        entries.Last(entry => entry.Text("kind") == "assistant").Text("text").ShouldContain("Done: it printed hi.");
        await GoneAsync(daemon);
        model.Strays.Where(request => !home.IsKnownStray(request)).ShouldBeEmpty();
    }

    [Test]
    [Arguments("codex")]
    [Arguments("claude")]
    [Arguments("opencode")]
    [Arguments("droid")]
    [Arguments("goose")]
    [Arguments("qwen")]
    [Arguments("copilot")]
    public async Task A_description_longer_than_an_argument_may_be_arrives_whole(string kind)
    {
        var home = RealAgents.HomeOf(kind);
        await using var model = new ModelStandIn();
        await using var daemon = await home.StartDaemonAsync(await agents.ExecutableAsync(kind), model);
        await using var client = await daemon.ConnectAsync();
        // Two hundred thousand characters, no part of which is another's.
        var description = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"line{i:d5} "));

        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:plain", description, max_attempts = 1 })).Text("id");
        var task = await client.TaskEndedAsync(id, "done", Patience);

        task.Text("verdict").ShouldBe("done");
        model.LongestSaid.Contains(description.TrimEnd(), StringComparison.Ordinal).ShouldBeTrue($"the model is told {model.LongestSaid.Length} characters");
        task.Items("runs").ShouldHaveSingleItem().Text("command_line").ShouldNotContain("line00000");
        await GoneAsync(daemon);
        model.Strays.Where(request => !home.IsKnownStray(request)).ShouldBeEmpty();
    }

    [Test]
    [Arguments("codex")]
    [Arguments("claude")]
    [Arguments("opencode")]
    [Arguments("droid")]
    [Arguments("goose")]
    [Arguments("cline")]
    [Arguments("gemini")]
    [Arguments("qwen")]
    [Arguments("copilot")]
    public async Task A_key_that_is_not_taken_fails_the_task_with_the_agents_words_and_leaves_the_route_out(string kind)
    {
        var home = RealAgents.HomeOf(kind);
        await using var model = new ModelStandIn();
        await using var daemon = await home.StartDaemonAsync(await agents.ExecutableAsync(kind), model);
        await using var client = await daemon.ConnectAsync();

        var task = await RunAsync(client, "auth", "failed");

        (task.Member("error").Text("code"), task.Number("attempts")).ShouldBe(("agent-error", 1));
        task.Member("error").Text("message").ShouldContain(home.RefusedWords);
        var run = task.Items("runs").ShouldHaveSingleItem();
        (run.Text("provider"), run.Text("model"), run.Text("verdict")).ShouldBe((home.Route.Provider, home.Route.Model, "agent-error"));
        var route = (await client.DataAsync(new { cmd = "status" })).Items("providers").ShouldHaveSingleItem();
        route.Text("state").ShouldBe("auth-failed");
        await GoneAsync(daemon);
        model.Strays.Where(request => !home.IsKnownStray(request)).ShouldBeEmpty();
    }

    [Test]
    [Arguments("codex")]
    [Arguments("claude")]
    [Arguments("opencode")]
    [Arguments("droid")]
    [Arguments("goose")]
    [Arguments("cline")]
    [Arguments("gemini")]
    [Arguments("qwen")]
    [Arguments("copilot")]
    public async Task Stop_agent_leaves_nothing_of_what_its_tools_started(string kind)
    {
        await using var model = new ModelStandIn();
        await using var daemon = await RealAgents.HomeOf(kind).StartDaemonAsync(await agents.ExecutableAsync(kind), model);
        await using var client = await daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:background", max_attempts = 1 })).Text("id");
        // The sandbox in which Codex' commands may edit ends all that one leaves, also what has a session of its own.
        string[] left = kind == "codex" ? ["602"] : ["600", "601", "602"];
        await Eventually.HoldsAsync(
            () => left.All(seconds => daemon.Descendants().Any(process => process.CommandLine == $"sleep {seconds}")),
            () => $"all of them run; there are {string.Join(", ", daemon.Descendants())}", Patience);

        var agentId = (await client.PanesAsync()).ShouldHaveSingleItem().Text("id");
        await client.DataAsync(new { cmd = "stop-agent", agent_id = agentId, grace_ms = 1_000 });

        await GoneAsync(daemon);
        (await client.TaskEndedAsync(id, "failed")).Member("error").Text("code").ShouldBe("stopped");
    }

    /// <summary>Left to itself Cline starts a daemon that serves all of a user's Clines.</summary>
    [Test]
    public async Task Nothing_of_Cline_is_left_running_after_its_run()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await RealAgents.HomeOf("cline").StartDaemonAsync(await agents.ExecutableAsync("cline"), model);
        await using var client = await daemon.ConnectAsync();

        var task = await RunAsync(client, "work", "RUN[echo $CLINE_SESSION_BACKEND_MODE]", "done");

        var entries = (await client.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id") })).Items("entries");
        entries.Single(entry => entry.Text("kind") == "tool_result").Text("text").Trim().ShouldBe("local");
        // By a variable that all have from the daemon, whoever's child they are by now.
        await GoneAsync(daemon);
        // A hub that the run's end had ended would have been told there.
        entries.Select(entry => entry.TextOrNull("text") ?? "").Single(text => text.StartsWith("run ended", StringComparison.Ordinal)).ShouldBe("run ended: done");
    }

    [Test]
    [Arguments(12, "3s")]
    public async Task A_command_that_Claude_Code_runs_in_the_background_is_let_finish_before_its_task_is_done(int seconds, string exitTimeout)
    {
        var home = RealAgents.HomeOf("claude");
        var executable = await agents.ExecutableAsync("claude");
        using var directory = new TempDirectory();
        await using var model = new ModelStandIn { BackgroundSeconds = seconds };
        await using var daemon = await home.StartDaemonAsync(executable, model, ("COLIBRI_EXIT_TIMEOUT", exitTimeout));
        await using var client = await daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:aside", max_attempts = 1, capabilities = new[] { "of-nobody" } })).Text("id");
        await client.DataAsync(new { cmd = "spawn-agent", binary = executable, task_id = id, provider = home.Route.Provider, model = home.Route.Model, cwd = directory.Path });

        var task = await client.TaskEndedAsync(id, "done", Patience);

        (task.Text("verdict"), File.Exists(directory.File("late.txt"))).ShouldBe(("done", true));
        task.Items("runs").ShouldHaveSingleItem().Member("exit").Number("code").ShouldBe(0);
        await GoneAsync(daemon);
    }

    [Test]
    public async Task A_plans_limit_of_Claude_Code_rests_the_route_until_it_is_lifted()
    {
        await using var model = new ModelStandIn();
        // Only to whoever comes with a plan's token does it speak of the plan's limits.
        await using var daemon = await RealAgents.HomeOf("claude").StartDaemonAsync(
            await agents.ExecutableAsync("claude"), model, ("ANTHROPIC_API_KEY", null), ("CLAUDE_CODE_OAUTH_TOKEN", $"sk-ant-oat01-{Guid.NewGuid():N}"));
        await using var client = await daemon.ConnectAsync();

        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:limit", max_attempts = 1 })).Text("id");
        var task = await client.TaskWhereAsync(id, task => task.TextOrNull("verdict") == "provider", "has met the limit", Patience);

        (task.Text("status"), task.Number("attempts")).ShouldBe(("queued", 0));
        task.Items("blocked_by").ShouldContain(reason => reason.Text("code") == "provider");
        var route = (await client.DataAsync(new { cmd = "status" })).Items("providers").ShouldHaveSingleItem();
        route.Text("state").ShouldBe("backing-off");
        // The stated time is turned into a wait, and that into a time again.
        DateTimeOffset.Parse(route.Text("until"), null).ShouldBe(model.LimitResets, TimeSpan.FromSeconds(1));
    }

    /// <summary>Codex says that it reconnects, Claude Code for how long it waits; both are silent for the 40 s that their provider asks for.</summary>
    [Test]
    [Arguments("codex")]
    [Arguments("claude")]
    public async Task An_honest_wait_for_retry_after_is_waited_out(string kind)
    {
        await using var model = new ModelStandIn();
        // All shorter than the wait that can be: Codex states none in a field, so that the time for errors bounds it.
        await using var daemon = await RealAgents.HomeOf(kind).StartDaemonAsync(
            await agents.ExecutableAsync(kind), model, ("COLIBRI_EXIT_TIMEOUT", "5s"), ("COLIBRI_SILENCE_TIMEOUT", "30s"), ("COLIBRI_FIRST_EVENT_TIMEOUT", kind == "codex" ? "2m" : "30s"));
        await using var client = await daemon.ConnectAsync();

        var task = await RunAsync(client, "later", "done");

        (task.Text("verdict"), task.Number("attempts")).ShouldBe(("done", 1));
        // The refused one, the one with the tool and the last; an agent may ask for a title besides.
        model.RequestsOf("later").ShouldBeGreaterThanOrEqualTo(3);
        var run = task.Items("runs").ShouldHaveSingleItem();
        (DateTimeOffset.Parse(run.Text("finished_at"), null) - DateTimeOffset.Parse(run.Text("started_at"), null)).ShouldBeGreaterThan(TimeSpan.FromSeconds(40));
    }

    [Test]
    public async Task Claude_Code_over_its_tasks_budget_is_gone_within_a_second_of_crossing_it()
    {
        using var folder = new TempDirectory();
        await File.WriteAllTextAsync(folder.File("prices.json"), """{"claude-sonnet-4-5":{"input":3,"output":15,"cache_read":0.3,"cache_write":3.75}}""");
        await using var model = new ModelStandIn();
        await using var daemon = await RealAgents.HomeOf("claude").StartDaemonAsync(
            await agents.ExecutableAsync("claude"), model, ("COLIBRI_BUDGET_TASK_USD", "1"), ("COLIBRI_PRICES_FILE", folder.File("prices.json")));
        await using var client = await daemon.ConnectAsync();
        await using var watcher = await daemon.ConnectAsync();
        await watcher.DataAsync(new { cmd = "subscribe", topics = new[] { "panes" } });
        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:dear", max_attempts = 3 })).Text("id");

        while ((await watcher.ReadAsync()).Member("pane").Member("usage").Number("cost_microcents") <= 100_000_000)
        {
        }
        await Eventually.HoldsAsync(() => Task.FromResult(daemon.Descendants().Count == 0), () => "the whole tree is gone", TimeSpan.FromSeconds(1));

        var task = await client.TaskEndedAsync(id, "failed");
        (task.Text("verdict"), task.Number("attempts")).ShouldBe(("budget", 1));
        // A message of a hundred thousand tokens costs thirty cents.
        task.Member("usage").Number("cost_microcents").ShouldBeInRange(120_000_000, 180_000_000);
        daemon.Log.ShouldNotContain("[608]");
    }

    [Test]
    public async Task Claude_Code_ended_before_its_result_has_used_tokens_of_unknown_cost_and_a_resumed_session_is_booked_once()
    {
        await using var model = new ModelStandIn();
        var executable = await agents.ExecutableAsync("claude");
        await using var daemon = await RealAgents.HomeOf("claude").StartDaemonAsync(executable, model, ("COLIBRI_BUDGET_TASK_USD", "1"));
        await using var client = await daemon.ConnectAsync();
        await RunAsync(client, "tool", "done");
        var session = (await client.PanesAsync()).ShouldHaveSingleItem().Text("harness_session_id");
        daemon.Log.ShouldContain("608");

        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:plain", max_attempts = 1, capabilities = new[] { "none-has-this" } })).Text("id");
        await client.SpawnAsync(new
        {
            cmd = "spawn-agent",
            binary = executable,
            runtime = "claude",
            task_id = id,
            args = (string[])["-p", "--output-format", "stream-json", "--verbose", "--model", "claude-sonnet-4-5", "--resume", session],
        });
        (await client.TaskEndedAsync(id, "done", Patience)).UsageOf().ShouldBe((148, 12, 1152, 0, 96_960));

        var dear = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:dear", max_attempts = 1 })).Text("id");
        var agentId = "";
        await Eventually.HoldsAsync(
            async () => (agentId = (await client.PanesAsync()).SingleOrDefault(pane => pane.Text("task_id") == dear && pane.Member("usage").Number("input_tokens") > 0) is { ValueKind: JsonValueKind.Object } pane ? pane.Text("id") : "").Length > 0,
            () => "usage was told", Patience);
        await client.DataAsync(new { cmd = "stop-agent", agent_id = agentId, grace_ms = 0 });
        var usage = (await client.TaskEndedAsync(dear, "failed", Patience)).Member("usage");
        (usage.Number("cost_microcents"), usage.Number("unpriced_tokens") >= 100_000).ShouldBe((0, true));
    }

    private static Task<JsonElement> RunAsync(WireClient client, string scenario, string status) => RunAsync(client, scenario, "", status);

    private static async Task<JsonElement> RunAsync(WireClient client, string scenario, string rest, string status)
    {
        var id = (await client.DataAsync(new { cmd = "create-task", title = $"SCENARIO:{scenario} {rest}".TrimEnd(), max_attempts = 1 })).Text("id");
        return await client.TaskEndedAsync(id, status, Patience);
    }

    private static Task GoneAsync(ColibriDaemon daemon) =>
        Eventually.HoldsAsync(() => daemon.Descendants().Count == 0, () => $"all are gone; there are {string.Join(", ", daemon.Descendants())}");
}
