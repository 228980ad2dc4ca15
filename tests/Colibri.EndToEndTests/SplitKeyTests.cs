using System.Text;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A key in pieces and words with escape sequences, from an agent to every client and every file.</summary>
public sealed class SplitKeyTests
{
    private const string Key = "sk-e2e-0123456789-ABCDEFGHIJKLMNOP-zyxwvutsrq";
    private const int Part = 8;

    /// <summary>Says its key in pieces, in colours, and in names; <c>$1</c> says where it is split.</summary>
    private const string Teller = """
        #!/usr/bin/env python3
        import json, os, sys
        key = os.environ["ANTHROPIC_API_KEY"]
        at = int(os.environ["AT"])
        a, b = key[:at], key[at:]
        def say(event):
            sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        def words(*blocks):
            say({"type": "assistant", "message": {"id": "m", "content": [{"type": "text", "text": block} for block in blocks]}})
        say({"type": "system", "subtype": "init", "session_id": "\x1b[1mthe session\x1b[0m " + key, "model": "m\x9b31m" + key})
        words(a, b)
        words("it begins " + a)
        words(b + " and ends")
        words("in \x1b[31mred " + a + "\x1b[0m" + b + ", \x1b]0;a title\x07and \u202eback")
        say({"type": "assistant", "message": {"id": "n", "content": [{"type": "tool_use", "id": "t", "name": "\x1b[7mBash\x1b[0m " + a}]}})
        say({"type": "user", "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "\x1b[32mok\x1b[0m\r\n\ttab " + a}]}})
        words(b)
        sys.stderr.write("\x1b[93m! \x1b[0mcannot use " + a)
        sys.stderr.flush()
        sys.stderr.write(b + "\n")
        say({"type": "result", "subtype": "error_during_execution", "is_error": True, "result": "\x1b[91m401\x1b[0m " + a + "\x1b[1m" + b, "session_id": "s"})
        sys.exit(1)
        """;

    [Test]
    [Arguments(9)]
    [Arguments(22)]
    [Arguments(40)]
    public async Task No_client_and_no_file_gets_a_half_of_a_key_or_an_escape(int at)
    {
        using var directory = new TempDirectory();
        var agent = directory.File("claude");
        await File.WriteAllTextAsync(agent, Teller, TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var daemon = await ColibriDaemon.StartAsync(("ANTHROPIC_API_KEY", Key), ("COLIBRI_LOG_LEVEL", "debug"));
        await using var client = await daemon.ConnectAsync();
        await using var subscriber = await daemon.ConnectAsync();
        await subscriber.AskAsync(new { cmd = "subscribe" });
        var task = (await client.DataAsync(new { cmd = "create-task", title = "say it in pieces", max_attempts = 1, capabilities = new[] { "nobody-offers-this" } })).Text("id");

        var agentId = await client.SpawnAsync(new { cmd = "spawn-agent", binary = agent, task_id = task, env = new { AT = $"{at}" } });
        var failed = await client.TaskWhereAsync(task, t => t.TextOrNull("verdict") == "provider", "is judged");
        await client.PaneStoppedAsync(agentId);
        await client.DataAsync(new { cmd = "append-session", session_id = "by-a-client", entry = new { kind = "user", text = Key[..at] } });
        await client.DataAsync(new { cmd = "append-session", session_id = "by-a-client", entry = new { kind = "user", text = Key[at..] } });

        var shown = new StringBuilder(failed.ToString()).Append(daemon.Log);
        foreach (var session in new[] { failed.Text("session_id"), "by-a-client" })
            shown.Append(await client.DataAsync(new { cmd = "get-session", session_id = session })).Append(await client.DataAsync(new { cmd = "get-prompt", session_id = session }));
        foreach (var command in new[] { "snapshot", "status", "list-agents", "cost" })
            shown.Append(await client.DataAsync(new { cmd = command }));
        // Every event up to one that was asked for afterwards.
        await client.DataAsync(new { cmd = "create-task", title = "the last event", capabilities = new[] { "nobody-offers-this" } });
        for (var line = ""; !line.Contains("the last event", StringComparison.Ordinal); shown.Append(line))
            line = await subscriber.ReadLineAsync() ?? throw new ShouldAssertException("the subscription has ended");
        var told = shown.ToString();
        foreach (var path in Directory.GetFiles(daemon.DirectoryPath, "*", SearchOption.AllDirectories).Where(path => Path.GetExtension(path) is not (".sock" or ".lock")))
            shown.Append(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(path, TestContext.Current!.Execution.CancellationToken)));

        var all = shown.ToString();
        for (var from = 0; from + Part <= Key.Length; from++)
            all.Contains(Key.Substring(from, Part), StringComparison.Ordinal).ShouldBeFalse($"{Key.AsSpan(from, Part)} is shown: …{Around(all, Key.Substring(from, Part))}…");
        foreach (var escape in new[] { "\\u001b", "\\u001B", "\\u009b", "\\u009B", "\\u202e", "\\u202E", "\\r", "\u001b", "\u009b", "\u202e" })
            told.Contains(escape, StringComparison.Ordinal).ShouldBeFalse($"{escape} is shown: …{Around(told, escape)}…");
        var entries = (await client.DataAsync(new { cmd = "get-session", session_id = failed.Text("session_id") })).Items("entries");
        entries.Where(entry => entry.Text("kind") == "assistant").Select(entry => entry.Text("text")).ShouldBe(
        [
            "[redacted]\n[redacted]", "it begins [redacted]", "[redacted] and ends", "in red [redacted], and back", "[redacted]",
        ]);
        entries.Single(entry => entry.Text("kind") == "tool_result").Text("text").ShouldBe("ok\n\ttab [redacted]");
        failed.Member("error").Text("message").ShouldBe("401 [redacted]");
    }

    [Test]
    public async Task A_description_that_no_configured_agent_could_take_is_refused_when_it_is_created()
    {
        using var directory = new TempDirectory();
        var agent = directory.File("my-agent");
        await File.WriteAllTextAsync(agent, "#!/bin/sh\nexit 0\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_AGENT_BINARY", agent));
        await using var client = await daemon.ConnectAsync();
        foreach (var cmd in new[] { "create-task", "intake-task" })
        {
            (await client.RefusalAsync(new { cmd, title = "t", description = new string('d', 131_069) })).ShouldBe("bad-request");
            (await client.AskAsync(new { cmd, title = "t", description = new string('d', 131_069) })).ToString().ShouldContain("131071");
        }
        (await client.DataAsync(new { cmd = "list-tasks" })).Items("tasks").ShouldBeEmpty();
        await client.DataAsync(new { cmd = "create-task", title = "t", description = new string('d', 131_068), capabilities = new[] { "nobody-offers-this" } });
    }

    private static string Around(string all, string found)
    {
        var at = all.IndexOf(found, StringComparison.Ordinal);
        return at < 0 ? "" : JsonSerializer.Serialize(all[Math.Max(0, at - 60)..Math.Min(all.Length, at + 60)]);
    }
}
