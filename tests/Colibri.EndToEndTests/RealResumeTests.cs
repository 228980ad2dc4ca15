using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;
using Microsoft.Data.Sqlite;

namespace Colibri.EndToEndTests;

/// <summary>A daemon is killed while a real agent is in a tool: the next one has the agent go on in its own session.</summary>
[ClassDataSource<RealAgents>(Shared = SharedType.PerTestSession)]
[NotInParallel]
public sealed class RealResumeTests(RealAgents agents)
{
    private const string Command = "env sleep 602";

    // What each request has used that the stand-in has answered.
    private const long WholeSession = -1;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>
    /// A kind, the argument that takes its session up, and what both runs have used by what it tells: a call is 176 tokens sent, 40 answered and 1024 of the
    /// cache, the last answer 148, 12 and 1152. Claude Code tells one token of an answer before its result, opencode none before a step is over; Codex has
    /// forgotten what the request cost in whose tool it was killed, and Gemini tells of a run that has ended alone. Qwen and Copilot tell the whole session's; Qwen
    /// makes a request more where it takes a session up.
    /// </summary>
    public static List<(string Kind, string Option, long Input, long Output, long CacheRead)> Kinds =>
    [
        ("claude", "--resume @", 324, 13, 2176),
        ("codex", "resume @", 148, 12, 1152),
        ("opencode", "-s @", 148, 12, 1152),
        ("pi", "--session @", 324, 52, 2176),
        ("gemini", "--resume @", 148, 12, 1152),
        ("qwen", "--resume @", 472, 64, 3328),
        ("copilot", "--resume=@", 324, 52, 2176),
    ];

    /// <summary>
    /// The same of agents that are given full access, with their transport: over ACP the session is loaded by a request. There opencode and Copilot tell of a
    /// prompt that has ended alone, and droid tells nothing. In print it asks its model once more when its tool is ended, and tells the whole session's.
    /// </summary>
    public static List<(string Kind, string Transport, string? Option, long Input, long Output, long CacheRead)> Transports =>
    [
        ("droid", "print", "-s @", WholeSession, 0, 0),
        ("opencode", "acp", null, 148, 12, 1152),
        ("copilot", "acp", null, 148, 12, 1152),
        ("droid", "acp", null, 0, 0, 0),
        ("claude", "duplex", "--resume @", 324, 13, 2176),
    ];

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task A_run_that_a_kill_of_the_daemon_cut_short_goes_on_in_its_session_and_is_booked_once(string kind, string option, long input, long output, long cacheRead)
    {
        var home = RealAgents.HomeOf(kind);
        await using var model = new ModelStandIn { Commands = [Command] };
        await using var daemon = await home.StartDaemonAsync(await agents.ExecutableAsync(kind), model);
        await ShouldGoOnAsync(home, model, daemon, option, (input, output, cacheRead));
    }

    [Test]
    [MethodDataSource(nameof(Transports))]
    public async Task It_does_over_every_transport(string kind, string transport, string? option, long input, long output, long cacheRead)
    {
        var home = RealAgents.HomeOf(kind);
        using var root = new TempDirectory();
        await using var model = new ModelStandIn { Commands = [Command] };
        await using var daemon = await StartAsync(home, transport, root, model);
        await ShouldGoOnAsync(home, model, daemon, option, (input, output, cacheRead));
    }

    /// <summary>Gemini 0.61 knows no session over ACP whose first turn was killed: the same run tells it the whole task.</summary>
    [Test]
    public async Task A_session_that_an_agent_does_not_load_is_begun_anew_in_the_same_run()
    {
        var home = RealAgents.HomeOf("gemini");
        using var root = new TempDirectory();
        await using var model = new ModelStandIn { Commands = [Command] };
        await using var daemon = await StartAsync(home, "acp", root, model);
        var id = await KilledInAToolAsync(home, daemon);
        await using var client = await daemon.ConnectAsync();
        var task = await client.TaskEndedAsync(id, "done", Patience);

        var runs = task.Items("runs");
        runs.Select(run => (run.Text("verdict"), run.TryGetProperty("resumed", out _))).ShouldBe([("interrupted", false), ("done", false)]);
        runs[1].Text("harness_session_id").ShouldNotBe(runs[0].Text("harness_session_id"));
        task.Number("attempts").ShouldBe(1);
        var entries = (await client.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id"), all = true })).Items("entries");
        entries.Where(entry => entry.Text("kind") == "note").Select(entry => entry.Text("text"))
            .ShouldContain("the agent could not take up its earlier session: it was told the whole task in a new one");
        model.LatestConversation.ShouldContain("Wait for it");
    }

    private async Task<ColibriDaemon> StartAsync(AgentHome home, string transport, TempDirectory root, ModelStandIn model)
    {
        var executable = await agents.ExecutableAsync(home.Kind);
        await File.WriteAllTextAsync(root.File("colibri.toml"), $"""
            [agents.one]
            kind = "{home.Kind}"
            transport = "{transport}"
            binary = "{executable}"
            provider = "{home.Route.Provider}"
            model = "{home.Route.Model}"
            access = "full"
            """);
        return await home.StartDaemonAsync(
            executable, model, ("COLIBRI_CONFIG", root.File("colibri.toml")), ("COLIBRI_PROVIDERS", null), ("COLIBRI_AGENT_BINARY", null), ("IS_SANDBOX", "1"), ("TMPDIR", root.Folder("tmp")));
    }

    /// <returns>The task.</returns>
    private static async Task<string> KilledInAToolAsync(AgentHome home, ColibriDaemon daemon)
    {
        // Gemini forgets the call that it was killed in, so the call alone does not say how far the scenario is.
        var scenario = home.Kind == "gemini" ? "commands" : "work";
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "Wait for it", description = $"SCENARIO:{scenario} RUN[{Command}]", max_attempts = 1 })).Text("id");
        await Eventually.HoldsAsync(
            async () =>
            {
                var task = await daemon.DataAsync(new { cmd = "get-task", task_id = id });
                task.Text("status").ShouldNotBe("failed", task.GetRawText());
                return daemon.Descendants().Any(process => process.CommandLine == "sleep 602");
            },
            () => $"its tool runs; there are {string.Join(", ", daemon.Descendants())}; the log:\n{daemon.Log}", Patience);
        await Eventually.HoldsAsync(async () => await IsAnsweredAsync(daemon, id), () => $"its session and an answer are on record; the log:\n{daemon.Log}");
        await daemon.KillAsync();
        await daemon.StartAgainAsync();
        return id;
    }

    private static async Task ShouldGoOnAsync(AgentHome home, ModelStandIn model, ColibriDaemon daemon, string? option, (long Sent, long Answered, long Cached) used)
    {
        var id = await KilledInAToolAsync(home, daemon);
        await using var client = await daemon.ConnectAsync();
        var task = await client.TaskEndedAsync(id, "done", Patience);

        var runs = task.Items("runs");
        runs.Select(run => run.Text("verdict")).ShouldBe(["interrupted", "done"]);
        var session = runs[0].Text("harness_session_id");
        (runs[1].Text("harness_session_id"), runs[1].Flag("resumed"), runs[0].TryGetProperty("resumed", out _)).ShouldBe((session, true, false));
        if (option is null)
            runs[1].Text("command_line").ShouldNotContain(session);
        else
            runs[1].Text("command_line").ShouldContain($" {option.Replace("@", session, StringComparison.Ordinal)}");
        (await client.PanesAsync()).ShouldHaveSingleItem().Text("harness_session_id").ShouldBe(session);
        // The model sees the earlier turn, and what happened.
        model.LatestConversation.ShouldContain(Command);
        model.LatestConversation.ShouldContain("The run before this one ended before the task was done");
        var prompts = (await client.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id"), all = true })).Items("entries")
            .Where(entry => entry.Text("kind") == "user").Select(entry => entry.Text("text")).ToList();
        prompts.Count.ShouldBe(2);
        prompts[1].ShouldNotContain("Wait for it");
        task.Number("attempts").ShouldBe(1);
        var (sent, answered, cached, _, _) = task.UsageOf();
        if (used.Sent == WholeSession)
        {
            var later = model.RequestsOf("work") - 1;
            used = (176 + (148 * later), 40 + (12 * later), 1024 + (1152 * later));
        }
        (sent, answered, cached).ShouldBe(used);
        (await client.DataAsync(new { cmd = "cost" })).Member("total").UsageOf().ShouldBe(task.UsageOf());
        await Eventually.HoldsAsync(() => daemon.Descendants().Count == 0, () => $"all processes are gone; there are {string.Join(", ", daemon.Descendants())}");
        model.Strays.Where(request => !home.IsKnownStray(request)).ShouldBeEmpty();
    }

    /// <summary>A session that is gone costs two quick tries and no attempt.</summary>
    [Test]
    public async Task A_session_that_is_gone_is_given_up_and_the_task_done_afresh()
    {
        var home = RealAgents.HomeOf("pi");
        await using var model = new ModelStandIn();
        await using var daemon = await home.StartDaemonAsync(await agents.ExecutableAsync("pi"), model);
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "SCENARIO:work RUN[env sleep 602]", max_attempts = 1 })).Text("id");
        await Eventually.HoldsAsync(() => daemon.Descendants().Any(process => process.CommandLine == "sleep 602"), () => $"its tool runs; the log:\n{daemon.Log}", Patience);
        await Eventually.HoldsAsync(async () => await IsAnsweredAsync(daemon, id), () => $"its session and an answer are on record; the log:\n{daemon.Log}");
        await daemon.KillAsync();
        Directory.Delete(Path.Combine(daemon.Environment["HOME"]!, ".pi", "agent", "sessions"), recursive: true);
        await daemon.StartAgainAsync();

        await Eventually.HoldsAsync(
            () => daemon.Descendants().Any(process => process.CommandLine == "sleep 602"), () => $"it is begun anew, and calls its tool again; the log:\n{daemon.Log}", Patience);

        var task = await daemon.DataAsync(new { cmd = "get-task", task_id = id });
        var runs = task.Items("runs");
        runs.Select(run => run.TryGetProperty("resumed", out _)).ShouldBe([false, true, true, false]);
        runs[1].Member("error").Text("message").ShouldContain("was not taken up: exited 1 without printing an event: No session found matching");
        task.Number("attempts").ShouldBe(1);
    }

    // The answer is put on record behind the words, so neither the session's log nor the process of the tool says that it is.
    private static async Task<bool> IsAnsweredAsync(ColibriDaemon daemon, string id)
    {
        await using var board = new SqliteConnection($"Data Source={daemon.DatabasePath};Mode=ReadOnly;Pooling=False");
        await board.OpenAsync();
        await using var command = board.CreateCommand();
        command.CommandText = "SELECT count(*) FROM runs WHERE task_id = $task AND harness_session IS NOT NULL AND harness_answered = 1";
        command.Parameters.AddWithValue("$task", id);
        return await command.ExecuteScalarAsync() is long and > 0;
    }
}
