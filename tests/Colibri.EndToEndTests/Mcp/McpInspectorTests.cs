using System.Text.Json;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Mcp;

/// <summary>The MCP inspector's CLI lists and calls every tool of the native server, over each gate, against a native daemon.</summary>
[ClassDataSource<McpClients>(Shared = SharedType.PerTestSession)]
public sealed class McpInspectorTests(McpClients clients)
{
    private static readonly string[] External = ["colibri_external_mcp_list", "colibri_external_mcp_tools", "colibri_external_mcp_call"];

    [Test]
    public async Task Read_only_it_lists_what_reads_and_each_of_them_can_be_called()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work > work.txt");
        await site.RunAsync(new { cmd = "create-task", title = "write it", workspace = "site" }, "done");
        var tour = new Tour(clients, site.Daemon, []);

        var listed = await tour.ListAsync();
        await CallReadersAsync(tour);

        tour.Called.ShouldBe(listed, ignoreOrder: true);
        var refused = await clients.InspectToEndAsync(site.Daemon, [], "--method", "tools/call", "--tool-name", "colibri_create_task", "--tool-arg", "title=x");
        (refused.Stdout + refused.Stderr).ShouldContain("colibri_create_task");
        (await site.Daemon.DataAsync(new { cmd = "list-tasks" })).Items("tasks").Count.ShouldBe(1);
    }

    [Test]
    public async Task With_both_gates_open_it_lists_and_calls_every_tool()
    {
        await using var site = await WorkspaceDaemon.StartAsync("echo work >> work.txt", environment: ("COLIBRI_BUDGET_DAY_USD", "100"));
        var marker = $"MCP_TOUR={Guid.NewGuid():N}";
        WriteRegistry(site.Daemon, marker);
        var tour = new Tour(clients, site.Daemon, ["--write", "--external"]);
        var listed = await tour.ListAsync();

        (await tour.CallAsync("colibri_create_task", "title=write it", "workspace=site")).Number("number").ShouldBe(1);
        (await WaitAsync(tour, 1)).Text("outcome").ShouldBe("over");
        await CallReadersAsync(tour);
        (await tour.CallAsync("colibri_retry", "task_id=1", "feedback=more of it")).Text("status").ShouldBe("queued");
        (await WaitAsync(tour, 1)).Items("tasks")[0].Text("status").ShouldBe("done");
        (await tour.CallAsync("colibri_land", "task_id=1")).Member("change").Text("state").ShouldBe("landed");
        await tour.CallAsync("colibri_create_task", "title=write more", "workspace=site");
        await WaitAsync(tour, 2);
        (await tour.CallAsync("colibri_discard", "task_id=2")).Member("change").Text("state").ShouldBe("discarded");

        (await tour.CallAsync("colibri_pause_queue", "reason=tour")).Member("queue").Items("paused").Count.ShouldBe(1);
        await tour.CallAsync("colibri_create_task", "title=by hand", "tags=[\"tour\"]", "priority=3");
        (await tour.CallAsync("colibri_hold_task", "task_id=3")).Flag("held").ShouldBeTrue();
        (await tour.CallAsync("colibri_release_task", "task_id=3")).Flag("held").ShouldBeFalse();
        (await tour.CallAsync("colibri_edit_task", "task_id=3", "title=by my hand")).Text("title").ShouldBe("by my hand");
        var visitor = (await tour.CallAsync("colibri_register_agent", "name=visitor")).Text("id");
        await tour.CallAsync("colibri_heartbeat", $"agent_id={visitor}");
        (await tour.CallAsync("colibri_claim_task", "task_id=3", $"agent_id={visitor}")).Text("status").ShouldBe("claimed");
        await tour.CallAsync("colibri_transition_task", "task_id=3", "status=started", $"agent_id={visitor}");
        (await tour.CallAsync("colibri_transition_task", "task_id=3", "status=done", $"agent_id={visitor}")).Text("status").ShouldBe("done");
        await tour.CallAsync("colibri_create_task", "title=never");
        (await tour.CallAsync("colibri_cancel_task", "task_id=4")).Text("status").ShouldBe("cancelled");
        (await tour.CallAsync("colibri_resume_queue")).Member("queue").Items("paused").ShouldBeEmpty();
        (await tour.CallAsync("colibri_intake_task", "title=later")).Text("intake_id").ShouldNotBeEmpty();
        (await tour.CallAsync("colibri_set_cost_mode", "mode=max")).Text("mode").ShouldBe("max");
        await tour.CallAsync("colibri_lift_budget");
        await TalkAsync(tour, site.Daemon);

        var servers = await tour.CallAsync("colibri_external_mcp_list");
        servers.ToString().ShouldNotContain(marker.Split('=')[1]);
        (await tour.CallAsync("colibri_external_mcp_tools", "server=self")).Items("tools").Single().Text("name").ShouldBe("colibri_status");
        (await tour.CallAsync("colibri_external_mcp_call", "server=self", "tool=colibri_status", "arguments={}")).Member("structured").Has("version").ShouldBeTrue();
        ProcTable.WithEnvironment(marker).ShouldBeEmpty();

        tour.Called.ShouldBe(listed, ignoreOrder: true);
        listed.Where(External.Contains).Count().ShouldBe(External.Length);
    }

    [Test]
    public async Task Resources_are_listed_and_read()
    {
        await using var daemon = await ColibriDaemon.StartAsync();
        await daemon.DataAsync(new { cmd = "create-task", title = "read me" });

        var listed = await clients.InspectAsync(daemon, [], "--method", "resources/list");
        var read = await clients.InspectAsync(daemon, [], "--method", "resources/read", "--uri", "colibri://task/1");
        var templates = await clients.InspectAsync(daemon, [], "--method", "resources/templates/list");

        listed.Items("resources").Select(resource => resource.Text("uri")).ShouldBe(["colibri://snapshot", "colibri://inbox", "colibri://task/1"]);
        read.Items("contents").Single().Text("text").ShouldContain("title: read me");
        templates.Items("resourceTemplates").Count.ShouldBe(2);
    }

    /// <summary>Each tool that reads, of a board on which task 1 is done and has a change.</summary>
    private static async Task CallReadersAsync(Tour tour)
    {
        (await tour.CallAsync("colibri_status")).Member("tasks").Number("done").ShouldBe(1);
        (await tour.CallAsync("colibri_snapshot")).Items("panes").Count.ShouldBeGreaterThan(0);
        (await tour.CallAsync("colibri_list_tasks", "limit=5", "order=newest")).Items("tasks").Count.ShouldBe(1);
        (await tour.CallAsync("colibri_ready_tasks")).Items("tasks").ShouldBeEmpty();
        (await tour.CallAsync("colibri_get_task", "task_id=1")).Items("runs").Count.ShouldBe(1);
        (await tour.CallAsync("colibri_list_runs", "task_id=1", "limit=5")).Items("runs")[0].Text("verdict").ShouldBe("done");
        (await WaitAsync(tour, 1)).Text("outcome").ShouldBe("over");
        (await tour.CallAsync("colibri_inbox")).Items("items").Single().Text("kind").ShouldBe("review");
        (await tour.CallAsync("colibri_session", "session_id=1", "tail=5")).Items("entries").Count.ShouldBeGreaterThan(0);
        (await tour.CallAsync("colibri_list_sessions")).Items("sessions").Count.ShouldBe(1);
        (await tour.CallAsync("colibri_diff", "task_id=1")).Text("patch").ShouldContain("+work");
        (await tour.CallAsync("colibri_cost", "by=day")).Text("by").ShouldBe("day");
        (await tour.CallAsync("colibri_budget")).Flag("held").ShouldBeFalse();
        (await tour.CallAsync("colibri_doctor")).Items("checks").Count.ShouldBeGreaterThan(0);
        (await tour.CallAsync("colibri_list_schedules")).Items("schedules").Count.ShouldBe(0);
        (await tour.CallAsync("colibri_list_notices")).Items("notices").Count.ShouldBeGreaterThanOrEqualTo(0);
        (await tour.CallAsync("colibri_list_agents")).Items("agents").Count.ShouldBeGreaterThan(0);
        (await tour.CallAsync("colibri_list_kinds", "runtime=pi")).Items("kinds").Count.ShouldBe(1);
        (await tour.CallAsync("colibri_list_skills")).Items("skills").ShouldBeEmpty();
    }

    private static async Task TalkAsync(Tour tour, ColibriDaemon daemon)
    {
        await using var client = await daemon.ConnectAsync();
        var agent = await client.SpawnAsync(new { cmd = "spawn-agent", binary = Repository.TestAgent, args = new[] { "--rpc", "--ask" } });
        (await tour.CallAsync("colibri_prompt", $"agent_id={agent}", "text=ask me")).Text("id").ShouldBe(agent);
        var question = (await client.PaneWhereAsync(agent, pane => pane.Has("question"), "asks")).Member("question");
        (await tour.CallAsync("colibri_answer", $"agent_id={agent}", $"request={question.Text("request")}", "confirmed=true")).Text("id").ShouldBe(agent);
        await client.PaneWhereAsync(agent, pane => pane.Text("activity") == "done", "has gone on");
        (await tour.CallAsync("colibri_stop", $"agent_id={agent}", "grace_ms=2000")).Text("id").ShouldBe(agent);
    }

    private static Task<JsonElement> WaitAsync(Tour tour, int task) => tour.CallAsync("colibri_wait", $"tasks=[{task}]", "timeout_seconds=30");

    /// <summary>The server itself as an external one of its own, read-only.</summary>
    private static void WriteRegistry(ColibriDaemon daemon, string marker)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(daemon.Environment["HOME"]!, ".config", "colibri")).FullName, "external-mcp.json");
        var self = new
        {
            command = Repository.Binary("colibri-mcp"),
            args = new[] { "--socket", daemon.SocketPath },
            env = new Dictionary<string, string> { [marker.Split('=')[0]] = marker.Split('=')[1] },
            allowed_tools = new[] { "colibri_status" },
        };
        File.WriteAllText(path, JsonSerializer.Serialize(new { servers = new { self } }));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Calls of tools, each by a run of the inspector.</summary>
    private sealed class Tour(McpClients clients, ColibriDaemon daemon, string[] gates)
    {
        private readonly HashSet<string> _called = [];

        public IEnumerable<string> Called => _called;

        public async Task<IReadOnlyList<string>> ListAsync() =>
            [.. (await clients.InspectAsync(daemon, gates, "--method", "tools/list")).Items("tools").Select(tool => tool.Text("name"))];

        public async Task<JsonElement> CallAsync(string tool, params string[] arguments)
        {
            _called.Add(tool);
            string[] method = ["--method", "tools/call", "--tool-name", tool];
            return (await clients.InspectAsync(daemon, gates, arguments.Length == 0 ? method : [.. method, "--tool-arg", .. arguments])).Member("structuredContent");
        }
    }
}
