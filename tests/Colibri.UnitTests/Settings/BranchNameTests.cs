using Colibri.Core.Settings;

namespace Colibri.UnitTests.Settings;

/// <summary>The rules are those of git-check-ref-format(1).</summary>
public sealed class BranchNameTests
{
    [Test]
    [Arguments("main")]
    [Arguments("feature/a.b-c_d")]
    [Arguments("a@b")]
    [Arguments("é{x}")]
    public void A_name_that_git_takes_is_right(string name) => BranchName.IsRight(name).ShouldBeTrue();

    [Test]
    [Arguments("")]
    [Arguments("@")]
    [Arguments("HEAD")]
    [Arguments("-x")]
    [Arguments("a b")]
    [Arguments("a..b")]
    [Arguments("a@{1}")]
    [Arguments("a~1")]
    [Arguments("a^")]
    [Arguments("a:b")]
    [Arguments("a?")]
    [Arguments("a*")]
    [Arguments("a[")]
    [Arguments("a\\b")]
    [Arguments("a\nb")]
    [Arguments("a\u007f")]
    [Arguments("/a")]
    [Arguments("a/")]
    [Arguments("a//b")]
    [Arguments(".a")]
    [Arguments("a/.b")]
    [Arguments("a.lock")]
    [Arguments("a.lock/b")]
    [Arguments("a.")]
    public void A_name_that_git_refuses_is_not(string name) => BranchName.IsRight(name).ShouldBeFalse();

    [Test]
    [Arguments("colibri/{number}-{slug}", true)]
    [Arguments("{number}", true)]
    [Arguments("colibri/{slug}", false)]
    [Arguments("colibri/{number}-{title}", false)]
    [Arguments("colibri/{number}.lock", false)]
    [Arguments("co libri/{number}", false)]
    [Arguments("@{number}", true)]
    [Arguments("{number", false)]
    public void A_template_gives_each_task_a_branch_of_its_own(string template, bool expected) => BranchName.IsTemplate(template).ShouldBe(expected);

    [Test]
    public void A_name_is_bounded()
    {
        BranchName.IsRight(new string('a', BranchName.MaxLength)).ShouldBeTrue();
        BranchName.IsRight(new string('a', BranchName.MaxLength + 1)).ShouldBeFalse();
    }
}
