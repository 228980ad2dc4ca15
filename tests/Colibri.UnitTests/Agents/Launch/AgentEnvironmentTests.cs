using Colibri.Core.Agents.Launch;
using Colibri.Core.Board;
using Colibri.Core.Processes;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Agents.Launch;

public sealed class AgentEnvironmentTests
{
    private const string Own = "COLIBRI_TEST";
    private const string Foreign = "UNIT_TEST";

    public static List<string> SetForChildren =>
    [
        "CLAUDECODE", "CLAUDE_CODE", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_EXECPATH", "CLAUDE_CODE_IS_COWORK",
        "CLAUDE_CODE_MESSAGING_SOCKET", "CLAUDE_CODE_MESSAGING_TOKEN", "CLAUDE_CODE_REMOTE", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_AGENT_SDK_VERSION", "CLAUDE_EFFORT", "CLAUDE_ENV_FILE", "CLAUDE_PID", "CLAUDE_PLUGIN_DATA", "CLAUDE_PLUGIN_ROOT",
        "CLAUDE_PROJECT_DIR", "CLAUDE_SESSION_ID", "CODEX_CI", "CODEX_INTERNAL_ORIGINATOR_OVERRIDE", "CODEX_MANAGED_BY_BUN", "CODEX_MANAGED_BY_NPM",
        "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "CODEX_SESSION_ID", "CODEX_THREAD_ID", "OPENCODE", "OPENCODE_CALLER", "OPENCODE_PID",
        "OPENCODE_PROCESS_ROLE", "OPENCODE_RUN_ID", "OPENCODE_SESSION_ID", "OPENCODE_TERMINAL", "PI_CODING_AGENT", "PI_SESSION_ID", "QWEN_CODE",
        "QWEN_CODE_UNATTENDED_RETRY", "GEMINI_CLI", "CLINE_ACTIVE", "CLINE_CONNECTOR_CLI_LAUNCH",
        "FACTORY_DISABLE_SETTINGS_PERSISTENCE", "CURSOR_AGENT", "CURSOR_TRACE_ID", "GOOSE_TERMINAL", "AGENT", "AI_AGENT",
        "CLAUDE_CODE_REMOTE_SESSION_ID", "CLAUDE_CODE_PARENT_PID", "CODEX_COMPANION_SESSION_ID", "OPENCODE_CHILD_SESSION", "QWEN_CODE_SESSION_ID",
        "GEMINI_CLI_SESSION_ID", "COPILOT_SESSION_ID", "PI_PARENT_PID",
    ];

    public static List<string> Settings =>
    [
        "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_MAX_OUTPUT_TOKENS", "CLAUDE_CODE_MAX_RETRIES",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "CLAUDE_CODE_EXECUTABLE", "CLAUDE_CODE_TASK_LIST_ID", "CLAUDE_CODE_OAUTH_TOKEN", "CODEX_HOME",
        "CODEX_PATH", "CODEX_API_KEY", "OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR", "OPENCODE_PERMISSION", "OPENCODE_CLIENT",
        "OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_PURE", "PI_OFFLINE", "PI_TELEMETRY", "PI_SKIP_VERSION_CHECK", "PI_CODING_AGENT_DIR",
        "QWEN_CODE_SUPPRESS_YOLO_WARNING", "GEMINI_CLI_NO_RELAUNCH", "GEMINI_API_KEY", "GEMINI_SANDBOX", "COPILOT_MODEL", "COPILOT_OFFLINE",
        "COPILOT_PROVIDER_TYPE", "CLINE_SESSION_BACKEND_MODE", "CLINE_API_KEY", "GOOSE_MODE", "GOOSE_MODEL", "GOOSE_PROVIDER",
        "FACTORY_API_BASE_URL", "CI", "MY_SESSION_ID", "SESSION_PID", "CLAUDECODEX", "OPENCODER", "AGENTS",
    ];

    [Test]
    public void The_daemons_environment_is_inherited_without_its_settings()
    {
        var variables = Build([], own: [new(Own, "secret"), new(Foreign, "hé"), new("PATH", "/bin"), new("TERM", "xterm"), new("PWD", "/of/the/daemon")]);
        variables.ShouldNotContainKey(Own);
        variables.ShouldNotContainKey("TERM");
        (variables[Foreign], variables["PATH"], variables["PWD"]).ShouldBe(("hé", "/bin", "/work"));
    }

    [Test]
    public void An_agent_is_told_its_runs_trace_and_not_the_daemons()
    {
        KeyValuePair<string, string>[] own = [new("TRACEPARENT", "00-of-the-daemon"), new("TRACESTATE", "of=the-daemon")];
        Build([], own: own).Keys.ShouldNotContain(name => name.StartsWith("TRACE", StringComparison.Ordinal));
        var trace = RunTrace.New();
        var traced = Build([], own: own, trace: trace);
        (traced["TRACEPARENT"], traced.ContainsKey("TRACESTATE")).ShouldBe((trace.Parent, false));
        Build(new() { ["TRACEPARENT"] = "asked for" }, trace: trace)["TRACEPARENT"].ShouldBe("asked for");
    }

    [Test]
    public void An_agent_is_told_who_it_is()
    {
        var variables = Build([]);
        variables.Where(variable => variable.Key.StartsWith("COLIBRI_", StringComparison.Ordinal)).Order(Comparer<KeyValuePair<string, string>>.Create(
            (a, b) => string.CompareOrdinal(a.Key, b.Key))).ShouldBe(
        [
            KeyValuePair.Create("COLIBRI_AGENT_ID", "agent"),
            KeyValuePair.Create("COLIBRI_DAEMON_SOCKET", "/s/c.sock"),
            KeyValuePair.Create("COLIBRI_SESSION_ID", "session"),
            KeyValuePair.Create("COLIBRI_TASK_ID", "task"),
        ]);
        Build([], taskId: null).ShouldNotContainKey("COLIBRI_TASK_ID");
    }

    [Test]
    public void What_was_asked_for_is_added_and_goes_before_what_is_inherited()
    {
        var variables = Build(new() { ["PATH"] = "/agent/bin", ["COLIBRI_EXTRA"] = "kept" });
        (variables["PATH"], variables["COLIBRI_EXTRA"]).ShouldBe(("/agent/bin", "kept"));
    }

    [Test]
    [Arguments("COLIBRI_AGENT_ID", "agent")]
    [Arguments("COLIBRI_SESSION_ID", "session")]
    [Arguments("COLIBRI_TASK_ID", "task")]
    [Arguments("COLIBRI_DAEMON_SOCKET", "/s/c.sock")]
    public void Nobody_can_start_an_agent_under_anothers_name(string variable, string value) =>
        Build(new() { [variable] = "another" })[variable].ShouldBe(value);

    [Test]
    [Arguments("NOTIFY_SOCKET")]
    [Arguments("OLDPWD")]
    [Arguments("WATCHDOG_USEC")]
    public void What_a_service_manager_or_a_shell_told_the_daemon_is_not_passed_on(string variable)
    {
        Build([], own: [new(variable, "/for/the/daemon")]).ShouldNotContainKey(variable);
    }

    [Test]
    [MethodDataSource(nameof(SetForChildren))]
    public void What_a_harness_set_for_its_children_is_not_passed_on_unless_asked_for(string variable)
    {
        Build([], own: [new(variable, "/of/the/daemon")]).ShouldNotContainKey(variable);
        Build(new() { [variable] = "asked for" }, own: [new(variable, "/of/the/daemon")])[variable].ShouldBe("asked for");
    }

    [Test]
    [MethodDataSource(nameof(Settings))]
    public void What_an_operator_sets_for_a_harness_is_passed_on(string variable) =>
        Build([], own: [new(variable, "/of/the/daemon")])[variable].ShouldBe("/of/the/daemon");

    [Test]
    public void The_manual_page_names_what_a_harness_sets_for_its_children()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs/man/colibri-daemon.8")).Split([' ', '\n', ',']).ToHashSet();
        HarnessVariables.Names.Where(name => !page.Contains(name)).ShouldBeEmpty();
    }

    [Test]
    public void An_agents_shell_is_told_its_own_directory() => Build([])["PWD"].ShouldBe("/work");

    [Test]
    public void An_agent_without_a_task_cannot_be_given_one_by_hand() =>
        Build(new() { ["COLIBRI_TASK_ID"] = "another" }, taskId: null).ShouldNotContainKey("COLIBRI_TASK_ID");

    [Test]
    public void The_marker_is_the_variable_as_a_process_shows_it() =>
        AgentMarker.For("agent").ShouldBe($"{AgentMarker.Variable}={Build([])[AgentMarker.Variable]}");

    [Test]
    public void A_key_reaches_only_an_agent_that_needs_it()
    {
        var own = EnvironmentBlock.Of([new(Foreign, "sk-inherited")]);
        var variables = new AgentEnvironment(own).Build(
            new SpawnRequest { Binary = "x" }, [KeyValuePair.Create("NEEDED_API_KEY", "sk-needed")], name => name == Foreign, "agent", null, "session", "/s/c.sock").Text();
        variables.ShouldNotContainKey(Foreign);
        variables["NEEDED_API_KEY"].ShouldBe("sk-needed");
    }

    [Test]
    public void What_is_inherited_is_handed_on_byte_for_byte()
    {
        byte[][] odd =
        [
            [.. "DIR=/srv/caf"u8, 0xe9], [.. "N"u8, 0xff, .. "=1"u8], "EMPTY="u8.ToArray(), "no equals sign"u8.ToArray(), "=begins=so"u8.ToArray(), [],
            "TWICE=1"u8.ToArray(), "TWICE=2"u8.ToArray(), [.. "LONG="u8, .. Enumerable.Repeat((byte)0xc3, 1_000_000)],
        ];
        byte[][] ours = ["COLIBRI_X"u8.ToArray(), [.. "COLIBRI_"u8, 0xff, .. "=1"u8], "CLAUDECODE"u8.ToArray(), "CLAUDECODE=1"u8.ToArray(), "CLAUDECODE=2"u8.ToArray()];
        var built = new AgentEnvironment(EnvironmentBlock.FromTerminated([.. ours.Concat(odd).SelectMany(entry => entry.Append((byte)0))])).Build(
            new SpawnRequest { Binary = "x", Cwd = "/work" }, [], _ => false, "agent", null, "session", "/s/c.sock");
        built.Entries.TakeLast(odd.Length).ShouldBe(odd);
        built.Entries.SkipLast(odd.Length).Select(System.Text.Encoding.UTF8.GetString).Order(StringComparer.Ordinal)
            .ShouldBe(["COLIBRI_AGENT_ID=agent", "COLIBRI_DAEMON_SOCKET=/s/c.sock", "COLIBRI_SESSION_ID=session", "PWD=/work"]);
    }

    [Test]
    public void A_variable_that_is_set_takes_the_place_of_every_one_of_its_name()
    {
        var own = EnvironmentBlock.FromTerminated("A=1\0B=1\0A=2\0A\0"u8);
        var built = new AgentEnvironment(own).Build(
            new SpawnRequest { Binary = "x", Cwd = "/work", Environment = new Dictionary<string, string> { ["A"] = "new" } }, [new("A", "key")], _ => false, "agent", null, "session", "/s");
        built.Entries.Select(System.Text.Encoding.UTF8.GetString).Where(entry => entry.StartsWith('A') || entry.StartsWith('B')).ShouldBe(["A=new", "B=1"]);
    }

    [Test]
    public void The_daemons_environment_is_that_of_its_process()
    {
        var own = EnvironmentBlock.Own();
        own.Entries.Count.ShouldBeGreaterThan(0);
        own.ToTerminated().ShouldBe(File.ReadAllBytes("/proc/self/environ"));
    }

    private static Dictionary<string, string> Build(Dictionary<string, string> requested, string? taskId = "task", KeyValuePair<string, string>[]? own = null, RunTrace? trace = null) =>
        new AgentEnvironment(EnvironmentBlock.Of(own ?? [])).Build(
            new SpawnRequest { Binary = "x", Cwd = "/work", Environment = requested }, [], _ => false, "agent", taskId, "session", "/s/c.sock", trace).Text();
}
