using Colibri.Core.Board;
using Colibri.Core.Providers;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.UnitTests.Board;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Scheduling;

/// <summary>What a restart knows of providers that wait, on a clock that stands still until it is moved.</summary>
public sealed class RouteRestsTests
{
    private static readonly ProviderRoute First = new("anthropic", "claude:new");
    private static readonly ProviderRoute Second = new("mock", null);

    private readonly FakeTime _time = new();
    private readonly CollectingLogger _logger = new();

    [Test]
    // Down for so long, the clock set by so much meanwhile, and what is left then of a rest of 60 minutes.
    [Arguments(0, 0, 60)]
    [Arguments(20, 0, 40)]
    [Arguments(20, -10, 50)]
    [Arguments(20, -600, 60)]
    [Arguments(20, 30, 10)]
    [Arguments(60, 0, 0)]
    [Arguments(0, 600, 0)]
    public async Task A_stated_rest_outlives_the_daemon_and_is_never_longer_than_it_was(int downMinutes, int setByMinutes, int leftMinutes)
    {
        await using var board = new BoardFixture();
        await LiveAsync(board, router => router.Report(First.Provider, First.Model, ProviderFailure.Overload, "429", _time.GetUtcNow().AddMinutes(60)));
        _time.Advance(TimeSpan.FromMinutes(downMinutes));
        _time.SetClock(TimeSpan.FromMinutes(setByMinutes));

        await LiveAsync(board, router =>
        {
            router.Choose().ShouldBe(leftMinutes > 0 ? Second : First);
            router.Status()[0].Until.ShouldBe(leftMinutes > 0 ? _time.GetUtcNow().AddMinutes(leftMinutes) : null);
            if (leftMinutes == 0)
                return;
            (router.Status()[0].Failures, router.Status()[0].LastError).ShouldBe((1, "429"));
            _time.Advance(TimeSpan.FromMinutes(leftMinutes));
            router.Choose().ShouldBe(First);
        });
    }

    [Test]
    public async Task A_rest_after_failures_goes_on_with_their_number()
    {
        await using var board = new BoardFixture();
        await LiveAsync(board, router =>
        {
            for (var i = 0; i < ProviderRouter.RestAfter; i++)
                router.Report(Second.Provider, Second.Model, ProviderFailure.Overload, "529");
        });

        await LiveAsync(board, router =>
        {
            var shown = router.Status()[1];
            (shown.State, shown.Failures).ShouldBe(("resting", ProviderRouter.RestAfter));
            (shown.Until - _time.GetUtcNow()).ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromMinutes(6), TimeSpan.FromMinutes(8));
        });
    }

    [Test]
    public async Task A_provider_without_a_route_is_held_over_a_restart_and_its_wait_goes_on_growing()
    {
        await using var board = new BoardFixture();
        var source = new ProviderSource("openai");
        var program = new ProviderSource("pi", null, "/usr/bin/pi");
        DateTimeOffset until = default;
        await HoldAsync(board, holds =>
        {
            Fail(holds, source, "t1");
            Fail(holds, source, "t2");
            Fail(holds, program, "t1", TimeSpan.FromHours(1));
            until = holds.Status()[0].Until.ShouldNotBeNull();
        });
        _time.Advance(TimeSpan.FromSeconds(5));

        await HoldAsync(board, holds =>
        {
            holds.Status().Select(held => (held.Provider, held.Program, held.State, held.Failures, held.LastError)).ShouldBe(
                [("openai", null, "backing-off", 2, "fetch failed"), ("pi", "/usr/bin/pi", "backing-off", 1, "fetch failed")]);
            holds.Status()[0].Until.ShouldBe(until);
            holds.MayStart(source, out var nextAt).ShouldBeFalse();
            nextAt.ShouldBe(until);
            _time.Advance(ProviderHold.FirstWait);
            holds.TryAdmit(source, "t3", out _).ShouldBeTrue();
            Fail(holds, source, "t3");
            (holds.Status()[0].Until - _time.GetUtcNow()).ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromSeconds(45), TimeSpan.FromSeconds(60));
        });

        await HoldAsync(board, holds =>
        {
            holds.End("openai");
            holds.End("pi");
        });
        await HoldAsync(board, holds => holds.Status().ShouldBeEmpty());
    }

    private static void Fail(ProviderHolds holds, ProviderSource source, string task, TimeSpan stated = default) =>
        holds.Failed(source, new ProviderFault(ProviderFailure.Unreachable, IsStated: false), "fetch failed", task, TimeSpan.Zero, stated);

    private async Task HoldAsync(BoardFixture board, Action<ProviderHolds> live)
    {
        var router = new ProviderRouter([], _ => null, [], _time, new Random(1), _logger);
        var holds = new ProviderHolds(router, _ => null, _time, new Random(1), _logger);
        await using (await RouteRests.RestoreAsync(board.Board, router, _time, _logger, holds))
            live(holds);
    }

    [Test]
    public async Task What_is_over_unknown_or_damaged_is_dropped()
    {
        await using var board = new BoardFixture();
        await LiveAsync(board, router =>
        {
            router.Report(First.Provider, First.Model, ProviderFailure.Overload);
            router.Report(Second.Provider, Second.Model, ProviderFailure.Overload);
        });
        (await RecordsAsync(board)).ShouldBe(["provider.rest.anthropic:claude:new", "provider.rest.mock"]);
        await LiveAsync(board, router => router.Report(Second.Provider, Second.Model, ProviderFailure.None));
        (await RecordsAsync(board)).ShouldBe(["provider.rest.anthropic:claude:new"], "a route that answers has no rest");
        _time.Advance(ProviderHold.FirstWait);
        await LiveAsync(board, router => router.Choose().ShouldBe(First));
        (await RecordsAsync(board)).ShouldBeEmpty();

        foreach (var (name, value) in ((string, string)[])[
            ("provider.rest.gone", """{"until":"2999-01-01T00:00:00Z","length_ms":9,"failures":1}"""),
            ("provider.rest.mock", "{"),
            ("provider.rest.anthropic:claude:new", """{"until":"2999-01-01T00:00:00Z","length_ms":-1,"failures":1}"""),
            ("another", "stays")])
        {
            await board.Board.SetSettingAsync(name, value);
        }
        await LiveAsync(board, router => router.Choose().ShouldBe(First));
        (await RecordsAsync(board)).ShouldBeEmpty();
        (await board.Board.GetSettingAsync("another")).ShouldBe("stays");
    }

    [Test]
    public async Task A_length_beyond_all_calendars_is_a_week()
    {
        await using var board = new BoardFixture();
        await board.Board.SetSettingAsync("provider.rest.mock", $$"""{"until":"9999-01-01T00:00:00Z","length_ms":{{long.MaxValue}},"failures":1}""");
        await LiveAsync(board, router => router.Status()[1].Until.ShouldBe(_time.GetUtcNow().AddDays(7)));
    }

    [Test]
    public async Task A_disk_that_refuses_the_record_stops_nobody_and_gets_it_later()
    {
        var isRefusing = true;
        await using var board = new BoardFixture
        {
            Syncing = () =>
        {
            if (Volatile.Read(ref isRefusing))
                throw new IOException("No space left on device");
        }
        };
        var router = NewRouter();
        await using var rests = await RouteRests.RestoreAsync(board.Board, router, _time, _logger);

        router.Report(First.Provider, First.Model, ProviderFailure.Overload, "429", _time.GetUtcNow().AddHours(1));

        router.Choose().ShouldBe(Second);
        await UntilAsync(() => _logger.Of(424).Count == 1 && _time.NextTimer is not null);
        Volatile.Write(ref isRefusing, false);
        _time.Advance(RouteRests.RetryAfter);
        await UntilAsync(async () => (await RecordsAsync(board)).Count == 1);
    }

    private async Task LiveAsync(BoardFixture board, Action<ProviderRouter> live)
    {
        var router = NewRouter();
        await using (await RouteRests.RestoreAsync(board.Board, router, _time, _logger))
            live(router);
    }

    private ProviderRouter NewRouter() => new([First, Second], _ => "sk-mock", [], _time, new Random(1), _logger);

    private static async Task<List<string>> RecordsAsync(BoardFixture board) =>
        [.. (await board.Board.SettingsAsync(RouteRests.Prefix, RouteRests.MaxRecords)).Select(record => record.Name)];

    private static Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var deadline = Environment.TickCount64 + 30_000;
        while (!await holds())
        {
            Environment.TickCount64.ShouldBeLessThan(deadline);
            await Task.Yield();
        }
    }
}
