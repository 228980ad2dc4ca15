using System.Diagnostics;
using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>An evening's work with the queue, as it is typed at a shell.</summary>
public sealed class QueueTests
{
    [Test]
    public async Task Add_in_a_repository_that_is_a_workspace_is_done_there()
    {
        using var place = new TempDirectory();
        var site = await RepositoryAsync(place, "site");
        await using var daemon = await ConfiguredAsync(place, $"""
            [agents.tester]
            kind = "pi"
            binary = "{Repository.TestAgent}"
            args = ["--turns", "1"]
            [agents.other]
            kind = "pi"
            binary = "{Repository.TestAgent}"
            [workspaces.site]
            path = "{site}"
            agents = ["tester"]
            """);

        var added = await InAsync(daemon, Path.Combine(site, "docs"), "add", "Fix", "the", "login", "test", "--key", "login");
        var again = await InAsync(daemon, site, "add", "Fix it once more", "--key", "login");
        var refused = await InAsync(daemon, site, "add", "Not by that one", "--agent", "other");
        var waited = await daemon.CliAsync("wait", "1", "--timeout", "25");

        added.ExitCode.ShouldBe(0, added.ToString());
        added.Lines[..2].ShouldBe(["created task 1 (queued)", "  in workspace site, by any agent"]);
        again.Lines[0].ShouldMatch(@"^the key is known: it is task 1 \([a-z]+\), and no second task was made$");
        refused.ExitCode.ShouldBe(1, refused.ToString());
        refused.ErrorLines.ShouldHaveSingleItem().ShouldContain("workspace site does not allow the profile other");
        waited.ExitCode.ShouldBe(0, $"{waited}\n{await daemon.CliAsync("get-task", "1")}");
        var task = await JsonAsync(daemon, "get-task", "1");
        (task.Text("title"), task.Text("workspace")).ShouldBe(("Fix the login test", "site"));
        var run = task.Items("runs").ShouldHaveSingleItem();
        run.Text("profile").ShouldBe("tester");
        run.Text("cwd").ShouldStartWith(Path.Combine(daemon.DirectoryPath, "trees", "site", "1-"));
    }

    [Test]
    public async Task Add_elsewhere_is_done_in_the_current_directory_and_says_at_once_what_no_agent_can_do()
    {
        await using var daemon = await WithAgentAsync("--turns 1");
        var here = Directory.CreateDirectory(Path.Combine(daemon.DirectoryPath, "here")).FullName;

        var added = await InAsync(daemon, here, "add", "Tidy up", "-");
        (await daemon.CliAsync("wait", "1", "--timeout", "25")).ExitCode.ShouldBe(0);
        var refused = await InAsync(daemon, here, "add", "Not by that one", "--agent", "colibri-test-agent");
        // The key is known the second time. A scheduler that is held up for longer has looked at the task by then.
        await Eventually.HoldsAsync(
            async () => (await InAsync(daemon, here, "add", "Play", "--capability", "grand-piano", "--key", "play")).Lines.Contains("  no-agent: no configured agent offers any of grand-piano"),
            () => "add says that no agent can do it");

        added.Lines[1].ShouldBe($"  in {here}, by any agent");
        (await JsonAsync(daemon, "get-task", "1")).Items("runs").ShouldHaveSingleItem().Text("cwd").ShouldBe(here);
        refused.ExitCode.ShouldBe(1, refused.ToString());
        refused.ErrorLines.ShouldHaveSingleItem().ShouldContain("agent is 'colibri-test-agent', which is not configured; there are no agents in the configuration");
    }

    [Test]
    public async Task Logs_followed_end_with_the_run_and_hold_all_of_it()
    {
        await using var daemon = await WithAgentAsync("--turns 4 --step-ms 30");
        await AddAsync(daemon, "Talk for a while");

        var followed = await daemon.CliAsync("logs", "1", "-f");
        var after = await daemon.CliAsync("get-task", "1");

        followed.ExitCode.ShouldBe(0, followed.ToString());
        var entries = (await JsonAsync(daemon, "get-session", "1")).Items("entries");
        followed.Lines.Where(line => line.StartsWith('#')).Select(line => line.Split(' ')[0]).ShouldBe(entries.Select(entry => $"#{entry.Number("seq")}"), followed.ToString());
        entries.Count.ShouldBeGreaterThan(4);
        after.Stdout.ShouldContain("status      done");
        (await daemon.CliAsync("logs", "1", "--json")).ExitCode.ShouldBe(0);
    }

    [Test]
    public async Task Retry_of_all_that_failed_begins_each_anew_with_the_words_for_its_agent()
    {
        await using var daemon = await WithAgentAsync("--fail");
        for (var number = 1; number <= 2; number++)
            await AddAsync(daemon, $"Goes wrong {number}", "--max-attempts", "1");
        var failed = await daemon.CliAsync("wait", "1", "2", "--timeout", "25");
        (await daemon.CliAsync("pause-queue")).ExitCode.ShouldBe(0);

        var retried = await daemon.CliAsync("retry", "--failed", "--feedback", "Mind the gap");

        failed.ExitCode.ShouldBe(1, failed.ToString());
        retried.ExitCode.ShouldBe(0, retried.ToString());
        retried.Lines.Order().ShouldBe(["task 1 is queued", "task 2 is queued"]);
        var task = await JsonAsync(daemon, "get-task", "2");
        (task.Number("attempts"), task.Text("feedback")).ShouldBe((0, "Mind the gap"));
        (await daemon.CliAsync("resume-queue")).ExitCode.ShouldBe(0);
        (await daemon.CliAsync("wait", "1", "2", "--timeout", "25")).ExitCode.ShouldBe(1);
        (await JsonAsync(daemon, "get-task", "2")).Items("runs").Count.ShouldBe(2);
        (await JsonAsync(daemon, "get-session", "2")).Items("entries").ShouldContain(entry => entry.Text("kind") == "user" && entry.Text("text").Contains("Mind the gap"));
        (await daemon.CliAsync("retry", "--failed", "7")).ExitCode.ShouldBe(2);
    }

    [Test]
    public async Task A_queued_task_is_edited_and_runs_as_it_then_is()
    {
        await using var daemon = await WithAgentAsync("--turns 1");
        await AddAsync(daemon, "Fxi it", "--hold", "--tag", "night", "--group", "site");

        var edited = await daemon.CliAsync("edit-task", "1", "--title", "Fix it", "--priority", "7", "--group", "", "--tag", "day", "--tag", "site");

        edited.ExitCode.ShouldBe(0, edited.ToString());
        var task = await JsonAsync(daemon, "get-task", "1");
        (task.Text("title"), task.Number("priority"), task.Has("group"), task.Member("held").GetBoolean()).ShouldBe(("Fix it", 7, false, true));
        task.Items("tags").Select(tag => tag.GetString()).ShouldBe(["day", "site"]);
        (await daemon.CliAsync("release-task", "1")).ExitCode.ShouldBe(0);
        (await daemon.CliAsync("wait", "1", "--timeout", "25")).ExitCode.ShouldBe(0);
        (await JsonAsync(daemon, "get-session", "1")).Items("entries")[0].Text("text").ShouldStartWith("Fix it");
        var late = await daemon.CliAsync("edit-task", "1", "--title", "Too late");
        late.ExitCode.ShouldBe(1, late.ToString());
        late.ErrorLines.ShouldHaveSingleItem().ShouldContain("conflict");
    }

    [Test]
    public async Task Wait_for_any_ends_with_the_first_and_its_exit_code_says_how_it_ended()
    {
        await using var daemon = await WithAgentAsync("--turns 1");
        await AddAsync(daemon, "Rests", "--hold");
        await AddAsync(daemon, "Rests too", "--hold");
        using var wait = Process.Start(Prepared(daemon, daemon.DirectoryPath, "wait", "--any", "1", "2"))!;
        var said = new BoundedText(4 * 1024);
        wait.ErrorDataReceived += (_, line) => said.AppendLine(line.Data);
        wait.BeginErrorReadLine();
        try
        {
            await Eventually.HoldsAsync(() => said.ToString().Split("waiting").Length == 3, () => $"wait has read both; it said: {said}");
            (await daemon.CliAsync("release-task", "2")).ExitCode.ShouldBe(0);
            await wait.WaitForExitAsync(TestContext.Current!.Execution.CancellationToken).WaitAsync(Eventually.Deadline);
            wait.ExitCode.ShouldBe(0, said.ToString());
        }
        finally
        {
            if (!wait.HasExited)
                wait.Kill();
        }
        (await daemon.CliAsync("wait", "1", "2", "--timeout", "0.2")).ExitCode.ShouldBe(5);
        (await daemon.CliAsync("cancel-task", "1")).ExitCode.ShouldBe(0);
        (await daemon.CliAsync("wait", "1", "2")).ExitCode.ShouldBe(4);
        (await daemon.CliAsync("wait", "1", "2", "--any")).ExitCode.ShouldBe(4);
    }

    [Test]
    public async Task Drain_lets_what_runs_end_and_starts_nothing_more()
    {
        await using var daemon = await WithAgentAsync("--hold-secs 5", ("COLIBRI_MAX_AGENTS", "1"));
        await AddAsync(daemon, "Runs");
        await using var client = await daemon.ConnectAsync();
        await client.TaskWhereAsync("1", task => task.Text("status") == "started", "is started");
        await AddAsync(daemon, "Comes after");

        var soon = await daemon.CliAsync("drain", "--timeout-ms", "1");
        var drained = await daemon.CliAsync("drain", "--timeout-ms", "25000");

        soon.ExitCode.ShouldBe(1, soon.ToString());
        soon.ErrorLines.ShouldHaveSingleItem().ShouldContain("unavailable");
        drained.ExitCode.ShouldBe(0, drained.ToString());
        drained.Lines[0].ShouldBe("nothing runs any more");
        (await client.TaskAsync("1")).Text("status").ShouldBe("done");
        var after = await client.TaskAsync("2");
        after.Text("status").ShouldBe("queued");
        after.Items("blocked_by").Select(reason => reason.Text("code")).ShouldContain("paused");
        (await daemon.CliAsync("resume-queue")).ExitCode.ShouldBe(0);
        (await daemon.CliAsync("wait", "2", "--timeout", "25")).ExitCode.ShouldBe(0);
    }

    [Test]
    public async Task The_list_has_the_newest_first_in_80_columns_and_pages_and_filters()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        for (var number = 1; number <= 5; number++)
            await AddAsync(daemon, $"Task {number} of an evening, with a title that is longer than any terminal is wide", "--tag", number % 2 == 0 ? "even" : "odd");

        var list = await daemon.CliAsync("list-tasks");
        var page = await daemon.CliAsync("list-tasks", "--tag", "odd", "--limit", "2");
        var next = await daemon.CliAsync(page.Lines[^1].Split(' ')[4..]);

        list.Lines.ShouldAllBe(line => line.Length <= 80);
        list.Lines.Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]).ShouldBe(["5", "4", "3", "2", "1"]);
        page.Lines[^1].ShouldBe("there are more: colibri list-tasks --tag odd --after 3");
        next.Lines.Skip(1).ShouldHaveSingleItem().ShouldContain("Task 1 of an evening");
    }

    [Test]
    public async Task Completion_offers_the_numbers_that_the_daemon_has_and_nothing_without_one()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await AddAsync(daemon, "Fix it");

        var known = await daemon.CliAsync("completion", "--values", "tasks");
        var gone = await Launch.ToEndAsync(Repository.Cli, ["--socket", daemon.SocketPath + ".none", "completion", "--values", "tasks"]);

        known.ToString().ShouldBe(new Finished(0, "1\tqueued: Fix it\n", "").ToString());
        gone.ToString().ShouldBe(new Finished(0, "", "").ToString());
    }

    private static Task<ColibriDaemon> WithAgentAsync(string arguments, params (string Name, string? Value)[] more) =>
        ColibriDaemon.StartAsync([("COLIBRI_AGENT_BINARY", Repository.TestAgent), ("COLIBRI_AGENT_ARGS", arguments), .. more]);

    private static Task<ColibriDaemon> ConfiguredAsync(TempDirectory place, string configuration)
    {
        var path = place.File("colibri.toml");
        File.WriteAllText(path, configuration);
        return ColibriDaemon.StartAsync(("COLIBRI_CONFIG", path));
    }

    private static async Task<string> RepositoryAsync(TempDirectory place, string name)
    {
        var path = place.Folder(name);
        Directory.CreateDirectory(Path.Combine(path, "docs"));
        await File.WriteAllTextAsync(Path.Combine(path, "docs", "readme"), "A site.\n");
        string[][] steps = [["init", "-q", "-b", "main"], ["add", "."], ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "commit", "-qm", "A site"]];
        foreach (var step in steps)
        {
            var done = await Launch.ToEndAsync("git", ["-C", path, .. step], new Dictionary<string, string?> { ["HOME"] = place.Path });
            done.ExitCode.ShouldBe(0, done.ToString());
        }
        return path;
    }

    private static ProcessStartInfo Prepared(ColibriDaemon daemon, string directory, params string[] arguments)
    {
        var start = Launch.Prepare(Repository.Cli, arguments, new Dictionary<string, string?> { ["HOME"] = daemon.Environment["HOME"], ["COLIBRI_DAEMON_SOCKET"] = daemon.SocketPath });
        start.WorkingDirectory = directory;
        return start;
    }

    private static Task<Finished> InAsync(ColibriDaemon daemon, string directory, params string[] arguments) => Launch.ToEndAsync(Prepared(daemon, directory, arguments));

    /// <summary>Each in a directory of its own.</summary>
    private static async Task AddAsync(ColibriDaemon daemon, string title, params string[] more)
    {
        var added = await daemon.CliAsync(["create-task", "--title", title, .. more]);
        added.ExitCode.ShouldBe(0, added.ToString());
    }

    private static async Task<JsonElement> JsonAsync(ColibriDaemon daemon, params string[] arguments)
    {
        var finished = await daemon.CliAsync([.. arguments, "--json"]);
        finished.ExitCode.ShouldBe(0, $"colibri {string.Join(' ', arguments)}: {finished}");
        return JsonElement.Parse(finished.Lines.ShouldHaveSingleItem());
    }
}
