using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>The operator's CLI as an operator and a script meet it.</summary>
public sealed class CliTests
{
    [Test]
    public async Task Help_of_every_command_fits_80_columns_and_exits_0()
    {
        var overview = await RunAsync("--help");
        overview.ExitCode.ShouldBe(0, overview.ToString());
        // A command's line is indented by two, its name a word in lower case.
        var commands = overview.Lines.Select(line => Regex.Match(line, "^  ([a-z][a-z-]*)  +[^ ]")).Where(match => match.Success).Select(match => match.Groups[1].Value).ToList();
        commands.Count.ShouldBeGreaterThan(30);
        foreach (var command in commands)
        {
            var help = await RunAsync(command, "--help");
            help.ExitCode.ShouldBe(0, $"colibri {command} --help: {help}");
            help.Stdout.ShouldContain(command);
            help.Lines.ShouldAllBe(line => line.Length <= 80, $"colibri {command} --help has a longer line");
        }
        overview.Lines.ShouldAllBe(line => line.Length <= 80);
    }

    [Test]
    public async Task Without_a_daemon_it_exits_3_with_one_line_that_says_what_to_do()
    {
        using var directory = new TempDirectory();
        var finished = await RunAsync("--socket", directory.File("none.sock"), "status");

        finished.ExitCode.ShouldBe(3);
        finished.Stdout.ShouldBeEmpty();
        var line = finished.ErrorLines.ShouldHaveSingleItem();
        line.ShouldStartWith("colibri: ");
        line.ShouldContain(directory.File("none.sock"));
        line.ShouldContain("try");
    }

    [Test]
    [Arguments("no-such-command")]
    [Arguments("create-task")]
    [Arguments("get-task")]
    [Arguments("create-task", "--titel", "x")]
    [Arguments("create-task", "--title")]
    [Arguments("create-task", "--title", "x", "--priority", "high")]
    [Arguments("status", "extra")]
    public async Task Wrong_usage_exits_2_with_one_line_before_any_daemon_is_asked(params string[] arguments)
    {
        var finished = await RunAsync(["--socket", "/nonexistent/d.sock", .. arguments]);

        finished.ExitCode.ShouldBe(2, finished.ToString());
        finished.Stdout.ShouldBeEmpty();
        finished.ErrorLines.ShouldHaveSingleItem().ShouldContain("--help");
    }

    [Test]
    public async Task What_the_daemon_refuses_exits_1_with_one_line_of_its_reason()
    {
        await using var daemon = await ColibriDaemon.StartAsync();

        var finished = await daemon.CliAsync("get-task", "01a201dd-9e2c-7489-9c6b-b90dc9b73446");

        finished.ExitCode.ShouldBe(1, finished.ToString());
        finished.Stdout.ShouldBeEmpty();
        finished.ErrorLines.ShouldHaveSingleItem().ShouldContain("01a201dd-9e2c-7489-9c6b-b90dc9b73446");
    }

    [Test]
    public async Task Json_is_the_data_on_one_line_wherever_the_option_stands()
    {
        await using var daemon = await ColibriDaemon.StartAsync();

        var after = await JsonAsync(daemon, "create-task", "--title", "From a shell", "--description", "é — 🐦", "--capability", "a", "--capability", "b", "--json");
        var before = await JsonAsync(daemon, "--json", "get-task", after.Text("id"));

        before.Text("title").ShouldBe("From a shell");
        before.Text("description").ShouldBe("é — 🐦");
        before.Items("capabilities").Select(one => one.GetString()).ShouldBe(["a", "b"]);
    }

    [Test]
    public async Task Every_command_does_its_work()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var task = (await JsonAsync(daemon, "create-task", "--title", "Walk", "--priority", "3", "--max-attempts", "1", "--key", "walk", "--json")).Text("id");
        var agent = (await JsonAsync(daemon, "register-agent", "shell", "--capability", "code", "--json")).Text("id");
        var other = (await JsonAsync(daemon, "create-task", "--title", "Rest", "--json")).Text("id");
        string[][] lines =
        [
            ["ping"], ["status"], ["snapshot"], ["metrics"], ["metrics", "--openmetrics"], ["get-metrics"], ["reload"], ["intake-task", "--title", "Later"], ["get-task", task], ["list-tasks", "--status", "queued", "--limit", "5"], ["list-runs"], ["list-runs", task], ["cost", "--by", "profile"], ["cost", "--by", "day-profile"],
            ["heartbeat", agent], ["claim-task", "--task-id", task, "--agent-id", agent],
            ["transition-task", "--task-id", task, "--status", "started"], ["transition-task", "--task-id", task, "--status", "done"],
            ["cancel-task", other], ["list-agents"], ["agents"], ["agents", "claude"], ["list-kinds", "--json"], ["append-session", "walk", "--kind", "note", "--text", "A note"], ["list-sessions"], ["get-session", "walk"],
            ["set-cost-mode", "fast"], ["register-skill", "walk", "--description", "Walks", "--category", "legs"], ["list-skills"], ["delete-skill", "walk"],
            ["register-tenant", "green", "--jail-root-path", "/tmp/green"], ["list-tenants"], ["delete-tenant", "green"],
            ["spawn-local", Repository.TestAgent, "--session-id", "walk-local", "--", "--turns", "1"],
        ];

        foreach (var line in lines)
        {
            var finished = await daemon.CliAsync(line);
            finished.ExitCode.ShouldBe(0, $"colibri {string.Join(' ', line)}: {finished}");
            finished.Stderr.ShouldBeEmpty();
            finished.Stdout.ShouldNotBeEmpty();
        }
        (await JsonAsync(daemon, "get-task", task, "--json")).Text("status").ShouldBe("done");
        (await JsonAsync(daemon, "get-task", other, "--json")).Text("status").ShouldBe("cancelled");
    }

    [Test]
    public async Task Spawn_agent_passes_what_follows_the_dashes_and_stop_agent_ends_it()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var agent = await JsonAsync(daemon, "spawn-agent", Repository.TestAgent, "--json", "--", "--hold-secs", "600", "--session-id", "given");
        await using var client = await daemon.ConnectAsync();
        await client.PaneWhereAsync(agent.Text("id"), pane => pane.TextOrNull("harness_session_id") == "given", "has the session id of its arguments");

        (await daemon.CliAsync("stop-agent", agent.Text("id"))).ExitCode.ShouldBe(0);

        await client.PaneStoppedAsync(agent.Text("id"));
    }

    [Test]
    [Arguments("--step-ms 5", 0)]
    [Arguments("--fail", 1)]
    public async Task Wait_ends_with_the_task_and_says_by_its_exit_code_how(string arguments, int exitCode)
    {
        await using var daemon = await ColibriDaemon.StartAsync(("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", arguments));
        var id = (await JsonAsync(daemon, "create-task", "--title", "Awaited", "--max-attempts", "1", "--json")).Text("id");

        var finished = await daemon.CliAsync("wait", id, "--timeout", "20");

        finished.ExitCode.ShouldBe(exitCode, finished.ToString());
    }

    [Test]
    public async Task Wait_gives_up_at_its_timeout()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var id = (await JsonAsync(daemon, "create-task", "--title", "Nobody comes", "--json")).Text("id");

        var clock = Stopwatch.StartNew();
        var finished = await daemon.CliAsync("wait", id, "--timeout", "1");

        finished.ExitCode.ShouldBe(5, finished.ToString());
        finished.ErrorLines.ShouldHaveSingleItem();
        clock.Elapsed.ShouldBeGreaterThan(TimeSpan.FromSeconds(0.9));
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task Wait_outlasts_a_restart_of_the_daemon(bool killed)
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var id = (await JsonAsync(daemon, "create-task", "--title", "Awaited", "--json")).Text("id");
        var accepted = await AcceptedAsync();
        using var wait = Process.Start(Launch.Prepare(Repository.Cli, ["wait", id, "--socket", daemon.SocketPath], new Dictionary<string, string?>()))!;
        var said = new BoundedText(8 * 1024);
        wait.ErrorDataReceived += (_, line) => said.AppendLine(line.Data);
        wait.BeginErrorReadLine();
        try
        {
            // It subscribes and then reads the task; each question here is a connection more.
            await Eventually.HoldsAsync(async () => await AcceptedAsync() >= ++accepted + 2, () => $"wait is connected; it said: {said}");
            if (killed)
                await daemon.KillAsync();
            else
                await daemon.TerminateAsync();
            await Eventually.HoldsAsync(
                () => Task.FromResult(said.ToString().Contains("trying again for 1 minute", StringComparison.Ordinal)), () => $"wait says so; it said: {said}");

            await daemon.StartAgainAsync();
            await daemon.CliAsync("cancel-task", id);
            await wait.WaitForExitAsync(TestContext.Current!.Execution.CancellationToken);

            wait.ExitCode.ShouldBe(4, said.ToString());
            said.ToString().ShouldContain("task 1 is cancelled");
        }
        finally
        {
            if (!wait.HasExited)
                wait.Kill();
        }

        async Task<long> AcceptedAsync() => (await daemon.DataAsync(new { cmd = "status" })).GetProperty("counters").GetProperty("connections").GetInt64();
    }

    [Test]
    public async Task Watch_prints_what_happens_as_it_happens()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var start = Launch.Prepare(Repository.Cli, ["watch", "--socket", daemon.SocketPath], new Dictionary<string, string?>());
        using var watch = Process.Start(start)!;
        var printed = new BoundedText(8 * 1024);
        watch.OutputDataReceived += (_, line) => printed.AppendLine(line.Data);
        watch.BeginOutputReadLine();
        try
        {
            // It may not have subscribed yet when the first task comes: so one more is created until one is told of.
            await Eventually.HoldsAsync(
                async () =>
                {
                    await daemon.DataAsync(new { cmd = "create-task", title = "Watched" });
                    return printed.ToString().Contains("Watched", StringComparison.Ordinal);
                },
                () => $"watch tells of a task; it printed: {printed}");
        }
        finally
        {
            watch.Kill();
        }
    }

    private static Task<Finished> RunAsync(params string[] arguments) => Launch.ToEndAsync(Repository.Cli, arguments);

    private static async Task<JsonElement> JsonAsync(ColibriDaemon daemon, params string[] arguments)
    {
        var finished = await daemon.CliAsync(arguments);
        finished.ExitCode.ShouldBe(0, $"colibri {string.Join(' ', arguments)}: {finished}");
        return JsonElement.Parse(finished.Lines.ShouldHaveSingleItem());
    }
}
