using Colibri.Core.Workspaces;

namespace Colibri.UnitTests.Workspaces;

public sealed class BranchNameTests
{
    [Test]
    [Arguments("Fix the login test", "fix-the-login-test")]
    [Arguments("  ../../etc/passwd\n", "etc-passwd")]
    [Arguments("Ünïcode — only ★", "n-code-only")]
    [Arguments("★", "task")]
    [Arguments("", "task")]
    [Arguments("a-very-long-title-that-goes-on-and-on-and-on-for-ever", "a-very-long-title-that-goes-on-and-on-an")]
    public void A_slug_has_letters_digits_and_dashes_alone(string title, string slug) => BranchName.Slug(title).ShouldBe(slug);

    [Test]
    public void The_template_is_filled() => BranchName.For("colibri/{number}-{slug}", 12, "fix").ShouldBe("colibri/12-fix");

    [Test]
    [Arguments("a\nb")]
    [Arguments("-x")]
    [Arguments("a..b")]
    [Arguments("a.lock/b")]
    [Arguments(".a")]
    [Arguments("a/")]
    [Arguments("HEAD")]
    [Arguments("@")]
    [Arguments("a@{b")]
    [Arguments("a b")]
    [Arguments("")]
    public void What_is_no_plain_branch_is_refused(string name) =>
        Should.Throw<GitException>(() => BranchName.For(name, 1, "x")).Message.ShouldEndWith(": correct the workspace's branch");
}
