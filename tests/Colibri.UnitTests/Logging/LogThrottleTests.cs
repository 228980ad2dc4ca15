using System.Globalization;
using System.Text.RegularExpressions;
using Colibri.Core.Logging;
using Colibri.UnitTests.Scheduling;
using Colibri.UnitTests.Sessions;
using Colibri.UnitTests.Structure;
using Microsoft.Extensions.Logging;

namespace Colibri.UnitTests.Logging;

public sealed partial class LogThrottleTests
{
    private const int Over = 117;

    private readonly CollectingLogger _lines = new();
    private readonly FakeTime _time = new();
    private readonly LogThrottle _logger;

    public LogThrottleTests() => _logger = new LogThrottle(_lines, _time);

    /// <summary>Every warning and error of the catalogue.</summary>
    public static IEnumerable<(int Event, LogLevel Level)> Troubles()
    {
        foreach (var line in SourceTree.Files("Colibri.Core").Single(file => file.Name.EndsWith("Logging/Log.cs", StringComparison.Ordinal)).Lines)
        {
            if (Catalogued().Match(line) is { Success: true } found)
                yield return (int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture), found.Groups[2].Value == "Error" ? LogLevel.Error : LogLevel.Warning);
        }
    }

    [Test]
    public void The_catalogue_has_troubles() => Troubles().Count().ShouldBeGreaterThan(50);

    [Test]
    [MethodDataSource(nameof(Troubles))]
    public void A_condition_that_lasts_is_one_line_a_minute(int of, LogLevel level)
    {
        const int Minutes = 3;
        const int Times = 1_000;
        for (var minute = 0; minute < Minutes; minute++)
        {
            for (var i = 0; i < Times; i++)
            {
                Say(of, level, $"it failed after {i} ms");
                _logger.Sweep();
                _time.Advance(LogThrottle.Window / Times);
            }
        }

        var told = _lines.Of(of);
        told.Count.ShouldBe(Minutes);
        told[0].ShouldBe("it failed after 0 ms");
        told[1].ShouldEndWith("(999 lines like this one were left out before)");
        _lines.Of(Over).ShouldBeEmpty("it lasts");

        _time.Advance(LogThrottle.Window);
        _logger.Sweep();

        _lines.Of(Over).ShouldHaveSingleItem().ShouldBe($"event {of} is not logged any more since 60 s; 999 lines like this one were left out: it failed after 1 ms");
        _time.Advance(LogThrottle.Window);
        _logger.Sweep();
        _lines.Of(Over).Count.ShouldBe(1, "it is told once");
    }

    [Test]
    [MethodDataSource(nameof(Troubles))]
    public void One_event_about_ever_other_things_is_bounded_too(int of, LogLevel level)
    {
        for (var i = 0; i < 5_000; i++)
            Say(of, level, $"agent {Letters(i)} failed");

        _lines.Of(of).Count.ShouldBeLessThanOrEqualTo(LogThrottle.MaxLinesOfEvent);
    }

    [Test]
    public void Two_conditions_are_both_told()
    {
        Say(401, LogLevel.Warning, "agent a did not start: no such file");
        Say(401, LogLevel.Warning, "agent a did not start: permission denied");
        Say(402, LogLevel.Warning, "agent a did not start: no such file");

        _lines.Of(401).Count.ShouldBe(2);
        _lines.Of(402).Count.ShouldBe(1);
    }

    [Test]
    public void A_cause_that_changes_is_told()
    {
        _logger.UnexpectedFailure("the scheduler", new IOException("one"));
        _logger.UnexpectedFailure("the scheduler", new IOException("another"));
        _logger.UnexpectedFailure("the scheduler", new IOException("one"));

        _lines.Of(105).Count.ShouldBe(2);
    }

    [Test]
    public void What_is_no_trouble_is_never_left_out()
    {
        for (var i = 0; i < 100; i++)
            Say(300, LogLevel.Information, "done");

        _lines.Of(300).Count.ShouldBe(100);
    }

    [Test]
    public void The_end_tells_what_was_left_out()
    {
        for (var i = 0; i < 3; i++)
            Say(501, LogLevel.Error, $"session {Letters(i)}: an entry could not be written");

        _logger.Flush();

        _lines.Of(501).Count.ShouldBe(1, "the disk is the condition, whatever session met it");
        _lines.Of(Over).ShouldHaveSingleItem().ShouldContain("2 lines like this one were left out");
    }

    [Test]
    public void A_clock_that_is_set_changes_nothing()
    {
        Say(303, LogLevel.Warning, "full");
        _time.SetClock(TimeSpan.FromDays(1));
        Say(303, LogLevel.Warning, "full");
        _time.SetClock(TimeSpan.FromDays(-2));
        Say(303, LogLevel.Warning, "full");

        _lines.Of(303).Count.ShouldBe(1);
    }

    private void Say(int of, LogLevel level, string message) => _logger.Log(level, new EventId(of), message, null, static (text, _) => text);

    private static string Letters(int number) => string.Concat(number.ToString(CultureInfo.InvariantCulture).Select(digit => (char)(digit - '0' + 'a')));

    [GeneratedRegex(@"\[LoggerMessage\((\d+), LogLevel\.(Warning|Error),")]
    private static partial Regex Catalogued();
}
