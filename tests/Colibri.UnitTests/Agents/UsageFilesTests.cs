using Colibri.Core.Agents;
using Colibri.Core.Agents.Launch;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents;

/// <summary>What an agent has used, told in a file at its end alone.</summary>
public sealed class UsageFilesTests
{
    private const string Prints = """
        echo '{"type":"assistant.turn_start","data":{"turnId":"0"}}'
        echo '{"type":"assistant.message","data":{"content":"mended"}}'
        echo '{"type":"result","sessionId":"s-1","exitCode":0}'
        """;

    // As the Copilot CLI 1.0.102 writes it, with a second model.
    private const string Told = """
        {
          "totalUserRequests": 1,
          "modelMetrics": {
            "mock-1": { "requests": { "count": 2, "cost": 0 }, "usage": { "inputTokens": 2500, "outputTokens": 52, "cacheReadTokens": 2176, "cacheWriteTokens": 0 }, "totalNanoAiu": 0 },
            "mock-2": { "requests": { "count": 1 }, "usage": { "inputTokens": 10, "outputTokens": 3, "cacheReadTokens": 0, "cacheWriteTokens": 4 } }
          }
        }
        """;

    [Test]
    public async Task A_file_is_counted_at_the_end_and_gone_with_the_agent()
    {
        await using var fixture = new SupervisorFixture();
        var (pane, task) = await RunAsync(fixture, $"cat > \"$2\" <<'END'\n{Told}\nEND\nls -ld \"$(dirname \"$2\")\" > {fixture.PathOf("mode")}");

        pane.Usage.Show().ShouldBe("330/55/2176/4/0");
        pane.Unknown.ShouldBe(["cost"]);
        (task.Verdict, task.Usage.Show()).ShouldBe(("done", "330/55/2176/4/0"));
        (await File.ReadAllTextAsync(fixture.PathOf("mode"), TestContext.Current!.Execution.CancellationToken)).ShouldStartWith("drwx------");
        Directory.GetFiles(fixture.PathOf("usage")).ShouldBeEmpty();
    }

    [Test]
    [Arguments("true", "it has written no file of it")]
    [Arguments("echo '{\"modelMetrics\":' > \"$2\"", "its file of it cannot be understood")]
    [Arguments("mkfifo \"$2\"", "is no regular file")]
    [Arguments("ln -s /etc/passwd \"$2\"", "cannot open")]
    [Arguments("head -c 1048577 /dev/zero > \"$2\"", "is larger than 1048576 bytes")]
    public async Task A_file_that_tells_nothing_leaves_the_usage_unknown_and_the_run_done(string script, string reason)
    {
        await using var fixture = new SupervisorFixture();
        var (pane, task) = await RunAsync(fixture, script);

        (pane.Usage.Show(), task.Verdict).ShouldBe(("0/0/0/0/0", "done"));
        pane.Unknown.ShouldBe(["usage", "cost"]);
        fixture.Logger.All.ShouldContain(line => line.Contains("has used is not known", StringComparison.Ordinal) && line.Contains(reason, StringComparison.Ordinal));
        Directory.GetFileSystemEntries(fixture.PathOf("usage")).ShouldBeEmpty();
    }

    [Test]
    public async Task Stated_arguments_stand_alone()
    {
        await using var fixture = new SupervisorFixture();
        var task = await fixture.Create();
        var agent = await fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = "sh", Runtime = "copilot", Arguments = ["-c", Prints], TaskId = task.Id });
        await SupervisorFixture.End(agent);
        agent.ToPane().Unknown.ShouldBe(["usage", "cost"]);
        Directory.Exists(fixture.PathOf("usage")).ShouldBeFalse();
    }

    [Test]
    public async Task What_a_killed_daemon_left_is_removed_before_the_first_agent()
    {
        await using var fixture = new SupervisorFixture();
        Directory.CreateDirectory(fixture.PathOf("usage"));
        await File.WriteAllTextAsync(fixture.PathOf("usage/old.json"), Told, TestContext.Current!.Execution.CancellationToken);
        await RunAsync(fixture, "true");
        Directory.GetFiles(fixture.PathOf("usage")).ShouldBeEmpty();
    }

    private static async Task<(Pane Pane, BoardTask Task)> RunAsync(SupervisorFixture fixture, string script)
    {
        var program = fixture.PathOf("copilot");
        await File.WriteAllTextAsync(program, $"#!/bin/sh\n[ \"$1\" = --usage-output-file ] || exit 9\n{script}\n{Prints}\n", TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var task = await fixture.Create(maxAttempts: 1);
        var agent = await fixture.Supervisor.SpawnAsync(new SpawnRequest { Binary = program, TaskId = task.Id });
        await SupervisorFixture.End(agent);
        return (agent.ToPane(), await fixture.Get(task));
    }
}
