using Colibri.Core.Runs;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Runs;

public sealed class CrashBreakerTests
{
    private const string Program = "/usr/local/bin/pi";
    private const int Tripped = 420;
    private const int Closed = 421;

    private readonly FakeTime _time = new();
    private readonly CollectingLogger _logger = new();
    private readonly CrashBreaker _breaker;

    public CrashBreakerTests() => _breaker = new CrashBreaker(_time, _logger);

    [Test]
    public void Crashes_in_a_row_make_a_program_rest_longer_each_time()
    {
        for (var crash = 1; crash < CrashBreaker.TripsAfter; crash++)
            Crash();
        _breaker.RestsUntil(Program).ShouldBeNull();
        foreach (var minutes in new[] { 1, 2, 4, 8, 16, 30, 30 })
        {
            Crash();
            _breaker.RestsUntil(Program).ShouldBe(_time.GetUtcNow().AddMinutes(minutes));
            _breaker.RestsUntil("/usr/bin/zot").ShouldBeNull();
            _time.Advance(TimeSpan.FromMinutes(minutes));
            _breaker.RestsUntil(Program).ShouldBeNull("one more try");
        }
        _logger.Of(Tripped).Count.ShouldBe(7);
    }

    [Test]
    [Arguments(-2)]
    [Arguments(2)]
    public void A_clock_that_is_set_neither_ends_nor_lengthens_a_rest(int hours)
    {
        for (var crash = 0; crash < CrashBreaker.TripsAfter; crash++)
            Crash();
        _time.SetClock(TimeSpan.FromHours(hours));
        _breaker.RestsUntil(Program).ShouldBe(_time.GetUtcNow().AddMinutes(1));
        _breaker.Status().ShouldHaveSingleItem().Until.ShouldBe(_time.GetUtcNow().AddMinutes(1));
        _time.Advance(TimeSpan.FromMinutes(1));
        _breaker.RestsUntil(Program).ShouldBeNull();
        _breaker.Status().ShouldBeEmpty();
    }

    [Test]
    public void A_start_that_goes_well_forgets_them()
    {
        for (var crash = 0; crash < CrashBreaker.TripsAfter; crash++)
            Crash();
        var shown = _breaker.Status().ShouldHaveSingleItem();
        (shown.Program, shown.Crashes, shown.LastError).ShouldBe((Program, CrashBreaker.TripsAfter, "exited 127"));
        _breaker.Report(Program, crashed: false);
        _breaker.RestsUntil(Program).ShouldBeNull();
        _breaker.Status().ShouldBeEmpty();
        _logger.Of(Closed).ShouldHaveSingleItem();
        Crash();
        _breaker.RestsUntil(Program).ShouldBeNull();
    }

    [Test]
    public void Starts_that_printed_something_count_only_if_different_tasks_meet_the_same()
    {
        for (var crash = 0; crash < 20; crash++)
            _breaker.Report(Program, crashed: true, "exited 1 after system: invalid settings", "t1");
        _breaker.RestsUntil(Program).ShouldBeNull("it may be the task");
        _breaker.Report(Program, crashed: true, "exited 1 after system: invalid settings", "t2");
        _breaker.RestsUntil(Program).ShouldNotBeNull();
    }

    [Test]
    public void Programs_that_are_remembered_are_bounded()
    {
        for (var crash = 0; crash < CrashBreaker.TripsAfter; crash++)
            Crash();
        for (var other = 0; other < 100; other++)
            _breaker.Report($"/bin/{other}", crashed: true);
        _breaker.RestsUntil(Program).ShouldBeNull();
    }

    private void Crash() => _breaker.Report(Program, crashed: true, "exited 127");
}
