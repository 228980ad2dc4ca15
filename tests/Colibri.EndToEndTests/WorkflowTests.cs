using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests;

/// <summary>Tasks that come after others, and groups with a limit, with real daemons and agents that keep what they were told.</summary>
public sealed class WorkflowTests
{
    private const string Words = "It is \"done\": 'all' of $(it), `so` to say, ünïcode 日本 🪶\nand a second line.";

    // What it was told goes into its home, by the task's title. The words are a file beside it, as JSON.
    private const string Chain = """
        say() { printf '{"type":"agent_start"}\n{"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":%s}],%s}}\n{"type":"agent_end","messages":[],"willRetry":false}\n' "$1" "$2"; }
        title=$(printf '%s' "$prompt" | head -n 1)
        printf '%s' "$prompt" > "$HOME/told-$title"
        echo "$title" > "$title.txt"
        case $title in bad) say '"It broke."' '"stopReason":"error","errorMessage":"no such beam"'; exit 1 ;; esac
        say "$(cat "$HOME/words")" '"stopReason":"stop"'
        exit 0
        """;

    [Test]
    public async Task Each_of_a_chain_is_told_what_the_one_before_said_and_left()
    {
        await using var site = await StartAsync();
        await using var client = await site.Daemon.ConnectAsync();
        await client.DataAsync(new { cmd = "create-task", title = "a", workspace = "site", hold = true });
        await client.DataAsync(new { cmd = "create-task", title = "b", description = Words, workspace = "site", after = "1" });
        await client.DataAsync(new { cmd = "create-task", title = "c", after = (string[])["2", "1"] });
        await client.DataAsync(new { cmd = "release-task", task_id = "1" });
        var last = await client.TaskEndedAsync("3", "done", TimeSpan.FromMinutes(1));

        var (a, b) = (await client.TaskAsync("1"), await client.TaskAsync("2"));
        a.Member("result").Text("text").ShouldBe(Words);
        var toldB = await ToldAsync(site, "b");
        toldB.ShouldStartWith($"b\n\n{Words}\n\nWhat came before: ");
        toldB.ShouldContain($"\n```\n{Words}\n```");
        var change = a.Member("change");
        toldB.ShouldContain($"Its change: branch {change.Text("branch")}, {change.Text("base")}..{change.Text("head")}, ");
        toldB.ShouldContain("It has not landed (it is open): it is on that branch, and not in the base that you work on.");
        var toldC = await ToldAsync(site, "c");
        toldC.IndexOf("Task 2, done: b", StringComparison.Ordinal).ShouldBeInRange(0, toldC.IndexOf("Task 1, done: a", StringComparison.Ordinal));
        toldC.Split($"\n```\n{Words}\n```").Length.ShouldBe(3);
        (await ToldAsync(site, "a")).ShouldBe("a");
        last.Items("parents").Select(parent => (parent.Number("number"), parent.Text("status"), parent.Member("result").Text("text"))).ShouldBe([(2, "done", Words), (1, "done", Words)]);
        b.Items("parents").ShouldHaveSingleItem().Member("change").Text("head").ShouldBe(change.Text("head"));

        // What the second one merges is the branch that it was named.
        (await site.Repository.GitAsync("cat-file", "-p", $"{change.Text("branch")}:a.txt")).ShouldContain("a");
    }

    [Test]
    public async Task A_parent_that_fails_holds_fails_or_runs_what_comes_after_it()
    {
        await using var site = await StartAsync();
        await using var client = await site.Daemon.ConnectAsync();
        await client.DataAsync(new { cmd = "create-task", title = "bad", max_attempts = 1, hold = true });
        foreach (var policy in (string[])["hold", "fail", "run"])
            await client.DataAsync(new { cmd = "create-task", title = policy, after = "1", on_failed = policy });
        await client.DataAsync(new { cmd = "create-task", title = "last", after = "3", on_failed = "fail" });
        await client.DataAsync(new { cmd = "release-task", task_id = "1" });

        await client.TaskEndedAsync("1", "failed", TimeSpan.FromMinutes(1));
        await client.TaskEndedAsync("4", "done", TimeSpan.FromMinutes(1));

        var held = await client.TaskAsync("2");
        (held.Text("status"), held.Member("held").GetBoolean(), held.Member("error").Text("code")).ShouldBe(("queued", true, "parent-failed"));
        held.Items("blocked_by").ShouldHaveSingleItem().Text("message").ShouldEndWith("; try that again: colibri retry-task 1, or run this without it: colibri release-task 2");
        foreach (var failed in (string[])["3", "5"])
            ((await client.TaskAsync(failed)).Text("status"), (await client.TaskAsync(failed)).Member("error").Text("code")).ShouldBe(("failed", "parent-failed"));
        var told = await ToldAsync(site, "run");
        told.ShouldContain("Task 1, failed: bad\nIt is over without being done: ");
        told.ShouldContain("\n```\nIt broke.\n```");
        var inbox = (await client.DataAsync(new { cmd = "inbox" })).Items("items").ToList();
        inbox.Single(item => item.Text("kind") == "held").Text("message").ShouldStartWith("parent-failed: task 1 (bad) has failed: ");
        (await client.DataAsync(new { cmd = "list-notices" })).Items("notices").ShouldContain(notice => notice.Text("kind") == "held");

        await client.DataAsync(new { cmd = "release-task", task_id = "2" });
        await client.TaskEndedAsync("2", "done", TimeSpan.FromMinutes(1));
        (await ToldAsync(site, "hold")).ShouldBe("hold");
        var cli = await site.Daemon.CliAsync("add", "more", "--after", "1", "--on-failed", "fail");
        cli.Stdout.ShouldContain("(failed)");
    }

    /// <summary>An agent notes itself as the holder while it works: a living holder at the start of another is two at once.</summary>
    [Test]
    public async Task A_group_of_one_never_has_two_whenever_its_daemon_is_killed()
    {
        const int Kills = 20;
        const int Tasks = 30;
        await using var site = await WorkspaceDaemon.StartAsync(
            """
            state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$(cat "$HOME/holder" 2> /dev/null)/status" 2> /dev/null)
            case $state in '' | Z | X) ;; *) echo "$COLIBRI_TASK_ID" >> "$HOME/overlaps" ;; esac
            echo $$ > "$HOME/holder"
            echo "begin $COLIBRI_TASK_ID" >> "$HOME/stamps"
            sleep 0.3
            echo "end $COLIBRI_TASK_ID" >> "$HOME/stamps"
            """,
            more: "[groups.one]\nlimit = 1", environment: [("COLIBRI_MAX_AGENTS", "4"), ("COLIBRI_MAX_INTERRUPTIONS", "100")]);
        var stamps = Path.Combine(site.Daemon.DirectoryPath, "home", "stamps");
        await using (var client = await site.Daemon.ConnectAsync())
        {
            for (var i = 0; i < Tasks; i++)
                await client.DataAsync(new { cmd = "create-task", title = $"task {i}", group = "one", max_attempts = 100 });
        }
        for (var kill = 0; kill < Kills; kill++)
        {
            var seen = Begun();
            await Eventually.HoldsAsync(() => Begun() > seen, () => $"another run begins; the log:\n{site.Daemon.Log}", TimeSpan.FromMinutes(1));
            await site.Daemon.KillAsync();
            await site.Daemon.StartAgainAsync();
        }

        await using var last = await site.Daemon.ConnectAsync();
        for (var number = 1; number <= Tasks; number++)
            await last.TaskEndedAsync($"{number}", "done", TimeSpan.FromMinutes(3));

        File.Exists(Path.Combine(site.Daemon.DirectoryPath, "home", "overlaps")).ShouldBeFalse("two were at work at once");
        (await File.ReadAllLinesAsync(stamps)).Where(line => line.StartsWith("end", StringComparison.Ordinal)).Distinct().Count().ShouldBe(Tasks);
        var group = (await last.DataAsync(new { cmd = "status" })).Items("groups").ShouldHaveSingleItem();
        (group.Text("name"), group.Number("limit"), group.Number("running"), group.Number("queued")).ShouldBe(("one", 1, 0, 0));

        int Begun() => File.Exists(stamps) ? File.ReadAllLines(stamps).Count(line => line.StartsWith("begin", StringComparison.Ordinal)) : 0;
    }

    private static async Task<WorkspaceDaemon> StartAsync()
    {
        var site = await WorkspaceDaemon.StartAsync(Chain);
        await File.WriteAllTextAsync(Path.Combine(site.Daemon.DirectoryPath, "home", "words"), JsonSerializer.Serialize(Words));
        return site;
    }

    private static Task<string> ToldAsync(WorkspaceDaemon site, string title) => File.ReadAllTextAsync(Path.Combine(site.Daemon.DirectoryPath, "home", $"told-{title}"));
}
