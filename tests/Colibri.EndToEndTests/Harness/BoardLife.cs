using System.Text;

namespace Colibri.EndToEndTests.Harness;

/// <summary>All that a daemon makes durable, once over, and no more at a time than the one client asks for.</summary>
internal static class BoardLife
{
    private const int Few = 15;
    private const int Large = 300;
    private const int Many = 200;

    /// <summary>Tasks that are on the board at its end.</summary>
    public const int Tasks = Few + Large + 1 + Many + Few + Few;

    /// <summary>
    /// Creates, one by one and pipelined, that grow the log over a checkpoint and go on behind it, a task's whole way, a session's
    /// compaction, a stop and a second start.
    /// </summary>
    public static async Task LiveAsync(ColibriDaemon daemon)
    {
        await using (var client = await daemon.ConnectAsync())
        {
            await CreateOneByOneAsync(client);
            await CompactAsync(client);
            // 1,000 pages of the log bring a checkpoint.
            await CreatePipelinedAsync(daemon, Large, description: new string('x', 10_000));
            await FinishOneAsync(client);
            await CreatePipelinedAsync(daemon, Many, description: "");
            await CreateOneByOneAsync(client);
        }
        (await daemon.TerminateAsync()).ShouldBe(0);
        await daemon.StartAgainAsync();
        await using var again = await daemon.ConnectAsync();
        await CreateOneByOneAsync(again);
    }

    private static async Task CreateOneByOneAsync(WireClient client)
    {
        for (var i = 0; i < Few; i++)
            await client.DataAsync(new { cmd = "create-task", title = $"One by one {i}" });
    }

    private static async Task CreatePipelinedAsync(ColibriDaemon daemon, int count, string description)
    {
        var lines = new StringBuilder();
        for (var i = 0; i < count; i++)
            lines.Append(WireClient.Line(new { cmd = "create-task", title = $"Pipelined {i}", description })).Append('\n');
        await using var client = await daemon.ConnectAsync();
        var sending = client.SendBytesAsync(Encoding.UTF8.GetBytes(lines.ToString()));
        for (var i = 0; i < count; i++)
            new Reply(await client.ReadAsync()).Ok.ShouldBeTrue();
        await sending;
    }

    private static async Task FinishOneAsync(WireClient client)
    {
        var agent = (await client.DataAsync(new { cmd = "register-agent", name = "visitor", host = "elsewhere" })).Text("id");
        var task = (await client.DataAsync(new { cmd = "create-task", title = "The whole way" })).Text("id");
        await client.DataAsync(new { cmd = "claim-task", task_id = task, agent_id = agent });
        await client.DataAsync(new { cmd = "transition-task", task_id = task, status = "started" });
        await client.DataAsync(new { cmd = "transition-task", task_id = task, status = "done" });
    }

    private static async Task CompactAsync(WireClient client)
    {
        for (var i = 0; i < 30; i++)
            await client.DataAsync(new { cmd = "append-session", session_id = "s", entry = new { kind = "user", text = $"{i} {new string('y', 2_000)}" } });
        await client.DataAsync(new { cmd = "compact-session", session_id = "s" });
        await client.DataAsync(new { cmd = "append-session", session_id = "s", entry = new { kind = "user", text = "after" } });
    }
}
