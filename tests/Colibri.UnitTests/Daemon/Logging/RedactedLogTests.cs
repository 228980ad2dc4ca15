using System.Globalization;
using Colibri.Core.Settings;
using Colibri.Daemon.Logging;
using Colibri.UnitTests.Providers;
using Microsoft.Extensions.Logging;

namespace Colibri.UnitTests.Daemon.Logging;

public sealed class RedactedLogTests
{
    private static readonly DateTimeOffset At = DateTimeOffset.Parse("2026-11-22T06:07:10.893Z", CultureInfo.InvariantCulture);

    [Test]
    [Arguments(LogFormat.Text)]
    [Arguments(LogFormat.Json)]
    public void A_key_is_in_no_part_of_a_line_whoever_brought_it(LogFormat format)
    {
        var key = Keys.Usual;
        var line = LogLine.Render(
            format, At, LogLevel.Error, 105, $"it failed with {key}", new InvalidOperationException($"no {key[..25]}\n{key[25..]} here"),
            [KeyValuePair.Create("Path", (object?)$"/opt/{key}/agent"), KeyValuePair.Create("Count", (object?)3), KeyValuePair.Create("Uri", (object?)new Uri($"http://h/{key}")), KeyValuePair.Create("None", (object?)null)],
            Keys.Of(key).Redact);
        line.ShouldHoldNoPartOf(key, line);
        line.ShouldContain("it failed with [redacted]");
        if (format == LogFormat.Json)
            line.ShouldContain("\"path\":\"/opt/[redacted]/agent\",\"count\":3,\"uri\":\"http://h/[redacted]\",\"none\":\"\"");
    }
}
