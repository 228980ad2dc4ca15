using System.Text;
using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

public sealed class GitConfigTests
{
    [Test]
    [Arguments("filter.lfs.clean", "")]
    [Arguments("filter.a=b.c.smudge", "")]
    [Arguments("filter.x.process", "")]
    [Arguments("filter.x.required", "false")]
    [Arguments("diff.x.textconv", "false")]
    [Arguments("diff.x.command", "false")]
    [Arguments("merge.x.driver", "false")]
    [Arguments("credential.https://example.org.helper", "")]
    [Arguments("hook.x.command", "false")]
    public void A_setting_that_names_a_program_is_replaced(string key, string value) => GitConfig.Instead(Encoding.UTF8.GetBytes(key)).ShouldBe(value);

    [Test]
    [Arguments("user.name")]
    [Arguments("branch.main.merge")]
    [Arguments("remote.origin.url")]
    [Arguments("core.bare")]
    [Arguments("alone")]
    public void Others_stay(string key) => GitConfig.Instead(Encoding.UTF8.GetBytes(key)).ShouldBeNull();

    [Test]
    public void Each_is_passed_once_and_as_the_bytes_that_it_is()
    {
        byte[] listed = [.. "filter.a=b\xFF"u8, .. ".clean\nevil\0filter.k.clean\0filter.k.clean\nagain\0user.name\nMe\0user.email\nme@example.org\0"u8];
        var before = Count(GitConfig.Fixed);
        var config = GitConfig.For(listed, "host");
        Count(config).ShouldBe(before + 2);
        Encoding.Latin1.GetString(config.Variables()).ShouldContain("=filter.k.clean\0");
        config.Identity.ShouldBe(new GitIdentity("Me", "me@example.org"));
    }

    [Test]
    public void A_daemon_without_an_identity_commits_under_its_own_name() =>
        GitConfig.For("user.name\nMe\0"u8, "host").Identity.ShouldBe(new GitIdentity("Colibri", "colibri@host"));

    [Test]
    public void A_configuration_that_names_programs_without_end_is_refused()
    {
        var listed = string.Concat(Enumerable.Range(0, GitConfig.MaxFound + 1).Select(i => $"filter.{i}.clean\nx\0"));
        Should.Throw<GitException>(() => GitConfig.For(Encoding.UTF8.GetBytes(listed), "host")).Kind.ShouldBe(GitFailureKind.Planted);
    }

    private static int Count(GitConfig config)
    {
        var text = Encoding.Latin1.GetString(config.Variables());
        return int.Parse(text["GIT_CONFIG_COUNT=".Length..text.IndexOf('\0', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture);
    }
}
