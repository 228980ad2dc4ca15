using Colibri.Core.Logging;
using Microsoft.Extensions.Logging;

namespace Colibri.Core;

/// <summary>Work that goes on beside its starter. Nothing runs unawaited without this: a failure is logged, never lost.</summary>
public static class Background
{
    /// <summary>Watches the work to its end.</summary>
    /// <param name="logger">Is told of a failure.</param>
    /// <param name="what">The work, as the log names it.</param>
    /// <param name="work">Running already.</param>
    /// <param name="failed">What has to be done when it fails; must not throw.</param>
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
