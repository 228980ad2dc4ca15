using System.Text.Json;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Cost;

public sealed class BudgetsTests
{
    private const long Dollar = 100_000_000;
    private readonly FakeTime _time = new();

    private Budgets Of(long? task, long? day) => new(task, day, new EventHub(_time), _time);

    [Test]
    public void A_task_may_cost_its_budget_and_not_more()
    {
        var budgets = Of(Dollar, null);
        budgets.IsOverTask(Dollar).ShouldBeFalse();
        budgets.IsOverTask(Dollar + 1).ShouldBeTrue();
        Of(null, Dollar).IsOverTask(long.MaxValue).ShouldBeFalse();
    }

    [Test]
    public void Spending_has_a_highest_number_and_never_falls_back_from_it()
    {
        var budgets = Of(null, Dollar);
        for (var i = 0; i < 4; i++)
        {
            budgets.Spend(long.MaxValue / 2, long.MaxValue / 2);
            (budgets.IsHeld, budgets.State.SpentMicrocents, budgets.State.UnpricedTokens).ShouldBe((true, 9_000_000_000_000_000, 9_000_000_000_000_000));
        }
    }

    [Test]
    public void A_day_is_held_once_its_budget_is_used_up_and_until_midnight()
    {
        var budgets = Of(null, Dollar);
        budgets.Spend(Dollar - 1, 0).ShouldBeFalse();
        (budgets.IsHeld, budgets.State.LiftsAt).ShouldBe((false, null));

        budgets.Spend(1, 7).ShouldBeTrue();
        budgets.Spend(1, 0).ShouldBeFalse("it is told once");
        var state = budgets.State;
        (state.Held, state.SpentMicrocents, state.UnpricedTokens, state.Day).ShouldBe((true, Dollar + 1, 7, "2026-11-22"));
        state.LiftsAt.ShouldBe(new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero));

        _time.Advance(state.LiftsAt!.Value - _time.GetUtcNow() - TimeSpan.FromTicks(1));
        budgets.IsHeld.ShouldBeTrue();
        _time.Advance(TimeSpan.FromTicks(1));
        (budgets.IsHeld, budgets.State.SpentMicrocents, budgets.State.Day).ShouldBe((false, 0, "2026-11-23"));
    }

    [Test]
    public void A_lifted_budget_stays_lifted_for_the_day_and_no_longer()
    {
        var budgets = Of(null, Dollar);
        budgets.Spend(Dollar, 0);
        (budgets.Lift(_time.GetUtcNow()).Held, budgets.IsHeld).ShouldBe((false, false));
        budgets.Spend(Dollar, 0).ShouldBeFalse();

        _time.Advance(TimeSpan.FromDays(1));
        budgets.State.LiftedAt.ShouldBeNull();
        budgets.Spend(Dollar, 0).ShouldBeTrue();
    }

    [Test]
    public void A_restart_forgets_neither_what_was_spent_nor_that_the_budget_was_lifted()
    {
        var spent = new Usage { CostMicrocents = Dollar, UnpricedTokens = 3 };
        var budgets = Of(null, Dollar);
        budgets.Restore(budgets.Today, spent, liftedAt: null);
        (budgets.IsHeld, budgets.State.UnpricedTokens).ShouldBe((true, 3));

        var lifted = Of(null, Dollar);
        lifted.Restore(lifted.Today, spent, _time.GetUtcNow());
        lifted.IsHeld.ShouldBeFalse();

        var yesterday = Of(null, Dollar);
        yesterday.Restore(yesterday.Today, spent, _time.GetUtcNow().AddDays(-1));
        yesterday.IsHeld.ShouldBeTrue();
    }

    [Test]
    public void A_budget_of_nothing_holds_from_the_start() => Of(null, 0).IsHeld.ShouldBeTrue();

    [Test]
    public async Task That_starts_are_held_and_go_on_is_published()
    {
        var hub = new EventHub(_time);
        var budgets = new Budgets(null, Dollar, hub, _time);
        using var subscriber = hub.Subscribe(EventTopic.Cost);
        budgets.Spend(Dollar, 0);
        budgets.Lift(_time.GetUtcNow());

        var held = await Next(subscriber);
        (held.Kind, held.Topic, held.Budget!.Held).ShouldBe(("budget", "cost", true));
        (await Next(subscriber)).Budget!.LiftedAt.ShouldBe(_time.GetUtcNow());
    }

    private static async Task<Event> Next(EventSubscriber subscriber) => JsonSerializer.Deserialize(
        await subscriber.ReadAsync(TestContext.Current!.Execution.CancellationToken), ProtocolJson.Wire.Event)!;
}
