using Colibri.Core.Settings;

namespace Colibri.UnitTests.Settings;

public sealed class EffectiveConfigurationTests
{
    [Test]
    public void The_printed_defaults_are_read_as_the_same_configuration() => ShouldRoundTrip(Settings.Read());

    [Test]
    [Arguments("COLIBRI_AGENT_ARGS='it'\"'\"'s' '' \"a \\\"b\\\"\" back\\\\slash 'tab\there' $HOME *")]
    [Arguments("COLIBRI_AUTOSPAWN_ARGS='\\' '\"' '#' é\u00a0x")]
    [Arguments("COLIBRI_AUTOSPAWN_RPC_PROMPT=look 'around', \"twice\" = 2")]
    [Arguments("COLIBRI_PROVIDERS=a:b:c,d,e:f/g")]
    [Arguments("COLIBRI_SCHEDULER_INTERVAL=15.5ms")]
    [Arguments("COLIBRI_STALL_AFTER=365d")]
    [Arguments("COLIBRI_DB_PATH=/a path/with = in it.sqlite")]
    [Arguments("COLIBRI_AUTOSPAWN=on")]
    [Arguments("COLIBRI_HEADROOM_ENABLED=true")]
    [Arguments("COLIBRI_COST_MODE=fast")]
    [Arguments("COLIBRI_JAIL_PRIV_MODE=none")]
    [Arguments("COLIBRI_LOG_LEVEL=trace")]
    [Arguments("COLIBRI_LOG_LEVEL=info")]
    [Arguments("COLIBRI_LOG_LEVEL=warning")]
    [Arguments("COLIBRI_LOG_LEVEL=error")]
    [Arguments("COLIBRI_LOG_FORMAT=json")]
    public void What_is_printed_is_read_as_the_same_configuration(string assignment) => ShouldRoundTrip(Settings.Read(assignment));

    [Test]
    public void Every_variable_is_printed_once()
    {
        var variables = EffectiveConfiguration.Lines(Settings.Read()).Select(line => line.Variable).ToList();
        variables.ShouldBeUnique();
        variables.Count.ShouldBe(typeof(DaemonConfiguration).GetProperties().Length);
    }

    private static void ShouldRoundTrip(DaemonConfiguration expected)
    {
        var printed = EffectiveConfiguration.Lines(expected).Select(line => $"{line.Variable}={line.Value}").ToArray();
        printed.ShouldAllBe(line => !line.Contains('\n'));
        Settings.Read([.. printed, "HOME=/elsewhere"]).ShouldBeEquivalentTo(expected);
    }
}
