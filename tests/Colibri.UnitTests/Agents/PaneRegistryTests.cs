using Colibri.Core.Agents;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents;

[NotInParallel]
public sealed class PaneRegistryTests : IAsyncDisposable
{
    private readonly SupervisorFixture _fixture = new(maxAgents: 8);

    private PaneRegistry Panes => _fixture.Supervisor.Panes;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Test]
    public async Task Agents_are_in_the_order_of_their_start_and_put_in_order_once()
    {
        for (var i = 0; i < 5; i++)
            await _fixture.Spawn(SupervisorFixture.Working);

        Panes.Agents.Select(agent => agent.Id).ShouldBe(Panes.Agents.Select(agent => agent.Id).Order(StringComparer.Ordinal));
        Panes.Agents.Count.ShouldBe(5);
        Panes.Agents.ShouldBeSameAs(Panes.Agents, "nothing is sorted or copied at a look");
    }

    [Test]
    public async Task An_agent_that_is_added_late_stands_where_its_id_says_and_one_that_is_removed_is_gone()
    {
        var agents = new List<SupervisedAgent>();
        for (var i = 0; i < 3; i++)
            agents.Add(await _fixture.Spawn(SupervisorFixture.Working));
        // Two that were made within one millisecond are in no order.
        agents.Sort((left, right) => string.CompareOrdinal(left.Id, right.Id));
        var registry = new PaneRegistry();

        registry.Add(agents[2]);
        registry.Add(agents[0]);
        registry.Add(agents[1]);
        registry.Agents.ShouldBe(agents);

        registry.Remove(agents[1]);
        registry.Remove(agents[1]);
        registry.Agents.ShouldBe([agents[0], agents[2]]);
        registry.Find(agents[1].Id).ShouldBeNull();
    }
}
