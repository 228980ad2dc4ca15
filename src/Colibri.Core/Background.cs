using Colibri.Core.Logging;
using Microsoft.Extensions.Logging;

namespace Colibri.Core;

/// <summary>Watches background work. All unawaited work passes through here, so that every failure is logged.</summary>
public static class Background
{
    /// <summary>Watches the work to its end.</summary>
    /// <param name="logger">Logs a failure.</param>
    /// <param name="what">The work, as the log names it.</param>
    /// <param name="work">Running already.</param>
    /// <param name="failed">Called when the work fails; must not throw.</param>
    /// <returns>Completes with the work and never fails; need not be awaited.</returns>
    public static async Task Run(ILogger logger, string what, Task work, Action<Exception>? failed = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            await work.ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            logger.UnexpectedFailure(what, e);
            failed?.Invoke(e);
        }
    }
}
