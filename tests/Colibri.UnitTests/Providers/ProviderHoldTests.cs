using Colibri.Core.Providers;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Providers;

/// <summary>The policy of a provider that fails, on a clock that stands still until it is moved.</summary>
public sealed class ProviderHoldTests
{
    private static readonly ProviderFault Words = new(ProviderFailure.Unreachable, IsStated: false);
    private static readonly ProviderFault Status = new(ProviderFailure.Overload, IsStated: true);
    private static readonly ProviderFault Silence = new(ProviderFailure.Silence, IsStated: false);

    private readonly FakeTime _time = new();
    private readonly ProviderHold _hold;

    public ProviderHoldTests() => _hold = new ProviderHold(ProviderHolds.TasksNeeded, _time, new Random(1));

    [Test]
    public void By_words_alone_two_different_tasks_hold_a_provider_and_neither_pays()
    {
        var first = Fail(Words, "t1");
        (first.IsProviders, first.Change, _hold.IsHeld).ShouldBe((true, HoldChange.None, false));
        (first.RetryAt - _time.GetUtcNow()).ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromSeconds(22.5), TimeSpan.FromSeconds(30));
        Fail(Words, "t1").Change.ShouldBe(HoldChange.None, "the same task is no other");

        Fail(Words, "t2").ShouldBe(new ProviderRuling(true, null, HoldChange.Began));

        (_hold.IsWaiting, _hold.TryAdmit("t3")).ShouldBe((true, false));
        Left.ShouldBeInRange(TimeSpan.FromSeconds(22.5), TimeSpan.FromSeconds(30));
    }

    [Test]
    public void A_task_that_fails_alone_backs_off_twice_as_long_each_time_and_pays_nothing()
    {
        foreach (var ceiling in (double[])[30, 60, 120, 240, 480, 600, 600, 600])
        {
            var ruling = Fail(Words, "t1");
            ruling.IsProviders.ShouldBeTrue();
            var wait = (ruling.RetryAt - _time.GetUtcNow())!.Value;
            wait.TotalSeconds.ShouldBeInRange(ceiling * 0.75, ceiling);
            _time.Advance(wait);
        }
        _hold.IsHeld.ShouldBeFalse();
    }

    [Test]
    public void A_status_or_a_stated_time_holds_with_one_task()
    {
        Fail(Status, "t1").Change.ShouldBe(HoldChange.Began);

        var other = new ProviderHold(ProviderHolds.TasksNeeded, _time, new Random(1));
        other.Failed(Words, "limit", "t1", TimeSpan.Zero, TimeSpan.FromHours(3)).Change.ShouldBe(HoldChange.Began);
        other.Until.ShouldBe(_time.GetUtcNow().AddHours(3));
        var endless = new ProviderHold(1, _time, new Random(1));
        endless.Failed(Status, "limit", "t1", TimeSpan.Zero, TimeSpan.FromDays(400));
        endless.Until.ShouldBe(_time.GetUtcNow().AddDays(7));
    }

    [Test]
    public void Silence_is_a_guess_that_the_first_task_pays_for_and_several_make_true()
    {
        Fail(Silence, "t1").IsProviders.ShouldBeFalse();
        Fail(Silence, "t1").IsProviders.ShouldBeFalse("it is alone with that");
        Fail(Silence, "t2").ShouldBe(new ProviderRuling(true, null, HoldChange.Began));
    }

    [Test]
    public void When_the_wait_is_over_one_task_tries_and_its_failure_lengthens_the_wait()
    {
        Fail(Status, "t1");
        foreach (var ceiling in (double[])[60, 120, 240, 480, 600, 600])
        {
            _time.Advance(Left);
            _hold.TryAdmit("t2").ShouldBeTrue();
            _hold.TryAdmit("t2").ShouldBeTrue("it has leave already");
            _hold.TryAdmit("t3").ShouldBeFalse();
            Fail(Status, "t2").ShouldBe(new ProviderRuling(true, null, HoldChange.Lengthened));
            Left.TotalSeconds.ShouldBeInRange(ceiling * 0.75, ceiling);
            _time.Advance(Left);
            _hold.TryAdmit("t3").ShouldBeTrue("another than the last that failed");
            _hold.Release("t3");
            _time.Advance(ProviderHold.Deference);
        }
    }

    [Test]
    public void The_task_that_failed_last_leaves_the_first_try_to_another_for_a_moment()
    {
        Fail(Status, "t1");
        _time.Advance(Left);
        _hold.TryAdmit("t1").ShouldBeFalse();
        _hold.NextAt.ShouldBe(_time.GetUtcNow() + ProviderHold.Deference);
        _time.Advance(ProviderHold.Deference);
        _hold.TryAdmit("t1").ShouldBeTrue("there is no other");
    }

    [Test]
    public void An_answer_ends_the_hold_and_the_others_follow_one_after_another()
    {
        Fail(Status, "t0");
        _time.Advance(Left);
        _hold.TryAdmit("t1").ShouldBeTrue();
        _time.Advance(TimeSpan.FromSeconds(1));
        _hold.Answered("t1", TimeSpan.FromSeconds(1), isDone: false).ShouldBeTrue();

        var started = new List<DateTimeOffset>();
        for (var task = 2; task <= 41;)
        {
            if (_hold.TryAdmit($"t{task}"))
            {
                started.Add(_time.GetUtcNow());
                task++;
                continue;
            }
            _time.Advance(_hold.NextAt.ShouldNotBeNull() - _time.GetUtcNow());
        }
        started.Max(at => started.Count(other => other >= at && other < at.AddSeconds(1))).ShouldBeLessThanOrEqualTo(4);
        (started[^1] - started[0]).ShouldBeInRange(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30));
    }

    [Test]
    public void A_run_from_before_the_hold_neither_lengthens_nor_ends_it()
    {
        Fail(Status, "t1");
        var until = _hold.Until;
        _time.Advance(TimeSpan.FromSeconds(10));
        _hold.Failed(Status, "529", "t2", TimeSpan.FromSeconds(11), TimeSpan.Zero).ShouldBe(new ProviderRuling(true, null));
        _hold.Until.ShouldBe(until);
        _hold.Answered("t3", TimeSpan.FromSeconds(11), isDone: true).ShouldBeFalse();
        _hold.Until.ShouldBe(until);

        _hold.Failed(Status, "429", "t4", TimeSpan.FromSeconds(11), TimeSpan.FromHours(1)).Change.ShouldBe(HoldChange.Lengthened, "a stated time is news");
        _hold.Until.ShouldBe(_time.GetUtcNow().AddHours(1));
    }

    [Test]
    public void The_failures_of_one_task_among_others_that_succeed_become_its_own()
    {
        for (var free = 0; free <= ProviderHold.MostAlone - 1; free++)
        {
            Fail(Status, "odd").IsProviders.ShouldBeTrue();
            _time.Advance(Left + ProviderHold.Deference);
            _hold.TryAdmit($"other {free}").ShouldBeTrue();
            _hold.Answered($"other {free}", TimeSpan.Zero, isDone: true);
        }
        Fail(Status, "odd").IsProviders.ShouldBeFalse();
        _hold.IsHeld.ShouldBeFalse("it keeps nobody waiting any more");
        Fail(Status, "new").IsProviders.ShouldBeTrue("this concerns that task alone");
    }

    [Test]
    public void A_try_that_tells_nothing_is_followed_by_another()
    {
        Fail(Status, "t0");
        _time.Advance(Left);
        _hold.TryAdmit("t1").ShouldBeTrue();
        _hold.Release("t1");
        _hold.TryAdmit("t2").ShouldBeFalse("after a pause");
        _time.Advance(ProviderHold.Deference);
        _hold.TryAdmit("t2").ShouldBeTrue();
        _hold.TryAdmit("t3").ShouldBeFalse();
        _time.Advance(ProviderHold.ProbePatience);
        _hold.TryAdmit("t3").ShouldBeTrue("nobody waits for ever for a first answer");
    }

    [Test]
    [Arguments(-2)]
    [Arguments(2)]
    public void A_clock_that_is_set_neither_ends_nor_lengthens_a_hold(int hours)
    {
        Fail(Status, "t1");
        var left = Left;
        _time.SetClock(TimeSpan.FromHours(hours));
        Left.ShouldBe(left);
        _time.Advance(left);
        _hold.TryAdmit("t2").ShouldBeTrue();
    }

    [Test]
    public void An_operator_ends_it()
    {
        Fail(Status, "t1");
        _hold.End().ShouldBeTrue();
        (_hold.IsHeld, _hold.Failures, _hold.TryAdmit("t1")).ShouldBe((false, 0, true));
        _hold.End().ShouldBeFalse();
    }

    [Test]
    public void The_tasks_that_are_counted_are_bounded()
    {
        for (var task = 0; task < 3_000; task++)
            Fail(Words, $"t{task}");
        Fail(Words, "t0").IsProviders.ShouldBeTrue();
    }

    private TimeSpan Left => _hold.Until is { } until ? until - _time.GetUtcNow() : TimeSpan.Zero;

    private ProviderRuling Fail(ProviderFault fault, string task) => _hold.Failed(fault, "words", task, TimeSpan.Zero, TimeSpan.Zero);
}
