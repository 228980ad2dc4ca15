using System.Diagnostics;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>What waits for a person is told, by the daemon as it ships, whatever its sinks and its own end do.</summary>
public sealed class NotifyTests
{
    private const int Kills = 200;

    private static CancellationToken Token => TestContext.Current!.Execution.CancellationToken;

    [Test]
    public async Task Two_hundred_kills_between_a_failure_and_its_delivery_lose_nothing_and_repeat_what_was_under_way_alone()
    {
        using var directory = new TempDirectory();
        await using var daemon = await StartAsync(directory, Sink("ops", "failed", Recorder(directory, "told")));
        var (random, failed) = (new Random(17), new List<long>());
        for (var kill = 0; kill < Kills; kill++)
        {
            await using (var client = await daemon.ConnectAsync())
                failed.Add(await FailAsync(client, $"failure {kill}"));
            // At any moment of the delivery: before it, in it, after it. This is no wait for something.
            var until = Stopwatch.GetTimestamp() + random.Next(0, 60) * Stopwatch.Frequency / 1000;
            while (Stopwatch.GetTimestamp() < until)
                await Task.Yield();
            await daemon.KillAsync();
            await daemon.StartAgainAsync();
        }

        await Eventually.HoldsAsync(() => Told(directory, "told").Select(Number).Distinct().Count() == Kills, () => $"every failure is told; {Told(directory, "told").Select(Number).Distinct().Count()} are");
        var told = Told(directory, "told");
        told.Select(Number).Order().Distinct().ShouldBe(failed.Order());
        // A kill can repeat what was under way, and that has the same id.
        (told.Count - Kills).ShouldBeLessThanOrEqualTo(Kills);
        told.GroupBy(Number).ShouldAllBe(same => same.Select(notice => notice.GetProperty("id").GetInt64()).Distinct().Count() == 1);
        await using var reader = await daemon.ConnectAsync();
        await Eventually.HoldsAsync(async () => (await SinkAsync(reader, "ops")).Number("pending") == 0, () => "all is noted as told");
        (await SinkAsync(reader, "ops")).Number("delivered").ShouldBe(Kills);
    }

    [Test]
    public async Task A_sink_that_hangs_fails_floods_or_is_missing_delays_nobody()
    {
        using var directory = new TempDirectory();
        await using var daemon = await StartAsync(directory,
            Sink("hangs", "failed", "exec sleep 600"), Sink("fails", "failed", "echo 'no such room' >&2; exit 3"), Sink("floods", "failed", "yes"),
            "[notify.missing]\non = \"all\"\nexec = [\"/nowhere/tell\"]\n", Sink("good", "failed", Recorder(directory, "good")));
        await using var client = await daemon.ConnectAsync();
        var number = await FailAsync(client, "it breaks");
        await Eventually.HoldsAsync(() => Told(directory, "good").Count > 0, () => "the good one is told");
        Number(Told(directory, "good").ShouldHaveSingleItem()).ShouldBe(number);
        foreach (var (sink, error) in new[] { ("fails", "exit 3: no such room"), ("floods", "printed more than 65536 bytes"), ("missing", "/nowhere/tell") })
        {
            await Eventually.HoldsAsync(async () => (await SinkAsync(client, sink)).TryGetProperty("last_error", out _), () => $"{sink} has failed");
            var row = await SinkAsync(client, sink);
            row.Text("last_error").ShouldContain(error);
            (row.Text("state"), row.Number("pending"), row.Number("delivered")).ShouldBe(("waiting", 1, 0));
        }
        (await daemon.CliAsync("notify")).Stdout.ShouldContain("floods");
        (await daemon.CliAsync("notify", "test", "fails")).Stderr.ShouldContain("fails was not told: sh: exit 3: no such room");
        (await daemon.CliAsync("notify", "test", "good")).Stdout.ShouldContain("good was told");
        Told(directory, "good", "test").Count.ShouldBe(1);
        (await daemon.TerminateAsync()).ShouldBe(0);
        daemon.Descendants().ShouldBeEmpty();
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task A_question_is_told_while_it_waits_and_over_when_it_is_answered(bool isPrompted)
    {
        using var directory = new TempDirectory();
        await using var daemon = await StartAsync(directory, Sink("ops", "question", Recorder(directory, "told")));
        await using var client = await daemon.ConnectAsync();
        await using var events = await daemon.ConnectAsync();
        await events.DataAsync(new { cmd = "subscribe", topics = new[] { "notices" } });
        string[] args = ["--rpc", "--ask"];
        var task = await client.DataAsync(new { cmd = "create-task", title = "ask me" });
        var agent = isPrompted
            ? await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, rpc = true, args, prompt = "go on" })
            : await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, task_id = task.Text("id"), rpc = true, args });
        var begun = (await events.ReadAsync()).Member("notice");
        (begun.Text("kind"), begun.Text("agent_id")).ShouldBe(("question", agent));
        begun.TryGetProperty("ended_at", out _).ShouldBeFalse();
        await Eventually.HoldsAsync(() => Told(directory, "told").Count > 0, () => "it is told");
        Told(directory, "told").ShouldHaveSingleItem().GetProperty("agent_id").GetString().ShouldBe(agent);

        (await daemon.CliAsync("answer", agent, "--yes")).ExitCode.ShouldBe(0);
        (await events.ReadAsync()).Member("notice").TryGetProperty("ended_at", out _).ShouldBeTrue();
    }

    private static string Recorder(TempDirectory directory, string name) => $"IFS= read -r line && printf '%s\\n' \"$line\" >> '{directory.File(name)}'";

    private static string Sink(string name, string on, string script) =>
        $"[notify.{name}]\non = [\"{on}\"]\nexec = [\"/bin/sh\", \"-c\", {JsonSerializer.Serialize(script)}]\n";

    private static Task<ColibriDaemon> StartAsync(TempDirectory directory, params string[] sinks)
    {
        var file = directory.File("colibri.toml");
        File.WriteAllText(file, string.Join('\n', sinks));
        return ColibriDaemon.StartAsync(("COLIBRI_CONFIG", file));
    }

    private static async Task<long> FailAsync(WireClient client, string title)
    {
        var task = await client.DataAsync(new { cmd = "create-task", title });
        var id = task.Text("id");
        await client.DataAsync(new { cmd = "claim-task", task_id = id, agent_id = "somebody" });
        await client.DataAsync(new { cmd = "transition-task", task_id = id, status = "started" });
        await client.DataAsync(new { cmd = "transition-task", task_id = id, status = "failed", error = "it broke" });
        return task.Number("number");
    }

    private static List<JsonElement> Told(TempDirectory directory, string name, string? kind = null) =>
        !File.Exists(directory.File(name)) ? [] : [.. File.ReadAllLines(directory.File(name))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(message => kind is null ? message.GetProperty("kind").GetString() != "test" : message.GetProperty("kind").GetString() == kind)
            .SelectMany(message => message.GetProperty("notices").EnumerateArray())];

    private static long Number(JsonElement notice) => notice.GetProperty("task_number").GetInt64();

    private static async Task<JsonElement> SinkAsync(WireClient client, string name) =>
        (await client.DataAsync(new { cmd = "status" })).Member("notify").Member("sinks").EnumerateArray().Single(sink => sink.Text("name") == name);
}
