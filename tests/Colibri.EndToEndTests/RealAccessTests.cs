using System.Text.Json;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;

namespace Colibri.EndToEndTests;

/// <summary>What real agents make of each access: which files are there afterwards, and what the task says.</summary>
[ClassDataSource<RealAgents>(Shared = SharedType.PerTestSession)]
[NotInParallel]
public sealed class RealAccessTests(RealAgents agents)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Test]
    [Arguments("claude", "Bash")]
    [Arguments("codex", "command_execution")]
    [Arguments("copilot", "bash")]
    public async Task With_edit_an_agent_writes_the_file_it_was_asked_for_and_none_outside(string kind, string tool)
    {
        using var root = new TempDirectory();
        var (work, outside) = (root.Folder("work"), root.Folder("outside"));
        await using var model = new ModelStandIn
        {
            Commands = ["echo made > ../up.txt", $"echo made > {outside}/absolute.txt", "echo made > inside.txt"],
        };
        var task = await RunAsync(kind, model, root, "edit", "done");

        (await File.ReadAllTextAsync(Path.Combine(work, "inside.txt"))).ShouldBe("made\n");
        (File.Exists(root.File("up.txt")), Directory.GetFileSystemEntries(outside).Length).ShouldBe((false, 0));
        task.Text("verdict").ShouldBe("done");
        // It logs what its sandbox has stopped only where the command has ended quickly.
        Skip.When(kind == "codex" && !task.TryGetProperty("denied", out _), "Codex told nothing of what its sandbox stopped: the command took too long");
        var denied = task.Items("denied").ShouldHaveSingleItem();
        (denied.Text("tool"), denied.Number("count")).ShouldBe((tool, 2));
        task.Member("result").Text("text").ShouldStartWith("Done: it printed hi.");
        task.Items("runs").ShouldHaveSingleItem().Member("result").Text("text").ShouldBe(task.Member("result").Text("text"));
    }

    /// <summary>Its shell is not offered: it writes by its own tool.</summary>
    [Test]
    public async Task With_edit_Gemini_writes_the_file_it_was_asked_for_and_none_outside()
    {
        using var root = new TempDirectory();
        var (work, outside) = (root.Folder("work"), root.Folder("outside"));
        await using var model = new ModelStandIn { Commands = [$"> {root.File("up.txt")}", $"> {outside}/absolute.txt", "echo made > shell.txt", $"> {work}/inside.txt"] };
        var task = await RunAsync("gemini", model, root, "edit", "done");

        (await File.ReadAllTextAsync(Path.Combine(work, "inside.txt"))).ShouldBe("made\n");
        (File.Exists(root.File("up.txt")), Directory.GetFileSystemEntries(outside).Length, Directory.GetFileSystemEntries(work).Length).ShouldBe((false, 0, 1));
        var denied = task.Items("denied").ShouldHaveSingleItem();
        (denied.Text("tool"), denied.Number("count")).ShouldBe(("write_file", 2));
    }

    /// <summary>What would write is not there for it, and a call of it fails as one of any tool that is not.</summary>
    [Test]
    public async Task With_read_Gemini_has_no_tool_that_writes()
    {
        using var root = new TempDirectory();
        var work = root.Folder("work");
        await using var model = new ModelStandIn { Commands = ["echo made > inside.txt", $"> {work}/inside.txt"] };
        var task = await RunAsync("gemini", model, root, "read", "done");

        Directory.GetFileSystemEntries(work).ShouldBeEmpty();
        task.TryGetProperty("denied", out _).ShouldBeFalse();
    }

    [Test]
    [Arguments("claude", "Bash", "denied")]
    [Arguments("codex", "command_execution", "denied")]
    // It ends its run with the refusal, in the middle of a step.
    [Arguments("opencode", "bash", "incomplete")]
    // It has no tool for commands.
    [Arguments("droid", "Execute", "denied")]
    // It ends with the refusal, which stands on standard error alone and does not name the tool.
    [Arguments("goose", "tool", "exit-code")]
    [Arguments("cline", "run_commands", "denied")]
    [Arguments("qwen", "run_shell_command", "denied")]
    [Arguments("copilot", "bash", "denied")]
    public async Task With_read_a_write_is_refused_and_the_task_says_so(string kind, string tool, string verdict)
    {
        using var root = new TempDirectory();
        var work = root.Folder("work");
        // To droid its shell is not even offered.
        await using var model = new ModelStandIn { Commands = ["echo made > inside.txt"], Shell = kind is "droid" or "qwen" ? tool : null };
        var task = await RunAsync(kind, model, root, "read", "failed");

        Directory.GetFileSystemEntries(work).ShouldBeEmpty();
        task.Text("verdict").ShouldBe(verdict);
        var denied = task.Items("denied").ShouldHaveSingleItem();
        (denied.Text("tool"), denied.Number("count")).ShouldBe((tool, 1));
        task.Member("error").Text("message").ShouldContain(tool);
    }

    [Test]
    [Arguments("claude")]
    [Arguments("codex")]
    [Arguments("droid")]
    [Arguments("goose")]
    [Arguments("cline")]
    [Arguments("gemini")]
    [Arguments("qwen")]
    [Arguments("copilot")]
    public async Task With_full_an_agent_writes_where_its_user_may(string kind)
    {
        using var root = new TempDirectory();
        var (_, outside) = (root.Folder("work"), root.Folder("outside"));
        await using var model = new ModelStandIn { Commands = [$"echo made > {outside}/absolute.txt"] };
        var task = await RunAsync(kind, model, root, "full", "done", ("IS_SANDBOX", "1"));

        (await File.ReadAllTextAsync(Path.Combine(outside, "absolute.txt"))).ShouldBe("made\n");
        task.TryGetProperty("denied", out _).ShouldBeFalse();
    }

    [Test]
    public async Task Full_access_of_Claude_Code_as_root_is_refused_before_the_claim_with_what_to_do()
    {
        Skip.Unless(Environment.UserName == "root", "only root is refused");
        using var root = new TempDirectory();
        await using var model = new ModelStandIn();
        var home = RealAgents.HomeOf("claude");
        var executable = await agents.ExecutableAsync("claude");
        await using var daemon = await home.StartDaemonAsync(executable, model, ("IS_SANDBOX", null));
        await using var client = await daemon.ConnectAsync();
        var id = await CreateAsync(client);

        var reply = await client.AskAsync(new { cmd = "spawn-agent", binary = executable, task_id = id, access = "full" });

        reply.ErrorCode.ShouldBe("bad-request");
        reply.ErrorMessage.ShouldContain("IS_SANDBOX=1");
        var task = await client.DataAsync(new { cmd = "get-task", task_id = id });
        (task.Text("status"), task.Number("attempts")).ShouldBe(("queued", 0));
    }

    private async Task<JsonElement> RunAsync(string kind, ModelStandIn model, TempDirectory root, string access, string status, params (string, string?)[] changes)
    {
        if (kind == "codex")
            await SkipWithoutNamespacesAsync();
        var home = RealAgents.HomeOf(kind);
        var executable = await agents.ExecutableAsync(kind);
        // Codex puts the helper of its sandbox beside its settings, unless those lie in the temporary folder.
        // What the user's own settings allow is allowed: here nothing.
        await using var daemon = await home.StartDaemonAsync(executable, model, isAllowed: false, [("TMPDIR", root.Folder("tmp")), .. changes]);
        await using var client = await daemon.ConnectAsync();
        var id = await CreateAsync(client);
        await client.DataAsync(new
        {
            cmd = "spawn-agent",
            binary = executable,
            task_id = id,
            provider = home.Route.Provider,
            model = home.Route.Model,
            cwd = root.File("work"),
            access,
        });
        var task = await client.TaskEndedAsync(id, status, Patience);
        var entries = (await client.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id") })).Items("entries");
        // Codex tells nothing of a command that its sandbox has stopped.
        if (kind != "codex")
            entries.Where(entry => entry.Text("kind") == "tool_call").Select(entry => CommandIn(JsonElement.Parse(entry.Text("text")))).ShouldBe(model.Commands);
        else if (status == "done")
            entries.Last(entry => entry.Text("kind") == "tool_call").Text("text").ShouldContain(model.Commands[^1]);
        return task;
    }

    private static string CommandIn(JsonElement arguments) =>
        arguments.TryGetProperty("commands", out var commands) ? commands.EnumerateArray().Single().GetString()!
        : arguments.TextOrNull("command") ?? $"> {arguments.Text("file_path")}";

    // No agent of the scheduler's takes it.
    private static async Task<string> CreateAsync(WireClient client) =>
        (await client.DataAsync(new { cmd = "create-task", title = "SCENARIO:commands", max_attempts = 1, capabilities = new[] { "none-has-this" } })).Text("id");

    private static async Task SkipWithoutNamespacesAsync()
    {
        var tried = await Launch.ToEndAsync("/usr/bin/unshare", ["-Ur", "true"]);
        Skip.Unless(tried.ExitCode == 0, "Codex' sandbox needs a user who may make namespaces (kernel.unprivileged_userns_clone, or a security policy)");
    }
}
