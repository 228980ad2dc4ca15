using Colibri.Core;
using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Daemon.Hosting;

/// <summary>Reads the settings again, for SIGHUP and for <c>reload</c>, and logs what came of it.</summary>
internal sealed class SettingsReload(LiveSettings settings, ILogger logger)
{
    /// <summary>Reads them on the pool: a signal's handler must not wait for a file.</summary>
    public void Start() => _ = Background.Run(logger, "reading the settings again", Task.Run(() =>
    {
        try
        {
            Run();
        }
        catch (ConfigurationException)
        {
            // Logged, and nobody waits for an answer.
        }
    }));

    /// <summary>Blocks on the file.</summary>
    /// <exception cref="ConfigurationException">There is a mistake; what was in force stays so.</exception>
    public SettingsChange Run()
    {
        try
        {
            var change = settings.Reload();
            if (change is { File: null, Changed.Count: 0 })
                logger.NothingToReload();
            else
                logger.SettingsReloaded(change.File ?? "the environment", change.Changed.Count);
            if (change.RestartNeeded.Count > 0)
                logger.RestartNeeded(string.Join(", ", change.RestartNeeded));
            return change;
        }
        catch (ConfigurationException e)
        {
            logger.ReloadRefused(e.Message);
            throw;
        }
    }
}
