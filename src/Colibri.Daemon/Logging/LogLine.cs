using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Colibri.Core.Settings;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Logging;

/// <summary>
/// One event as one line, with every known key redacted. Control characters in values are escaped: a task's title must not move the reader's
/// cursor.
/// </summary>
internal static class LogLine
{
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Render(
        LogFormat format,
        DateTimeOffset at,
        LogLevel level,
        int eventId,
        string message,
        Exception? exception,
        IReadOnlyList<KeyValuePair<string, object?>> fields,
        Func<string, string>? redact = null)
    {
        redact ??= static text => text;
        var time = at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        return format == LogFormat.Json
            ? RenderJson(time, level, eventId, message, exception, fields, redact)
            : $"{time} {Word(level),-5} [{eventId}] {Escape(redact(exception is null ? message : $"{message}: {Describe(exception)}"))}";
    }

    private static string RenderJson(
        string time, LogLevel level, int eventId, string message, Exception? exception, IReadOnlyList<KeyValuePair<string, object?>> fields,
        Func<string, string> redact)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, JsonOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("ts"u8, time);
            writer.WriteString("level"u8, Word(level).ToLowerInvariant());
            writer.WriteNumber("event"u8, eventId);
            writer.WriteString("message"u8, redact(message));
            foreach (var (name, value) in fields)
            {
                if (name != "{OriginalFormat}")
                    WriteField(writer, JsonNamingPolicy.SnakeCaseLower.ConvertName(name), value, redact);
            }
            if (exception is not null)
                writer.WriteString("exception"u8, redact(Describe(exception)));
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void WriteField(Utf8JsonWriter writer, string name, object? value, Func<string, string> redact)
    {
        switch (value)
        {
            case int number: writer.WriteNumber(name, number); break;
            case long number: writer.WriteNumber(name, number); break;
            case uint number: writer.WriteNumber(name, number); break;
            case DateTimeOffset moment: writer.WriteString(name, moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)); break;
            default: writer.WriteString(name, redact(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")); break;
        }
    }

    private static string Describe(Exception exception) => exception.ToString();

    private static string Escape(string text)
    {
        if (!text.Any(char.IsControl))
            return text;
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            if (c == '\n')
                escaped.Append("\\n");
            else if (char.IsControl(c))
                escaped.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
            else
                escaped.Append(c);
        }
        return escaped.ToString();
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "TRACE",
        LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO",
        LogLevel.Warning => "WARN",
        _ => "ERROR",
    };
}
