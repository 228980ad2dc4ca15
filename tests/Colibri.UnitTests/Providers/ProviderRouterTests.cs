using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Providers;

/// <summary>Which route is taken, on a clock that stands still until it is moved.</summary>
public sealed class ProviderRouterTests
{
    private static readonly ProviderRoute First = new("deepseek", "deepseek-chat");
    private static readonly ProviderRoute Second = new("openrouter", null);
    private static readonly ProviderRoute Keyless = new("ollama", "llama3:8b");

    private readonly FakeTime _time = new();
    private readonly Dictionary<string, string> _keys = new() { ["deepseek"] = "sk-deepseek", ["openrouter"] = "sk-openrouter" };
    private readonly ProviderRouter _router;

    public ProviderRouterTests() => _router = new ProviderRouter(
        [First, Second, Keyless], provider => _keys.GetValueOrDefault(provider), ["ollama"], _time, new Random(1), new CollectingLogger());

    [Test]
    public void The_first_route_with_a_key_is_taken()
    {
        _router.Choose().ShouldBe(First);
        _keys.Remove("deepseek");
        _router.Choose().ShouldBe(Second);
        _keys.Clear();
        _router.Choose().ShouldBe(Keyless);
        _router.Status().Select(route => route.State).ShouldBe(["no-key", "no-key", "ready"]);
        _router.Choose(["deepseek"]).ShouldBeNull();
        _router.NextAt(["deepseek"]).ShouldBeNull("no time brings a key");
    }

    [Test]
    public void An_agent_that_can_use_some_providers_gets_one_of_those()
    {
        _router.Choose(["openrouter"]).ShouldBe(Second);
        _router.Choose([]).ShouldBeNull();
        new ProviderRouter([], _ => null, [], _time, new Random(1), new CollectingLogger()).IsUsed.ShouldBeFalse();
    }

    [Test]
    public void A_key_that_is_not_taken_leaves_the_route_out_until_it_changes()
    {
        Fail(First, ProviderFailure.Authentication, "401: invalid api key");
        _router.Choose().ShouldBe(Second);
        _time.Advance(TimeSpan.FromDays(7));
        _router.Choose().ShouldBe(Second);
        var shown = _router.Status()[0];
        (shown.State, shown.Failures, shown.LastError, shown.Until).ShouldBe(("auth-failed", 1, "401: invalid api key", null));

        _keys["deepseek"] = "sk-new";
        _router.Choose().ShouldBe(First);
    }

    [Test]
    public void An_overloaded_route_backs_off_twice_as_long_each_time_and_then_rests()
    {
        foreach (var (failures, ceiling) in ((int, double)[])[(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (7, 600)])
        {
            Fail(First, ProviderFailure.Overload);
            _router.Choose().ShouldBe(Second);
            var wait = _router.Status()[0].Until!.Value - _time.GetUtcNow();
            wait.TotalSeconds.ShouldBeInRange(ceiling * 0.75, ceiling);
            _router.Status()[0].State.ShouldBe(failures < ProviderRouter.RestAfter ? "backing-off" : "resting");
            _time.Advance(wait);
            _router.Choose().ShouldBe(First);
            (_router.Status()[0].State, _router.Status()[0].Until).ShouldBe(("trying", null));
        }

        _router.Report(First.Provider, First.Model, ProviderFailure.None);
        _router.Status()[0].Failures.ShouldBe(0);
    }

    [Test]
    public void A_time_that_the_provider_states_is_waited_for()
    {
        var resume = _time.GetUtcNow().AddHours(1);
        _router.Report(First.Provider, First.Model, ProviderFailure.Overload, "429", resume);
        _router.Status()[0].Until.ShouldBe(resume);
        _time.Advance(TimeSpan.FromMinutes(59));
        _router.Choose().ShouldBe(Second);
        _time.Advance(TimeSpan.FromMinutes(1));
        _router.Choose().ShouldBe(First);
    }

    [Test]
    [Arguments(-2)]
    [Arguments(2)]
    public void A_clock_that_is_set_neither_ends_nor_lengthens_a_rest(int hours)
    {
        _router.Report(First.Provider, First.Model, ProviderFailure.Overload, "429", _time.GetUtcNow().AddHours(1));
        _time.SetClock(TimeSpan.FromHours(hours));
        _router.Choose().ShouldBe(Second);
        _router.Status()[0].Until.ShouldBe(_time.GetUtcNow().AddHours(1));
        _time.Advance(TimeSpan.FromMinutes(59));
        _router.Choose().ShouldBe(Second);
        _time.Advance(TimeSpan.FromMinutes(1));
        _router.Choose().ShouldBe(First);
    }

    [Test]
    public void With_no_route_left_it_is_known_when_the_next_is_there()
    {
        foreach (var route in new[] { First, Second, Keyless })
            Fail(route, ProviderFailure.Overload);
        _router.Choose().ShouldBeNull();
        _router.NextAt().ShouldBe(_router.Status().Min(route => route.Until));
        _time.Advance(ProviderHold.FirstWait);
        _router.NextAt().ShouldBeNull();
    }

    [Test]
    public void When_a_route_is_asked_again_one_task_tries_first_and_another_takes_the_next_route()
    {
        Fail(First, ProviderFailure.Unreachable, "fetch failed");
        _time.Advance(ProviderHold.FirstWait);

        _router.TryChoose("t1", null, out _).ShouldBe(First);
        _router.TryChoose("t1", null, out _).ShouldBe(First, "it has leave already");
        _router.TryChoose("t2", null, out _, provider => provider == Second.Provider).ShouldBe(Keyless, "neither one that another task tries nor a paused one");
        _router.TryChoose("t2", null, out _).ShouldBe(Second);
        _router.TryChoose("t2", ["deepseek"], out var nextAt).ShouldBeNull();
        nextAt.ShouldBe(_time.GetUtcNow() + ProviderHold.ProbePatience);

        _router.Answered(First.Provider, First.Model, "t1", TimeSpan.Zero, isDone: false).ShouldBeTrue();
        _router.TryChoose("t2", ["deepseek"], out _).ShouldBe(First);
        _router.TryChoose("t3", ["deepseek"], out nextAt).ShouldBeNull("starts are spread");
        (nextAt - _time.GetUtcNow()).ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1));
    }

    [Test]
    public void An_operator_ends_a_rest_and_has_a_refused_key_tried_again()
    {
        Fail(First, ProviderFailure.Overload, "529");
        Fail(Second, ProviderFailure.Authentication, "401");
        _router.Choose().ShouldBe(Keyless);
        _router.End("openrouter");
        _router.Choose().ShouldBe(Second);
        _router.End("deepseek:deepseek-chat");
        _router.Choose().ShouldBe(First);
        _router.Status().Select(route => (route.State, route.Failures)).ShouldBe([("ready", 0), ("ready", 0), ("ready", 0)]);
    }

    [Test]
    public void Jitter_keeps_routes_from_coming_back_together()
    {
        Fail(First, ProviderFailure.Overload);
        Fail(Second, ProviderFailure.Overload);
        _router.Status()[0].Until.ShouldNotBe(_router.Status()[1].Until);
    }

    [Test]
    [Arguments("401: {\"error\":\"invalid api key\"}", ProviderFailure.Authentication)]
    [Arguments("API Error: 403 forbidden", ProviderFailure.Authentication)]
    [Arguments("529: {\"error\":\"overloaded, please retry\"}", ProviderFailure.Overload)]
    [Arguments("unexpected status 503 Service Unavailable", ProviderFailure.Overload)]
    [Arguments("429 Too Many Requests", ProviderFailure.Overload)]
    [Arguments("400: context_length_exceeded", ProviderFailure.None)]
    [Arguments("the test printed 401 lines", ProviderFailure.None)]
    [Arguments("Request failed with status code 500", ProviderFailure.Overload)]
    [Arguments("it failed after 15030 ms", ProviderFailure.None)]
    [Arguments("the tool said, at the end of a long and winding story of its own: 401", ProviderFailure.None)]
    [Arguments("Request was aborted", ProviderFailure.None)]
    [Arguments(null, ProviderFailure.None)]
    public void A_failure_is_the_providers_where_the_agent_names_its_status(string? error, ProviderFailure expected) =>
        ProviderFailures.Of(error).ShouldBe(expected);

    private void Fail(ProviderRoute route, ProviderFailure failure, string? error = null) => _router.Report(route.Provider, route.Model, failure, error);
}
