using Colibri.Core.Runs;
using Colibri.UnitTests.Board;

namespace Colibri.UnitTests.Runs;

public sealed class RetryBackoffTests
{
    [Test]
    [Arguments(1, 1)]
    [Arguments(2, 2)]
    [Arguments(3, 4)]
    [Arguments(8, 128)]
    [Arguments(9, 256)]
    [Arguments(10, 300)]
    [Arguments(11, 300)]
    [Arguments(1_000, 300)]
    [Arguments(int.MaxValue, 300)]
    public void The_longest_wait_doubles_from_a_second_to_five_minutes(int attempts, int seconds) =>
        RetryBackoff.Ceiling(attempts).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Test]
    [Arguments(1)]
    [Arguments(4)]
    [Arguments(20)]
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
