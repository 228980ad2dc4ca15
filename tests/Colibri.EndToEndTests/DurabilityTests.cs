using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>What was answered survives SIGKILL; what ran at the time does not go on unseen.</summary>
public sealed class DurabilityTests
{
    private const int Clients = 8;
    private const int TasksPerClient = 1_250;

    [Test]
    public async Task Every_answered_task_of_ten_thousand_is_there_exactly_once_after_a_kill_in_the_middle()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var answered = new ConcurrentDictionary<string, string>();

        var pipelines = Enumerable.Range(0, Clients).Select(client => Task.Run(() => CreateAsync(daemon, client, answered, mayBreak: true))).ToArray();
        await Eventually.HoldsAsync(() => answered.Count >= Clients * TasksPerClient / 3, () => $"a third is answered; {answered.Count} are");
        await daemon.KillAsync();
        await Task.WhenAll(pipelines);
        answered.Count.ShouldBeLessThan(Clients * TasksPerClient, "the kill came too late to be in the middle");

        await daemon.StartAgainAsync();
        await using var reader = await daemon.ConnectAsync();
        var kept = ByTitle(await reader.AllTasksAsync());
        foreach (var (title, id) in answered)
            kept.ShouldContainKeyAndValue(title, id);

        // The clients ask again for all of theirs, as after any broken connection: the keys make that harmless.
        var complete = new ConcurrentDictionary<string, string>();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => CreateAsync(daemon, client, complete, mayBreak: false))));
        var all = ByTitle(await reader.AllTasksAsync());
        all.Count.ShouldBe(Clients * TasksPerClient);
        foreach (var (title, id) in answered)
            complete[title].ShouldBe(id);
        (await reader.DataAsync(new { cmd = "status" })).Member("tasks").Number("queued").ShouldBe(Clients * TasksPerClient);
    }

    [Test]
    public async Task An_intake_that_was_answered_becomes_one_task_after_a_kill()
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_SCHEDULER_INTERVAL", "1h"));
        await using (var client = await daemon.ConnectAsync())
            await client.DataAsync(new { cmd = "intake-task", title = "Not to be lost" });
        await daemon.KillAsync();

        daemon.Change("COLIBRI_SCHEDULER_INTERVAL", "100ms");
        await daemon.StartAgainAsync();

        await using var reader = await daemon.ConnectAsync();
        await Eventually.HoldsAsync(async () => (await reader.AllTasksAsync()).Count > 0, () => "the intake becomes a task");
        await daemon.TerminateAsync();
        await daemon.StartAgainAsync();
        await using var again = await daemon.ConnectAsync();
        (await again.AllTasksAsync()).ShouldHaveSingleItem().Text("title").ShouldBe("Not to be lost");
    }

    [Test]
    public async Task Agents_that_ran_at_the_kill_are_gone_after_the_restart_and_their_tasks_are_finished_by_others()
    {
        const int Tasks = 12, Agents = 4, ProcessesPerAgent = 3;
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", Repository.TestAgent),
            ("COLIBRI_AGENT_ARGS", $"--children {ProcessesPerAgent - 1} --ignore-term --hold-secs 600"),
            ("COLIBRI_MAX_AGENTS", $"{Agents}"));
        await using (var client = await daemon.ConnectAsync())
            for (var i = 0; i < Tasks; i++)
                await client.DataAsync(new { cmd = "create-task", title = $"Interrupted {i}", max_attempts = 1 });
        await Eventually.HoldsAsync(
            () => daemon.Descendants().Count == Agents * ProcessesPerAgent, () => $"all slots are busy; there are {string.Join('\n', daemon.Descendants())}");
        var orphans = daemon.Descendants().Select(process => process.Pid).ToHashSet();
        await daemon.KillAsync();

        daemon.Change("COLIBRI_AGENT_ARGS", "--emit-usage");
        await daemon.StartAgainAsync();

        await using var reader = await daemon.ConnectAsync();
        await HeldTasksHaveRunningAgentsAsync(reader);
        await Eventually.HoldsAsync(
            () => !daemon.Descendants().Any(process => orphans.Contains(process.Pid)),
            () => $"the agents of the killed daemon are gone; there are {string.Join('\n', daemon.Descendants())}");
        // One attempt was allowed, and the one that the daemon's own end interrupted does not count.
        foreach (var task in await reader.AllTasksAsync())
            (await reader.TaskEndedAsync(task.Text("id"), "done")).Number("attempts").ShouldBe(1);
    }

    [Test]
    public async Task A_session_log_with_a_torn_tail_is_cut_to_its_last_whole_line()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await daemon.DataAsync(new { cmd = "append-session", session_id = "torn", entry = new { kind = "note", text = "whole" } });
        await daemon.KillAsync();
        await File.AppendAllTextAsync(
            Path.Combine(daemon.SessionsPath, "torn", "0001.jsonl"), "{\"seq\":2,\"kind\":\"no", TestContext.Current!.Execution.CancellationToken);

        await daemon.StartAgainAsync();
        var receipt = await daemon.DataAsync(new { cmd = "append-session", session_id = "torn", entry = new { kind = "note", text = "after" } });

        receipt.Number("seq").ShouldBe(2);
        var entries = (await daemon.DataAsync(new { cmd = "get-session", session_id = "torn" })).Items("entries");
        entries.Select(entry => entry.Text("text")).ShouldBe(["whole", "after"]);
    }

    private static async Task CreateAsync(ColibriDaemon daemon, int client, ConcurrentDictionary<string, string> answered, bool mayBreak)
    {
        var lines = new StringBuilder();
        for (var i = 0; i < TasksPerClient; i++)
            lines.Append(WireClient.Line(new { cmd = "create-task", title = Title(client, i), key = Title(client, i) })).Append('\n');
        await using var wire = await daemon.ConnectAsync();
        var sending = wire.SendBytesAsync(Encoding.UTF8.GetBytes(lines.ToString()));
        for (var i = 0; i < TasksPerClient; i++)
        {
            if (await wire.ReadLineAsync() is not { } line || !TryRead(line, out var reply))
                break;
            answered[Title(client, i)] = reply.Data.Text("id");
        }
        try
        {
            await sending;
        }
        catch (IOException) when (mayBreak)
        {
            // The daemon was killed with requests unread.
        }
    }

    /// <summary>The last line of a killed daemon may be torn: that is no answer.</summary>
    private static bool TryRead(string line, out Reply reply)
    {
        try
        {
            reply = new Reply(JsonElement.Parse(line));
            return true;
        }
        catch (JsonException)
        {
            reply = default;
            return false;
        }
    }

    private static string Title(int client, int number) => $"{client}-{number:0000}";

    /// <summary>Ids by title; a title that is there twice fails.</summary>
    private static Dictionary<string, string> ByTitle(List<JsonElement> tasks) =>
        tasks.ToDictionary(task => task.Text("title"), task => task.Text("id"));

    private static async Task HeldTasksHaveRunningAgentsAsync(WireClient reader)
    {
        foreach (var task in await reader.AllTasksAsync())
        {
            if (task.Text("status") is not ("claimed" or "started"))
                continue;
            var running = (await reader.DataAsync(new { cmd = "status" })).Member("agents").Items("list").Select(agent => agent.Text("id"));
            var now = await reader.TaskAsync(task.Text("id"));
            // It may have ended between the two questions; held by nobody it may not be.
            if (now.Text("status") is "claimed" or "started" && now.Text("agent_id") == task.Text("agent_id"))
                running.ShouldContain(task.Text("agent_id"));
        }
    }
}
