using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>
/// Agents whose profile limits their memory, on whichever road this host has: its cgroups, or a look each second. The message says which.
/// </summary>
public sealed class MemoryTests
{
    /// <summary>tail(1) keeps what it may have to print until the end of its input, which does not come.</summary>
    internal const string Holds300 = "(head -c 300000000 /dev/zero; sleep 600) | tail -c 300000000 >/dev/null";

    [Test]
    public async Task An_agent_that_takes_more_than_its_profile_allows_is_ended_with_its_tree_and_the_daemon_is_well()
    {
        await using var site = await WorkspaceDaemon.StartAsync($"echo work > work.txt; (setsid sleep 601 &); {Holds300}", workspace: "", profile: "memory = \"100MiB\"");

        var task = await site.RunAsync(new { cmd = "create-task", title = "try it", workspace = "site", max_attempts = 1 }, "failed");

        (task.Text("verdict"), task.Member("error").Text("code")).ShouldBe(("memory", "memory"));
        task.Member("error").Text("message").ShouldMatch("(looked at each second|kept by its cgroup)");
        task.Member("error").Text("message").ShouldContain("the limit of 100 MiB of memory (memory of the profile pi, ");
        // Its work is on its branch all the same.
        (await site.Repository.FilesAsync(task.Member("change").Text("head"))).ShouldBe(["README", "work.txt"]);
        site.Daemon.Descendants().ShouldBeEmpty();
        (await site.Daemon.DataAsync(new { cmd = "status" })).Member("agents").Number("running").ShouldBe(0);
    }

    [Test]
    public async Task An_agent_that_stays_below_is_done()
    {
        await using var site = await WorkspaceDaemon.StartAsync(
            "echo work > work.txt; (head -c 30000000 /dev/zero; sleep 2) | tail -c 30000000 >/dev/null", workspace: "", profile: "memory = \"100MiB\"");

        (await site.RunAsync(new { cmd = "create-task", title = "try it", workspace = "site", max_attempts = 1 }, "done")).Text("verdict").ShouldBe("done");
    }

    /// <summary>A gigabyte by an agent of 256 MiB, one-shot and long-lived, beside another agent that works meanwhile.</summary>
    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task An_agent_of_256_MiB_that_takes_a_gigabyte_ends_alone(bool isLongLived)
    {
        using var root = new TempDirectory();
        var greedy = Program(root, "greedy.sh", "(head -c 1000000000 /dev/zero; sleep 600) | tail -c 1000000000 >/dev/null");
        var modest = Program(root, "modest.sh", $"echo '{{\"type\":\"agent_start\"}}'; while [ ! -e {root.File("go")} ]; do sleep 0.1; done; exec {Repository.TestAgent} --turns 1");
        await File.WriteAllTextAsync(root.File("colibri.toml"), $"""
            [agents.greedy]
            kind = "pi"
            binary = "{greedy}"
            memory = "256MiB"
            {(isLongLived ? "args = [\"--mode\", \"rpc\"]" : "")}

            [agents.modest]
            kind = "pi"
            binary = "{modest}"
            """);
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_CONFIG", root.File("colibri.toml")));
        await using var client = await daemon.ConnectAsync();
        var other = (await client.DataAsync(new { cmd = "create-task", title = "work on", agent = "modest", max_attempts = 1 })).Text("id");
        await client.TaskWhereAsync(other, task => task.Text("status") == "started", "is at work");

        var taken = await client.TaskEndedAsync((await client.DataAsync(new { cmd = "create-task", title = "take it all", agent = "greedy", max_attempts = 1 })).Text("id"), "failed");

        (taken.Text("verdict"), taken.Member("error").Text("code")).ShouldBe(("memory", "memory"));
        taken.Member("error").Text("message").ShouldContain("the limit of 256 MiB of memory (memory of the profile greedy, ");
        (await client.DataAsync(new { cmd = "get-task", task_id = other })).Text("status").ShouldBe("started");
        await File.WriteAllTextAsync(root.File("go"), "");
        (await client.TaskEndedAsync(other, "done")).Text("verdict").ShouldBe("done");
    }

    /// <summary>A daemon that its service manager protects from the OOM killer.</summary>
    [Test]
    public async Task An_agent_does_not_inherit_the_daemons_protection()
    {
        Skip.Unless(OperatingSystem.IsLinux(), "other systems have no oom_score_adj");
        await using var daemon = await ColibriDaemon.StartAsync();
        try
        {
            await File.WriteAllTextAsync($"/proc/{daemon.Pid}/oom_score_adj", "-900");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Skip.Test($"this user may not protect a process: {e.Message}");
        }
        await using var client = await daemon.ConnectAsync();
        var agent = await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--hold-secs", "600" } });
        var pane = await client.PaneWhereAsync(agent, pane => pane.Has("pid"), "has a process");

        (await File.ReadAllTextAsync($"/proc/{pane.Number("pid")}/oom_score_adj")).Trim().ShouldBe("0");
        (await File.ReadAllTextAsync($"/proc/{daemon.Pid}/oom_score_adj")).Trim().ShouldBe("-900");
    }

    private static string Program(TempDirectory root, string name, string script)
    {
        File.WriteAllText(root.File(name), $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(root.File(name), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return root.File(name);
    }
}
