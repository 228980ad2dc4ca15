using System.Text;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Cost;

public sealed class CostControlTests
{
    [Test]
    [Arguments(CostMode.Fast, 500_000, 5, 4_000L)]
    [Arguments(CostMode.Smart, 2_000_000, 20, 16_000L)]
    [Arguments(CostMode.Max, 8_000_000, 100, null)]
    public void A_mode_is_its_limits(CostMode mode, long bytes, int turns, long? toolResult)
    {
        var cost = new CostControl(mode, new EventHub(TimeProvider.System));
        cost.Limits.ShouldBe(new CostLimits(bytes, turns, toolResult));
        cost.State.ShouldBe(new CostState { Mode = mode, SessionMaxBytes = bytes, MaxUncompactedTurns = turns, ToolResultMaxBytes = toolResult });
    }

    [Test]
    public void A_mode_that_is_none_is_refused() =>
        Should.Throw<ArgumentOutOfRangeException>(() => CostLimits.Of((CostMode)3));

    [Test]
    public async Task A_change_is_in_force_at_once_and_published()
    {
        var events = new EventHub(TimeProvider.System);
        using var subscriber = events.Subscribe(EventTopic.Cost);
        var cost = new CostControl(CostMode.Smart, events);

        cost.Set(CostMode.Max).ShouldBeSameAs(cost.State);

        cost.Limits.ShouldBe(CostLimits.Of(CostMode.Max));
        Encoding.UTF8.GetString(await subscriber.ReadAsync(TestContext.Current!.Execution.CancellationToken))
            .ShouldContain("\"cost\":{\"mode\":\"max\",\"session_max_bytes\":8000000,\"max_uncompacted_turns\":100,\"tool_result_max_bytes\":null}");
    }
}
