using Colibri.Core;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests;

public sealed class WakeUpTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly WakeUp _bell = new();
    private readonly FakeTime _time = new();

    [Test]
    public async Task A_ring_before_the_wait_ends_it_at_once()
    {
        _bell.Set();
        await Soon(Wait());
        _time.NextTimer.ShouldBeNull();
    }

    [Test]
    public async Task Many_rings_are_one_wake_up()
    {
        for (var i = 0; i < 100; i++)
            _bell.Set();
        await Soon(Wait());
        var second = Wait();
        second.IsCompleted.ShouldBeFalse();
        _bell.Set();
        await Soon(second);
    }

    [Test]
    public async Task The_wait_ends_when_the_time_is_up_and_not_before()
    {
        var wait = Wait();
        _time.Advance(Patience - TimeSpan.FromTicks(1));
        wait.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromTicks(1));
        await Soon(wait);
    }

    [Test]
    public async Task A_wait_of_no_time_does_not_swallow_the_ring()
    {
        _bell.Set();
        await Soon(_bell.WaitAsync(TimeSpan.Zero, _time, TestContext.Current!.Execution.CancellationToken));
        var ring = Wait();
        _bell.Set();
        await Soon(ring);
    }

    [Test]
    public async Task A_cancelled_wait_says_so()
    {
        using var stop = new CancellationTokenSource();
        var wait = _bell.WaitAsync(Patience, _time, stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Soon(wait));
        _time.NextTimer.ShouldBeNull();
    }

    private Task Wait() => _bell.WaitAsync(Patience, _time, TestContext.Current!.Execution.CancellationToken);

    private static Task Soon(Task task) => task.WaitAsync(Deadline, TestContext.Current!.Execution.CancellationToken);
}
