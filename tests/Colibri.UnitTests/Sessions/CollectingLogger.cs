using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Colibri.UnitTests.Sessions;

/// <summary>Keeps what is logged, for tests of what an operator is told.</summary>
internal sealed class CollectingLogger : ILogger
{
    private readonly ConcurrentQueue<(int Event, string Message)> _lines = new();

    public IReadOnlyList<string> Of(int eventId) => [.. _lines.Where(line => line.Event == eventId).Select(line => line.Message)];

    public IReadOnlyList<string> All => [.. _lines.Select(line => line.Message)];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((eventId.Id, exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception}"));
}
