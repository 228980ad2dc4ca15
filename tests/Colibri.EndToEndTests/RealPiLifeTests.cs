using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;
using Colibri.EndToEndTests.Pi;

namespace Colibri.EndToEndTests;

/// <summary>Real Pi under a daemon: ended in every way with all that its tools have started, and asked and answered over its standard input.</summary>
[ClassDataSource<PiInstallation>(Shared = SharedType.PerTestSession)]
[NotInParallel]
public sealed class RealPiLifeTests(PiInstallation pi)
{
    /// <summary>Asks before each command, as an operator's guard would.</summary>
    private const string Guard = """
        export default function (pi) {
          pi.on("tool_call", async (event, ctx) => {
            const ok = await ctx.ui.confirm("Run it?", JSON.stringify(event.input));
            if (!ok) return { block: true, reason: "the operator said no" };
          });
        }
        """;

    [Test]
    public async Task Stop_agent_leaves_nothing_of_what_its_tools_started()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        var (agentId, taskId) = await SpawnAsync(daemon, model);
        await daemon.DataAsync(new { cmd = "stop-agent", agent_id = agentId, grace_ms = 1_000 });
        await GoneAsync(daemon);
        (await TaskAsync(daemon, taskId, "failed")).Member("error").Text("code").ShouldBe("stopped");
    }

    [Test]
    public async Task A_budget_that_is_crossed_leaves_nothing_of_what_its_tools_started()
    {
        await using var model = new ModelStandIn();
        // One answer costs 0.0014352 dollars: the second one crosses it.
        await using var daemon = await StartAsync(model, ("COLIBRI_BUDGET_TASK_USD", "0.002"));
        var (_, taskId) = await SpawnAsync(daemon, model, waitForTools: false);
        var failed = await TaskAsync(daemon, taskId, "failed");
        (failed.Member("error").Text("code"), failed.Member("usage").Number("cost_microcents")).ShouldBe(("budget", 287_040));
        await GoneAsync(daemon);
    }

    [Test]
    public async Task The_daemons_end_leaves_nothing_of_what_its_tools_started()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        await SpawnAsync(daemon, model);
        (await daemon.TerminateAsync()).ShouldBe(0, daemon.Log);
        daemon.Descendants().ShouldBeEmpty();
    }

    [Test]
    public async Task A_daemon_after_one_that_was_killed_ends_it_all_and_queues_the_task_again()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        var (_, taskId) = await SpawnAsync(daemon, model);
        await daemon.KillAsync();
        daemon.Descendants().Count.ShouldBeGreaterThanOrEqualTo(4);

        await daemon.StartAgainAsync();

        await GoneAsync(daemon);
        var task = await TaskAsync(daemon, taskId, "queued");
        (task.Text("verdict"), task.Number("attempts"), task.Member("usage").Number("cost_microcents")).ShouldBe(("interrupted", 0, 287_040));
    }

    [Test]
    public async Task SIGTERM_from_elsewhere_in_mid_run_is_a_failed_attempt()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        var (agentId, taskId) = await SpawnAsync(daemon, model);
        var pane = (await daemon.DataAsync(new { cmd = "snapshot" })).Items("panes").Single(one => one.Text("id") == agentId);
        await Launch.SignalAsync((int)pane.Number("pid"), "TERM");

        var failed = await TaskAsync(daemon, taskId, "failed");
        failed.Number("attempts").ShouldBe(1);
        failed.Member("error").Text("code").ShouldBeOneOf("exit-code", "killed", "aborted");
        await GoneAsync(daemon);
    }

    [Test]
    public async Task A_conversation_that_is_too_long_for_the_model_fails_with_its_words()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:overflow", max_attempts = 1 });
        await client.SpawnAsync(new { cmd = "spawn-agent", binary = pi.Executable, task_id = task.Text("id"), args = PiHome.Arguments });
        var failed = await TaskAsync(daemon, task.Text("id"), "failed");
        failed.Member("error").Text("code").ShouldBe("agent-error");
        failed.Member("error").Text("message").ShouldContain("maximum context length");
    }

    [Test]
    [Arguments("--yes", "hi\n")]
    [Arguments("--no", "the operator said no")]
    public async Task A_question_of_an_extension_is_answered_by_the_operator(string answer, string result)
    {
        using var directory = new TempDirectory();
        var guard = directory.File("guard.ts");
        await File.WriteAllTextAsync(guard, Guard, TestContext.Current!.Execution.CancellationToken);
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(model);
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:tool", max_attempts = 1 });
        string[] arguments = ["--mode", "rpc", "--no-session", "-e", guard];
        var agentId = await client.SpawnAsync(
            new { cmd = "spawn-agent", binary = pi.Executable, task_id = task.Text("id"), args = arguments, provider = "mock", model = "mock-1" });

        var pane = await client.PaneWhereAsync(agentId, one => one.Has("question"), "asks");
        (pane.Text("activity"), pane.Flag("needs_attention"), pane.Member("question").Text("title")).ShouldBe(("blocked", true, "Run it?"));
        pane.Member("question").Text("message").ShouldContain("echo hi");
        (await daemon.CliAsync("snapshot")).Stdout.ShouldContain("asks: Run it?");
        (await daemon.CliAsync("answer", agentId, "--request", pane.Member("question").Text("request"), answer)).ExitCode.ShouldBe(0);

        var done = await client.TaskEndedAsync(task.Text("id"), "done");
        (done.Text("verdict"), done.Number("attempts"), done.Has("error")).ShouldBe(("done", 1, false));
        var run = done.Items("runs").ShouldHaveSingleItem();
        (run.Text("provider"), run.Text("model"), run.Text("verdict")).ShouldBe(("mock", "mock-1", "done"));
        (await daemon.DataAsync(new { cmd = "get-session", session_id = done.Text("session_id") })).Items("entries")
            .Single(entry => entry.Text("kind") == "tool_result").Text("text").ShouldContain(result);
    }

    [Test]
    public async Task One_Pi_works_on_several_tasks_and_is_steered_in_between()
    {
        await using var model = new ModelStandIn();
        await using var daemon = await StartAsync(
            model, ("COLIBRI_AGENT_BINARY", pi.Executable), ("COLIBRI_AGENT_ARGS", "--mode rpc --provider mock --model mock-1 --no-session"), ("COLIBRI_MAX_AGENTS", "1"));
        await using var client = await daemon.ConnectAsync();
        var tasks = new List<string>();
        for (var i = 0; i < 3; i++)
            tasks.Add((await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:tool", max_attempts = 1 })).Text("id"));
        var slow = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:slow", max_attempts = 1 })).Text("id");

        var agents = new HashSet<string>();
        foreach (var id in tasks)
        {
            var done = await client.TaskEndedAsync(id, "done");
            agents.Add(done.Text("agent_id"));
            done.UsageOf().ShouldBe((324, 52, 2176, 0, 240_480));
        }
        await Eventually.HoldsAsync(() => model.RequestsOf("slow") == 1, () => "it is at the slow one");
        agents.ShouldHaveSingleItem();
        (await daemon.CliAsync("prompt", agents.Single(), "SCENARIO:plain and be brief")).ExitCode.ShouldBe(0);
        model.Release();
        (await client.TaskEndedAsync(slow, "done")).Text("agent_id").ShouldBe(agents.Single());
        await GoneAsync(daemon);
    }

    private async Task<ColibriDaemon> StartAsync(ModelStandIn model, params (string Name, string? Value)[] environment)
    {
        _ = pi.Executable;
        var daemon = ColibriDaemon.Prepared(environment);
        foreach (var (name, value) in PiHome.Furnish(daemon.Environment["HOME"]!, model.Port))
            daemon.Change(name, value);
        return await daemon.StartedAsync();
    }

    /// <summary>A Pi at work on the scenario <c>background</c>, its second tool running.</summary>
    private async Task<(string AgentId, string TaskId)> SpawnAsync(ColibriDaemon daemon, ModelStandIn model, bool waitForTools = true)
    {
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:background", max_attempts = 1 });
        var agentId = await client.SpawnAsync(new { cmd = "spawn-agent", binary = pi.Executable, task_id = task.Text("id"), args = PiHome.Arguments });
        if (waitForTools)
        {
            await Eventually.HoldsAsync(
                () => new[] { "600", "601", "602" }.All(seconds => daemon.Descendants().Any(process => process.CommandLine == $"sleep {seconds}")),
                () => $"all three run; there are {string.Join(", ", daemon.Descendants())}");
        }
        else
        {
            await Eventually.HoldsAsync(() => model.RequestsOf("background") == 2, () => "the second answer comes");
        }
        return (agentId, task.Text("id"));
    }

    private static async Task<System.Text.Json.JsonElement> TaskAsync(ColibriDaemon daemon, string taskId, string status)
    {
        await using var client = await daemon.ConnectAsync();
        return await client.TaskWhereAsync(taskId, task => task.Text("status") == status, $"is {status}");
    }

    private static Task GoneAsync(ColibriDaemon daemon) =>
        Eventually.HoldsAsync(() => daemon.Descendants().Count == 0, () => $"all are gone; there are {string.Join(", ", daemon.Descendants())}");
}
