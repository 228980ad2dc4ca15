using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>The resident agent: one, never two, once a provider can be used; it takes tasks, and stays.</summary>
public sealed class AutospawnTests
{
    private static readonly (string, string?)[] Resident =
    [
        ("COLIBRI_AUTOSPAWN", "on"), ("COLIBRI_AUTOSPAWN_BINARY", Repository.TestAgent), ("COLIBRI_AUTOSPAWN_ARGS", "--rpc"),
    ];

    [Test]
    public async Task Without_a_key_none_is_started_and_with_one_in_the_file_it_is()
    {
        using var directory = new TempDirectory();
        var keys = directory.File("provider.env");
        await File.WriteAllTextAsync(keys, "", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(keys, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var daemon = await ColibriDaemon.StartAsync([.. Resident, ("COLIBRI_PROVIDER_ENV", keys)]);
        await StateAsync(daemon, "waiting-for-key");
        (await AgentsAsync(daemon)).ShouldBeEmpty();

        await File.WriteAllTextAsync(keys, "OPENAI_API_KEY=sk-0123456789\n", TestContext.Current!.Execution.CancellationToken);
        await StateAsync(daemon, "running");
    }

    [Test]
    public async Task It_takes_one_task_after_another_and_there_is_one_of_it_after_a_kill_of_the_daemon()
    {
        await using var daemon = await ColibriDaemon.StartAsync([.. Resident, ("OPENAI_API_KEY", "sk-0123456789")]);
        var agentId = (await StateAsync(daemon, "running")).Text("agent_id");
        var agent = (await AgentsAsync(daemon)).ShouldHaveSingleItem();
        (agent.Text("id"), agent.Items("capabilities").Any(capability => capability.GetString() == "shell")).ShouldBe((agentId, true));
        await using (var client = await daemon.ConnectAsync())
        {
            foreach (var title in new[] { "first", "second", "third" })
            {
                var task = await client.DataAsync(new { cmd = "create-task", title, description = $"the whole of the {title}", capabilities = new[] { "shell" } });
                var done = await client.TaskEndedAsync(task.Text("id"), "done");
                done.Text("agent_id").ShouldBe(agentId);
                (await client.DataAsync(new { cmd = "get-session", session_id = done.Text("session_id") })).Items("entries")
                    .Last(entry => entry.Text("kind") == "user").Text("text").ShouldBe($"{title}\n\nthe whole of the {title}");
            }
        }

        await daemon.KillAsync();
        await daemon.StartAgainAsync();
        var next = (await StateAsync(daemon, "running")).Text("agent_id");
        next.ShouldNotBe(agentId);
        (await AgentsAsync(daemon)).ShouldHaveSingleItem().Text("id").ShouldBe(next);
        daemon.Descendants().Count.ShouldBe(1);

        await daemon.DataAsync(new { cmd = "stop-agent", agent_id = next });
        await StateAsync(daemon, "stopped");
    }

    [Test]
    public async Task It_offers_what_the_hosts_own_probe_says()
    {
        using var directory = new TempDirectory();
        var probe = directory.File("clawdie-system-probe");
        await File.WriteAllTextAsync(probe, "#!/bin/sh\n[ \"$*\" = --capabilities ] && echo '[\"gpu\",\"zfs\"]'\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(probe, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var daemon = await ColibriDaemon.StartAsync(
            [.. Resident, ("OPENAI_API_KEY", "sk-0123456789"), ("PATH", $"{directory.Path}:{Environment.GetEnvironmentVariable("PATH")}")]);
        var agentId = (await StateAsync(daemon, "running")).Text("agent_id");
        var capabilities = (await AgentsAsync(daemon)).ShouldHaveSingleItem().Items("capabilities").Select(capability => capability.GetString()).ToList();
        capabilities.ShouldBeSubsetOf(["gpu", "zfs", "linux", "freebsd", "x64", "arm64", "colibri-test-agent"]);
        capabilities.ShouldContain("zfs");
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title = "mirror the pool", capabilities = new[] { "zfs" } });
        (await client.TaskEndedAsync(task.Text("id"), "done")).Text("agent_id").ShouldBe(agentId);
    }

    [Test]
    public async Task It_comes_back_when_it_dies()
    {
        await using var daemon = await ColibriDaemon.StartAsync([.. Resident, ("OPENAI_API_KEY", "sk-0123456789")]);
        var agentId = (await StateAsync(daemon, "running")).Text("agent_id");
        await Launch.SignalAsync(daemon.Descendants().ShouldHaveSingleItem().Pid, "KILL");
        await Eventually.HoldsAsync(
            async () => (await AutospawnAsync(daemon)) is var state && state.Text("state") == "running" && state.Text("agent_id") != agentId, () => "another one runs");
        daemon.Descendants().Count.ShouldBe(1);
    }

    private static async Task<JsonElement> StateAsync(ColibriDaemon daemon, string state)
    {
        await Eventually.HoldsAsync(async () => (await AutospawnAsync(daemon)).Text("state") == state, () => $"it is {state}; the log:\n{daemon.Log}");
        return await AutospawnAsync(daemon);
    }

    private static async Task<JsonElement> AutospawnAsync(ColibriDaemon daemon) => (await daemon.DataAsync(new { cmd = "status" })).Member("autospawn");

    private static async Task<IReadOnlyList<JsonElement>> AgentsAsync(ColibriDaemon daemon) =>
        [.. (await daemon.DataAsync(new { cmd = "list-agents" })).Items("agents").Where(agent => agent.Text("lifecycle") != "stopped")];
}
