using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>The daemon as the first process of a container, and started by one that ignores SIGCHLD: no agent's exit is lost.</summary>
[UnsupportedOSPlatform("windows")]
[NotInParallel]
public sealed class PidOneTests
{
    private const string Init = """{"type":"system","subtype":"init","session_id":"s1","model":"m"}""";
    private const string Result = """{"type":"result","subtype":"success","is_error":false,"result":"ok","session_id":"s1","total_cost_usd":0.01,"usage":{"input_tokens":10,"output_tokens":5}}""";

    private static readonly string[] Namespace = ["unshare", "-pf", "--kill-child", "--mount-proc"];
    private static readonly string[] IgnoringChildren = ["/bin/sh", "-c", "trap '' CHLD HUP; exec \"$0\" \"$@\""];

    public static List<(bool, string, int)> Agents()
    {
        var agents = new List<(bool, string, int)>();
        foreach (var isPidOne in (bool[])[true, false])
        {
            agents.Add((isPidOne, "", 0));
            agents.Add((isPidOne, "sleep 1", 0));
            agents.Add((isPidOne, "(setsid sleep 300 &) ; sleep 0.3", 0));
            agents.Add((isPidOne, "(env -i setsid sleep 300 &) ; sleep 0.3", 0));
            agents.Add((isPidOne, "sleep 0.3", 3));
        }
        return agents;
    }

    [Test]
    [MethodDataSource(nameof(Agents))]
    public async Task An_agents_exit_is_known(bool isPidOne, string work, int code)
    {
        var wrapper = isPidOne ? await NamespaceAsync() : IgnoringChildren;
        await using var daemon = await ColibriDaemon.StartThroughAsync(wrapper);
        await using var client = await daemon.ConnectAsync();

        var task = await RunAsync(daemon, client, $"echo '{Init}'\n{work}\necho '{Result}'\nexit {code}\n");

        await Eventually.HoldsAsync(
            async () => (await client.DataAsync(new { cmd = "get-task", task_id = task })).Text("status") is "done" or "failed", () => $"the run ends; the daemon's log:\n{daemon.Log}", TimeSpan.FromSeconds(12));
        var run = (await client.DataAsync(new { cmd = "get-task", task_id = task })).Member("runs").EnumerateArray().Single();
        (run.Text("verdict"), run.Member("exit").Number("code")).ShouldBe((code == 0 ? "done" : "exit-code", code));
        // A task is done a moment before its agent's slot is free.
        await Eventually.HoldsAsync(
            async () => (await client.DataAsync(new { cmd = "status" })).Member("agents").Number("running") == 0, () => $"the slot is free; the daemon's log:\n{daemon.Log}");
        daemon.Descendants().ShouldNotContain(left => left.CommandLine.Contains("sleep", StringComparison.Ordinal));
    }

    [Test]
    public async Task TERM_to_pid_1_ends_the_daemon_and_its_agents_and_it_starts_again()
    {
        var wrapper = await NamespaceAsync();
        await using var daemon = await ColibriDaemon.StartThroughAsync(wrapper);
        for (var i = 0; i < 2; i++)
        {
            await using (var client = await daemon.ConnectAsync())
            {
                var task = await RunAsync(daemon, client, $"echo '{Init}'\n(setsid sleep 300 &)\nexec sleep 300\n");
                await Eventually.HoldsAsync(
                    () => daemon.Descendants().Count(left => left.CommandLine == "sleep 300") == 2, () => $"both processes of the agent of task {task} run");
                (await client.DataAsync(new { cmd = "status" })).Number("pid").ShouldBe(1);
            }
            var clock = Stopwatch.StartNew();
            await Launch.SignalAsync(ChildOf(daemon.Pid), "TERM");

            (await daemon.ExitAsync()).ShouldBe(0, daemon.Log);

            clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(8));
            daemon.Descendants().ShouldBeEmpty();
            File.Exists(daemon.SocketPath).ShouldBeFalse();
            if (i == 0)
                await daemon.StartAgainAsync();
        }
    }

    /// <summary>
    /// A container without an init of its own: every run leaves orphans of both sorts to process 1, and every seventh fails. No exit is lost, no slot stays
    /// taken, no zombie is left.
    /// </summary>
    [Test]
    public async Task A_thousand_runs_under_pid_1_all_end_with_the_verdict_that_is_theirs()
    {
        const int Runs = 1_000;
        const int EveryFails = 7;
        var wrapper = await NamespaceAsync();
        using var directory = new TempDirectory();
        var agent = directory.File("claude");
        // The title tells whether it fails: the last argument is the prompt.
        await File.WriteAllTextAsync(
            agent,
            $"""
            #!/bin/sh
            for prompt; do :; done
            echo '{Init}'
            (setsid true &)
            (env -i setsid sleep 300 &)
            echo '{Result}'
            case $prompt in fails*) exit 3 ;; esac
            """,
            TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var daemon = await ColibriDaemon.StartThroughAsync(
            wrapper, ("COLIBRI_AGENT_BINARY", agent), ("COLIBRI_MAX_AGENTS", "8"), ("COLIBRI_LOG_LEVEL", "warning"));
        await using var client = await daemon.ConnectAsync();
        for (var i = 0; i < Runs; i++)
            await client.DataAsync(new { cmd = "create-task", title = $"{(i % EveryFails == 0 ? "fails" : "works")} {i}", max_attempts = 1 });

        const int Failing = (Runs + EveryFails - 1) / EveryFails;
        var status = default(System.Text.Json.JsonElement);
        await Eventually.HoldsAsync(
            async () =>
            {
                status = await client.DataAsync(new { cmd = "status" });
                return status.Member("tasks").Number("done") + status.Member("tasks").Number("failed") == Runs && status.Member("agents").Number("running") == 0;
            },
            () => $"every run ends: {status.Member("tasks")}, {status.Member("agents")}; the daemon's log:\n{daemon.Log}", TimeSpan.FromMinutes(4));

        (status.Member("tasks").Number("done"), status.Member("tasks").Number("failed")).ShouldBe((Runs - Failing, Failing));
        // What is left in the namespace is the wrapper, its init and the daemon.
        await Eventually.HoldsAsync(
            () => daemon.Descendants().All(left => !left.CommandLine.Contains("sleep", StringComparison.Ordinal) && !left.CommandLine.Contains("claude", StringComparison.Ordinal)),
            () => $"nothing of them is left; there are {string.Join(", ", daemon.Descendants())}");
        // A zombie is its parent's child until it is reaped: of process 1, which has the daemon alone, or of any thread of the daemon.
        var init = ChildOf(daemon.Pid);
        var inner = 0;
        await Eventually.HoldsAsync(() => ChildrenOf(init) is [var only] && (inner = only) > 0, () => $"process 1 has reaped; it has {string.Join(", ", ChildrenOf(init))}");
        await Eventually.HoldsAsync(() => ChildrenOf(inner).Count == 0, () => $"the daemon has reaped; it has {string.Join(", ", ChildrenOf(inner))}");
    }

    [Test]
    public async Task Pid_1_hands_on_what_it_was_given_and_ends_as_the_daemon_does()
    {
        var wrapper = await NamespaceAsync();
        await using var daemon = await ColibriDaemon.StartThroughAsync(wrapper);
        var init = ChildOf(daemon.Pid);
        var inner = ChildOf(init);
        foreach (var file in (string[])["cmdline", "environ"])
            File.ReadAllBytes($"/proc/{inner}/{file}").ShouldBe(File.ReadAllBytes($"/proc/{init}/{file}"), file);
        foreach (var descriptor in (int[])[0, 1, 2])
            File.ResolveLinkTarget($"/proc/{inner}/fd/{descriptor}", false)!.Name.ShouldBe(File.ResolveLinkTarget($"/proc/{init}/fd/{descriptor}", false)!.Name);

        await Launch.SignalAsync(init, "HUP");
        await Eventually.HoldsAsync(() => daemon.Log.Contains("[104]", StringComparison.Ordinal), () => $"the daemon hears of the signal; its log:\n{daemon.Log}");
        await Launch.SignalAsync(inner, "KILL");

        (await daemon.ExitAsync()).ShouldBe(128 + 9);
    }

    [Test]
    [Arguments("--version", null, 0)]
    [Arguments("--help", null, 0)]
    [Arguments("--check-config", null, 0)]
    [Arguments("--wrong", null, 2)]
    [Arguments(null, "-3", 1)]
    public async Task Pid_1_answers_and_refuses_as_any_other(string? argument, string? maxAgents, int code)
    {
        var wrapper = await NamespaceAsync();
        var prepared = ColibriDaemon.Prepared(("COLIBRI_MAX_AGENTS", maxAgents));
        await using (prepared)
        {
            string[] arguments = argument is null ? [] : [argument];

            var ended = await Launch.ToEndAsync(wrapper[0], [.. wrapper.Skip(1), Repository.Daemon, .. arguments], prepared.Environment);

            var plain = await Launch.ToEndAsync(Repository.Daemon, arguments, prepared.Environment);
            ended.ShouldBe(plain);
            ended.ExitCode.ShouldBe(code, ended.ToString());
        }
    }

    private static async Task<string> RunAsync(ColibriDaemon daemon, WireClient client, string script)
    {
        var agent = Path.Combine(daemon.DirectoryPath, "claude");
        await File.WriteAllTextAsync(agent, "#!/bin/sh\n" + script, TestContext.Current!.Execution.CancellationToken);
        File.SetUnixFileMode(agent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var task = (await client.DataAsync(new { cmd = "create-task", title = "t", max_attempts = 1, capabilities = new[] { "nobody-offers-this" } })).Text("id");
        await client.SpawnAsync(new { cmd = "spawn-agent", binary = agent, task_id = task });
        return task;
    }

    private static int ChildOf(int pid) => ChildrenOf(pid).Single();

    // Zombies among them, and those that any thread has started.
    private static List<int> ChildrenOf(int pid) =>
        [
            .. Directory.EnumerateDirectories($"/proc/{pid}/task")
                .SelectMany(thread => File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(child => int.Parse(child, CultureInfo.InvariantCulture)),
        ];

    private static async Task<string[]> NamespaceAsync()
    {
        foreach (var wrapper in (string[][])[Namespace, ["unshare", "-Urpf", "--kill-child", "--mount-proc"]])
        {
            try
            {
                if ((await Launch.ToEndAsync(wrapper[0], [.. wrapper.Skip(1), "/bin/true"])).ExitCode == 0)
                    return wrapper;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                Skip.Test("no unshare(1) to make a pid namespace with");
            }
        }
        Skip.Test("no pid namespace can be made here: not root, and kernel or security policy lets no user make one");
        return [];
    }
}
