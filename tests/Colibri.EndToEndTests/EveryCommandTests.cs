using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

public sealed partial class EveryCommandTests
{
    /// <summary>Every command that <c>docs/protocol.md</c> says an answer to.</summary>
    private static readonly string[] Contract =
        [.. CommandAnswered().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "protocol.md"))).Select(match => match.Groups[1].Value)];

    [Test]
    public async Task Every_command_answers_as_the_contract_says()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        var asked = await new CommandTour(client).RunAsync();

        asked.Count.ShouldBeGreaterThan(30);
        asked.Order().ShouldBe(Contract.Order());
    }

    [Test]
    public async Task Every_command_works_through_nc()
    {
        var nc = "/usr/bin/nc";
        if (!File.Exists(nc) || !(await Launch.ToEndAsync(nc, ["-h"])).ToString().Contains("-U", StringComparison.Ordinal))
            Skip.Test("no nc with -U on this machine (try: apt install netcat-openbsd)");
        await using var daemon = await ColibriDaemon.StartAsync();
        using var process = Process.Start(Launch.Prepare(nc, ["-U", daemon.SocketPath], new Dictionary<string, string?>()))!;
        try
        {
            await using var client = new WireClient(process.StandardInput.BaseStream, process.StandardOutput.BaseStream);

            (await new CommandTour(client).RunAsync()).Order().ShouldBe(Contract.Order());
        }
        finally
        {
            process.Kill();
        }
    }

    [Test]
    public async Task An_id_comes_back_unchanged_whatever_it_is()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        foreach (var id in (string[])["\"seven\"", "7", "-0.5", "\"\\u00e9 \\\"\"", "12345678901234567890"])
        {
            var good = (await client.AskAsync($"{{\"cmd\":\"ping\",\"id\":{id}}}")).Root.Member("id");
            var bad = (await client.AskAsync($"{{\"id\":{id},\"cmd\":\"pong\"}}")).Root.Member("id");

            good.GetRawText().ShouldBeOneOf(id, Plain(id));
            bad.GetRawText().ShouldBe(good.GetRawText());
        }
        (await client.AskAsync(new { cmd = "ping" })).Root.Has("id").ShouldBeFalse();
    }

    [Test]
    public async Task Unknown_fields_are_ignored()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();

        var task = await client.DataAsync("""{"future":{"a":[1,2,{"cmd":"x"}]},"cmd":"create-task","title":"Plain","colour":"green"}""");

        task.Text("title").ShouldBe("Plain");
    }

    [Test]
    public async Task Pipelined_requests_are_answered_in_order_though_they_arrive_in_pieces()
    {
        const int Requests = 3_000;
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        string[] kinds = ["{\"cmd\":\"ping\",\"id\":#}\n", "{\"cmd\":\"create-task\",\"title\":\"#\",\"id\":#}\n", "{\"cmd\":\"list-agents\",\"id\":#}\n", "nonsense\n", "{\"id\":#}\n"];
        var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, Requests).Select(i => kinds[i % kinds.Length].Replace("#", $"{i}", StringComparison.Ordinal))));

        var sending = Task.Run(async () =>
        {
            var random = new Random(7);
            for (int sent = 0, piece; sent < lines.Length; sent += piece)
            {
                piece = Math.Min(random.Next(1, 3_000), lines.Length - sent);
                await client.SendBytesAsync(lines.AsMemory(sent, piece));
            }
        }, TestContext.Current!.Execution.CancellationToken);
        for (var i = 0; i < Requests; i++)
        {
            var reply = new Reply(await client.ReadAsync());
            reply.Ok.ShouldBe(i % kinds.Length < 3, $"{reply} answers {i}");
            if (i % kinds.Length == 3)
                reply.ErrorCode.ShouldBe("bad-json");
            else
                reply.Root.Number("id").ShouldBe(i);
            if (i % kinds.Length == 1)
                reply.Data.Text("title").ShouldBe($"{i}");
        }
        await sending;
    }

    [Test]
    public async Task A_list_is_paged_without_loss_or_repetition()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        for (var i = 0; i < 25; i++)
            await client.DataAsync(new { cmd = "create-task", title = $"Page {i:00}", priority = i % 3 });

        var titles = (await client.AllTasksAsync(pageSize: 4)).Select(task => task.Text("title"));

        titles.Order().ShouldBe(Enumerable.Range(0, 25).Select(i => $"Page {i:00}"));
    }

    [Test]
    public async Task A_subscriber_is_told_what_happens_to_tasks_panes_and_cost()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        await using var events = await daemon.ConnectAsync();
        await events.DataAsync(new { cmd = "subscribe", topics = new[] { "tasks", "cost" } });

        var id = (await client.DataAsync(new { cmd = "create-task", title = "News" })).Text("id");
        var told = await events.ReadAsync();
        told.Text("topic").ShouldBe("tasks");
        told.Member("task").Text("id").ShouldBe(id);

        await client.DataAsync(new { cmd = "set-cost-mode", mode = "max" });
        told = await events.ReadAsync();
        told.Text("topic").ShouldBe("cost");
        told.Member("cost").Text("mode").ShouldBe("max");
    }

    [GeneratedRegex(@"(?:^| · )`([a-z-]+)` → ", RegexOptions.Multiline)]
    private static partial Regex CommandAnswered();

    /// <summary>The same JSON string with what need not be escaped unescaped.</summary>
    private static string Plain(string id) => id.Replace("\\u00e9", "é", StringComparison.Ordinal);
}
