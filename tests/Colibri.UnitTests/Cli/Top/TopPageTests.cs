using System.Globalization;
using Colibri.Cli.Top;

namespace Colibri.UnitTests.Cli.Top;

public sealed class TopPageTests
{
    private static StyledLine[] Lines(int from, int count) => [.. Enumerable.Range(from, count).Select(number => (StyledLine)number.ToString(CultureInfo.InvariantCulture))];

    private static TopPage Page(PageKind kind, int lines)
    {
        var page = new TopPage(1, kind, Subject.None);
        page.Fit(10);
        page.Take(Lines(1, lines), appends: true);
        return page;
    }

    [Test]
    public void It_scrolls_by_lines_and_screenfuls_and_stops_at_its_ends()
    {
        var page = Page(PageKind.Diff, 100);
        page.Top.ShouldBe(0);
        page.Scroll(Key.Of('j')).ShouldBeTrue();
        page.Top.ShouldBe(1);
        page.Scroll(new Key(KeyKind.PageDown));
        page.Top.ShouldBe(10);
        page.Scroll(Key.Of('G'));
        page.Top.ShouldBe(90);
        page.Scroll(Key.Of(' '));
        page.Top.ShouldBe(90);
        page.Scroll(new Key(KeyKind.PageUp));
        page.Top.ShouldBe(81);
        page.Scroll(Key.Of('g'));
        page.Scroll(new Key(KeyKind.Up));
        page.Top.ShouldBe(0);
        page.Scroll(Key.Of('x')).ShouldBeFalse();
    }

    [Test]
    public void A_log_follows_its_end_until_it_is_scrolled_away()
    {
        var page = Page(PageKind.Log, 100);
        page.Top.ShouldBe(90);
        page.Take(Lines(101, 5), appends: true);
        page.Top.ShouldBe(95);
        page.Scroll(Key.Of('k'));
        page.Take(Lines(106, 5), appends: true);
        page.Top.ShouldBe(94);
        page.Scroll(Key.Of('G'));
        page.Take(Lines(111, 5), appends: true);
        page.Top.ShouldBe(105);
    }

    [Test]
    public void Its_lines_are_bounded_and_the_latest_stay()
    {
        var page = Page(PageKind.Log, 1);
        for (var i = 0; i < 30; i++)
            page.Take(Lines(i * 1_000, 1_000), appends: true);
        page.Count.ShouldBeLessThanOrEqualTo(TopPage.MostLines + 1_000);
        page[page.Count - 1].Text.ShouldBe("29999");
        page.Take(Lines(1, 20_000), appends: false);
        page[TopPage.MostLines].Text.ShouldBe("… cut here");
    }
}
