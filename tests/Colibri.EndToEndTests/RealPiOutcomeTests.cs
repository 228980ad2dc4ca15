using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;
using Colibri.EndToEndTests.Pi;

namespace Colibri.EndToEndTests;

/// <summary>How a run of real Pi can end: the verdict, the attempts, the route and the words that are on record each time.</summary>
[ClassDataSource<PiInstallation>(Shared = SharedType.PerTestSession)]
[NotInParallel]
public sealed class RealPiOutcomeTests(PiInstallation pi)
{
    [Test]
    [Arguments("auth", "failed", "agent-error", 1, "auth-failed", 1, "401: {\"message\":\"invalid api key\",\"type\":\"mock_error\",\"code\":401}")]
    [Arguments("retry", "done", "done", 1, "ready", 0, null)]
    [Arguments("length", "failed", "token-limit", 2, "ready", 0, "answer cut by the token limit")]
    [Arguments("overflow", "failed", "agent-error", 2, "ready", 0, "This model's maximum context length is 128000 tokens. context_length_exceeded")]
    public async Task What_the_model_does_is_on_record(
        string scenario, string status, string verdict, int attempts, string? routeState, int routeFailures, string? error)
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        await using var client = await daemon.ConnectAsync();
        // A key that is not taken is not asked with again: with no other route a second attempt would wait for ever.
        var created = await client.DataAsync(new { cmd = "create-task", title = $"SCENARIO:{scenario}", max_attempts = scenario == "auth" ? 1 : 2 });
        var task = await client.TaskEndedAsync(created.Text("id"), status);

        (task.Text("verdict"), task.Number("attempts")).ShouldBe((verdict, attempts));
        var runs = task.Items("runs");
        runs.Count.ShouldBe(attempts);
        foreach (var run in runs)
        {
            (run.Text("provider"), run.Text("model"), run.Text("verdict"), run.Member("exit").Number("code")).ShouldBe(("mock", "mock-1", verdict, 0));
            if (error is not null)
                run.Member("error").Text("message").ShouldContain(error);
        }
        if (error is not null)
            task.Member("error").Text("message").ShouldContain(error);
        var route = (await client.DataAsync(new { cmd = "status" })).Items("providers").ShouldHaveSingleItem();
        route.Number("failures").ShouldBe(routeFailures);
        if (routeState is not null)
            route.Text("state").ShouldBe(routeState);
    }

    [Test]
    [Arguments("fail", "503: {\"message\":\"service unavailable\",\"type\":\"mock_error\",\"code\":503}")]
    [Arguments("cut", "terminated")]
    public async Task What_is_the_providers_fault_costs_no_attempt_and_rests_the_route(string scenario, string error)
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        await using var client = await daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = $"SCENARIO:{scenario}", max_attempts = 1 })).Text("id");

        var task = await client.TaskWhereAsync(id, task => task.TextOrNull("verdict") == "provider", "has met its provider's fault");

        (task.Text("status"), task.Number("attempts"), task.Member("error").Text("code")).ShouldBe(("queued", 0, "provider"));
        task.Member("error").Text("message").ShouldContain(error);
        var run = task.Items("runs").ShouldHaveSingleItem();
        (run.Text("provider"), run.Text("model"), run.Text("verdict"), run.Member("exit").Number("code")).ShouldBe(("mock", "mock-1", "provider", 0));
        var route = (await client.DataAsync(new { cmd = "status" })).Items("providers").ShouldHaveSingleItem();
        (route.Text("state"), route.Number("failures")).ShouldBe(("backing-off", 1));
    }

    [Test]
    public async Task A_Pi_that_gets_SIGTERM_from_elsewhere_is_on_record_with_its_exit_code()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        await using var client = await daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:slow", max_attempts = 1 })).Text("id");
        await Eventually.HoldsAsync(() => model.RequestsOf("slow") == 1, () => "Pi asks its model");
        await Launch.SignalAsync((int)(await client.PanesAsync()).ShouldHaveSingleItem().Number("pid"), "TERM");

        var task = await client.TaskEndedAsync(id, "failed");

        (task.Text("verdict"), task.Number("attempts")).ShouldBe(("exit-code", 1));
        task.Member("error").Text("message").ShouldStartWith("exited 143 (128 + SIGTERM) after ");
        var run = task.Items("runs").ShouldHaveSingleItem();
        (run.Text("provider"), run.Text("model"), run.Text("verdict"), run.Member("exit").Number("code")).ShouldBe(("mock", "mock-1", "exit-code", 143));
        (await client.DataAsync(new { cmd = "status" })).Items("providers").ShouldHaveSingleItem().Number("failures").ShouldBe(0);
    }

    [Test]
    public async Task A_description_longer_than_an_argument_may_be_arrives_whole()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        await using var client = await daemon.ConnectAsync();
        var description = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"line{i:d5} "));

        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:plain", description, max_attempts = 1 })).Text("id");
        (await client.TaskEndedAsync(id, "done")).Text("verdict").ShouldBe("done");

        model.LongestSaid.Contains(description.TrimEnd(), StringComparison.Ordinal).ShouldBeTrue($"the model is told {model.LongestSaid.Length} characters");
    }

    private Task<ColibriDaemon> StartAsync(ModelStandIn model)
    {
        var daemon = ColibriDaemon.Prepared(
            ("COLIBRI_AGENT_BINARY", pi.Executable), ("COLIBRI_PROVIDERS", "mock:mock-1"), ("MOCK_API_KEY", "sk-mock-0123456789"));
        foreach (var (name, value) in PiHome.Furnish(daemon.Environment["HOME"]!, model.Port))
            daemon.Change(name, value);
        return daemon.StartedAsync();
    }
}
