using System.Text;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Logging;

/// <summary>
/// Holds every warning and error to one line a minute for each condition. A line that repeats within a minute is left out and counted; the
/// next one, or one line a minute after the last, says how many were.
/// </summary>
/// <remarks>
/// Two lines are about the same condition if they are of one event and say the same but for their digits. For the events in
/// <see cref="OneCondition"/> the event alone decides, because the cause is the host and not the session that met it. No event
/// has more than <see cref="MaxLinesOfEvent"/> lines a minute. Passes on lines below a warning as they come.
/// </remarks>
/// <param name="inner">Gets the lines.</param>
/// <param name="time">Its monotonic clock counts.</param>
public sealed class LogThrottle(ILogger inner, TimeProvider time) : ILogger
{
    /// <summary>How long a condition is silent after a line about it.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Conditions remembered; further ones count as one for each event.</summary>
    public const int MaxConditions = 1_024;

    /// <summary>Lines of one event within a minute, whatever they are about.</summary>
    public const int MaxLinesOfEvent = 30;

    private const int MaxKeyLength = 400;

    /// <summary>Sessions that cannot be written: the disk is the condition, and a thousand sessions may meet it.</summary>
    private static readonly HashSet<int> OneCondition = [501, 503];

    private readonly Lock _gate = new();
    private readonly Dictionary<(int Event, string Words), Condition> _conditions = [];
    private readonly Dictionary<int, Condition> _events = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        if (logLevel < LogLevel.Warning || !inner.IsEnabled(logLevel))
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
            return;
        }
        var words = OneCondition.Contains(eventId.Id) ? "" : Words(formatter(state, exception), exception);
        long leftOut;
        lock (_gate)
        {
            if (!TryPass(eventId.Id, words, () => formatter(state, exception), out leftOut))
                return;
        }
        if (leftOut == 0)
            inner.Log(logLevel, eventId, state, exception, formatter);
        else
            inner.Log(logLevel, eventId, state, exception, (told, cause) => $"{formatter(told, cause)} ({leftOut} lines like this one were left out before)");
    }

    /// <summary>Tells of the conditions that are over, and forgets them. To be called every few seconds.</summary>
    public void Sweep() => Tell(Window);

    /// <summary>Tells of everything that was left out, at the daemon's end.</summary>
    public void Flush() => Tell(TimeSpan.Zero);

    private void Tell(TimeSpan silence)
    {
        List<(int Event, Condition Condition)> over;
        lock (_gate)
        {
            over = [.. _conditions.Where(entry => IsOver(entry.Value)).Select(entry => (entry.Key.Event, entry.Value))];
            over.AddRange(_events.Where(entry => IsOver(entry.Value)).Select(entry => (entry.Key, entry.Value)));
            foreach (var key in _conditions.Where(entry => IsOver(entry.Value)).Select(entry => entry.Key).ToList())
                _conditions.Remove(key);
            foreach (var key in _events.Where(entry => IsOver(entry.Value)).Select(entry => entry.Key).ToList())
                _events.Remove(key);
        }
        foreach (var (of, condition) in over)
        {
            if (condition.LeftOut > 0)
                inner.RepetitionOver(of, (long)time.GetElapsedTime(condition.LastAt).TotalSeconds, condition.LeftOut, condition.Example);
        }

        bool IsOver(Condition condition) => time.GetElapsedTime(condition.LastAt) >= silence;
    }

    private bool TryPass(int of, string words, Func<string> example, out long leftOut)
    {
        leftOut = 0;
        var now = time.GetTimestamp();
        var key = (of, words);
        if (!_conditions.TryGetValue(key, out var condition))
        {
            if (_conditions.Count >= MaxConditions)
                key = (of, "");
            if (!_conditions.TryGetValue(key, out condition))
                _conditions[key] = condition = new Condition(now - (long)(Window.TotalSeconds * time.TimestampFrequency) - 1);
        }
        condition.LastAt = now;
        if (time.GetElapsedTime(condition.ToldAt, now) < Window)
        {
            condition.LeaveOut(example);
            return false;
        }
        if (!_events.TryGetValue(of, out var all))
            _events[of] = all = new Condition(now);
        if (time.GetElapsedTime(all.ToldAt, now) >= Window)
            (all.ToldAt, all.Lines) = (now, 0);
        all.LastAt = now;
        if (all.Lines >= MaxLinesOfEvent)
        {
            all.LeaveOut(example);
            return false;
        }
        leftOut = condition.LeftOut + (all.Lines == 0 ? all.LeftOut : 0);
        if (all.Lines++ == 0)
            all.LeftOut = 0;
        (condition.ToldAt, condition.LeftOut) = (now, 0);
        return true;
    }

    // Counts, times and ages differ from line to line about one condition.
    private static string Words(string message, Exception? cause)
    {
        var text = cause is null ? message : $"{message}: {cause.GetType().Name} {cause.Message}";
        var words = new StringBuilder(Math.Min(text.Length, MaxKeyLength));
        foreach (var c in text)
        {
            if (words.Length == MaxKeyLength)
                break;
            if (!char.IsAsciiDigit(c))
                words.Append(c);
        }
        return words.ToString();
    }

    private sealed class Condition(long toldAt)
    {
        public long ToldAt { get; set; } = toldAt;

        public long LastAt { get; set; }

        public int Lines { get; set; }

        public long LeftOut { get; set; }

        /// <summary>The first line that was left out.</summary>
        public string Example { get; private set; } = "";

        public void LeaveOut(Func<string> example)
        {
            if (LeftOut++ == 0)
                Example = example();
        }
    }
}
