using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Mcp;

/// <summary>The official TypeScript SDK's client against the native server and a native daemon with the test agent.</summary>
[ClassDataSource<McpClients>(Shared = SharedType.PerTestSession)]
public sealed class McpClientTests(McpClients clients)
{
    [Test]
    public async Task A_task_is_created_waited_for_and_its_result_read()
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--turns 2 --hold-secs 1"));

        var told = await clients.RunAsync(daemon, "mcp-client.mjs", "story");

        told.Member("wait").Text("outcome").ShouldBe("over", told.ToString());
        var task = told.Member("wait").Items("tasks").Single();
        (task.Text("status"), task.Has("result")).ShouldBe(("done", true));
        told.Items("progress").Select(message => message.GetString()).ShouldContain("task 1 is started");
        told.Items("updated").Select(uri => uri.GetString()).ShouldContain("colibri://task/1");
        told.Text("transcript").ShouldContain("assistant");
    }

    [Test]
    public async Task An_agents_question_is_answered_by_the_person_behind_the_client()
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--rpc --ask"));

        var told = await clients.RunAsync(daemon, "mcp-client.mjs", "question");

        told.Member("wait").Text("outcome").ShouldBe("over", told.ToString());
        told.Member("wait").Items("tasks").Single().Text("status").ShouldBe("done");
        told.Items("asked").Single().Member("requestedSchema").Text("type").ShouldBe("object");
        told.Items("asked").Single().Text("message").ShouldStartWith("Agent a1 (");
    }

    [Test]
    public async Task A_cancelled_wait_ends_and_the_server_goes_on()
    {
        await using var daemon = await ColibriDaemon.StartAsync();

        var told = await clients.RunAsync(daemon, "mcp-client.mjs", "cancel");

        told.Text("cancelled").ShouldContain("enough");
        told.Text("status").ShouldBe("queued");
    }

    [Test]
    public async Task A_wait_outlasts_a_restart_of_the_daemon()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var waiting = Path.Combine(daemon.DirectoryPath, "waiting");
        var told = clients.RunAsync(daemon, "mcp-client.mjs", "restart", waiting);
        await Eventually.HoldsAsync(() => File.Exists(waiting) || told.IsCompleted, () => "the client waits");

        await daemon.KillAsync();
        await daemon.StartAgainAsync();
        await daemon.DataAsync(new { cmd = "cancel-task", task_id = 1 });

        (await told).Member("wait").Items("tasks").Single().Text("status").ShouldBe("cancelled");
    }

    [Test]
    public async Task It_ends_with_its_client_and_writes_nothing_but_the_protocol()
    {
        using var directory = new TempDirectory();
        var start = Launch.Prepare(Repository.Binary("colibri-mcp"), ["--socket", directory.File("none.sock")], new Dictionary<string, string?> { ["TERM"] = "xterm" });

        var finished = await Launch.ToEndAsync(start);

        (finished.ExitCode, finished.Stdout, finished.Stderr).ShouldBe((0, "", ""));
    }

    [Test]
    public async Task What_is_asked_by_a_shells_pipe_is_answered()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        string[] calls =
        [
            """{"name":"colibri_create_task","arguments":{"title":"piped"}}""",
            """{"name":"colibri_doctor","arguments":{}}""",
            """{"name":"colibri_list_runs","arguments":{}}""",
            """{"name":"colibri_status","arguments":{}}""",
        ];
        var lines = calls.Select((call, i) => $$"""{"jsonrpc":"2.0","id":{{i + 1}},"method":"tools/call","params":{{call}}}""")
            .Prepend("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"sh","version":"1"}}}""");
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("lines"), string.Join('\n', lines));

        var finished = await Launch.ToEndAsync("/bin/sh", ["-c", "cat \"$1\" | \"$0\" --write --socket \"$2\"", Repository.Binary("colibri-mcp"), directory.File("lines"), daemon.SocketPath]);

        (finished.ExitCode, finished.Stderr).ShouldBe((0, ""));
        finished.Lines.Select(line => JsonElement.Parse(line)).Where(answer => answer.Has("id")).Select(answer => answer.Number("id")).ShouldBe([0, 1, 2, 3, 4], ignoreOrder: true);
        finished.Stdout.ShouldNotContain("\"isError\":true");
    }

    [Test]
    public async Task A_wait_is_a_task_of_the_client_with_its_result()
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--rpc --ask"));

        var told = await clients.RunAsync(daemon, "mcp-client.mjs", "task");

        told.Member("wait").Text("outcome").ShouldBe("over", told.ToString());
        told.Items("statuses").Select(status => status.GetString()).Where(status => status != "working").ShouldBe(["taskCreated", "input_required", "result"], told.ToString());
        told.Items("asked").Count.ShouldBe(1);
        told.Items("listed").Select(status => status.GetString()).ShouldBe(["completed", "cancelled"], ignoreOrder: true);
    }

    [Test]
    public async Task A_task_of_the_later_revision_is_as_the_official_extension_has_it()
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", "--rpc --ask"));

        var told = await clients.RunAsync(daemon, "mcp-tasks.mjs");

        told.Flag("extension").ShouldBeTrue();
        told.Items("statuses").Select(status => status.GetString()).Where(status => status != "working").ShouldBe(["input_required", "completed"], told.ToString());
        told.Member("wait").Text("outcome").ShouldBe("over");
    }

    [Test]
    [Arguments(0, "colibri-mcp ", "--version")]
    [Arguments(0, "usage: colibri-mcp", "--help")]
    [Arguments(2, "", "--what")]
    public async Task Its_own_questions_are_answered(int exitCode, string beginning, string argument)
    {
        var finished = await Launch.ToEndAsync(Repository.Binary("colibri-mcp"), [argument]);

        finished.ExitCode.ShouldBe(exitCode);
        finished.Stdout.ShouldStartWith(beginning);
        finished.ErrorLines.Length.ShouldBe(exitCode == 0 ? 0 : 1);
    }
}
