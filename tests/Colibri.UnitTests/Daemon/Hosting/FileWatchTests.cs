using Colibri.Core.Logging;
using Colibri.Daemon.Hosting;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Daemon.Hosting;

public sealed class FileWatchTests
{
    private const int Begin = 115;
    private const int End = 116;

    private static readonly StatusFile Gone = new("socket", "/s", StatusFile.Gone, "it was removed");

    private readonly CollectingLogger _logger = new();
    private readonly FakeTime _time = new();

    [Test]
    public void What_lasts_is_logged_at_its_begin_and_its_end_and_keeps_its_time()
    {
        var wrong = new List<StatusFile>();
        var watch = Watch(() => wrong);
        watch.Look();
        watch.Found.ShouldBeNull();

        wrong.Add(Gone);
        var begun = _time.GetUtcNow();
        for (var i = 0; i < 100; i++)
        {
            watch.Look();
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        watch.Found.ShouldBe([Gone with { Since = begun }]);
        _logger.Of(Begin).ShouldHaveSingleItem().ShouldBe("the socket /s is gone: it was removed");
        _logger.Of(End).ShouldBeEmpty();

        wrong.Clear();
        watch.Look();
        watch.Look();

        watch.Found.ShouldBeNull();
        _logger.Of(End).ShouldHaveSingleItem().ShouldBe("the socket /s is as it should be again");
    }

    [Test]
    public void A_look_that_fails_does_not_hide_the_others()
    {
        var watch = Watch(() => throw new InvalidOperationException("a defect"), () => [Gone]);
        watch.Look();
        watch.Found.ShouldNotBeNull().Count.ShouldBe(1);
        _logger.Of(105).Count.ShouldBe(1);
    }

    private FileWatch Watch(params Func<IEnumerable<StatusFile>>[] looks)
    {
        var throttle = new LogThrottle(_logger, _time);
        return new FileWatch(looks, throttle, _time, throttle);
    }
}
