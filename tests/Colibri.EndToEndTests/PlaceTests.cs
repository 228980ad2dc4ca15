using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>Where runs work: two are never in one directory, and a directory that is gone is no reason to work elsewhere.</summary>
public sealed class PlaceTests
{
    [Test]
    public async Task Runs_of_one_directory_never_overlap_and_those_of_others_do()
    {
        const int TasksOfOne = 8;
        // Each writes its stamps into its directory: a begin between another's begin and end is an overlap.
        await using var site = await WorkspaceDaemon.StartAsync(
            "echo \"begin $COLIBRI_TASK_ID $(date +%s%N)\" >> stamps; sleep 0.0$(($$ % 10)); echo \"end $COLIBRI_TASK_ID $(date +%s%N)\" >> stamps", "isolation = \"shared\"", environment: ("COLIBRI_MAX_AGENTS", "8"));
        await using var client = await site.Daemon.ConnectAsync();
        string[] directories = [Directory.CreateDirectory(Path.Combine(site.Outside, "one")).FullName, Directory.CreateDirectory(Path.Combine(site.Outside, "two")).FullName];
        // Another name of the same directory is the same directory.
        File.CreateSymbolicLink(Path.Combine(site.Outside, "alias"), directories[0]);
        var ids = new List<string>();
        for (var n = 0; n < TasksOfOne; n++)
        {
            foreach (var cwd in (string[])[n % 2 == 0 ? directories[0] : Path.Combine(site.Outside, "alias"), directories[1]])
                ids.Add((await client.DataAsync(new { cmd = "create-task", title = $"task {n}", cwd })).Text("id"));
            ids.Add((await client.DataAsync(new { cmd = "create-task", title = $"task {n}", workspace = "site" })).Text("id"));
        }

        var spans = new List<(string Directory, string From, string To)>();
        foreach (var id in ids)
        {
            var task = await client.TaskEndedAsync(id, "done");
            var run = task.Items("runs").ShouldHaveSingleItem();
            spans.Add((Path.GetFileName(run.Text("cwd")).Replace("alias", "one", StringComparison.Ordinal), run.Text("started_at"), run.Text("finished_at")));
        }

        foreach (var stamps in (string[])[.. directories.Select(directory => Path.Combine(directory, "stamps")), Path.Combine(site.Repository.Path, "stamps")])
        {
            var lines = (await File.ReadAllLinesAsync(stamps)).Select(line => line.Split(' ')).ToList();
            lines.Count.ShouldBe(2 * TasksOfOne);
            for (var i = 0; i < lines.Count; i += 2)
                (lines[i][0], lines[i + 1][0], lines[i][1]).ShouldBe(("begin", "end", lines[i + 1][1]), stamps);
        }
        foreach (var some in spans.GroupBy(span => span.Directory))
        {
            var sorted = some.OrderBy(span => span.From, StringComparer.Ordinal).ToList();
            for (var i = 1; i < sorted.Count; i++)
                string.CompareOrdinal(sorted[i - 1].To, sorted[i].From).ShouldBeLessThanOrEqualTo(0, $"{some.Key}: {sorted[i - 1]} and {sorted[i]}");
        }
        var inAll = spans.OrderBy(span => span.From, StringComparer.Ordinal).ToList();
        inAll.Skip(1).Zip(inAll).Count(pair => string.CompareOrdinal(pair.Second.To, pair.First.From) > 0).ShouldBeGreaterThan(0, "runs of different directories are at work at once");
    }

    [Test]
    public async Task A_directory_that_is_gone_when_the_run_is_placed_is_a_failed_start_that_names_it()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt");
        var gone = Path.Combine(site.Outside, "gone");

        var task = await site.RunAsync(new { cmd = "create-task", title = "try it", cwd = gone, max_attempts = 1 }, "failed");

        (task.Member("error").Text("code"), task.Member("error").Text("message")).ShouldBe(("spawn-failed", $"its directory is not there: {gone}"));
        Directory.Exists(gone).ShouldBeFalse();
    }

    [Test]
    public async Task A_task_that_names_no_place_has_one_of_its_own()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt");

        foreach (var number in (int[])[1, 2])
            await site.RunAsync(new { cmd = "create-task", title = "try it" }, "done");

        foreach (var number in (int[])[1, 2])
        {
            var own = Path.Combine(site.Daemon.DirectoryPath, "work", $"{number}");
            (await File.ReadAllTextAsync(Path.Combine(own, "work.txt"))).ShouldBe("work\n");
            File.GetUnixFileMode(own).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Test]
    public async Task A_setup_that_takes_its_time_holds_up_its_own_task_alone()
    {
        await using var site = await WorkspaceDaemon.StartAsync(
            "echo work > work.txt", more: """
                [workspaces.slow]
                path = "ROOT/site"
                setup = "touch ../begun; sleep 600"
                """, environment: ("COLIBRI_MAX_AGENTS", "3"));
        await using var client = await site.Daemon.ConnectAsync();
        var slow = (await client.DataAsync(new { cmd = "create-task", title = "slow", workspace = "slow" })).Text("id");
        await Eventually.HoldsAsync(
            () => File.Exists(Path.Combine(site.Daemon.DirectoryPath, "trees", "slow", "begun")), () => $"the setup has begun; the log:\n{site.Daemon.Log}", TimeSpan.FromMinutes(1));

        (await site.RunAsync(new { cmd = "create-task", title = "quick", workspace = "site" }, "done", TimeSpan.FromSeconds(20))).Number("attempts").ShouldBe(1);
        (await site.RunAsync(new { cmd = "create-task", title = "own" }, "done", TimeSpan.FromSeconds(20))).Number("attempts").ShouldBe(1);
        (await client.DataAsync(new { cmd = "get-task", task_id = slow })).Text("status").ShouldBe("claimed");

        await client.DataAsync(new { cmd = "cancel-task", task_id = slow });
        await Eventually.HoldsAsync(() => site.Daemon.Descendants().Count == 0, () => "the setup has ended");
        (await client.TaskEndedAsync(slow, "cancelled")).Text("status").ShouldBe("cancelled");
    }

    [Test]
    public async Task A_workspace_that_cannot_be_worked_in_holds_its_tasks_says_why_and_goes_on_when_it_can()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt");
        await using var client = await site.Daemon.ConnectAsync();
        await site.Repository.GitAsync("branch", "--move", "main", "elsewhere");
        var id = (await client.DataAsync(new { cmd = "create-task", title = "try it", workspace = "site" })).Text("id");

        await Eventually.HoldsAsync(
            async () => (await client.DataAsync(new { cmd = "get-task", task_id = id })) is var task && task.Has("blocked_by")
                && task.Items("blocked_by").Any(reason => reason.Text("code") == "workspace" && reason.Text("message").Contains("no branch main", StringComparison.Ordinal)),
            () => $"the task waits for its workspace; the log:\n{site.Daemon.Log}");
        var waiting = await client.DataAsync(new { cmd = "get-task", task_id = id });
        (waiting.Text("status"), waiting.Number("attempts")).ShouldBe(("queued", 0));
        (await client.DataAsync(new { cmd = "inbox" })).Items("items").ShouldHaveSingleItem().Text("kind").ShouldBe("workspace");

        await site.Repository.GitAsync("branch", "--move", "elsewhere", "main");
        (await client.TaskEndedAsync(id, "done", TimeSpan.FromMinutes(1))).Number("attempts").ShouldBe(1);
    }
}
