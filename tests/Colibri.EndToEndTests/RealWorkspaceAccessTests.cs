using System.Text.Json;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;

namespace Colibri.EndToEndTests;

/// <summary>What a profile's access lets real agents do in a workspace, unattended.</summary>
[ClassDataSource<RealAgents>(Shared = SharedType.PerTestSession)]
[NotInParallel]
public sealed class RealWorkspaceAccessTests(RealAgents agents)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Test]
    [Arguments("claude", "Bash")]
    [Arguments("codex", "command_execution")]
    public async Task With_edit_the_file_that_was_asked_for_is_on_the_branch_and_none_is_outside(string kind, string tool)
    {
        using var root = new TempDirectory();
        await using var model = new ModelStandIn { Commands = ["echo made > ../up.txt", $"echo made > {root.Folder("outside")}/absolute.txt", "echo made > inside.txt"] };
        var (task, repository, outside) = await RunAsync(kind, "edit", model, root, "done");

        task.Text("verdict").ShouldBe("done");
        (await repository.GitAsync("show", $"{task.Member("change").Text("head")}:inside.txt")).ShouldBe("made");
        (await repository.FilesAsync(task.Member("change").Text("head"))).ShouldBe(["README", "inside.txt"]);
        Directory.GetFileSystemEntries(root.File("outside")).ShouldBeEmpty();
        outside.ShouldBeEmpty();
        // It logs what its sandbox has stopped only where the command has ended quickly.
        Skip.When(kind == "codex" && !task.TryGetProperty("denied", out _), "Codex told nothing of what its sandbox stopped: the command took too long");
        var denied = task.Items("denied").ShouldHaveSingleItem();
        (denied.Text("tool"), denied.Number("count")).ShouldBe((tool, 2));
    }

    [Test]
    [Arguments("claude", "Bash")]
    [Arguments("codex", "command_execution")]
    public async Task With_read_it_is_refused_and_the_task_says_so(string kind, string tool)
    {
        using var root = new TempDirectory();
        await using var model = new ModelStandIn { Commands = ["echo made > inside.txt"] };
        var (task, repository, _) = await RunAsync(kind, "read", model, root, "failed");

        (task.Text("verdict"), task.Member("error").Text("code")).ShouldBe(("denied", "denied"));
        task.Member("error").Text("message").ShouldContain(tool);
        task.Items("denied").ShouldHaveSingleItem().Text("tool").ShouldBe(tool);
        task.Member("change").Text("state").ShouldBe("empty");
        (await repository.GitAsync("for-each-ref", "--format=%(refname)", "refs/heads/")).ShouldBe("refs/heads/main");
    }

    private async Task<(JsonElement Task, GitRepository Repository, string[] Outside)> RunAsync(string kind, string access, ModelStandIn model, TempDirectory root, string status)
    {
        if (kind == "codex")
        {
            var tried = await Launch.ToEndAsync("/usr/bin/unshare", ["-Ur", "true"]);
            Skip.Unless(tried.ExitCode == 0, "Codex' sandbox needs a user who may make namespaces (kernel.unprivileged_userns_clone, or a security policy)");
        }
        var home = RealAgents.HomeOf(kind);
        var executable = await agents.ExecutableAsync(kind);
        var repository = await GitRepository.CreateAsync(root.File("site"));
        await File.WriteAllTextAsync(root.File("colibri.toml"), $"""
            [agents.one]
            kind = "{kind}"
            binary = "{executable}"
            provider = "{home.Route.Provider}"
            model = "{home.Route.Model}"
            access = "{access}"

            [workspaces.site]
            path = "{repository.Path}"
            """);
        // Codex puts the helper of its sandbox beside its settings, unless those lie in the temporary folder. What the user's own settings allow is
        // allowed: here nothing.
        await using var daemon = await home.StartDaemonAsync(
            executable, model, isAllowed: false, ("COLIBRI_CONFIG", root.File("colibri.toml")), ("COLIBRI_PROVIDERS", null), ("COLIBRI_AGENT_BINARY", null), ("TMPDIR", root.Folder("tmp")));
        await using var client = await daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:commands", workspace = "site", max_attempts = 1 })).Text("id");
        var task = await client.TaskEndedAsync(id, status, Patience);
        return (task, repository, Directory.GetFiles(Path.Combine(daemon.DirectoryPath, "trees"), "up.txt", SearchOption.AllDirectories));
    }
}
