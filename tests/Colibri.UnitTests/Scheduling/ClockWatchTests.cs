using Colibri.Core.Board;
using Colibri.Core.Scheduling;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Board;

namespace Colibri.UnitTests.Scheduling;

public sealed class ClockWatchTests
{
    public static IEnumerable<(double, double)> StepsAndPauses() =>
        new[] { -48.0, -1, -1.0 / 60, 0.1, 1, 48 }.SelectMany(hours => new[] { 0.0, 10, 30 }.Select(pause => (hours, pause)));

    /// <summary>What was dated before the clock was set and what was dated after it wait for as long as they were told to.</summary>
    [Test]
    [MethodDataSource(nameof(StepsAndPauses))]
    public async Task A_step_moves_the_back_offs_of_the_old_clock_and_no_other(double hours, double secondsToLook)
    {
        await using var fixture = new BoardFixture();
        var clock = new ClockWatch(fixture.Time);
        var wait = TimeSpan.FromHours(2);
        var before = await BackOff(fixture, "before", wait);
        fixture.Time.Now += TimeSpan.FromSeconds(1);
        clock.Step().ShouldBeNull();
        fixture.Time.Now += TimeSpan.FromSeconds(secondsToLook / 2);
        fixture.Time.SetClock(TimeSpan.FromHours(hours));
        fixture.Time.Now += TimeSpan.FromSeconds(secondsToLook / 2);
        var after = await BackOff(fixture, "after", wait);

        var step = clock.Step().ShouldNotBeNull();
        step.By.ShouldBe(TimeSpan.FromHours(hours));
        (await fixture.Board.ShiftBackoffsAsync(step.By, step.Since)).ShouldBe(1);
        clock.Accept(step.By);

        clock.Step().ShouldBeNull();
        var left = (await fixture.Get(before)).NotBefore!.Value - fixture.Time.Now;
        (left, (await fixture.Get(after)).NotBefore).ShouldBe((wait - TimeSpan.FromSeconds(1 + secondsToLook), fixture.Time.Now + wait));

        // It is set back to what it was: what was dated by either clock moves.
        fixture.Time.Now += TimeSpan.FromMinutes(3);
        clock.Step().ShouldBeNull();
        fixture.Time.SetClock(TimeSpan.FromHours(-hours));
        var back = clock.Step().ShouldNotBeNull();
        (await fixture.Board.ShiftBackoffsAsync(back.By, back.Since)).ShouldBe(2);
        left -= TimeSpan.FromMinutes(3);
        ((await fixture.Get(before)).NotBefore, (await fixture.Get(after)).NotBefore)
            .ShouldBe((fixture.Time.Now + left, fixture.Time.Now + wait - TimeSpan.FromMinutes(3)));
    }

    private static async Task<BoardTask> BackOff(BoardFixture fixture, string agent, TimeSpan wait)
    {
        var task = await fixture.Create();
        await fixture.Board.BeginSpawnAsync(BoardFixture.Record(agent), task.Id);
        await fixture.Board.EndSpawnAsync(agent, new RunEnd { AgentId = "", Ending = RunEnding.Failed, RetryAt = fixture.Time.Now + wait });
        return task;
    }
}
