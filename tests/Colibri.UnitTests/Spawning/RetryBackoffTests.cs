using Colibri.Core.Spawning;
using Colibri.UnitTests.Board;

namespace Colibri.UnitTests.Spawning;

public sealed class RetryBackoffTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(8, 128)]
    [InlineData(9, 256)]
    [InlineData(10, 300)]
    [InlineData(11, 300)]
    [InlineData(1_000, 300)]
    [InlineData(int.MaxValue, 300)]
    public void The_longest_wait_doubles_from_a_second_to_five_minutes(int attempts, int seconds) =>
        RetryBackoff.Ceiling(attempts).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(20)]
    public void The_wait_is_anywhere_between_none_and_the_longest(int attempts)
    {
        var time = new ManualTime();
        var backoff = new RetryBackoff(time, new Random(4711));
        var shares = Enumerable.Range(0, 2_000)
            .Select(_ => (backoff.NextAttemptAt(attempts) - time.Now) / RetryBackoff.Ceiling(attempts))
            .ToList();
        shares.ShouldAllBe(share => share >= 0 && share < 1);
        for (var tenth = 0; tenth < 10; tenth++)
            shares.Count(share => (int)(share * 10) == tenth).ShouldBeInRange(140, 260, $"tenth {tenth}");
    }
}
