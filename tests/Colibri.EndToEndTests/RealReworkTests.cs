using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;

namespace Colibri.EndToEndTests;

/// <summary>A failed check that goes back to a real agent: it goes on in its own session, and is told no more than what is new.</summary>
[ClassDataSource<RealAgents>(Shared = SharedType.PerTestSession)]
[NotInParallel]
public sealed class RealReworkTests(RealAgents agents)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Test]
    [Arguments("claude", "edit", "--resume")]
    [Arguments("codex", "full", "resume")]
    [Arguments("opencode", "full", "-s")]
    [Arguments("gemini", "full", "--resume")]
    [Arguments("qwen", "full", "--resume")]
    public async Task A_failed_check_is_told_to_the_agent_in_its_own_session(string kind, string access, string option)
    {
        var home = RealAgents.HomeOf(kind);
        var executable = await agents.ExecutableAsync(kind);
        using var root = new TempDirectory();
        var repository = await GitRepository.CreateAsync(root.File("site"));
        await File.WriteAllTextAsync(root.File("check.sh"), """
            grep -q right work.txt && exit 0
            echo 'it is not right: SCENARIO:work RUN[echo right > work.txt]'
            exit 1
            """);
        await File.WriteAllTextAsync(root.File("colibri.toml"), $"""
            [agents.one]
            kind = "{kind}"
            binary = "{executable}"
            provider = "{home.Route.Provider}"
            model = "{home.Route.Model}"
            access = "{access}"

            [workspaces.site]
            path = "{repository.Path}"
            check = "sh {root.File("check.sh")}"
            """);
        await using var model = new ModelStandIn();
        await using var daemon = await home.StartDaemonAsync(
            executable, model, ("COLIBRI_CONFIG", root.File("colibri.toml")), ("COLIBRI_PROVIDERS", null), ("COLIBRI_AGENT_BINARY", null), ("IS_SANDBOX", "1"));
        await using var client = await daemon.ConnectAsync();

        var id = (await client.DataAsync(new
        {
            cmd = "create-task",
            title = "Make it right",
            description = "SCENARIO:work RUN[echo wrong > work.txt]",
            workspace = "site",
            max_attempts = 1,
        })).Text("id");
        var task = await client.TaskEndedAsync(id, "done", Patience);

        var runs = task.Items("runs");
        runs.Select(run => run.Text("verdict")).ShouldBe(["check-failed", "done"]);
        (await repository.GitAsync("show", $"{task.Member("change").Text("head")}:work.txt")).ShouldBe("right");
        var sessions = (await client.PanesAsync()).Select(pane => pane.Text("harness_session_id")).ToList();
        sessions.Count.ShouldBe(2);
        sessions.Distinct().ShouldHaveSingleItem();
        runs[0].Text("command_line").ShouldNotContain($" {option} ");
        runs[1].Text("command_line").ShouldContain($" {option} {sessions[0]} ");
        var prompts = (await client.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id"), all = true })).Items("entries")
            .Where(entry => entry.Text("kind") == "user").Select(entry => entry.Text("text")).ToList();
        prompts.Count.ShouldBe(2);
        prompts[0].ShouldContain("Make it right");
        prompts[1].ShouldContain("it is not right");
        prompts[1].ShouldNotContain("Make it right");
        // The model sees what was said before all the same.
        model.LatestConversation.ShouldContain("echo wrong > work.txt");
        model.LatestConversation.ShouldContain("it is not right");
    }
}
