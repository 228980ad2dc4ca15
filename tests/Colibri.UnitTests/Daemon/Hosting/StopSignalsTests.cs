using System.Runtime.InteropServices;
using Colibri.Daemon.Hosting;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Daemon.Hosting;

public sealed class StopSignalsTests
{
    private readonly FakeTime _time = new();

    [Test]
    [Arguments(PosixSignal.SIGTERM, PosixSignal.SIGTERM)]
    [Arguments(PosixSignal.SIGTERM, PosixSignal.SIGINT)]
    [Arguments(PosixSignal.SIGINT, PosixSignal.SIGTERM)]
    public void One_that_comes_with_the_first_is_the_first_and_a_later_one_the_second(PosixSignal first, PosixSignal second)
    {
        using var signals = new StopSignals(_time);
        signals.First.IsCompleted.ShouldBeFalse();

        signals.Take(first);
        signals.First.Result.ShouldBe(first);
        signals.Stopping.IsCancellationRequested.ShouldBeTrue();

        _time.Advance(StopSignals.SameSignal - TimeSpan.FromTicks(1));
        signals.Take(second);
        signals.Second.IsCompleted.ShouldBeFalse();

        _time.SetClock(TimeSpan.FromHours(-1));
        _time.Advance(TimeSpan.FromTicks(1));
        signals.Take(second);
        signals.Second.Result.ShouldBe(second);
    }
}
