using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>The cost mode's limits, as a client of the socket sees them.</summary>
public sealed class CostModeTests
{
    private const int Window = 64;

    public static List<(string, long, long)> Modes => [("fast", 500_000, 5), ("smart", 2_000_000, 20), ("max", 8_000_000, 100)];

    [Test, MethodDataSource(nameof(Modes))]
    public async Task Appends_of_every_size_are_answered_within_the_limits(string mode, long maxBytes, long maxTurns)
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_COST_MODE", mode));
        await using var client = await daemon.ConnectAsync();
        foreach (var size in (int[])[1_024, 100 * 1_024])
        {
            for (var i = 0; i < 40; i++)
                ShouldBeWithin(await AppendAsync(client, $"of-{size}", "user", new string('x', size)), maxBytes, maxTurns);
        }

        var large = await AppendAsync(client, "large", "user", new string('x', 3_000_000));

        var cost = (await client.DataAsync(new { cmd = "status" })).Member("cost");
        cost.Text("mode").ShouldBe("max");
        if (mode == "max")
        {
            large.Has("escalated").ShouldBeFalse();
            ShouldBeWithin(large, maxBytes, maxTurns);
        }
        else
        {
            (large.Member("escalated").Text("from"), large.Member("escalated").Text("to")).ShouldBe((mode, "max"));
            (cost.Text("escalated_from"), cost.Text("escalated_by")).ShouldBe((mode, "large"));
            cost.Has("escalated_at").ShouldBeTrue();
            ShouldBeWithin(large, 8_000_000, 100);
            (await EntriesAsync(client, "large")).ShouldContain(entry => entry.Text("kind") == "escalation");
        }
        (await EntriesAsync(client, "large"))[0].Text("text").Length.ShouldBe(3_000_000);
    }

    [Test, MethodDataSource(nameof(Modes))]
    public async Task A_thousand_turns_are_answered_within_the_limits_and_all_kept(string mode, long maxBytes, long maxTurns)
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_COST_MODE", mode));
        await using var client = await daemon.ConnectAsync();

        await PipelineAsync(client, 1_000, i => (i % 2 == 0 ? "user" : "assistant", $"turn {i} about src/file{i}.c"), maxBytes, maxTurns);

        await ShouldHaveAllAsync(client, 1_000);
        (await client.DataAsync(new { cmd = "status" })).Member("cost").Has("escalated_from").ShouldBeFalse();
    }

    [Test, MethodDataSource(nameof(Modes))]
    public async Task A_thousand_tool_results_of_50_KB_are_answered_within_the_limits(string mode, long maxBytes, long maxTurns)
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_COST_MODE", mode));
        await using var client = await daemon.ConnectAsync();
        var words = new string('x', 50_000);

        await PipelineAsync(client, 1_000, i => ("tool_result", words), maxBytes, maxTurns);

        var toolMaxBytes = mode switch { "fast" => 4_000, "smart" => 16_000, _ => 50_000 };
        foreach (var entry in (await EntriesAsync(client, "s")).Where(entry => entry.Text("kind") == "tool_result"))
            Encoding.UTF8.GetByteCount(entry.Text("text")).ShouldBe(toolMaxBytes);
        (await client.DataAsync(new { cmd = "status" })).Member("cost").Text("mode").ShouldBe(mode);
    }

    [Test]
    public async Task The_very_next_append_obeys_a_mode_set_in_mid_session()
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_COST_MODE", "max"));
        await using var client = await daemon.ConnectAsync();
        for (var i = 0; i < 50; i++)
            (await AppendAsync(client, "s", "user", new string('x', 30_000))).Number("generation").ShouldBe(1);

        (await client.DataAsync(new { cmd = "set-cost-mode", mode = "fast" })).Number("session_max_bytes").ShouldBe(500_000);
        var down = await AppendAsync(client, "s", "user", "down");
        ShouldBeWithin(down, 500_000, 5);
        down.Member("compacted").Number("bytes_before").ShouldBeGreaterThan(1_000_000);

        await client.DataAsync(new { cmd = "set-cost-mode", mode = "smart" });
        for (var i = 0; i < 15; i++)
            (await AppendAsync(client, "s", "user", "up")).Has("compacted").ShouldBeFalse();
        await ShouldHaveAllAsync(client, 66);
    }

    [Test]
    public async Task A_mode_lasts_beyond_a_restart_only_when_set_to()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await daemon.DataAsync(new { cmd = "set-cost-mode", mode = "fast" });
        await daemon.TerminateAsync();
        await daemon.StartAgainAsync();
        (await ModeAsync(daemon)).ShouldBe("smart");

        (await daemon.CliAsync("set-cost-mode", "max", "--persist")).ExitCode.ShouldBe(0);
        await daemon.KillAsync();
        await daemon.StartAgainAsync();
        (await ModeAsync(daemon)).ShouldBe("max");

        // What was set to last is not what was set last.
        await daemon.DataAsync(new { cmd = "set-cost-mode", mode = "fast" });
        await daemon.TerminateAsync();
        await daemon.StartAgainAsync();
        (await ModeAsync(daemon)).ShouldBe("max");
    }

    [Test]
    public async Task A_session_is_compacted_on_request_and_says_what_was()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        for (var i = 1; i <= 10; i++)
            await AppendAsync(client, "s", "user", $"turn {i}");

        var compaction = await client.DataAsync(new { cmd = "compact-session", session_id = "s" });

        (compaction.Number("generation"), compaction.Number("seq"), compaction.Number("entries")).ShouldBe((2, 11, 8));
        (await EntriesAsync(client, "s")).Select(entry => entry.Number("seq")).ShouldBe([11, 9, 10]);
        await ShouldHaveAllAsync(client, 10);
        (await client.RefusalAsync(new { cmd = "compact-session", session_id = "nobody" })).ShouldBe("not-found");
        (await daemon.CliAsync("compact-session", "s")).ExitCode.ShouldBe(0);
    }

    [Test]
    public async Task A_prompts_prefix_is_the_same_across_sessions_modes_and_restarts()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var hashes = new HashSet<string>();
        foreach (var mode in (string[])["fast", "smart", "max"])
        {
            await daemon.DataAsync(new { cmd = "set-cost-mode", mode });
            await daemon.DataAsync(new { cmd = "append-session", session_id = mode, entry = new { kind = "user", text = $"in {mode}" } });
            var prompt = await daemon.DataAsync(new { cmd = "get-prompt", session_id = mode, scratch = "now" });
            hashes.Add(prompt.Text("prefix_sha256"));
            hashes.Add(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(prompt.Items("messages")[0].Text("content")))));
            hashes.Add((await daemon.DataAsync(new { cmd = "status" })).Member("prompt").Text("prefix_sha256"));
            await daemon.TerminateAsync();
            await daemon.StartAgainAsync();
        }
        // The native target's framework is another than the unit tests', which hold the same hash.
        hashes.ShouldHaveSingleItem().ShouldBe("82f1bb2ed1380a87a300255d02c02759ded159764c9998feee1fb5f757fe9405");
        (await daemon.CliAsync("get-prompt", "fast")).ExitCode.ShouldBe(0);

        var refused = await daemon.RunToEndAsync([], ("COLIBRI_PROMPT_PREFIX_FILE", "/nowhere/prefix"), ("COLIBRI_DAEMON_SOCKET", daemon.SocketPath + "2"));

        refused.ExitCode.ShouldBe(1, refused.ToString());
        refused.ErrorLines[^1].ShouldContain("COLIBRI_PROMPT_PREFIX_FILE=/nowhere/prefix");
    }

    [Test]
    public async Task The_pane_of_an_agent_whose_session_is_over_budget_needs_attention()
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_COST_MODE", "max"));
        var path = Path.Combine(daemon.DirectoryPath, "pi");
        // Written as JSON each of these takes twelve bytes, so one line of an agent is a session's whole budget and more.
        var words = string.Concat(Enumerable.Repeat("\U0001F600", 900_000));
        await File.WriteAllTextAsync(
            path + ".jsonl",
            "{\"type\":\"message_end\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"" + words + "\"}],\"stopReason\":\"stop\"}}\n",
            TestContext.Current!.Execution.CancellationToken);
        await ScriptAsync(path, $"cat {path}.jsonl; exec sleep 600");

        await daemon.DataAsync(new { cmd = "spawn-agent", binary = path, args = new[] { "x" }, session_id = "s", prompt = "Talk" });

        await Eventually.HoldsAsync(
            async () => (await daemon.DataAsync(new { cmd = "snapshot" })).Items("panes")[0] is var pane
                && pane.Has("over_budget") && pane.Flag("needs_attention"),
            () => "the pane needs attention");
        (await daemon.DataAsync(new { cmd = "list-sessions" })).Items("sessions").ShouldHaveSingleItem().Flag("over_budget").ShouldBeTrue();
    }

    [Test]
    [Arguments("on")]
    [Arguments(null)]
    public async Task A_retried_task_starts_with_its_sessions_context_only_where_that_is_switched_on(string? injection)
    {
        await using var daemon = ColibriDaemon.Prepared(("COLIBRI_SCHEDULER_PROMPT_INJECTION", injection));
        var path = Path.Combine(daemon.DirectoryPath, "agent");
        // The prompt is the last argument.
        await ScriptAsync(path, $"for last; do :; done; printf '%s' \"$last\" > {path}.$$.prompt; mv {path}.$$.prompt {path}.prompt.$(ls {path}.prompt.* 2>/dev/null | wc -l); exit 3");
        daemon.Change("COLIBRI_AGENT_BINARY", path);
        await daemon.StartAgainAsync();

        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "Mend the lamp", max_attempts = 2 })).Text("id");
        await Eventually.HoldsAsync(
            async () => (await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("status") == "failed", () => "both attempts are over");

        var first = await File.ReadAllTextAsync(path + ".prompt.0", TestContext.Current!.Execution.CancellationToken);
        var second = await File.ReadAllTextAsync(path + ".prompt.1", TestContext.Current!.Execution.CancellationToken);
        first.ShouldBe("Mend the lamp");
        if (injection is null)
        {
            second.ShouldBe(first);
            return;
        }
        second.ShouldContain("\n\n[user]\nMend the lamp\n\n[user]\nNote: run ended: ");
        second.ShouldEndWith("\n\n[task]\nMend the lamp");
        var entries = await daemon.DataAsync(new { cmd = "get-session", session_id = (await daemon.DataAsync(new { cmd = "get-task", task_id = id })).Text("session_id") });
        entries.Items("entries").Where(entry => entry.Text("kind") == "user").Select(entry => entry.Text("text")).ShouldBe(["Mend the lamp", "Mend the lamp"]);
    }

    private static async Task<JsonElement> AppendAsync(WireClient client, string session, string kind, string text) =>
        await client.DataAsync(new { cmd = "append-session", session_id = session, entry = new { kind, text } });

    private static async Task<IReadOnlyList<JsonElement>> EntriesAsync(WireClient client, string session, bool all = false) =>
        (await client.DataAsync(new { cmd = "get-session", session_id = session, all })).Items("entries");

    private static async Task<string> ModeAsync(ColibriDaemon daemon) => (await daemon.DataAsync(new { cmd = "status" })).Member("cost").Text("mode");

    private static void ShouldBeWithin(JsonElement receipt, long maxBytes, long maxTurns)
    {
        receipt.Number("bytes").ShouldBeLessThanOrEqualTo(maxBytes, receipt.ToString());
        receipt.Number("turns").ShouldBeLessThanOrEqualTo(maxTurns, receipt.ToString());
    }

    private static async Task PipelineAsync(WireClient client, int count, Func<int, (string Kind, string Text)> entryOf, long maxBytes, long maxTurns)
    {
        for (var sent = 0; sent < count; sent += Window)
        {
            var window = Math.Min(Window, count - sent);
            var lines = new StringBuilder();
            for (var i = 0; i < window; i++)
            {
                var (kind, text) = entryOf(sent + i);
                lines.Append(WireClient.Line(new { cmd = "append-session", session_id = "s", entry = new { kind, text } })).Append('\n');
            }
            var sending = client.SendBytesAsync(Encoding.UTF8.GetBytes(lines.ToString()));
            for (var i = 0; i < window; i++)
                ShouldBeWithin(new Reply(await client.ReadAsync()).Data, maxBytes, maxTurns);
            await sending;
        }
    }

    private static async Task ShouldHaveAllAsync(WireClient client, int appended)
    {
        var all = await EntriesAsync(client, "s", all: true);
        all.Select(entry => entry.Number("seq")).ShouldBe(Enumerable.Range(1, all.Count).Select(seq => (long)seq));
        all.Count(entry => entry.Text("kind") != "compaction").ShouldBe(appended);
    }

    private static async Task ScriptAsync(string path, string body)
    {
        await File.WriteAllTextAsync(path, $"#!/bin/sh\n{body}\n", TestContext.Current!.Execution.CancellationToken);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
