using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>Checks that go wrong in every way: each has its outcome, and nothing that it started is left.</summary>
public sealed class CheckTests
{
    /// <summary>A check; how it says that it went; and what its output's end holds.</summary>
    public static IEnumerable<(string Check, string Message, string Tail)> Bad =>
    [
        ("echo 'two tests failed'; exit 3", "the check failed: exit code 3: two tests failed", "two tests failed"),
        ("echo before; kill -SEGV $$", "the check failed: SIGSEGV: before", "before"),
        ("no-such-program --all", "the check failed: exit code 127", "no-such-program"),
        ("echo begun; sleep 600", "the check ran longer than 1 s and was ended", "begun"),
        ("trap '' TERM; echo begun; while :; do sleep 600; done", "the check ran longer than 1 s and was ended", "begun"),
        ("yes a-long-line-of-output | head -c 20000000; exit 1", "the check failed: exit code 1", "a-long-line-of-output"),
        ("(setsid sleep 601 &) ; (sleep 602 &) ; echo forked; exit 1", "the check failed: exit code 1: forked", "forked"),
    ];

    [Test]
    [MethodDataSource(nameof(Bad))]
    public async Task A_check_that_does_not_pass_fails_the_run_and_leaves_nothing(string check, string message, string tail)
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt", "check_timeout = \"1s\"\nrework = 0");

        var task = await site.RunAsync(new { cmd = "create-task", title = "try it", workspace = "site", check, max_attempts = 1 }, "failed");

        (task.Text("verdict"), task.Member("error").Text("code")).ShouldBe(("check-failed", "check-failed"));
        task.Member("error").Text("message").ShouldStartWith(message);
        var outcome = task.Member("check");
        (outcome.Text("command"), outcome.Has("exit")).ShouldBe((check, true));
        outcome.Text("output_tail").ShouldContain(tail);
        outcome.Text("output_tail").Length.ShouldBeLessThanOrEqualTo(16 * 1024);
        // Its work is on its branch all the same.
        (await site.Repository.FilesAsync(task.Member("change").Text("head"))).ShouldBe(["README", "work.txt"]);
        site.Daemon.Descendants().ShouldBeEmpty();
    }

    [Test]
    public async Task A_check_that_passes_and_leaves_processes_is_cleared_up_after()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt");

        var task = await site.RunAsync(new { cmd = "create-task", title = "try it", workspace = "site", check = "(setsid sleep 601 &); true" }, "done");

        task.Member("check").Member("exit").Number("code").ShouldBe(0);
        site.Daemon.Descendants().ShouldBeEmpty();
    }

    [Test]
    public async Task What_a_check_changes_in_the_tree_is_no_work_of_the_agents()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt");

        var task = await site.RunAsync(
            new { cmd = "create-task", title = "try it", workspace = "site", check = "echo changed > work.txt; echo more > more.txt; mkdir out; echo o > out/o; git add -A; git commit -qm mine || true" }, "done");

        var head = task.Member("change").Text("head");
        (await site.Repository.FilesAsync(head)).ShouldBe(["README", "work.txt"]);
        (await site.Repository.GitAsync("show", $"{head}:work.txt")).ShouldBe("work");
        (await File.ReadAllTextAsync(Path.Combine(site.Trees.ShouldHaveSingleItem(), "work.txt"))).ShouldBe("work\n");
        Directory.GetFileSystemEntries(site.Trees[0]).Select(Path.GetFileName).Order().ShouldBe([".git", "README", "work.txt"]);
    }

    [Test]
    public async Task A_failed_check_goes_back_to_an_agent_with_its_output_and_costs_no_attempt()
    {
        await using var site = await WorkspaceDaemon.StartAsync(
            "case $prompt in *'ninety-nine bugs'*) echo right > work.txt;; *) echo wrong > work.txt;; esac", "check = \"grep right work.txt || { echo 'ninety-nine bugs'; exit 1; }\"\nrework = 1");

        var task = await site.RunAsync(new { cmd = "create-task", title = "try it", description = "all of it", workspace = "site", max_attempts = 1 }, "done");

        (task.Number("attempts"), task.Items("runs").Count).ShouldBe((1, 2));
        task.Items("runs")[0].Text("verdict").ShouldBe("check-failed");
        (await site.Repository.GitAsync("show", $"{task.Member("change").Text("head")}:work.txt")).ShouldBe("right");
        var entries = await site.Daemon.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id"), all = true });
        entries.Items("entries").Count(entry => entry.Text("kind") == "user").ShouldBe(2);
    }

    [Test]
    public async Task A_check_over_the_memory_of_its_run_s_profile_fails_the_run_with_that_verdict()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt", "rework = 0", profile: "memory = \"100MiB\"");

        var task = await site.RunAsync(new { cmd = "create-task", title = "try it", workspace = "site", check = MemoryTests.Holds300, max_attempts = 1 }, "failed");

        (task.Text("verdict"), task.Member("error").Text("code")).ShouldBe(("memory", "memory"));
        task.Member("error").Text("message").ShouldStartWith("the check ");
        task.Member("error").Text("message").ShouldContain("the limit of 100 MiB of memory (memory of the profile pi, ");
        (await site.Repository.FilesAsync(task.Member("change").Text("head"))).ShouldBe(["README", "work.txt"]);
        site.Daemon.Descendants().ShouldBeEmpty();
    }

    [Test]
    public async Task A_check_is_ended_with_its_cancelled_task()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt");
        await using var client = await site.Daemon.ConnectAsync();
        var id = (await client.DataAsync(new { cmd = "create-task", title = "try it", workspace = "site", check = "touch begun; sleep 600" })).Text("id");
        await Eventually.HoldsAsync(() => site.Trees.Any(tree => File.Exists(Path.Combine(tree, "begun"))), () => $"the check has begun; the log:\n{site.Daemon.Log}");

        await client.DataAsync(new { cmd = "cancel-task", task_id = id });

        await Eventually.HoldsAsync(() => site.Daemon.Descendants().Count == 0, () => "the check has ended");
        (await client.TaskEndedAsync(id, "cancelled")).Text("status").ShouldBe("cancelled");
    }
}
