using System.Text.Json.Serialization.Metadata;
using Colibri.Cli;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Protocol;
using static Colibri.UnitTests.Cli.Samples;

namespace Colibri.UnitTests.Cli;

public sealed class ViewTests
{
    private static readonly ProtocolJson Wire = ProtocolJson.Wire;

    private static async Task<string> ShownAsync<T>(T data, JsonTypeInfo<T> type, string command, int width = 80, bool terminal = false)
    {
        await using var daemon = FakeDaemon.Granting(Json(data, type));
        var run = await CliRun.OfAsync(
            ["--socket", daemon.SocketPath, .. command.Split(' ')], "", environment: null, width, terminal);
        run.Error.ShouldBeEmpty();
        run.ExitCode.ShouldBe(ExitCodes.Done);
        return run.Out;
    }

    [Fact]
    public async Task Status() => (await ShownAsync(Samples.Status, Wire.StatusReport, "status")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task Snapshot() => (await ShownAsync(
        new Snapshot(Colibri.Protocol.Wire.Snapshot.CurrentSchema, "clawdie", Now, [Working, Dead]), Wire.Snapshot, "snapshot")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task Get_task() => (await ShownAsync(Failed, Wire.BoardTask, "get-task t")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task List_tasks() => (await ShownAsync(
        new TaskList([Queued, Failed with { Title = "Übersetze 漢字漢字漢字漢字漢字漢字漢字 und \e[2J und mehr" }], "c9"), Wire.TaskList,
        "list-tasks")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task Create_task() => (await ShownAsync(Queued, Wire.BoardTask, "create-task --title T")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task Cancel_task() => (await ShownAsync(Queued with { Status = TaskState.Started, AgentId = AgentId }, Wire.BoardTask,
        "cancel-task t")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task List_agents() => (await ShownAsync(new AgentList(
    [
        new Agent
        {
            Id = AgentId, Name = "pi", Kind = "spawned", Lifecycle = Lifecycle.Running, Activity = Activity.Blocked, TaskId = TaskId, RegisteredAt = Now,
        },
        new Agent { Id = SessionId, Name = "builder", Kind = "registered", Host = "forge", LastHeartbeatAt = Now, RegisteredAt = Now },
    ]), Wire.AgentList, "list-agents")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task Spawn_agent() => (await ShownAsync(
        new Agent { Id = AgentId, Name = "pi", Kind = "spawned", Pid = 4711, RegisteredAt = Now }, Wire.Agent, "spawn-agent pi")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task Stop_agent() => (await ShownAsync(
        new Agent { Id = AgentId, Name = "pi", Kind = "spawned", Lifecycle = Lifecycle.Stopped, Exit = new ProcessExit(Signal: 15), RegisteredAt = Now },
        Wire.Agent, "stop-agent a")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task List_sessions() => (await ShownAsync(
        new SessionList([new SessionSummary(SessionId, 2, 12_345, Now), new SessionSummary("review-42", 1, 999, Now)]), Wire.SessionList,
        "list-sessions")).ShouldBe("""
        X
        """);

    private static readonly SessionEntries Session = new(SessionId, 2,
    [
        new SessionEntry { Seq = 7, Ts = Now, Kind = SessionEntryKind.User, Text = "Fix the login test.\nIt fails on Sundays, and only there, which nobody saw for a whole week." },
        new SessionEntry { Seq = 8, Ts = Now, Kind = SessionEntryKind.ToolResult, Tool = "bash", IsError = true, Text = string.Join('\n', Enumerable.Range(1, 143).Select(i => $"line\t{i}")) + "\n" },
        new SessionEntry { Seq = 9, Ts = Now, Kind = SessionEntryKind.Usage, Usage = Spent },
    ]);

    [Fact]
    public async Task Get_session() => (await ShownAsync(Session, Wire.SessionEntries, "get-session s")).ShouldBe("""
        X
        """);

    [Fact]
    public async Task Get_session_full_cuts_nothing()
    {
        var shown = await ShownAsync(Session, Wire.SessionEntries, "get-session s --full");

        shown.ShouldContain("    line    143\n");
        shown.ShouldNotContain("more lines");
    }

    [Fact]
    public async Task A_result_of_one_line_more_than_the_cut_is_not_cut_to_say_so()
    {
        var text = string.Join('\n', Enumerable.Range(1, 21));
        var shown = await ShownAsync(
            Session with { Entries = [new SessionEntry { Kind = SessionEntryKind.ToolResult, Text = text }] }, Wire.SessionEntries, "get-session s");

        shown.ShouldEndWith("    20\n    21\n");
    }

    [Fact]
    public async Task Append_session_with_what_the_daemon_adds()
    {
        await using var daemon = FakeDaemon.Granting(
            """{"session_id":"s","seq":9,"generation":2,"bytes":1500,"turns":1,"compacted":true,"escalated":"max"}""");
        var run = await CliRun.OfAsync(["append-session", "s", "--kind", "note", "--socket", daemon.SocketPath]);

        run.Out.ShouldBe("""
            X
            """);
    }

    [Fact]
    public async Task Get_prompt()
    {
        await using var daemon = FakeDaemon.Granting(
            """{"messages":[{"role":"system","content":"You are careful."},{"role":"user","content":"Go\non"}],"prefix_sha256":"abc","total_bytes":23,"estimated_tokens":6,"trimmed":false}""");
        var run = await CliRun.OfAsync(["get-prompt", "s", "--socket", daemon.SocketPath]);

        run.Out.ShouldBe("""
            X
            """);
    }

    [Fact]
    public async Task Skills_and_tenants()
    {
        (await ShownAsync(new SkillList([new Skill("review", new string('d', 70), "quality", Now)]), Wire.SkillList, "list-skills")).ShouldBe("""
            X
            """);
        (await ShownAsync(new TenantList([new Tenant("acme", "/jails/acme", Now)]), Wire.TenantList, "list-tenants")).ShouldBe("""
            X
            """);
    }

    [Fact]
    public async Task Set_cost_mode() => (await ShownAsync(
        new CostState { Mode = CostMode.Max, SessionMaxBytes = 8_000_000, MaxUncompactedTurns = 100 }, Wire.CostState, "set-cost-mode max")).ShouldBe("""
        X
        """);

    [Theory]
    [InlineData("list-tasks", """{"tasks":[]}""", "no tasks; add one: colibri create-task --title 'What to do'\n")]
    [InlineData("list-tasks --status failed", """{"tasks":[]}""", "no failed tasks; see all: colibri list-tasks\n")]
    [InlineData("list-agents", """{"agents":[]}""", "no agents; start one: colibri spawn-agent BINARY --task-id TASK_ID\n")]
    [InlineData("list-sessions", """{"sessions":[]}""", "no sessions; every run of a task makes one: colibri create-task --title 'What to do'\n")]
    [InlineData("list-skills", """{"skills":[]}""", "no skills; add one: colibri register-skill NAME --category C --description D\n")]
    [InlineData("list-tenants", """{"tenants":[]}""", "no tenants; add one: colibri register-tenant TENANT_ID --jail-root-path DIR\n")]
    public async Task Nothing_is_said_in_words_with_the_way_to_something(string command, string data, string shown)
    {
        await using var daemon = FakeDaemon.Granting(data);

        (await CliRun.OfAsync(["--socket", daemon.SocketPath, .. command.Split(' ')])).ShouldBe(new CliRun(ExitCodes.Done, shown, ""));
    }

    [Fact]
    public async Task Colour_is_for_a_terminal_that_did_not_refuse_it()
    {
        var list = new TaskList([Failed]);
        (await ShownAsync(list, Wire.TaskList, "list-tasks", terminal: true)).ShouldContain("\e[31mfailed\e[0m");
        await using var daemon = FakeDaemon.Granting(Json(list, Wire.TaskList));
        foreach (var refusal in new Dictionary<string, string>[] { new() { ["NO_COLOR"] = "1" }, new() { ["TERM"] = "dumb" } })
            (await CliRun.OfAsync(["--socket", daemon.SocketPath, "list-tasks"], "", refusal, terminal: true)).Out.ShouldNotContain("\e[");
    }

    [Fact]
    public async Task An_answer_that_is_not_understood_says_what_to_compare()
    {
        await using var daemon = FakeDaemon.Granting("""{"id":"t","status":"paused"}""");
        var run = await CliRun.OfAsync(["get-task", "t", "--socket", daemon.SocketPath]);

        run.ExitCode.ShouldBe(ExitCodes.Refused);
        run.Error.ShouldBe(
            "colibri: the daemon's answer is not understood (versions differ? compare: colibri version, colibri status --json)\n");
    }

    [Fact]
    public async Task Every_page_is_one_list_and_unknown_fields_survive_in_json()
    {
        var first = $$"""{"tasks":[{{Json(Queued, Wire.BoardTask).Insert(1, "\"new\":1,")}}],"next":"c1"}""";
        var second = $$"""{"tasks":[{{Json(Failed, Wire.BoardTask)}}]}""";
        await using var daemon = new FakeDaemon((line, connection) => connection.SendAsync(
            $$"""{"ok":true,"data":{{(line.Contains("\"after\":\"c1\"", StringComparison.Ordinal) ? second : first)}}}"""));

        var shown = await CliRun.OfAsync(["list-tasks", "--all", "--socket", daemon.SocketPath]);
        var json = await CliRun.OfAsync(["list-tasks", "--all", "--json", "--socket", daemon.SocketPath]);

        shown.Out.Split('\n').Length.ShouldBe(4);
        json.Out.ShouldBe(
            $$"""{"tasks":[{{Json(Queued, Wire.BoardTask).Insert(1, "\"new\":1,")}},{{Json(Failed, Wire.BoardTask)}}]}""" + "\n");
    }
}
