using Colibri.Core.Panes;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Panes;

public sealed class DeniedCallsTests
{
    [Test]
    public void Tools_beyond_the_bound_are_counted_together()
    {
        IReadOnlyList<DeniedTool>? denied = null;
        for (var i = 0; i < 100; i++) denied = DeniedCalls.With(denied, $"t{i}", "no");
        denied = DeniedCalls.With(denied, "t3", null);

        denied!.Count.ShouldBe(DeniedCalls.MaxTools);
        denied[3].ShouldBe(new DeniedTool("t3", "no", 2));
        denied[^1].ShouldBe(new DeniedTool("other tools", null, 69));
        denied.Sum(tool => tool.Count).ShouldBe(101);
    }

    [Test]
    public void A_run_has_what_came_since_it_began()
    {
        var before = DeniedCalls.With(DeniedCalls.With(null, "a", "no"), "b", null);
        DeniedCalls.Since(before, before).ShouldBeNull();
        DeniedCalls.Since(before, null).ShouldBe(before);
        DeniedCalls.Since(DeniedCalls.With(DeniedCalls.With(before, "a", "never"), "c", null), before)
            .ShouldBe([new DeniedTool("a", "never", 1), new DeniedTool("c", null, 1)]);
    }

    [Test]
    public void A_call_is_counted_once_and_keeps_the_time_of_its_failure()
    {
        var calls = new DeniedCalls();
        calls.Failed(7, moves: 2);
        (calls.IsNew(7), calls.IsNew(7), calls.IsNew(0), calls.IsNew(0)).ShouldBe((true, false, true, true));
        (calls.MovesAt(7, now: 5), calls.MovesAt(8, now: 5)).ShouldBe((2, 5));

        for (ulong call = 100; call < 3_000; call++) calls.Failed(call, moves: 9);
        calls.MovesAt(7, now: 5).ShouldBe(0, "it was long ago");
    }
}
