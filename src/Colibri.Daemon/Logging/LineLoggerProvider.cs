using System.Threading.Channels;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Logging;

/// <summary>
/// Writes log lines to standard error from one thread of its own, so that a thread that logs never waits for a terminal or an unread log
/// pipe. Lines beyond the queue are dropped and counted, and the count is logged when there is room again.
/// </summary>
internal sealed class LineLoggerProvider : ILoggerProvider
{
    private const int QueueCapacity = 4_096;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(QueueCapacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly Stream _output = Console.OpenStandardError();
    private readonly LogLevel _minimum;
    private readonly LogFormat _format;
    private readonly TimeProvider _time;
    private readonly Task _writer;
    private long _dropped;
    private volatile Func<string, string>? _redact;

    public LineLoggerProvider(LogLevel minimum, LogFormat format, TimeProvider time)
    {
        (_minimum, _format, _time) = (minimum, format, time);
        _writer = Task.Factory.StartNew(WriteLines, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Lines that found the queue full since the start.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Redacts every line from now on, whoever wrote what is in it. The keys are read after the first lines are logged.</summary>
    public void RedactWith(Func<string, string> redact) => _redact = redact;

    public ILogger CreateLogger(string categoryName) => new LineLogger(this);

    /// <summary>Writes what is queued, for at most two seconds: a reader that is gone must not keep the daemon from ending.</summary>
    public void Dispose()
    {
        _lines.Writer.TryComplete();
        _writer.Wait(TimeSpan.FromSeconds(2));
    }

    private bool IsEnabled(LogLevel level) => level >= _minimum && level != LogLevel.None;

    private void Add(string line)
    {
        if (!_lines.Writer.TryWrite(line))
            Interlocked.Increment(ref _dropped);
    }

    // Blocks, on a thread of its own: standard error may be an unread pipe, and that must not cost the pool a thread.
    private void WriteLines()
    {
        var own = CreateLogger("log");
        var told = 0L;
        while (_lines.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_lines.Reader.TryRead(out var line))
                Write(line);
            var dropped = Dropped;
            if (dropped <= told)
                continue;
            // The queue is empty at this moment, so there is room for this one.
            own.LogLinesDropped(dropped - told);
            told = dropped;
        }
    }

    private void Write(string line)
    {
        try
        {
            _output.Write(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Standard error is gone, and with it the only place to report that.
        }
    }

    private sealed class LineLogger(LineLoggerProvider provider) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => provider.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var fields = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
            provider.Add(LogLine.Render(provider._format, provider._time.GetUtcNow(), logLevel, eventId.Id, formatter(state, exception), exception, fields, provider._redact));
        }
    }
}
