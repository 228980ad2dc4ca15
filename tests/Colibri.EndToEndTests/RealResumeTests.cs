using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;

namespace Colibri.EndToEndTests;

/// <summary>A daemon is killed while a real agent is in a tool: the next one has the agent go on in its own session.</summary>
[ClassDataSource<RealAgents>(Shared = SharedType.PerTestSession)]
[NotInParallel]
public sealed class RealResumeTests(RealAgents agents)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>
    /// A kind, the argument that takes its session up, and what both runs have used by what it tells: a call is 176 tokens sent, 40 answered and 1024 of the
    /// cache, the last answer 148, 12 and 1152. Claude Code tells one token of an answer before its result, opencode none before a step is over; Codex has
    /// forgotten what the request cost in whose tool it was killed.
    /// </summary>
    public static List<(string Kind, string Option, long Input, long Output, long CacheRead)> Kinds =>
    [
        ("claude", "--resume", 324, 13, 2176),
        ("codex", "resume", 148, 12, 1152),
        ("opencode", "-s", 148, 12, 1152),
        ("pi", "--session", 324, 52, 2176),
    ];

    [Test]
    [MethodDataSource(nameof(Kinds))]
    public async Task A_run_that_a_kill_of_the_daemon_cut_short_goes_on_in_its_session_and_is_booked_once(string kind, string option, long input, long output, long cacheRead)
    {
        var home = RealAgents.HomeOf(kind);
        await using var model = new ModelStandIn();
        await using var daemon = await home.StartDaemonAsync(await agents.ExecutableAsync(kind), model);
        var id = (await daemon.DataAsync(new { cmd = "create-task", title = "Wait for it", description = "SCENARIO:work RUN[env sleep 602]", max_attempts = 1 })).Text("id");
        await Eventually.HoldsAsync(
            () => daemon.Descendants().Any(process => process.CommandLine == "sleep 602"),
            () => $"its tool runs; there are {string.Join(", ", daemon.Descendants())}; the log:\n{daemon.Log}", Patience);
        await Eventually.HoldsAsync(async () => await IsAnsweredAsync(daemon, id), () => $"its session and an answer are on record; the log:\n{daemon.Log}");

        await daemon.KillAsync();
        await daemon.StartAgainAsync();
        await using var client = await daemon.ConnectAsync();
        var task = await client.TaskEndedAsync(id, "done", Patience);

        var runs = task.Items("runs");
        runs.Select(run => run.Text("verdict")).ShouldBe(["interrupted", "done"]);
        var session = runs[0].Text("harness_session_id");
        (runs[1].Text("harness_session_id"), runs[1].Flag("resumed"), runs[0].TryGetProperty("resumed", out _)).ShouldBe((session, true, false));
        runs[1].Text("command_line").ShouldContain($" {option} {session} ");
        (await client.PanesAsync()).ShouldHaveSingleItem().Text("harness_session_id").ShouldBe(session);
        // The model sees the earlier turn, and what happened.
        model.LatestConversation.ShouldContain("env sleep 602");
        model.LatestConversation.ShouldContain("The run before this one ended before the task was done");
        var prompts = (await client.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id"), all = true })).Items("entries")
            .Where(entry => entry.Text("kind") == "user").Select(entry => entry.Text("text")).ToList();
        prompts.Count.ShouldBe(2);
        prompts[1].ShouldNotContain("Wait for it");
        task.Number("attempts").ShouldBe(1);
        var (sent, answered, cached, _, _) = task.UsageOf();
        (sent, answered, cached).ShouldBe((input, output, cacheRead));
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

    private static async Task<bool> IsAnsweredAsync(ColibriDaemon daemon, string id)
    {
        var task = await daemon.DataAsync(new { cmd = "get-task", task_id = id });
        return task.Items("runs")[0].TryGetProperty("harness_session_id", out _)
            && (await daemon.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id"), all = true })).Items("entries").Any(entry => entry.Text("kind") == "assistant");
    }
}
