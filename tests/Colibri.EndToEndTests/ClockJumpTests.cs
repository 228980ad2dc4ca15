using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>The host's clock is set by two days while everything that takes a time is under way, by libfaketime; the monotonic clock goes on.</summary>
[NotInParallel]
public sealed class ClockJumpTests
{
    /// <summary>Pi at work until a file is there.</summary>
    private const string Agent = """
        echo '{"type":"agent_start"}'
        until [ -e "$0" ]; do echo '{"type":"message_update"}'; sleep 0.2; done
        echo '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"It is done."}],"stopReason":"stop"}}'
        echo '{"type":"agent_settled"}'
        """;

    /// <summary>Claude Code whose provider is to be asked again in an hour.</summary>
    private const string Limited = """
        echo '{"type":"system","subtype":"init","session_id":"s"}'
        echo '{"type":"system","subtype":"api_retry","attempt":1,"retry_delay_ms":3600000,"error_status":429}'
        echo '{"type":"result","subtype":"success","is_error":true,"api_error_status":429,"result":"rate limited"}'
        exit 1
        """;

    private static readonly string? Library = new[] { "x86_64-linux-gnu", "aarch64-linux-gnu" }
        .Select(machine => $"/usr/lib/{machine}/faketime/libfaketimeMT.so.1").FirstOrDefault(File.Exists);

    [Test]
    [Arguments("+2d")]
    [Arguments("-2d")]
    public async Task Two_days_forward_and_back_change_nothing(string jump)
    {
        Skip.Unless(Library is not null, "libfaketime is not installed");
        using var files = new TempDirectory();
        var (offset, release) = (files.File("offset"), files.File("release"));
        await File.WriteAllTextAsync(offset, "+0\n");
        await using var daemon = await ColibriDaemon.StartAsync(
            ("LD_PRELOAD", Library), ("FAKETIME_TIMESTAMP_FILE", offset), ("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1"),
            ("COLIBRI_SILENCE_TIMEOUT", "1m"), ("COLIBRI_RUN_TIMEOUT", "1h"), ("COLIBRI_STALL_AFTER", "1m"), ("COLIBRI_STALL_KILL", "on"));
        await using var client = await daemon.ConnectAsync();
        var limited = await CreateAsync(client, "limited");
        await client.DataAsync(new { cmd = "spawn-agent", binary = "/bin/sh", runtime = "claude", args = new[] { "-c", Limited }, task_id = limited });
        await Eventually.HoldsAsync(async () => (await client.TaskAsync(limited)).Text("status") == "queued", () => "it waits for its provider");
        var working = await CreateAsync(client, "work");
        await client.DataAsync(new { cmd = "spawn-agent", binary = "/bin/sh", runtime = "pi", args = new[] { "-c", Agent, release }, task_id = working, prompt = release });
        var outside = (await client.DataAsync(new { cmd = "register-agent", name = "outside" })).Text("id");
        var held = await CreateAsync(client, "held");
        await client.DataAsync(new { cmd = "claim-task", task_id = held, agent_id = outside });

        foreach (var step in (string[])[jump, "+0", jump])
        {
            await File.WriteAllTextAsync(offset, step + "\n");
            var day = DateTimeOffset.UtcNow.AddDays(step == "+0" ? 0 : step[0] == '+' ? 2 : -2);
            await Eventually.HoldsAsync(async () => ((await AtAsync(client)) - day).Duration() < TimeSpan.FromHours(1), () => $"the clock shows {step}");
            var intake = (await client.DataAsync(new { cmd = "intake-task", title = $"after {step}" })).Text("intake_id");
            await Eventually.HoldsAsync(async () => (await client.AskAsync(new { cmd = "get-task", task_id = intake })).Ok, () => "a tick came");

            (await client.TaskAsync(working)).Text("status").ShouldBe("started");
            (await client.TaskAsync(held)).Text("agent_id").ShouldBe(outside);
            var waiting = await client.TaskAsync(limited);
            (waiting.Text("status"), waiting.Number("attempts")).ShouldBe(("queued", 0));
            (DateTimeOffset.Parse(waiting.Text("not_before"), null) - await AtAsync(client)).ShouldBeInRange(TimeSpan.FromMinutes(50), TimeSpan.FromMinutes(61));
            await client.DataAsync(new { cmd = "heartbeat", agent_id = outside });
        }

        await File.WriteAllTextAsync(release, "");
        (await client.TaskEndedAsync(working, "done")).Text("verdict").ShouldBe("done");
        (await client.DataAsync(new { cmd = "transition-task", task_id = held, status = "started", agent_id = outside })).Text("status").ShouldBe("started");
    }

    private static async Task<string> CreateAsync(WireClient client, string title) =>
        (await client.DataAsync(new { cmd = "create-task", title, capabilities = new[] { "nobody-offers-this" } })).Text("id");

    private static async Task<DateTimeOffset> AtAsync(WireClient client) => DateTimeOffset.Parse((await client.DataAsync(new { cmd = "snapshot" })).Text("timestamp"), null);
}
