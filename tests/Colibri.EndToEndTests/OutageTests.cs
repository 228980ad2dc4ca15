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

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(20);
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
        await Eventually.HoldsAsync(() => away.Elapsed >= Outage, () => "the outage lasts", Patience);
        model.Return();

        foreach (var id in ids)
        {
            var task = await client.TaskEndedAsync(id, "done", Patience);
            task.Number("attempts").ShouldBe(1);
        }
        ItemsOf(await client.DataAsync(new { cmd = "status" }), "providers").ShouldAllBe(provider => provider.Text("state") == "ready");
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
