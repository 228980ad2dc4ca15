using Colibri.Core.Settings;

namespace Colibri.UnitTests.Settings;

public sealed class UnknownNamesTests
{
    [Test]
    public void A_variable_that_looks_like_a_setting_and_is_none_is_told_with_the_nearest()
    {
        var unknown = UnknownNames.In(new Dictionary<string, string>
        {
            ["COLIBRI_MAX_AGENT"] = "8",
            ["COLIBRI_"] = "",
            ["COLIBRI_WHATEVER_THIS_IS"] = "1",
            ["COLIBRI_CONFG"] = "/x",
            ["COLIBRI_HOST"] = "jay",
            ["COLIBRIS"] = "1",
            ["PATH"] = "/bin",
        });

        unknown.ShouldBe(
        [
            new("COLIBRI_", null), new("COLIBRI_CONFG", "COLIBRI_CONFIG"), new("COLIBRI_MAX_AGENT", "COLIBRI_MAX_AGENTS"), new("COLIBRI_WHATEVER_THIS_IS", null),
        ]);
        (unknown[2].Hint, unknown[0].Hint).ShouldBe((", did you mean COLIBRI_MAX_AGENTS?", ""));
    }

    [Test]
    public void A_setting_and_what_is_ours_besides_is_known() =>
        UnknownNames.In(DaemonConfiguration.All.Select(setting => setting.Name).Concat(UnknownNames.NoSettings).ToDictionary(name => name, _ => "1")).ShouldBeEmpty();

    [Test]
    public void No_setting_and_no_key_of_a_section_looks_like_a_secret()
    {
        var keys = DaemonConfiguration.All.Select(setting => setting.Key)
            .Concat(ProfileKeys.All.Select(key => key.Name)).Concat(WorkspaceKeys.All.Select(key => key.Name)).Concat(RetentionKeys.All.Select(key => key.Name)).Concat(NotifySettings.Keys.Select(key => key.Name));
        keys.Where(SecretNames.LooksLikeOne).ShouldBeEmpty();
    }

    [Test]
    [Arguments("OPENAI_API_KEY", true)]
    [Arguments("openai-api-key", true)]
    [Arguments("apikey", true)]
    [Arguments("github_token", true)]
    [Arguments("token", true)]
    [Arguments("db_password", true)]
    [Arguments("client_secret", true)]
    [Arguments("CLAUDE_CODE_MAX_OUTPUT_TOKENS", false)]
    [Arguments("monkey", false)]
    [Arguments("model", false)]
    public void A_name_under_which_secrets_are_kept_is_known(string name, bool expected) => SecretNames.LooksLikeOne(name).ShouldBe(expected);
}
