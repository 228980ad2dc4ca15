using Colibri.Mcp.Output;

namespace Colibri.UnitTests.Mcp.Output;

public sealed class BoundsTests
{
    [Test]
    public void A_text_within_the_bound_stays_as_it_is() => Bounds.Cut("one\ntwo", 7).ShouldBe("one\ntwo");

    [Test]
    public void A_longer_text_is_cut_behind_a_line_and_says_so() =>
        Bounds.Cut("first line\nsecond line\nthird", 24).ShouldBe("first line\nsecond line\n[6 of 28 characters left out]");

    [Test]
    public void The_end_is_kept_where_that_is_asked_for() =>
        Bounds.Cut("first line\nsecond line\nthird", 20, keepEnd: true).ShouldBe("[11 of 28 characters left out]\nsecond line\nthird");

    [Test]
    public void A_text_of_one_line_is_cut_between_characters()
    {
        Bounds.Cut("ab😀cd", 3).ShouldBe("ab\n[4 of 6 characters left out]");
        Bounds.Cut("ab😀cd", 3, keepEnd: true).ShouldBe("[4 of 6 characters left out]\ncd");
    }
}
