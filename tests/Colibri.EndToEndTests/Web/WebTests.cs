using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Web;

/// <summary>The web glasspane in a real browser, in front of a real daemon.</summary>
public sealed class WebTests
{
    private const string Payload = "<img src=x onerror=\"window.ran=true\"><script>window.ran=true</script>";

    [Test]
    [NotInParallel]
    public async Task A_blocked_agent_appears_within_a_second_is_answered_and_its_task_ends_done()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var web = await WebServer.StartAsync(daemon.SocketPath, "--write");
        await using var browser = await BrowserRun.StartAsync("answer", daemon, web);
        var outcome = await browser.NextAsync();
        outcome.Text("status").ShouldBe("done");
        outcome.Number("appeared_ms").ShouldBeLessThan(1_000);
        // The token does not stay in the address.
        outcome.Text("hash").ShouldBe("");
    }

    [Test]
    public async Task Every_page_fits_wide_and_narrow_and_has_no_serious_fault_of_access()
    {
        await using var site = await WorkspaceDaemon.StartAsync(SiteScript, "check = \"echo all is well\"");
        var number = await PopulateAsync(site);
        await using var web = await WebServer.StartAsync(site.Daemon.SocketPath, "--write");
        await using var browser = await BrowserRun.StartAsync("pages", site.Daemon, web, number);
        var outcome = await browser.NextAsync();
        outcome.Number("pages").ShouldBeGreaterThan(12);
        outcome.Texts("faults").ShouldBeEmpty();
        outcome.Texts("wide").ShouldBeEmpty();
        outcome.Texts("problems").ShouldBeEmpty();
    }

    [Test]
    public async Task Html_in_a_title_and_in_an_agents_words_is_text()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var client = await daemon.ConnectAsync();
        var task = await client.DataAsync(new { cmd = "create-task", title = Payload, description = Payload });
        await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--emit-usage" }, task_id = task.Text("id") });
        await client.TaskEndedAsync(task.Text("id"), "done");
        await client.DataAsync(new { cmd = "create-task", title = Payload, hold = true });
        await client.DataAsync(new { cmd = "schedule-task", name = "news", cron = "0 7 * * 1-5", zone = "UTC", task = new { title = Payload } });
        await using var web = await WebServer.StartAsync(daemon.SocketPath, "--write");
        await using var browser = await BrowserRun.StartAsync("inert", daemon, web, task.Number("number"));
        var outcome = await browser.NextAsync();
        foreach (var seen in outcome.Member("seen").EnumerateArray())
        {
            seen.Flag("ran").ShouldBeFalse(seen.ToString());
            seen.Number("made").ShouldBe(0, seen.ToString());
            seen.Flag("text").ShouldBeTrue(seen.ToString());
        }
        outcome.Texts("problems").ShouldBeEmpty();
    }

    [Test]
    public async Task A_page_of_another_origin_and_a_rebound_name_get_nothing()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var web = await WebServer.StartAsync(daemon.SocketPath, "--write");
        await using var browser = await BrowserRun.StartAsync("foreign", daemon, web);
        var outcome = await browser.NextAsync();
        // The browser sends the text too, and keeps the answer from the page; that nothing was done shows in the queue.
        foreach (var tried in (string[])["read", "stream", "json", "text"])
            outcome.Text(tried).ShouldBe("failed", outcome.ToString());
        outcome.Text("frame").ShouldBe("nothing");
        outcome.Number("rebound").ShouldBe(421);
        (await daemon.DataAsync(new { cmd = "status" })).Member("queue").Member("paused").GetArrayLength().ShouldBe(0);
    }

    [Test]
    public async Task Without_scripts_the_pages_can_be_read()
    {
        await using var site = await WorkspaceDaemon.StartAsync(SiteScript);
        var number = await PopulateAsync(site);
        await using var web = await WebServer.StartAsync(site.Daemon.SocketPath);
        await using var browser = await BrowserRun.StartAsync("noscript", site.Daemon, web, number, isReadOnly: true);
        var outcome = await browser.NextAsync();
        foreach (var page in outcome.EnumerateObject().Where(page => page.Value.ValueKind == JsonValueKind.Number))
            page.Value.GetInt32().ShouldBeGreaterThan(100, page.Name);
        outcome.Text("url").ShouldStartWith("/tasks?status=failed");
    }

    [Test]
    public async Task The_keyboard_goes_everywhere()
    {
        await using var site = await WorkspaceDaemon.StartAsync(SiteScript);
        await PopulateAsync(site);
        await using var web = await WebServer.StartAsync(site.Daemon.SocketPath);
        await using var browser = await BrowserRun.StartAsync("keys", site.Daemon, web, isReadOnly: true);
        var outcome = await browser.NextAsync();
        outcome.Text("opened").ShouldBe(outcome.Text("current"));
        outcome.Text("filter").ShouldBe("agent");
        outcome.Flag("help").ShouldBeTrue();
        outcome.Text("paused").ShouldBe("paused");
        outcome.Flag("attention").ShouldBeTrue();
        outcome.Texts("problems").ShouldBeEmpty();
    }

    [Test]
    public async Task A_daemon_that_goes_and_comes_back_is_taken_up_again_under_an_open_page()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var web = await WebServer.StartAsync(daemon.SocketPath);
        await using var browser = await BrowserRun.StartAsync("restart", daemon, web, isReadOnly: true);
        (await browser.NextAsync()).Text("at").ShouldBe("open");
        await daemon.KillAsync();
        (await browser.NextAsync()).Text("at").ShouldBe("away");
        await daemon.StartAgainAsync();
        await browser.SayAsync("back");
        (await browser.NextAsync()).Text("words").ShouldContain("The daemon is away.");
    }

    [Test]
    public async Task What_destroys_asks_first_and_takes_the_right_token()
    {
        await using var site = await WorkspaceDaemon.StartAsync(SiteScript);
        var number = await PopulateAsync(site);
        await using var web = await WebServer.StartAsync(site.Daemon.SocketPath, "--write");
        await using var browser = await BrowserRun.StartAsync("confirm", site.Daemon, web, number);
        var outcome = await browser.NextAsync();
        outcome.Text("words").ShouldContain("takes 1 commit off");
        outcome.Text("still").ShouldBe("open");
        outcome.Text("refused").ShouldContain("the token is missing or wrong");
        outcome.Text("landed").ShouldBe("landed");
    }

    [Test]
    public async Task A_session_is_followed_as_it_is_written()
    {
        await using var site = await WorkspaceDaemon.StartAsync(SiteScript);
        var number = await PopulateAsync(site);
        await using var web = await WebServer.StartAsync(site.Daemon.SocketPath);
        await using var browser = await BrowserRun.StartAsync("follow", site.Daemon, web, number, isReadOnly: true);
        var outcome = await browser.NextAsync();
        outcome.Number("after").ShouldBe(outcome.Number("before") + 1);
        outcome.Number("bold").ShouldBe(0);
    }

    [Test]
    public async Task Where_reading_takes_the_token_the_first_page_asks_for_it()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await using var web = await WebServer.StartAsync(daemon.SocketPath, "--read-token");
        await using var browser = await BrowserRun.StartAsync("locked", daemon, web);
        var outcome = await browser.NextAsync();
        outcome.Text("title").ShouldBe("Colibri");
        outcome.Text("heading").ShouldBe("Cost");
    }

    private const string SiteScript = """
        case "$prompt" in
            *greeting*) printf 'def greet(name):\n    # say hello\n    return "hello, " + name\n' > greet.py; printf 'hello <world> & all\n' > README ;;
            *breaks*) exec false ;;
        esac
        """;

    /// <summary>A change to review, a failure, a held task and a question.</summary>
    private static async Task<long> PopulateAsync(WorkspaceDaemon site)
    {
        var changed = await site.RunAsync(new { cmd = "create-task", title = "Write a greeting in Python", description = "It takes a name.\nIt says hello.", workspace = "site", tags = new[] { "docs" } }, "done");
        await site.RunAsync(new { cmd = "create-task", title = "This one breaks", workspace = "site", max_attempts = 1 }, "failed");
        await using var client = await site.Daemon.ConnectAsync();
        await client.DataAsync(new { cmd = "create-task", title = "Later, when somebody has looked at it", hold = true, group = "night" });
        var asking = await client.DataAsync(new { cmd = "create-task", title = "Ask before the database is dropped", hold = true });
        await client.DataAsync(new { cmd = "release-task", task_id = asking.Text("id") });
        var agent = await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--rpc", "--ask", "--emit-usage" }, rpc = true });
        await client.DataAsync(new { cmd = "prompt", agent_id = agent, text = "go on" });
        await Eventually.HoldsAsync(async () => (await client.DataAsync(new { cmd = "inbox" })).Member("items").EnumerateArray().Any(item => item.Text("kind") == "question"), () => "a question waits");
        return changed.Number("number");
    }
}
