using System.Text.Json;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;
using Colibri.EndToEndTests.Models;

namespace Colibri.EndToEndTests;

/// <summary>Real agents that ask before they act, over the transports on which they can be answered.</summary>
[ClassDataSource<RealAgents>(Shared = SharedType.PerTestSession)]
[NotInParallel]
public sealed class RealDialogueTests(RealAgents agents)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>A kind and a transport.</summary>
    public static List<(string, string)> Dialogues => [("claude", "duplex"), ("qwen", "duplex"), ("opencode", "acp"), ("gemini", "acp"), ("qwen", "acp"), ("copilot", "acp"), ("droid", "acp")];

    [Test]
    [MethodDataSource(nameof(Dialogues))]
    public async Task A_command_waits_for_an_answer_and_is_run_once_it_was_allowed(string kind, string transport)
    {
        await using var model = new ModelStandIn { Commands = ["echo made > inside.txt"] };
        await using var scene = await SceneAsync(kind, transport, model);
        var id = await scene.CreateAsync("SCENARIO:commands");
        var question = await scene.AskedAsync();
        question.Member("question").Text("method").ShouldBe("permission");
        question.Member("question").GetRawText().ShouldContain("echo made > inside.txt");
        (await scene.Client.DataAsync(new { cmd = "inbox" })).Items("items").ShouldContain(item => item.Text("kind") == "question");

        (await scene.Daemon.CliAsync("answer", question.Text("label"), "--yes")).ExitCode.ShouldBe(0);

        var task = await scene.Client.TaskEndedAsync(id, "done", Patience);
        (task.Text("verdict"), task.Number("attempts"), task.TextOrNull("denied")).ShouldBe(("done", 1, null));
        (await scene.Repository.GitAsync("show", $"{task.Member("change").Text("head")}:inside.txt")).ShouldBe("made");
        var entries = (await scene.Client.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id"), all = true })).Items("entries");
        entries.Select(entry => entry.Text("kind")).Where(kind => kind is "question" or "answer" or "tool_call" or "tool_result").Order().ShouldBe(["answer", "question", "tool_call", "tool_result"]);
        task.Member("result").Text("text").ShouldContain("Done: it printed hi.");
        await scene.GoneAsync();
    }

    [Test]
    [MethodDataSource(nameof(Dialogues))]
    public async Task A_command_that_is_refused_is_not_run_and_the_task_says_so(string kind, string transport)
    {
        await using var model = new ModelStandIn { Commands = ["echo made > inside.txt"] };
        await using var scene = await SceneAsync(kind, transport, model);
        var id = await scene.CreateAsync("SCENARIO:commands");
        var question = await scene.AskedAsync();

        (await scene.Daemon.CliAsync("answer", question.Text("label"), "--no")).ExitCode.ShouldBe(0);

        var task = await scene.Client.TaskEndedAsync(id, "failed", Patience);
        (task.Text("verdict"), task.Member("change").Text("state")).ShouldBe(("denied", "empty"));
        task.Items("denied").ShouldHaveSingleItem().Number("count").ShouldBe(1);
        await scene.GoneAsync();
    }

    [Test]
    [MethodDataSource(nameof(Dialogues))]
    public async Task A_question_that_nobody_answers_in_time_is_refused_and_the_run_goes_on(string kind, string transport)
    {
        await using var model = new ModelStandIn { Commands = ["echo made > inside.txt"] };
        await using var scene = await SceneAsync(kind, transport, model, "question_timeout = \"2s\"");
        var id = await scene.CreateAsync("SCENARIO:commands");

        var task = await scene.Client.TaskEndedAsync(id, "failed", Patience);

        (task.Text("verdict"), task.Member("change").Text("state")).ShouldBe(("denied", "empty"));
        task.Items("denied").ShouldHaveSingleItem().Text("reason").ShouldContain("nobody answered");
    }

    [Test]
    [MethodDataSource(nameof(Dialogues))]
    public async Task A_run_that_is_cancelled_says_that_it_was_left_and_leaves_nothing(string kind, string transport)
    {
        await using var model = new ModelStandIn { Commands = ["python3 -c 'import time; time.sleep(604)'"] };
        await using var scene = await SceneAsync(kind, transport, model);
        var id = await scene.CreateAsync("SCENARIO:commands");
        var question = await scene.AskedAsync();
        (await scene.Daemon.CliAsync("answer", question.Text("label"), "--yes")).ExitCode.ShouldBe(0);
        await Eventually.HoldsAsync(() => scene.Daemon.Descendants().Any(process => process.CommandLine.Contains("python3 -c import time", StringComparison.Ordinal)), () => "the tool runs", Patience);

        await scene.Client.DataAsync(new { cmd = "cancel-task", task_id = id });

        await scene.GoneAsync();
        var task = await scene.Client.TaskEndedAsync(id, "cancelled", Patience);
        var entries = (await scene.Client.DataAsync(new { cmd = "get-session", session_id = task.Text("session_id"), all = true })).Items("entries");
        entries.Where(entry => entry.Text("kind") == "note").Select(entry => entry.Text("text")).ShouldContain(note => note.Contains("asked to leave its run, and says: ", StringComparison.Ordinal));
    }

    private async Task<Scene> SceneAsync(string kind, string transport, ModelStandIn model, string more = "")
    {
        var home = RealAgents.HomeOf(kind);
        var executable = await agents.ExecutableAsync(kind);
        var root = new TempDirectory();
        var repository = await GitRepository.CreateAsync(root.File("site"));
        await File.WriteAllTextAsync(root.File("colibri.toml"), $"""
            [agents.one]
            kind = "{kind}"
            transport = "{transport}"
            binary = "{executable}"
            provider = "{home.Route.Provider}"
            model = "{home.Route.Model}"
            {(transport == "acp" ? "access = \"edit\"" : "")}
            {Arguments(kind, transport)}
            {more}

            [workspaces.site]
            path = "{repository.Path}"
            """);
        var daemon = await home.StartDaemonAsync(
            executable, model, isAllowed: false, ("COLIBRI_CONFIG", root.File("colibri.toml")), ("COLIBRI_PROVIDERS", null), ("COLIBRI_AGENT_BINARY", null), ("TMPDIR", root.Folder("tmp")));
        return new Scene(root, repository, daemon, await daemon.ConnectAsync());
    }

    // Claude's own sandbox would run the command without asking, and Qwen holds no access in this mode: with stated arguments each asks for its commands.
    private static string Arguments(string kind, string transport) => (kind, transport) switch
    {
        ("claude", "duplex") => """args = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose", "--permission-prompt-tool", "stdio"]""",
        ("qwen", "duplex") => """args = ["--input-format", "stream-json", "--output-format", "stream-json", "--approval-mode=default"]""",
        _ => "",
    };

    private sealed record Scene(TempDirectory Root, GitRepository Repository, ColibriDaemon Daemon, WireClient Client) : IAsyncDisposable
    {
        public async Task<string> CreateAsync(string title) =>
            (await Client.DataAsync(new { cmd = "create-task", title, workspace = "site", max_attempts = 1 })).Text("id");

        public async Task<JsonElement> AskedAsync()
        {
            JsonElement pane = default;
            await Eventually.HoldsAsync(
                async () => (pane = (await Client.PanesAsync()).SingleOrDefault()).ValueKind == JsonValueKind.Object && (pane.Text("lifecycle") == "stopped" || pane.Text("activity") == "blocked"),
                () => $"an agent asks; the log says {Daemon.Log}", Patience);
            pane.Text("activity").ShouldBe("blocked", pane.GetRawText());
            return pane;
        }

        public Task GoneAsync() => Eventually.HoldsAsync(() => Daemon.Descendants().Count == 0, () => $"all are gone; there are {string.Join(", ", Daemon.Descendants())}", Patience);

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await Daemon.DisposeAsync();
            Root.Dispose();
        }
    }
}
