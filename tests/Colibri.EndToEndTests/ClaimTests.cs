using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

public sealed class ClaimTests
{
    private const int Claimants = 200;

    [Test]
    public async Task Of_two_hundred_concurrent_claimants_exactly_one_wins()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var owner = await daemon.ConnectAsync();
        var taskId = (await owner.DataAsync(new { cmd = "create-task", title = "Wanted by all" })).Text("id");
        var claimants = new List<(WireClient Client, string AgentId)>();
        try
        {
            for (var i = 0; i < Claimants; i++)
            {
                var client = await daemon.ConnectAsync();
                claimants.Add((client, (await client.DataAsync(new { cmd = "register-agent", name = $"claimant-{i}" })).Text("id")));
            }

            var replies = await Task.WhenAll(claimants.Select(one =>
                Task.Run(() => one.Client.AskAsync(new { cmd = "claim-task", task_id = taskId, agent_id = one.AgentId }))));

            var winner = replies.Index().Where(reply => reply.Item.Ok).ShouldHaveSingleItem();
            replies.Where(reply => !reply.Ok).Select(reply => reply.ErrorCode).ShouldBe(Enumerable.Repeat("conflict", Claimants - 1));
            winner.Item.Data.Text("status").ShouldBe("claimed");
            winner.Item.Data.Text("agent_id").ShouldBe(claimants[winner.Index].AgentId);
            (await owner.TaskAsync(taskId)).Text("agent_id").ShouldBe(claimants[winner.Index].AgentId);
        }
        finally
        {
            foreach (var (client, _) in claimants)
                await client.DisposeAsync();
        }
    }

    [Test]
    public async Task Steps_of_one_task_sent_together_take_effect_and_are_answered_in_the_order_sent()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var agentId = (await client.DataAsync(new { cmd = "register-agent", name = "hasty" })).Text("id");
        var taskIds = new List<string>();
        for (var i = 0; i < 20; i++)
            taskIds.Add((await client.DataAsync(new { cmd = "create-task", title = $"Quick {i}" })).Text("id"));

        await client.SendAsync(string.Join('\n', taskIds.SelectMany(id => new object[]
        {
            new { cmd = "claim-task", task_id = id, agent_id = agentId },
            new { cmd = "transition-task", task_id = id, status = "started", agent_id = agentId },
            new { cmd = "transition-task", task_id = id, status = "done", agent_id = agentId },
            new { cmd = "transition-task", task_id = id, status = "started", agent_id = agentId },
            new { cmd = "get-task", task_id = id },
        }).Select(WireClient.Line)));

        foreach (var id in taskIds)
        {
            foreach (var status in new[] { "claimed", "started", "done" })
            {
                var reply = new Reply(await client.ReadAsync());
                (reply.Data.Text("id"), reply.Data.Text("status")).ShouldBe((id, status));
            }
            new Reply(await client.ReadAsync()).ErrorCode.ShouldBe("conflict");
            new Reply(await client.ReadAsync()).Data.Text("status").ShouldBe("done");
        }
    }

    [Test]
    public async Task Claiming_a_started_task_is_a_conflict_that_names_its_status()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var agentId = (await client.DataAsync(new { cmd = "register-agent", name = "first" })).Text("id");
        var taskId = (await client.DataAsync(new { cmd = "create-task", title = "Taken" })).Text("id");
        await client.DataAsync(new { cmd = "claim-task", task_id = taskId, agent_id = agentId });
        await client.DataAsync(new { cmd = "transition-task", task_id = taskId, status = "started" });

        var refused = await client.AskAsync(new { cmd = "claim-task", task_id = taskId, agent_id = agentId });

        refused.ErrorCode.ShouldBe("conflict");
        refused.ErrorMessage.ShouldContain("started");
    }

    [Test]
    [Arguments("queued", "started")]
    [Arguments("queued", "done")]
    [Arguments("claimed", "done")]
    [Arguments("done", "queued")]
    [Arguments("cancelled", "queued")]
    public async Task An_edge_that_the_life_cycle_does_not_have_is_a_conflict(string from, string to)
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var agentId = (await client.DataAsync(new { cmd = "register-agent", name = "worker" })).Text("id");
        var taskId = (await client.DataAsync(new { cmd = "create-task", title = "On its way" })).Text("id");
        if (from is "claimed" or "done")
            await client.DataAsync(new { cmd = "claim-task", task_id = taskId, agent_id = agentId });
        if (from is "done")
        {
            await client.DataAsync(new { cmd = "transition-task", task_id = taskId, status = "started" });
            await client.DataAsync(new { cmd = "transition-task", task_id = taskId, status = "done" });
        }
        if (from is "cancelled")
            await client.DataAsync(new { cmd = "cancel-task", task_id = taskId });

        (await client.RefusalAsync(new { cmd = "transition-task", task_id = taskId, status = to })).ShouldBe("conflict");

        (await client.TaskAsync(taskId)).Text("status").ShouldBe(from);
    }
}
