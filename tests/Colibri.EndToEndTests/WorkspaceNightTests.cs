using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;
using Colibri.EndToEndTests.Pi;

namespace Colibri.EndToEndTests;

/// <summary>Thirty tasks over three repositories, two kinds of real agents at the same time.</summary>
[ClassDataSource<PiInstallation, RealAgents>(Shared = [SharedType.PerTestSession, SharedType.PerTestSession])]
[NotInParallel]
public sealed class WorkspaceNightTests(PiInstallation pi, RealAgents agents)
{
    private const int Tasks = 30;

    // Claude Code takes some seconds to start, on two shared cores.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private static readonly string[] Names = ["site", "shop", "blog"];

    [Test]
    public async Task Every_branch_holds_its_own_work_and_all_of_it_lands()
    {
        var claude = RealAgents.HomeOf("claude");
        var executable = await agents.ExecutableAsync("claude");
        using var root = new TempDirectory();
        var repositories = new Dictionary<string, GitRepository>();
        foreach (var name in Names)
            repositories[name] = await GitRepository.CreateAsync(root.File(name));
        var before = new Dictionary<string, string>();
        foreach (var (name, repository) in repositories)
            before[name] = await repository.StateAsync();
        await File.WriteAllTextAsync(root.File("colibri.toml"), $"""
            [agents.pi]
            kind = "pi"
            binary = "{pi.Executable}"
            provider = "mock"
            model = "mock-1"
            max = 2

            [agents.claude]
            kind = "claude"
            binary = "{executable}"
            provider = "{claude.Route.Provider}"
            model = "{claude.Route.Model}"
            access = "edit"
            max = 2

            {string.Join("\n", Names.Select(name => $"[workspaces.{name}]\npath = \"{root.File(name)}\"\nbase = \"main\"\ncheck = \"test -f README && ls work-*.txt\"\nmerge = \"{(name == "site" ? "merge" : name == "shop" ? "squash" : "rebase")}\"\n"))}
            """);
        await using var model = new ModelStandIn();
        await using var daemon = await claude.StartDaemonAsync(executable, model, [
            ("COLIBRI_CONFIG", root.File("colibri.toml")), ("COLIBRI_PROVIDERS", null), ("COLIBRI_AGENT_BINARY", null), ("MOCK_API_KEY", "sk-mock-0123456789"),
            .. PiHome.Furnish(root.Folder("home"), model.Port).Where(entry => entry.Name != "HOME"),
        ]);
        // Both kinds look for their settings in one home.
        PiHome.Furnish(daemon.Environment["HOME"]!, model.Port);
        await using var client = await daemon.ConnectAsync();

        for (var n = 1; n <= Tasks; n++)
        {
            await client.DataAsync(new
            {
                cmd = "create-task",
                title = $"Piece {n}",
                description = $"SCENARIO:work RUN[echo {n} > work-{n}.txt]",
                workspace = Names[n % 3],
                agent = n % 2 == 0 ? "pi" : "claude",
            });
        }
        await Eventually.HoldsAsync(
            async () => (await client.DataAsync(new { cmd = "status" })).Member("tasks") is var tasks && tasks.Number("done") + tasks.Number("failed") == Tasks,
            () => $"all tasks are over; the log:\n{daemon.Log}", Patience);

        foreach (var (name, repository) in repositories)
            (await repository.StateAsync()).ShouldBe(before[name], $"{name} is touched before anything has landed");
        for (var n = 1; n <= Tasks; n++)
        {
            var task = await client.DataAsync(new { cmd = "get-task", task_id = n });
            (task.Text("status"), task.Member("check").Member("exit").Number("code")).ShouldBe(("done", 0), $"task {n}: {task}");
            var answer = await client.DataAsync(new { cmd = "get-change", task_id = n, patch = true });
            var change = answer.Member("change");
            (change.Text("state"), change.Number("files")).ShouldBe(("open", 1), $"task {n}: {answer}");
            answer.Text("patch").ShouldContain($"+++ b/work-{n}.txt");
            (await repositories[Names[n % 3]].FilesAsync(change.Text("head"))).ShouldBe(["README", $"work-{n}.txt"]);
        }
        var inbox = (await client.DataAsync(new { cmd = "inbox" })).Items("items");
        inbox.Count(item => item.Text("kind") == "review").ShouldBe(Tasks);

        var landed = await daemon.CliAsync(["land", .. Enumerable.Range(1, Tasks).Select(n => $"{n}")]);

        landed.ExitCode.ShouldBe(0, landed.ToString());
        (await client.DataAsync(new { cmd = "inbox" })).Items("items").ShouldBeEmpty();
        foreach (var (name, repository) in repositories)
        {
            (await repository.FilesAsync("main")).ShouldBe(
                ["README", .. Enumerable.Range(1, Tasks).Where(n => Names[n % 3] == name).Select(n => $"work-{n}.txt").Order(StringComparer.Ordinal)], name);
            (await repository.GitAsync("status", "--porcelain")).ShouldBeEmpty();
            (await repository.GitAsync("worktree", "list")).Split('\n').Length.ShouldBe(1);
            (await repository.GitAsync("for-each-ref", "--format=%(refname)", "refs/heads/")).ShouldBe("refs/heads/main");
        }
        Directory.EnumerateFileSystemEntries(Path.Combine(daemon.DirectoryPath, "trees"), "*", SearchOption.AllDirectories).Where(path => !Names.Contains(Path.GetFileName(path)) && Path.GetFileName(path) != ".scratch").ShouldBeEmpty();
        daemon.Descendants().ShouldBeEmpty();
    }
}
