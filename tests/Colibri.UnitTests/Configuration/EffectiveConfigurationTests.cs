using Colibri.Core.Configuration;

namespace Colibri.UnitTests.Configuration;

public sealed class EffectiveConfigurationTests
{
    [Fact]
    public void The_printed_defaults_are_read_as_the_same_configuration() => ShouldRoundTrip(Settings.Read());

    [Theory]
    [InlineData("COLIBRI_AGENT_ARGS='it'\"'\"'s' '' \"a \\\"b\\\"\" back\\\\slash 'tab\there' $HOME *")]
    [InlineData("COLIBRI_AUTOSPAWN_ARGS='\\' '\"' '#' é\u00a0x")]
    [InlineData("COLIBRI_AUTOSPAWN_RPC_PROMPT=look 'around', \"twice\" = 2")]
    [InlineData("COLIBRI_PROVIDERS=a:b:c,d,e:f/g")]
    [InlineData("COLIBRI_SCHEDULER_INTERVAL=15.5ms")]
    [InlineData("COLIBRI_STALL_AFTER=365d")]
    [InlineData("COLIBRI_DB_PATH=/a path/with = in it.sqlite")]
    [InlineData("COLIBRI_AUTOSPAWN=on")]
    [InlineData("COLIBRI_HEADROOM_ENABLED=true")]
    [InlineData("COLIBRI_COST_MODE=fast")]
    [InlineData("COLIBRI_JAIL_PRIV_MODE=none")]
    [InlineData("COLIBRI_LOG_LEVEL=trace")]
    [InlineData("COLIBRI_LOG_LEVEL=info")]
    [InlineData("COLIBRI_LOG_LEVEL=warning")]
    [InlineData("COLIBRI_LOG_LEVEL=error")]
    [InlineData("COLIBRI_LOG_FORMAT=json")]
    public void What_is_printed_is_read_as_the_same_configuration(string assignment) => ShouldRoundTrip(Settings.Read(assignment));

    [Fact]
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
