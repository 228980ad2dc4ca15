using Colibri.Core.Logging;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>
/// Logs the exceptions of tasks that were never awaited. Such an exception ends nothing and would otherwise leave no trace. The runtime
/// reports it when it collects the task, so the line may come late.
/// </summary>
internal sealed class UnobservedFailures : IDisposable
{
    private readonly ILogger _logger;

    public UnobservedFailures(ILogger logger)
    {
        _logger = logger;
        TaskScheduler.UnobservedTaskException += Tell;
    }

    public void Dispose() => TaskScheduler.UnobservedTaskException -= Tell;

    private void Tell(object? sender, UnobservedTaskExceptionEventArgs failure)
    {
        foreach (var exception in failure.Exception.InnerExceptions)
            _logger.UnobservedFailure(exception);
        failure.SetObserved();
    }
}
