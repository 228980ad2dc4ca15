using System.Text.Json;
using Colibri.EndToEndTests.Harness;
using Colibri.Tests;

namespace Colibri.EndToEndTests.Schema;

/// <summary>What `colibri schema` prints, against what clients and a daemon say to each other.</summary>
public sealed class SchemaTests
{
    [Test]
    public async Task Every_commands_lines_are_as_the_schema_says()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var heard = new Traffic(await PrintAsync(daemon));
        await using var client = await daemon.ConnectAsync();
        client.Heard = heard.Take;

        var asked = await new CommandTour(client).RunAsync();

        heard.Commands.Order().ShouldBe(asked.Order());
        await heard.ShouldFitAsync();
    }

    /// <summary>Runs with usage, changes that land and that are given up, an inbox, and what a subscriber and a follower are told.</summary>
    [Test]
    public async Task A_days_work_is_as_the_schema_says()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo \"$COLIBRI_TASK_ID\" > \"$COLIBRI_TASK_ID.txt\"; set -- --usage 10,5,2,1,0.01 \"$@\"", "check = \"true\"",
            more: "[notify.ops]\non = \"all\"\nexec = [\"/bin/true\"]");
        var heard = new Traffic(await PrintAsync(site.Daemon));
        await using var client = await site.Daemon.ConnectAsync();
        client.Heard = heard.Take;
        await using var events = await site.Daemon.ConnectAsync();
        events.Heard = heard.Take;
        await events.DataAsync(new { cmd = "subscribe" });

        var first = await client.TaskEndedAsync((await client.DataAsync(new { cmd = "create-task", title = "one", workspace = "site", agent = "pi" })).Text("id"), "done");
        var second = await client.TaskEndedAsync((await client.DataAsync(new { cmd = "create-task", title = "two", workspace = "site" })).Text("id"), "done");
        await client.DataAsync(new { cmd = "create-task", title = "never", hold = true });
        await client.DataAsync(new { cmd = "set-cost-mode", mode = "max" });
        (await client.DataAsync(new { cmd = "inbox" })).Items("items").Count.ShouldBeGreaterThanOrEqualTo(3);
        (await client.DataAsync(new { cmd = "get-change", task_id = first.Number("number"), patch = true })).Text("patch").ShouldContain("diff --git");
        (await client.DataAsync(new { cmd = "land-task", task_id = first.Text("id") })).Member("change").Text("state").ShouldBe("landed");
        (await client.DataAsync(new { cmd = "discard-task", task_id = second.Text("id"), force = true })).Member("change").Text("state").ShouldBe("discarded");
        var runs = (await client.DataAsync(new { cmd = "list-runs", limit = 10 })).Items("runs");
        runs.Select(run => (run.Text("title"), run.Text("verdict"), run.TextOrNull("profile"))).ShouldBe([("two", "done", "pi"), ("one", "done", "pi")]);
        runs.ShouldAllBe(run => run.Number("duration_ms") >= 0 && run.Member("usage").Number("input_tokens") > 0);
        foreach (var by in (string[])["task", "session", "provider", "profile", "day", "day-profile"])
            (await client.DataAsync(new { cmd = "cost", by })).Items("lines").ShouldNotBeEmpty();
        await client.DataAsync(new { cmd = "test-sink", sink = "ops" });
        (await client.DataAsync(new { cmd = "list-notices" })).Items("notices").ShouldNotBeEmpty();
        foreach (var command in (string[])["status", "snapshot", "list-tasks", "list-sessions", "list-agents", "list-kinds"])
            await client.DataAsync(new { cmd = command });
        await client.DataAsync(new { cmd = "get-session", session_id = first.Text("session_id") });
        await client.DataAsync(new { cmd = "get-prompt", session_id = first.Text("session_id") });

        await using var follower = await site.Daemon.ConnectAsync();
        follower.Heard = heard.Take;
        await follower.DataAsync(new { cmd = "follow-session", task_id = first.Text("id"), from = 1 });
        (await follower.ReadAsync() is var entry && entry.Text("kind") == "entry").ShouldBeTrue();
        heard.Line("follow-session", entry);
        HashSet<string> kinds = [];
        while (!kinds.IsSupersetOf(["task", "pane", "cost", "notice"]))
        {
            var told = await events.ReadAsync();
            kinds.Add(told.Text("kind"));
            heard.Line("subscribe", told);
        }

        await heard.ShouldFitAsync();
    }

    /// <summary>The check can fail: a reply that lacks a field, and one that belongs to another command, do not pass.</summary>
    [Test]
    public async Task A_wrong_line_is_not_as_the_schema_says()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        var schema = await PrintAsync(daemon);
        var check = new SchemaCheck(JsonElement.Parse(schema));
        await using var client = await daemon.ConnectAsync();
        var task = (await client.AskAsync(new { cmd = "create-task", title = "real", id = 1 })).Root;
        var status = (await client.AskAsync(new { cmd = "status" })).Root;

        var text = task.GetRawText();
        (string Definition, JsonElement Line)[] wrongs =
        [
            ("create-task.reply", status),
            ("status.reply", task),
            ("create-task.reply", JsonElement.Parse(text.Replace("\"queued\"", "\"asleep\"", StringComparison.Ordinal))),
            ("create-task.reply", JsonElement.Parse(text.Replace("\"priority\":0", "\"priority\":\"0\"", StringComparison.Ordinal))),
            ("create-task.reply", JsonElement.Parse(text.Replace("\"created_at\"", "\"made_at\"", StringComparison.Ordinal))),
        ];

        check.Wrong("create-task.reply", task).ShouldBeNull();
        wrongs.ShouldAllBe(wrong => check.Wrong(wrong.Definition, wrong.Line) != null);
        // A line of any command fits the whole document.
        check.Wrong(task).ShouldBeNull();
        check.Wrong(JsonElement.Parse("""{"kind":7}""")).ShouldNotBeNull();
        var (found, held) = await Ajv.HoldAsync(schema, [("create-task.reply", task), .. wrongs]);
        (found.Count, held).ShouldBe((wrongs.Length, wrongs.Length + 1), string.Join('\n', found));
    }

    private static async Task<string> PrintAsync(ColibriDaemon daemon)
    {
        var printed = await daemon.CliAsync("schema");
        printed.ExitCode.ShouldBe(0, printed.ToString());
        return printed.Stdout;
    }

    private sealed class Traffic(string schema)
    {
        private readonly SchemaCheck _check = new(JsonElement.Parse(schema));
        private readonly HashSet<string> _commands = [];
        private readonly List<string> _wrongs = [];
        private readonly List<(string Definition, JsonElement Line)> _lines = [];

        public IReadOnlyCollection<string> Commands => _commands;

        /// <summary>By our own check, and by ajv where it can be had.</summary>
        public async Task ShouldFitAsync()
        {
            _wrongs.ShouldBeEmpty();
            var (wrongs, held) = await Ajv.HoldAsync(schema, _lines);
            wrongs.ShouldBeEmpty();
            held.ShouldBe(_lines.Count);
        }

        public void Take(string request, JsonElement reply)
        {
            var asked = JsonElement.Parse(request);
            var command = asked.Text("cmd");
            _commands.Add(command);
            // A request that is refused as a bad one need not be as the schema says.
            if (reply.GetProperty("ok").GetBoolean() || reply.GetProperty("error").Text("code") != "bad-request")
                Hold($"{command}.request", asked);
            Hold($"{command}.reply", reply);
        }

        public void Line(string command, JsonElement line) => Hold($"{command}.line", line);

        private void Hold(string definition, JsonElement line)
        {
            _lines.Add((definition, line));
            if (_check.Wrong(definition, line) is { } wrong)
                _wrongs.Add($"{wrong}: {line.GetRawText()[..Math.Min(line.GetRawText().Length, 600)]}");
        }
    }
}
