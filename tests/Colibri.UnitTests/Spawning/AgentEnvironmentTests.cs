using Colibri.Core.Spawning;

namespace Colibri.UnitTests.Spawning;

public sealed class AgentEnvironmentTests
{
    private static readonly string Own = $"COLIBRI_TEST_{Guid.NewGuid():N}";
    private static readonly string Foreign = $"UNIT_TEST_{Guid.NewGuid():N}";

    [Fact]
    public void The_daemons_environment_is_inherited_without_its_settings()
    {
        Environment.SetEnvironmentVariable(Own, "secret");
        Environment.SetEnvironmentVariable(Foreign, "hé");
        try
        {
            var variables = Build([]);
            variables.ShouldNotContainKey(Own);
            variables[Foreign].ShouldBe("hé");
            variables["PATH"].ShouldBe(Environment.GetEnvironmentVariable("PATH"));
        }
        finally
        {
            Environment.SetEnvironmentVariable(Own, null);
            Environment.SetEnvironmentVariable(Foreign, null);
        }
    }

    [Fact]
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

    [Fact]
    public void What_was_asked_for_is_added_and_goes_before_what_is_inherited()
    {
        var variables = Build(new() { ["PATH"] = "/agent/bin", ["COLIBRI_EXTRA"] = "kept" });
        (variables["PATH"], variables["COLIBRI_EXTRA"]).ShouldBe(("/agent/bin", "kept"));
    }

    [Theory]
    [InlineData("COLIBRI_AGENT_ID", "agent")]
    [InlineData("COLIBRI_SESSION_ID", "session")]
    [InlineData("COLIBRI_TASK_ID", "task")]
    [InlineData("COLIBRI_DAEMON_SOCKET", "/s/c.sock")]
    public void Nobody_can_start_an_agent_under_anothers_name(string variable, string value) =>
        Build(new() { [variable] = "another" })[variable].ShouldBe(value);

    [Theory]
    [InlineData("NOTIFY_SOCKET")]
    [InlineData("OLDPWD")]
    [InlineData("WATCHDOG_USEC")]
    public void What_a_service_manager_or_a_shell_told_the_daemon_is_not_passed_on(string variable)
    {
        var before = Environment.GetEnvironmentVariable(variable);
        Environment.SetEnvironmentVariable(variable, "/for/the/daemon");
        try
        {
            Build([]).ShouldNotContainKey(variable);
        }
        finally
        {
            Environment.SetEnvironmentVariable(variable, before);
        }
    }

    [Fact]
    public void An_agents_shell_is_told_its_own_directory() => Build([])["PWD"].ShouldBe("/work");

    [Fact]
    public void An_agent_without_a_task_cannot_be_given_one_by_hand() =>
        Build(new() { ["COLIBRI_TASK_ID"] = "another" }, taskId: null).ShouldNotContainKey("COLIBRI_TASK_ID");

    [Fact]
    public void The_marker_is_the_variable_as_a_process_shows_it() =>
        AgentMarker.For("agent").ShouldBe($"{AgentMarker.Variable}={Build([])[AgentMarker.Variable]}");

    [Fact]
    public void A_key_reaches_only_an_agent_that_needs_it()
    {
        Environment.SetEnvironmentVariable(Foreign, "sk-inherited");
        try
        {
            var variables = new AgentEnvironment().Build(
                new SpawnRequest { Binary = "x" }, [KeyValuePair.Create("NEEDED_API_KEY", "sk-needed")], name => name == Foreign, "agent", null, "session", "/s/c.sock");
            variables.ShouldNotContainKey(Foreign);
            variables["NEEDED_API_KEY"].ShouldBe("sk-needed");
        }
        finally
        {
            Environment.SetEnvironmentVariable(Foreign, null);
        }
    }

    private static Dictionary<string, string> Build(Dictionary<string, string> requested, string? taskId = "task") =>
        new AgentEnvironment().Build(new SpawnRequest { Binary = "x", Cwd = "/work", Environment = requested }, [], _ => false, "agent", taskId, "session", "/s/c.sock");
}
