using Colibri.Web.Glass;

namespace Colibri.UnitTests.Web.Glass;

public sealed class BrowserHubTests
{
    [Test]
    public void A_page_is_told_once_what_has_changed_often_and_only_what_it_asked_for()
    {
        var hub = new BrowserHub();
        var browser = hub.TryJoin(new HashSet<string> { Topics.Panes, Topics.Task(12) })!;
        for (var i = 0; i < 10_000; i++)
        {
            hub.Tell(Topics.Panes);
            hub.Tell(Topics.Inbox);
            hub.Tell(Topics.Task(i));
        }
        browser.Woken.IsCompleted.ShouldBeTrue();
        var (isAll, changed) = browser.Take();
        isAll.ShouldBeFalse();
        changed.Order().ShouldBe([Topics.Panes, Topics.Task(12)]);
        browser.Woken.IsCompleted.ShouldBeFalse();
        browser.Take().Changed.ShouldBeEmpty();
    }

    [Test]
    public void After_a_gap_a_page_is_told_that_anything_may_have_changed()
    {
        var hub = new BrowserHub();
        var browser = hub.TryJoin(new HashSet<string>())!;
        hub.TellAll();
        browser.Woken.IsCompleted.ShouldBeTrue();
        browser.Take().IsAll.ShouldBeTrue();
        browser.Take().IsAll.ShouldBeFalse();
    }

    [Test]
    public void There_are_64_pages_at_the_most_and_one_that_leaves_makes_room()
    {
        var hub = new BrowserHub();
        hub.HasAny.ShouldBeFalse();
        var all = Enumerable.Range(0, 64).Select(_ => hub.TryJoin(new HashSet<string>())!).ToList();
        hub.TryJoin(new HashSet<string>()).ShouldBeNull();
        hub.Leave(all[7]);
        hub.TryJoin(new HashSet<string>()).ShouldNotBeNull();
        hub.HasAny.ShouldBeTrue();
    }
}
