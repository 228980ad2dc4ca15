using System.Text.Json;
using Colibri.Core.Cost;
using Colibri.Core.Events;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Cost;

/// <summary>Whoever follows the events knows the state in force: the last event is the latest change.</summary>
public sealed class PublishOrderTests
{
    [Test]
    [Arguments("set", "set")]
    [Arguments("set", "escalate")]
    [Arguments("escalate", "set")]
    [Arguments("escalate", "escalate")]
    public void A_cost_mode_that_is_changed_while_a_change_is_published_is_published_after_it(string first, string second)
    {
        // Once without the second thread: it must find nothing to compile.
        var warm = new CostControl(CostMode.Fast, new EventHub(TimeProvider.System));
        Change(warm, second, CostMode.Max);
        Change(warm, first, CostMode.Smart);
        var clock = new HeldClock();
        var events = new EventHub(clock);
        using var subscriber = events.Subscribe(EventTopic.Cost);
        var cost = new CostControl(CostMode.Fast, events);

        clock.Overlap(
            () => Change(cost, first, CostMode.Smart),
            () => Change(cost, second, CostMode.Max));

        Last(subscriber).Cost.ShouldNotBeNull().Mode.ShouldBe(cost.State.Mode);
    }

    [Test]
    [Arguments("spend", "lift")]
    [Arguments("lift", "spend")]
    public void A_budget_that_is_changed_while_a_change_is_published_is_published_after_it(string first, string second)
    {
        var clock = new HeldClock();
        var events = new EventHub(clock);
        using var subscriber = events.Subscribe(EventTopic.Cost);
        var budgets = new Budgets(taskMicrocents: null, dayMicrocents: 100, events, TimeProvider.System);

        clock.Overlap(() => Change(budgets, first), () => Change(budgets, second));

        var last = Last(subscriber).Budget.ShouldNotBeNull();
        (last.Held, last.LiftedAt).ShouldBe((budgets.State.Held, budgets.State.LiftedAt));
    }

    private static void Change(CostControl cost, string how, CostMode mode)
    {
        if (how == "set")
            cost.Set(mode);
        else
            cost.Escalate(cost.State.Mode, mode, "s", DateTimeOffset.UnixEpoch);
    }

    private static void Change(Budgets budgets, string how)
    {
        if (how == "lift")
            budgets.Lift(DateTimeOffset.UnixEpoch);
        else
            budgets.Spend(100, 0);
    }

    private static Event Last(EventSubscriber subscriber)
    {
        byte[]? last = null;
        while (subscriber.TryRead(out var line))
            last = line;
        return JsonSerializer.Deserialize(last.ShouldNotBeNull(), ProtocolJson.Wire.Event).ShouldNotBeNull();
    }

    /// <summary>Holds the first one who asks for the time, in the midst of publishing.</summary>
    private sealed class HeldClock : TimeProvider
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
        private readonly TaskCompletionSource _reached = new();
        private readonly TaskCompletionSource _opened = new();
        private int _asked;

        public override DateTimeOffset GetUtcNow()
        {
            if (Interlocked.Exchange(ref _asked, 1) == 0)
            {
                _reached.SetResult();
                _opened.Task.Wait(Patience).ShouldBeTrue();
            }
            return DateTimeOffset.UnixEpoch;
        }

        /// <summary>Runs the second change while the first is publishing: to its end, or to where it waits for the first.</summary>
        public void Overlap(Action first, Action second)
        {
            var one = new Thread(() => first());
            one.Start();
            _reached.Task.Wait(Patience).ShouldBeTrue();
            var two = new Thread(() => second());
            two.Start();
            SpinWait.SpinUntil(() => !two.IsAlive || (two.ThreadState & ThreadState.WaitSleepJoin) != 0, Patience).ShouldBeTrue();
            _opened.SetResult();
            one.Join(Patience).ShouldBeTrue();
            two.Join(Patience).ShouldBeTrue();
        }
    }
}
