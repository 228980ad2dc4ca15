using System.Text;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>A key reaches the agent that needs it, and nothing that is kept or shown.</summary>
public sealed class SecretsTests
{
    private const string Key = "sk-e2e-0123456789-abcdefghijklmnop";

    /// <summary>Tells its key everywhere it can: as words, as a tool's answer, as an error, on standard error, and fails.</summary>
    private const string Teller = """
        #!/bin/sh
        printf %s "$OPENAI_API_KEY" > "$SEEN"
        printf '{"type":"agent_start"}\n'
        printf '{"type":"tool_execution_start","toolCallId":"t","toolName":"bash","args":{}}\n'
        printf '{"type":"tool_execution_end","toolCallId":"t","toolName":"bash","result":{"content":[{"type":"text","text":"env: %s"}]}}\n' "$OPENAI_API_KEY"
        printf '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"my key is %s."}],"stopReason":"error","errorMessage":"401: bad key %s"}}\n' "$OPENAI_API_KEY" "$OPENAI_API_KEY"
        printf '{"type":"agent_settled"}\n'
        echo "cannot use $OPENAI_API_KEY" >&2
        exit 3
        """;

    [Test]
    public async Task A_key_is_found_nowhere_but_in_its_agents_own_environment()
    {
        using var directory = new TempDirectory();
        var file = directory.File("provider.env");
        await WriteAsync(file, $"OPENAI_API_KEY={Key}\n", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var teller = directory.File("codex");
        await WriteAsync(teller, Teller, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_PROVIDER_ENV", file), ("ANTHROPIC_API_KEY", "sk-ant-0123456789"));
        await using var client = await daemon.ConnectAsync();

        foreach (var (runtime, expected) in new[] { ("pi", Key), ("claude", ""), ("local", "") })
        {
            var seen = directory.File($"seen-by-{runtime}");
            var task = await client.DataAsync(new { cmd = "create-task", title = $"tell as {runtime}", max_attempts = 1 });
            await client.SpawnAsync(new { cmd = "spawn-agent", binary = teller, runtime, task_id = task.Text("id"), args = new[] { "-" }, env = new { SEEN = seen } });
            await client.TaskWhereAsync(task.Text("id"), t => t.TextOrNull("verdict") is not null, "is judged");
            (await File.ReadAllTextAsync(seen, TestContext.Current!.Execution.CancellationToken)).ShouldBe(expected);
        }

        var outside = (await client.DataAsync(new { cmd = "create-task", title = "told by an outside agent" })).Text("id");
        await client.DataAsync(new { cmd = "claim-task", task_id = outside, agent_id = "outside" });
        await client.DataAsync(new { cmd = "transition-task", task_id = outside, status = "started" });
        await client.DataAsync(new { cmd = "transition-task", task_id = outside, status = "failed", error = new { code = Key, message = $"the provider refuses {Key} today" } });

        var shown = new StringBuilder(daemon.Log);
        shown.Append(await client.DataAsync(new { cmd = "snapshot" })).Append(await client.DataAsync(new { cmd = "status" }))
            .Append(await client.DataAsync(new { cmd = "list-tasks" })).Append(await client.DataAsync(new { cmd = "list-agents" }));
        foreach (var process in Directory.GetDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
            shown.Append(ReadOrNothing(Path.Combine(process, "cmdline")));
        var kept = Directory.GetFiles(daemon.DirectoryPath, "*", SearchOption.AllDirectories).Where(path => !path.EndsWith(".sock", StringComparison.Ordinal)).ToList();
        kept.ShouldContain(path => path.EndsWith(".jsonl", StringComparison.Ordinal));
        kept.ShouldContain(path => path.EndsWith("board.sqlite", StringComparison.Ordinal));
        foreach (var path in kept)
            shown.Append(ReadOrNothing(path));
        shown.ToString().ShouldNotContain(Key);
        shown.ToString().ShouldContain("my key is [redacted].");
        shown.ToString().ShouldContain("cannot use [redacted]");
        shown.ToString().ShouldContain("the provider refuses [redacted] today");
    }

    [Test]
    public async Task A_provider_file_that_others_may_read_keeps_the_daemon_from_starting()
    {
        using var directory = new TempDirectory();
        var file = directory.File("provider.env");
        await WriteAsync(file, $"OPENAI_API_KEY={Key}\n", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        await using var daemon = ColibriDaemon.Prepared();
        var refused = await daemon.RunToEndAsync([], ("COLIBRI_PROVIDER_ENV", file));
        refused.ExitCode.ShouldBe(1);
        refused.ErrorLines[^1].ShouldContain($"chmod 600 {file}");
        refused.ToString().ShouldNotContain(Key);
    }

    [Test]
    public async Task A_key_that_is_not_taken_moves_the_task_to_the_next_route_without_costing_an_attempt()
    {
        using var directory = new TempDirectory();
        var agent = directory.File("pi");
        await WriteAsync(agent, """
            #!/bin/sh
            printf '{"type":"agent_start"}\n'
            case "$*" in
                *"--provider first"*) printf '{"type":"message_end","message":{"role":"assistant","content":[],"stopReason":"error","errorMessage":"401: invalid api key"}}\n' ;;
                *) printf '{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"well"}],"stopReason":"stop"}}\n' ;;
            esac
            printf '{"type":"agent_settled"}\n'
            """, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var daemon = await ColibriDaemon.StartAsync(
            ("COLIBRI_AGENT_BINARY", agent), ("COLIBRI_PROVIDERS", "missing:m,first:one,second"), ("COLIBRI_PROVIDERS_KEYLESS", "first,second"));
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title = "route me", max_attempts = 1 });

        var done = await client.TaskEndedAsync(task.Text("id"), "done");

        done.Number("attempts").ShouldBe(1);
        var runs = (await client.DataAsync(new { cmd = "get-task", task_id = task.Text("id") })).Items("runs");
        runs.Select(run => (run.Text("provider"), run.TextOrNull("model"), run.Text("verdict"))).ShouldBe([("first", "one", "agent-error"), ("second", null, "done")]);
        (await daemon.CliAsync("get-task", task.Text("id"))).Stdout.ShouldMatch(@"agent-error by a\d+ [^,]*on\s+first:one");
        var routes = (await client.DataAsync(new { cmd = "status" })).Items("providers");
        routes.Select(route => (route.Text("provider"), route.Text("state"))).ShouldBe([("missing", "no-key"), ("first", "auth-failed"), ("second", "ready")]);
        routes[1].Text("last_error").ShouldBe("401: invalid api key");
        (await daemon.CliAsync("status")).Stdout.ShouldContain("first:one: auth-failed");
    }

    private static async Task WriteAsync(string path, string text, UnixFileMode mode)
    {
        await File.WriteAllTextAsync(path, text, TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(path, mode);
    }

    private static string ReadOrNothing(string path)
    {
        try
        {
            return Encoding.Latin1.GetString(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
