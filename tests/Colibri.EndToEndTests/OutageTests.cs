using System.Diagnostics;
using System.Text.Json;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;
using Colibri.EndToEndTests.Pi;

namespace Colibri.EndToEndTests;

/// <summary>A provider that refuses connections for a while and is back, under real agents.</summary>
[ClassDataSource<PiInstallation, RealAgents>(Shared = [SharedType.PerTestSession, SharedType.PerTestSession])]
[NotInParallel]
public sealed class OutageTests(PiInstallation pi, RealAgents agents)
{
    private const int Tasks = 6;

    private static readonly TimeSpan Away = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    [Test]
    [Arguments("pi", true)]
    [Arguments("pi", false)]
    [Arguments("codex", true)]
    [Arguments("codex", false)]
    [Arguments("claude", true)]
    [Arguments("claude", false)]
    public async Task All_tasks_are_done_after_an_outage_and_none_has_lost_an_attempt(string kind, bool hasRoute)
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(kind, hasRoute, model);
        await using var client = await daemon.ConnectAsync();
        await model.LeaveAsync();
        var away = Stopwatch.StartNew();
        var ids = new List<string>();
        for (var n = 0; n < Tasks; n++)
            ids.Add((await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:tool", max_attempts = 1 })).Text("id"));

        // Real agents try again themselves before they give up.
        await Eventually.HoldsAsync(
            async () => ItemsOf(await client.DataAsync(new { cmd = "status" }), "providers").Any(provider => provider.Text("state") is not "ready"),
            () => "the provider is held", Patience);
        var held = (await client.DataAsync(new { cmd = "list-tasks", status = "queued" })).Items("tasks");
        held.ShouldNotBeEmpty();
        held.ShouldAllBe(task => ItemsOf(task, "blocked_by").Any());
        var status = (await daemon.CliAsync("status")).Stdout;
        // A line may be broken at any blank.
        string.Join(' ', status.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)).ShouldContain("until 20");
        await Eventually.HoldsAsync(() => away.Elapsed >= Away, () => "the outage lasts", Patience);
        model.Return();

        foreach (var id in ids)
        {
            var task = await client.TaskEndedAsync(id, "done", Patience);
            task.Number("attempts").ShouldBe(1);
        }
        ItemsOf(await client.DataAsync(new { cmd = "status" }), "providers").ShouldAllBe(provider => provider.Text("state") == "ready");
    }

    /// <summary>The provider fails after the first call of a run over ACP, and is back while the agent asks it again.</summary>
    [Test]
    [Arguments("opencode", Outage.Overloaded)]
    [Arguments("opencode", Outage.Closed)]
    [Arguments("gemini", Outage.Overloaded)]
    [Arguments("gemini", Outage.Closed)]
    [Arguments("copilot", Outage.Overloaded)]
    public async Task A_run_over_acp_is_done_and_booked_once_though_its_provider_fails_in_its_middle(string kind, Outage outage)
    {
        using var root = new TempDirectory();
        await using var model = new ModelStandIn { Commands = ["echo hi"], Outage = outage };
        await using var daemon = await StartOverAcpAsync(kind, root, model);
        await using var client = await daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:commands", max_attempts = 1 })).Text("id");
        await Eventually.HoldsAsync(() => model.Refused >= 2, () => $"the agent asks again; the log:\n{daemon.Log}", Patience);
        model.Outage = null;

        await ShouldBeDoneOnceAsync(client, id, model);
    }

    /// <summary>The provider fails until the agent has given its run up: the task waits for the provider, and goes on.</summary>
    [Test]
    [Arguments("opencode", Outage.Overloaded)]
    [Arguments("copilot", Outage.Overloaded)]
    public async Task A_run_over_acp_that_its_agent_gives_up_for_its_provider_goes_on_once_that_is_back(string kind, Outage outage)
    {
        using var root = new TempDirectory();
        await using var model = new ModelStandIn { Commands = ["echo hi"], Outage = outage };
        await using var daemon = await StartOverAcpAsync(kind, root, model);
        await using var client = await daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:commands", max_attempts = 1 })).Text("id");
        await Eventually.HoldsAsync(
            async () =>
            {
                var waiting = await client.DataAsync(new { cmd = "get-task", task_id = id });
                waiting.Text("status").ShouldNotBe("failed", waiting.GetRawText());
                return ItemsOf(waiting, "runs").Any(run => run.TextOrNull("verdict") == "provider");
            },
            () => $"the run is over, after {model.Refused} refusals; the log:\n{daemon.Log}", Patience);
        model.Outage = null;

        var task = await ShouldBeDoneOnceAsync(client, id, model);

        var runs = task.Items("runs");
        runs.Select(run => run.Text("verdict")).ShouldBe(["provider", "done"]);
        (runs[1].Text("harness_session_id"), runs[1].Flag("resumed")).ShouldBe((runs[0].Text("harness_session_id"), true));
    }

    private static async Task<JsonElement> ShouldBeDoneOnceAsync(WireClient client, string id, ModelStandIn model)
    {
        var task = await client.TaskEndedAsync(id, "done", Patience);
        task.Number("attempts").ShouldBe(1);
        (await client.DataAsync(new { cmd = "cost" })).Member("total").UsageOf().ShouldBe(task.UsageOf());
        model.LatestConversation.ShouldContain("echo hi");
        ItemsOf(await client.DataAsync(new { cmd = "status" }), "providers").ShouldAllBe(provider => provider.Text("state") == "ready");
        return task;
    }

    private async Task<ColibriDaemon> StartOverAcpAsync(string kind, TempDirectory root, ModelStandIn model)
    {
        var home = RealAgents.HomeOf(kind);
        var executable = await agents.ExecutableAsync(kind);
        await File.WriteAllTextAsync(root.File("colibri.toml"), $"""
            [agents.one]
            kind = "{kind}"
            transport = "acp"
            binary = "{executable}"
            provider = "{home.Route.Provider}"
            model = "{home.Route.Model}"
            access = "full"
            """);
        return await home.StartDaemonAsync(
            executable, model, ("COLIBRI_CONFIG", root.File("colibri.toml")), ("COLIBRI_PROVIDERS", null), ("COLIBRI_AGENT_BINARY", null), ("TMPDIR", root.Folder("tmp")));
    }

    private static IReadOnlyList<JsonElement> ItemsOf(JsonElement element, string name) => element.Has(name) ? element.Items(name) : [];

    private async Task<ColibriDaemon> StartAsync(string kind, bool hasRoute, ModelStandIn model)
    {
        if (kind != "pi")
        {
            return await RealAgents.HomeOf(kind).StartDaemonAsync(
                await agents.ExecutableAsync(kind), model,
                // Codex tries again for minutes: what reports nothing but errors is ended.
                [("COLIBRI_FIRST_EVENT_TIMEOUT", "10s"), .. hasRoute ? (IEnumerable<(string, string?)>)[] : [("COLIBRI_PROVIDERS", null)]]);
        }
        var daemon = ColibriDaemon.Prepared(("COLIBRI_AGENT_BINARY", pi.Executable), ("MOCK_API_KEY", "sk-mock-0123456789"),
            hasRoute ? ("COLIBRI_PROVIDERS", "mock:mock-1") : ("COLIBRI_AGENT_ARGS", string.Join(' ', PiHome.Arguments)));
        foreach (var (name, value) in PiHome.Furnish(daemon.Environment["HOME"]!, model.Port))
            daemon.Change(name, value);
        return await daemon.StartedAsync();
    }
}
