using System.Text.Json;
using Colibri.Core.Settings;
using Colibri.Daemon.Logging;
using Microsoft.Extensions.Logging;

namespace Colibri.UnitTests.Daemon.Logging;

public sealed class LogLineTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 22, 8, 7, 10, 5, TimeSpan.FromHours(2));

    [Test]
    [Arguments(LogLevel.Trace, "TRACE")]
    [Arguments(LogLevel.Debug, "DEBUG")]
    [Arguments(LogLevel.Information, "INFO ")]
    [Arguments(LogLevel.Warning, "WARN ")]
    [Arguments(LogLevel.Error, "ERROR")]
    [Arguments(LogLevel.Critical, "ERROR")]
    public void A_text_line_is_time_level_event_and_message(LogLevel level, string word) =>
        Text(level, "task é is queued").ShouldBe($"2026-11-22T06:07:10.005Z {word} [300] task é is queued");

    [Test]
    [Arguments("two\nlines", "two\\nlines")]
    [Arguments("\u001b[2Jgone\r\t\0", "\\x1b[2Jgone\\x0d\\x09\\x00")]
    [Arguments("\u007f\u0085\u009b", "\\x7f\\x85\\x9b")]
    public void A_control_character_never_reaches_the_terminal(string message, string shown) =>
        Text(LogLevel.Information, message).ShouldEndWith($"[300] {shown}");

    [Test]
    public void An_exception_stays_on_its_line()
    {
        var line = LogLine.Render(LogFormat.Text, At, LogLevel.Error, 105, "it failed", new InvalidOperationException("first\nsecond"), []);
        line.ShouldContain("[105] it failed: System.InvalidOperationException: first\\nsecond");
        line.ShouldNotContain('\n');
    }

    [Test]
    public void A_json_line_carries_the_fields_by_their_names()
    {
        var line = Json("task t is queued", null, ("TaskId", "t"), ("ExitCode", 3), ("UptimeMs", 5_000_000_000L), ("Uid", 7u), ("Reason", null), ("{OriginalFormat}", "…"));
        line.ShouldBe(
            "{\"ts\":\"2026-11-22T06:07:10.005Z\",\"level\":\"warn\",\"event\":300,\"message\":\"task t is queued\","
            + "\"task_id\":\"t\",\"exit_code\":3,\"uptime_ms\":5000000000,\"uid\":7,\"reason\":\"\"}");
    }

    [Test]
    public void A_json_line_escapes_what_would_move_a_cursor()
    {
        const string Hostile = "\u001b[2J\n\0\u007f\u0085\u009b\"\\é";
        var line = Json(Hostile, new InvalidOperationException(Hostile), ("Title", Hostile));
        line.Any(char.IsControl).ShouldBeFalse();
        using var parsed = JsonDocument.Parse(line);
        parsed.RootElement.GetProperty("message").GetString().ShouldBe(Hostile);
        parsed.RootElement.GetProperty("title").GetString().ShouldBe(Hostile);
        parsed.RootElement.GetProperty("exception").GetString().ShouldNotBeNull().ShouldContain(Hostile);
    }

    private static string Text(LogLevel level, string message) => LogLine.Render(LogFormat.Text, At, level, 300, message, null, []);

    private static string Json(string message, Exception? exception, params (string Name, object? Value)[] fields) => LogLine.Render(
        LogFormat.Json, At, LogLevel.Warning, 300, message, exception, [.. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);
}
