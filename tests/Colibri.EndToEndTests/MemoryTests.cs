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
}
